-- name: rows
-- Sessions by their own id, else by device and day: near enough to suggest a config.
SELECT file, event, is_page, page_url, is_purchase, order_id, amount, currency, time, local_date, reject, device, browser, os, country,
       source, campaign, channel, user_id,
       CASE WHEN coalesce(device_id, user_id, source_session) IS NULL THEN NULL
            WHEN device_id IS NULL AND source_session IS NOT NULL THEN source_session
            ELSE coalesce(device_id, user_id) || '/' || coalesce(source_session, CAST(CAST(time AS DATE) AS VARCHAR)) END AS session_id,
       coalesce(device_id, user_id) AS owner
FROM source;

-- name: totals
SELECT count(*) AS rows, count(reject) AS rejected, count(DISTINCT session_id) AS sessions,
       (SELECT count(DISTINCT coalesce(owner, session_id)) FROM (SELECT session_id, max(owner) AS owner FROM rows WHERE session_id IS NOT NULL GROUP BY session_id) visits) AS visitors,
       count(DISTINCT CASE WHEN is_purchase THEN session_id END) AS buying_sessions,
       CAST(sum(CASE WHEN is_purchase THEN amount END) AS DOUBLE) AS revenue, count(CASE WHEN is_purchase THEN amount END) AS amounts
FROM rows;

-- name: days
SELECT CAST(local_time(time, $zone) AS DATE) AS day, count(*) AS rows
FROM rows
WHERE time IS NOT NULL AND reject IS NULL
GROUP BY 1
ORDER BY 1;

-- name: events
SELECT event, count(*) AS rows, count(DISTINCT session_id) AS sessions, bool_or(is_page) AS is_page,
       bool_or(is_purchase) AS is_purchase, count(amount) AS amounts, count(DISTINCT page_url) AS addresses,
       count(DISTINCT CASE WHEN amount > 0 THEN order_id END) AS orders
FROM rows
WHERE event IS NOT NULL AND reject IS NULL
GROUP BY event
ORDER BY rows DESC, event;

-- name: currencies
SELECT currency, count(*) AS rows, count(CASE WHEN is_purchase AND amount IS NOT NULL THEN 1 END) AS amounts,
       CAST(sum(CASE WHEN is_purchase THEN amount END) AS DOUBLE) AS revenue
FROM rows
WHERE known(currency) IS NOT NULL
GROUP BY currency
ORDER BY amounts DESC, rows DESC, currency;

-- name: urls
SELECT DISTINCT page_url AS url FROM rows WHERE page_url IS NOT NULL ORDER BY url;

-- name: pages
SELECT m.host, m.page, count(*) AS rows, count(DISTINCT r.session_id) AS sessions
FROM rows r JOIN mapped m ON m.value = r.page_url
GROUP BY m.host, m.page
ORDER BY sessions DESC, m.page, m.host;

-- name: known
SELECT count(DISTINCT known(device)) AS device, count(DISTINCT known(browser)) AS browser, count(DISTINCT known(os)) AS os,
       count(DISTINCT known(country)) AS country, count(DISTINCT coalesce(known(channel), known(source))) AS channel,
       count(DISTINCT known(campaign)) AS campaign, count(DISTINCT user_id) AS users
FROM rows;
