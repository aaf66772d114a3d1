-- name: rows
-- One row per hit. Without a line of its own: a session is one line of the file and many rows here.
WITH hit_rows AS (
    SELECT * EXCLUDE (hits, customDimensions), customDimensions AS session_dimensions,
           unnest(CASE WHEN len(hits) > 0 THEN hits ELSE [NULL] END) AS hit,
           TRY_CAST(visitStartTime AS BIGINT) AS started
    FROM raw
), named AS (
    SELECT *,
           TRY_CAST(hit."time" AS BIGINT) AS milliseconds,
           CASE hit.eCommerceAction.action_type
                WHEN '1' THEN 'select_item' WHEN '2' THEN 'view_item' WHEN '3' THEN 'add_to_cart' WHEN '4' THEN 'remove_from_cart'
                WHEN '5' THEN CASE WHEN coalesce(hit.eCommerceAction.step, '1') = '1' THEN 'begin_checkout'
                                   ELSE 'checkout_step_' || hit.eCommerceAction.step END
                WHEN '6' THEN 'purchase' WHEN '7' THEN 'refund' END AS action
    FROM hit_rows
), valued AS (
    SELECT *,
           CASE WHEN action = 'purchase' THEN hit.transaction.transactionRevenue
                WHEN action = 'refund' THEN coalesce(hit.refund.refundAmount, hit.transaction.transactionRevenue) END AS money_text,
           CASE WHEN hit IS NOT NULL AND started BETWEEN 0 AND 253402300799 AND abs(coalesce(milliseconds, 0)) < 8640000000
                THEN make_timestamp(started * 1000000 + coalesce(milliseconds, 0) * 1000) END AS moment_of_hit
    FROM named
)
SELECT __file, NULL AS __line,
       CAST(NULL AS VARCHAR) AS event_id,
       fullVisitorId AS device_id, userId AS user_id,
       visitId || '.' || visitStartTime AS source_session,
       moment_of_hit AS time,
       TRY_CAST(hit.hitNumber AS BIGINT) AS order_1, CAST(NULL AS BIGINT) AS order_2, CAST(NULL AS BIGINT) AS order_3,
       CASE WHEN length("date") = 8 THEN "date"[1:4] || '-' || "date"[5:6] || '-' || "date"[7:8] ELSE "date" END AS local_date,
       CASE WHEN action IS NOT NULL THEN action
            WHEN hit.type = 'PAGE' THEN 'page_view'
            WHEN hit.type = 'APPVIEW' THEN 'screen_view'
            WHEN hit.promotionActionInfo.promoIsClick = 'true' THEN 'select_promotion'
            ELSE coalesce(hit.eventInfo.eventAction, hit.eventInfo.eventCategory, hit.social.socialInteractionAction, lower(hit.type)) END AS event,
       coalesce(hit.type IN ('PAGE', 'APPVIEW'), FALSE) AS is_page,
       CASE WHEN hit.page.pagePath IS NULL THEN hit.appInfo.screenName
            WHEN hit.page.hostname IS NULL OR hit.page.hostname LIKE '(%' THEN hit.page.pagePath
            ELSE 'https://' || hit.page.hostname || hit.page.pagePath END AS page_url,
       hit.page.pageTitle AS page_title, hit.referer AS referrer, hit.page.searchKeyword AS search_term,
       trafficSource.source AS source, trafficSource.medium AS medium, trafficSource.campaign AS campaign,
       channelGrouping AS channel,
       CASE WHEN hit.type = 'APPVIEW' THEN 'app' ELSE 'web' END AS platform, hit.appInfo.version AS app_version,
       device.deviceCategory AS device, device.browser AS browser, device.operatingSystem AS os,
       geoNetwork.country AS country, device.language AS language,
       CAST(NULL AS VARCHAR) AS user_agent,
       CASE WHEN action IN ('purchase', 'refund') THEN hit.transaction.transactionId END AS order_id,
       CAST(CASE WHEN action = 'refund' THEN -abs(TRY_CAST(money_text AS DECIMAL(24, 4))) ELSE TRY_CAST(money_text AS DECIMAL(24, 4)) END / 1000000
            AS DECIMAL(18, 4)) AS amount,
       CASE WHEN TRY_CAST(money_text AS DECIMAL(24, 4)) IS NULL THEN money_text END AS amount_text,
       hit.transaction.currencyCode AS currency,
       coalesce(action = 'purchase', FALSE) AS is_purchase, coalesce(action = 'refund', FALSE) AS is_refund,
       CASE WHEN hit.type = 'EXCEPTION' THEN coalesce(hit.exceptionInfo.description, 'exception') END AS error,
       TRY_CAST(hit.latencyTracking.pageLoadTime AS DOUBLE) / 1000 AS load_seconds,
       CAST(NULL AS DOUBLE) AS engagement_seconds,
       totals.bounces IS NOT NULL AND totals.bounces <> '0' AS is_bounce,
       TRY_CAST(visitNumber AS BIGINT) AS visit_number,
       '{' || array_to_string(list_concat([
            '"eventCategory":' || to_json(hit.eventInfo.eventCategory), '"eventAction":' || to_json(hit.eventInfo.eventAction),
            '"eventLabel":' || to_json(hit.eventInfo.eventLabel), '"eventValue":' || to_json(hit.eventInfo.eventValue),
            '"checkout_step":' || to_json(CASE WHEN hit.eCommerceAction.action_type = '5' THEN hit.eCommerceAction.step END),
            '"checkout_option":' || to_json(hit.eCommerceAction.option), '"coupon":' || to_json(hit.transaction.transactionCoupon),
            '"promotion":' || to_json(hit.promotion[1].promoName), '"type":' || to_json(hit.type),
            '"isInteraction":' || to_json(hit.isInteraction),
            '"contentGroup1":' || to_json(known(hit.contentGroup.contentGroup1)), '"contentGroup2":' || to_json(known(hit.contentGroup.contentGroup2)),
            '"keyword":' || to_json(known(trafficSource.keyword)), '"referralPath":' || to_json(trafficSource.referralPath),
            '"totals.hits":' || to_json(totals.hits), '"totals.pageviews":' || to_json(totals.pageviews),
            '"totals.timeOnSite":' || to_json(totals.timeOnSite), '"totals.transactions":' || to_json(totals.transactions),
            '"totals.totalTransactionRevenue":' || to_json(totals.totalTransactionRevenue),
            '"browser_version":' || to_json(known(device.browserVersion)), '"os_version":' || to_json(known(device.operatingSystemVersion)),
            '"region":' || to_json(known(geoNetwork.region)), '"city":' || to_json(known(geoNetwork.city))],
            list_transform(list_concat(session_dimensions, hit.customDimensions), lambda d: to_json('dimension' || d."index") || ':' || to_json(d.value))
       ), ',') || '}' AS properties,
       CASE WHEN action IS NOT NULL AND len(hit.product) > 0 THEN
            CAST(to_json(list_transform(hit.product, lambda p: {'item_id': p.productSKU, 'name': p.v2ProductName, 'category': p.v2ProductCategory,
                'brand': p.productBrand, 'price': CAST(TRY_CAST(p.productPrice AS DECIMAL(24, 4)) / 1000000 AS DECIMAL(18, 4)),
                'quantity': p.productQuantity})) AS VARCHAR) END AS items,
       CASE WHEN hit IS NULL THEN 'no_hits' WHEN moment_of_hit IS NULL THEN 'cast_failed' END AS reject,
       CASE WHEN hit IS NULL THEN 'hits' WHEN moment_of_hit IS NULL THEN 'visitStartTime' END AS reject_column,
       CASE WHEN hit IS NOT NULL AND moment_of_hit IS NULL THEN visitStartTime END AS reject_value
FROM valued;
