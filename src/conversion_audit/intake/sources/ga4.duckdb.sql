-- name: rows
-- One row per event. Parameters are looked up by place in two parallel lists: cheaper than one filter per key.
WITH listed AS (
    SELECT *,
           list_transform(event_params, lambda p: p.key) AS keys,
           list_transform(event_params, lambda p: coalesce(p.value.string_value, p.value.int_value, p.value.double_value,
                                                           p.value.float_value)) AS texts
    FROM raw
), named AS (
    SELECT *,
           texts[list_position(keys, 'ga_session_id')] AS session_text,
           texts[list_position(keys, 'ga_session_number')] AS visit_text,
           texts[list_position(keys, 'session_engaged')] AS engaged_text,
           texts[list_position(keys, 'engagement_time_msec')] AS engagement_text,
           texts[list_position(keys, 'page_location')] AS page_location,
           coalesce(texts[list_position(keys, 'firebase_screen')], texts[list_position(keys, 'firebase_screen_class')]) AS screen,
           texts[list_position(keys, 'page_title')] AS page_title,
           texts[list_position(keys, 'page_referrer')] AS page_referrer,
           texts[list_position(keys, 'search_term')] AS term,
           texts[list_position(keys, 'source')] AS param_source,
           texts[list_position(keys, 'medium')] AS param_medium,
           texts[list_position(keys, 'campaign')] AS param_campaign,
           texts[list_position(keys, 'entrances')] AS entrances,
           texts[list_position(keys, 'transaction_id')] AS param_order,
           texts[list_position(keys, 'value')] AS param_value,
           texts[list_position(keys, 'currency')] AS param_currency,
           texts[list_position(keys, 'error_message')] AS error_message,
           texts[list_position(keys, 'description')] AS description,
           coalesce(texts[list_position(keys, 'load_seconds')], texts[list_position(keys, 'page_load_seconds')]) AS load_text,
           coalesce(texts[list_position(keys, 'page_load_time')], texts[list_position(keys, 'load_time_ms')]) AS load_ms_text,
           session_traffic_source_last_click AS click,
           collected_traffic_source AS collected,
           event_name IN ('purchase', 'in_app_purchase', 'ecommerce_purchase') AS sold,
           event_name = 'refund' AS returned,
           -- 1.77244E+15 is what a spreadsheet leaves of a time: hours are rounded away.
           CASE WHEN NOT contains(event_timestamp, 'E+') THEN TRY_CAST(event_timestamp AS BIGINT) END AS micros
    FROM listed
), scoped AS (
    -- The traffic source comes whole from the first scope that has one; the visitor's first touch stands in for the
    -- session's only on the first event of a first session.
    SELECT *,
           CASE WHEN known(click.manual_campaign.source) IS NOT NULL THEN 'manual'
                WHEN known(click.cross_channel_campaign.source) IS NOT NULL THEN 'cross'
                WHEN known(session_source) IS NOT NULL THEN 'session'
                WHEN collected.gclid IS NOT NULL OR click.google_ads_campaign.campaign_name IS NOT NULL THEN 'ads'
                WHEN known(collected.manual_source) IS NOT NULL THEN 'collected'
                WHEN known(param_source) IS NOT NULL THEN 'param'
                WHEN coalesce(visit_text, '1') = '1'
                     AND (event_name IN ('session_start', 'first_visit', 'first_open') OR entrances = '1') THEN 'first'
           END AS scope,
           CASE WHEN sold THEN coalesce(ecommerce.purchase_revenue, param_value)
                WHEN returned THEN coalesce(ecommerce.refund_value, param_value) END AS money_text
    FROM named
)
SELECT __file, __line,
       CASE WHEN batch_event_index IS NOT NULL AND batch_page_id IS NOT NULL THEN
            md5(concat_ws('|', user_pseudo_id, event_timestamp, event_name, stream_id, batch_page_id, batch_ordering_id, batch_event_index))
       END AS event_id,
       user_pseudo_id AS device_id, user_id, session_text AS source_session,
       CASE WHEN micros BETWEEN 0 AND 253402300799999999 THEN make_timestamp(micros) END AS time,
       TRY_CAST(coalesce(batch_page_id, event_bundle_sequence_id) AS BIGINT) AS order_1,
       TRY_CAST(batch_ordering_id AS BIGINT) AS order_2,
       TRY_CAST(batch_event_index AS BIGINT) AS order_3,
       CASE WHEN length(event_date) = 8 THEN event_date[1:4] || '-' || event_date[5:6] || '-' || event_date[7:8] ELSE event_date END AS local_date,
       event_name AS event,
       coalesce(list_contains($page_events, event_name), FALSE) AS is_page,
       coalesce(page_location, screen) AS page_url,
       page_title, page_referrer AS referrer, term AS search_term,
       CASE scope WHEN 'manual' THEN click.manual_campaign.source WHEN 'cross' THEN click.cross_channel_campaign.source
            WHEN 'session' THEN session_source
            WHEN 'ads' THEN 'google' WHEN 'collected' THEN collected.manual_source
            WHEN 'param' THEN param_source WHEN 'first' THEN traffic_source.source END AS source,
       CASE scope WHEN 'manual' THEN click.manual_campaign.medium WHEN 'cross' THEN click.cross_channel_campaign.medium
            WHEN 'session' THEN session_medium
            WHEN 'ads' THEN 'cpc' WHEN 'collected' THEN collected.manual_medium
            WHEN 'param' THEN param_medium WHEN 'first' THEN traffic_source.medium END AS medium,
       CASE scope WHEN 'manual' THEN click.manual_campaign.campaign_name WHEN 'cross' THEN click.cross_channel_campaign.campaign_name
            WHEN 'session' THEN session_campaign
            WHEN 'ads' THEN coalesce(click.google_ads_campaign.campaign_name, collected.manual_campaign_name)
            WHEN 'collected' THEN collected.manual_campaign_name
            WHEN 'param' THEN param_campaign WHEN 'first' THEN traffic_source.name END AS campaign,
       coalesce(click.cross_channel_campaign.default_channel_group, session_default_channel_group) AS channel,
       platform, app_info.version AS app_version,
       device.category AS device, coalesce(device.web_info.browser, device.browser) AS browser,
       device.operating_system AS os, geo.country AS country, device.language AS language,
       CAST(NULL AS VARCHAR) AS user_agent,
       CASE WHEN sold OR returned THEN coalesce(known(ecommerce.transaction_id), param_order) END AS order_id,
       CASE WHEN abs(TRY_CAST(money_text AS DOUBLE)) < 1e11
            THEN TRY_CAST(money_text AS DECIMAL(18, 4)) * CASE WHEN returned AND money_text NOT LIKE '-%' THEN -1 ELSE 1 END
       END AS amount,
       CASE WHEN coalesce(abs(TRY_CAST(money_text AS DOUBLE)) < 1e11, FALSE) THEN NULL ELSE money_text END AS amount_text,
       param_currency AS currency,
       coalesce(sold, FALSE) AS is_purchase, coalesce(returned, FALSE) AS is_refund,
       coalesce(error_message, CASE WHEN event_name IN ('exception', 'app_exception') THEN coalesce(description, 'exception') END) AS error,
       coalesce(TRY_CAST(load_text AS DOUBLE), TRY_CAST(load_ms_text AS DOUBLE) / 1000) AS load_seconds,
       TRY_CAST(engagement_text AS DOUBLE) / 1000 AS engagement_seconds,
       CASE engaged_text WHEN '1' THEN FALSE WHEN '0' THEN TRUE END AS is_bounce,
       TRY_CAST(visit_text AS BIGINT) AS visit_number,
       '{' || concat_ws(',',
           nullif(array_to_string(list_transform(list_filter(event_params, lambda p: NOT list_contains(['ga_session_id',
               'ga_session_number', 'session_engaged', 'engagement_time_msec', 'page_location', 'page_title', 'page_referrer',
               'search_term', 'source', 'medium', 'campaign', 'entrances', 'transaction_id', 'currency', 'error_message',
               'load_seconds', 'engaged_session_event'], p.key)), lambda p: to_json(p.key) || ':' ||
               to_json(coalesce(p.value.string_value, p.value.int_value, p.value.double_value, p.value.float_value))), ','), ''),
           nullif(array_to_string(list_transform(user_properties, lambda p: to_json('user.' || p.key) || ':' ||
               to_json(coalesce(p.value.string_value, p.value.int_value, p.value.double_value, p.value.float_value))), ','), ''),
           '"region":' || to_json(geo.region), '"city":' || to_json(geo.city), '"stream_id":' || to_json(stream_id),
           '"browser_version":' || to_json(coalesce(device.web_info.browser_version, device.browser_version)),
           '"os_version":' || to_json(device.operating_system_version),
           '"consent":' || to_json(privacy_info.analytics_storage)) || '}' AS properties,
       CASE WHEN len(items) > 0 THEN CAST(to_json(list_transform(items, lambda i: {'item_id': i.item_id, 'name': i.item_name,
            'category': i.item_category, 'brand': i.item_brand, 'price': i.price, 'quantity': i.quantity})) AS VARCHAR) END AS items,
       CASE WHEN event_timestamp IS NOT NULL AND coalesce(micros NOT BETWEEN 0 AND 253402300799999999, TRUE) THEN 'cast_failed' END AS reject,
       CASE WHEN event_timestamp IS NOT NULL AND coalesce(micros NOT BETWEEN 0 AND 253402300799999999, TRUE) THEN 'event_timestamp' END AS reject_column,
       CASE WHEN coalesce(micros NOT BETWEEN 0 AND 253402300799999999, TRUE) THEN event_timestamp END AS reject_value
FROM scoped;
