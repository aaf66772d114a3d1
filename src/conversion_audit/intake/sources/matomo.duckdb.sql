-- name: mapped
WITH actions AS (
    SELECT __file, "row" AS v,
           unnest(CASE WHEN json_array_length(json_extract("row", '$.actionDetails')) > 0
                       THEN CAST(json_extract("row", '$.actionDetails') AS JSON[]) ELSE [NULL] END) AS a
    FROM raw
), named AS (
    SELECT *, json_extract_string(a, '$.type') AS kind, json_extract_string(v, '$.referrerType') AS way FROM actions
)
SELECT __file, NULL AS __line,
       json_extract_string(v, '$.visitorId') AS device_id, nullif(json_extract_string(v, '$.userId'), '') AS user_id,
       json_extract_string(v, '$.idVisit') AS source_session, json_extract_string(v, '$.visitCount') AS visit_number,
       json_extract_string(a, '$.timestamp') AS "time",
       coalesce(json_extract_string(a, '$.pageviewPosition'), json_extract_string(a, '$.interactionPosition')) AS order_1,
       CASE kind WHEN 'action' THEN 'page_view' WHEN 'search' THEN 'site_search'
            WHEN 'event' THEN coalesce(json_extract_string(a, '$.eventAction'), json_extract_string(a, '$.eventCategory'), 'event')
            WHEN 'goal' THEN coalesce(json_extract_string(a, '$.goalName'), 'goal')
            WHEN 'ecommerceOrder' THEN 'purchase' WHEN 'ecommerceAbandonedCart' THEN 'cart_update'
            WHEN 'download' THEN 'file_download' WHEN 'outlink' THEN 'outbound_click' ELSE kind END AS event,
       json_extract_string(a, '$.url') AS page_url, json_extract_string(a, '$.pageTitle') AS page_title,
       nullif(json_extract_string(v, '$.referrerUrl'), '') AS referrer,
       json_extract_string(a, '$.siteSearchKeyword') AS search_term,
       CASE way WHEN 'direct' THEN '(direct)' WHEN 'campaign' THEN coalesce(nullif(json_extract_string(v, '$.campaignSource'), ''), json_extract_string(v, '$.referrerName'))
            ELSE json_extract_string(v, '$.referrerName') END AS source,
       CASE way WHEN 'direct' THEN '(none)' WHEN 'search' THEN 'organic' WHEN 'website' THEN 'referral' WHEN 'social' THEN 'social'
            WHEN 'campaign' THEN nullif(json_extract_string(v, '$.campaignMedium'), '') END AS medium,
       CASE WHEN way = 'campaign' THEN coalesce(nullif(json_extract_string(v, '$.campaignName'), ''), json_extract_string(v, '$.referrerName')) END AS campaign,
       json_extract_string(v, '$.deviceType') AS device, json_extract_string(v, '$.browserName') AS browser,
       json_extract_string(v, '$.operatingSystemName') AS os, json_extract_string(v, '$.country') AS country,
       json_extract_string(v, '$.languageCode') AS language,
       json_extract_string(a, '$.orderId') AS order_id,
       CASE WHEN kind = 'ecommerceOrder' THEN json_extract_string(a, '$.revenue') END AS amount,
       CASE WHEN kind = 'ecommerceOrder' THEN json_extract_string(v, '$.siteCurrency') END AS currency,
       json_extract_string(a, '$.timeSpent') AS engagement_seconds,
       CASE WHEN kind IN ('ecommerceOrder', 'ecommerceAbandonedCart') THEN CAST(to_json(list_transform(
           TRY_CAST(json_extract(a, '$.itemDetails') AS STRUCT(itemSKU VARCHAR, itemName VARCHAR, itemCategory VARCHAR, price VARCHAR, quantity VARCHAR)[]),
           lambda i: {'item_id': i.itemSKU, 'name': i.itemName, 'category': i.itemCategory, 'brand': CAST(NULL AS VARCHAR), 'price': i.price, 'quantity': i.quantity})) AS VARCHAR)
       END AS items,
       '{' || array_to_string(['"eventCategory":' || to_json(json_extract_string(a, '$.eventCategory')),
                               '"eventName":' || to_json(json_extract_string(a, '$.eventName')),
                               '"eventValue":' || to_json(json_extract_string(a, '$.eventValue')),
                               '"city":' || to_json(nullif(json_extract_string(v, '$.city'), '')),
                               '"region":' || to_json(nullif(json_extract_string(v, '$.region'), ''))], ',') || '}' AS properties,
       CASE WHEN a IS NULL THEN 'no_hits' END AS reject, CASE WHEN a IS NULL THEN 'actionDetails' END AS reject_column
FROM named
