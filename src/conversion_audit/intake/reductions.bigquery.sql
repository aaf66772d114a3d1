-- name: events
-- One row per event, with the columns that an audit reads and no others. Parameters are taken out of their list by name.
SELECT
    event_date, event_timestamp, event_name, user_pseudo_id, user_id, stream_id, platform,
    batch_page_id, batch_ordering_id, batch_event_index, event_bundle_sequence_id,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS ga_session_id,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'ga_session_number') AS ga_session_number,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'session_engaged') AS session_engaged,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'engagement_time_msec') AS engagement_time_msec,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'entrances') AS entrances,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'page_location') AS page_location,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'firebase_screen') AS firebase_screen,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'firebase_screen_class') AS firebase_screen_class,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'page_title') AS page_title,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'page_referrer') AS page_referrer,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'search_term') AS search_term,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'source') AS source,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'medium') AS medium,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'campaign') AS campaign,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'transaction_id') AS transaction_id,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING), CAST(value.float_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'value') AS value,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'currency') AS currency,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'error_message') AS error_message,
    (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'description') AS description,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING), CAST(value.float_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'load_seconds') AS load_seconds,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING), CAST(value.float_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'page_load_seconds') AS page_load_seconds,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING), CAST(value.float_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'page_load_time') AS page_load_time,
    (SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING), CAST(value.float_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'load_time_ms') AS load_time_ms,
    device.category AS device_category, device.operating_system AS device_operating_system,
    device.language AS device_language, device.web_info.browser AS device_web_info_browser,
    geo.country AS geo_country, app_info.version AS app_info_version,
    traffic_source.source AS traffic_source_source, traffic_source.medium AS traffic_source_medium,
    traffic_source.name AS traffic_source_name,
    collected_traffic_source.manual_source AS collected_traffic_source_manual_source,
    collected_traffic_source.manual_medium AS collected_traffic_source_manual_medium,
    collected_traffic_source.manual_campaign_name AS collected_traffic_source_manual_campaign_name,
    collected_traffic_source.gclid AS collected_traffic_source_gclid,
    session_traffic_source_last_click.manual_campaign.source AS session_traffic_source_last_click_manual_campaign_source,
    session_traffic_source_last_click.manual_campaign.medium AS session_traffic_source_last_click_manual_campaign_medium,
    session_traffic_source_last_click.manual_campaign.campaign_name AS session_traffic_source_last_click_manual_campaign_campaign_name,
    session_traffic_source_last_click.cross_channel_campaign.source AS session_traffic_source_last_click_cross_channel_campaign_source,
    session_traffic_source_last_click.cross_channel_campaign.medium AS session_traffic_source_last_click_cross_channel_campaign_medium,
    session_traffic_source_last_click.cross_channel_campaign.campaign_name AS session_traffic_source_last_click_cross_channel_campaign_campaign_name,
    session_traffic_source_last_click.cross_channel_campaign.default_channel_group AS session_traffic_source_last_click_cross_channel_campaign_default_channel_group,
    session_traffic_source_last_click.google_ads_campaign.campaign_name AS session_traffic_source_last_click_google_ads_campaign_campaign_name,
    ecommerce.transaction_id AS ecommerce_transaction_id, ecommerce.purchase_revenue AS ecommerce_purchase_revenue,
    ecommerce.refund_value AS ecommerce_refund_value,
    TO_JSON_STRING(ARRAY(SELECT AS STRUCT item_id, item_name, item_brand, item_category, price, quantity FROM UNNEST(items))) AS items
FROM events
WHERE _TABLE_SUFFIX BETWEEN @first AND @last

-- name: parameter
-- Another parameter that a rule of the config reads.
SELECT (
    SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING), CAST(value.float_value AS STRING))
    FROM UNNEST(event_params) WHERE key = @key
)

-- name: user_properties
SELECT TO_JSON_STRING(ARRAY(
    SELECT AS STRUCT
        key,
        STRUCT(value.string_value AS string_value, value.int_value AS int_value, value.double_value AS double_value) AS value
    FROM UNNEST(user_properties)
))

-- name: stages
-- Sessions that show each step, by day and device: totals, without anybody's id.
WITH shown AS (
    SELECT
        PARSE_DATE('%Y%m%d', event_date) AS date, COALESCE(device.category, '(not set)') AS segment, event_name,
        CONCAT(user_pseudo_id, '.', (
            SELECT COALESCE(value.string_value, CAST(value.int_value AS STRING)) FROM UNNEST(event_params) WHERE key = 'ga_session_id'
        )) AS session_id
    FROM events
    WHERE _TABLE_SUFFIX BETWEEN @first AND @last
)
SELECT shown.date, steps.stage, shown.segment, COUNT(DISTINCT shown.session_id) AS count
FROM shown JOIN steps ON steps.event = shown.event_name
GROUP BY shown.date, steps.stage, shown.segment
ORDER BY shown.date, steps.stage, shown.segment
