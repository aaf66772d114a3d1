-- name: staged
-- Each row with its id and, where it cannot be kept, the reason: the first that applies, in the order below.
SELECT file, line, event_id IS NOT NULL AS has_id,
       coalesce(event_id, md5(concat_ws('|', coalesce(device_id, ''), coalesce(user_id, ''), coalesce(source_session, ''),
           CAST(time AS VARCHAR), coalesce(CAST(order_1 AS VARCHAR), ''), coalesce(CAST(order_2 AS VARCHAR), ''),
           coalesce(CAST(order_3 AS VARCHAR), ''), event, coalesce(page_url, ''), coalesce(order_id, ''),
           coalesce(CAST(amount AS VARCHAR), ''), properties, coalesce(items, '')))) AS event_id,
       device_id, user_id, source_session, time, order_1, order_2, order_3, local_date, event,
       coalesce(is_page, FALSE) AS is_page,
       page_url, page_title, referrer, search_term, source, medium, campaign, channel,
       platform, app_version, device, browser, os, country, language, user_agent,
       order_id, amount, amount_text, currency,
       coalesce(is_purchase, FALSE) AS is_purchase, coalesce(is_refund, FALSE) AS is_refund,
       error, load_seconds, engagement_seconds, is_bounce, visit_number,
       coalesce(properties, '{}') AS properties, items,
       CASE WHEN reject IS NOT NULL THEN reject
            WHEN time IS NULL THEN 'time_unreadable'
            WHEN time < $earliest OR time > $latest THEN 'time_out_of_range'
            WHEN event IS NULL OR event = '' THEN 'no_event' END AS reject,
       CASE WHEN reject IS NOT NULL THEN reject_column
            WHEN time IS NULL OR time < $earliest OR time > $latest THEN 'time'
            WHEN event IS NULL OR event = '' THEN 'event' END AS reject_column,
       CASE WHEN reject IS NOT NULL THEN reject_value
            WHEN time < $earliest OR time > $latest THEN CAST(time AS VARCHAR) END AS reject_value
FROM rows;

-- name: repeated
-- The rows that say again what an earlier row of the same id said. Only repeated ids are sorted.
WITH twice AS (
    SELECT event_id FROM staged WHERE reject IS NULL GROUP BY event_id HAVING count(*) > 1
), placed AS (
    SELECT s.event_id, s.file, s.line,
           ROW_NUMBER() OVER (PARTITION BY s.event_id ORDER BY s.file, s.line) AS n
    FROM staged s JOIN twice t ON t.event_id = s.event_id
    WHERE s.reject IS NULL
)
SELECT event_id, file, line FROM placed WHERE n > 1;

-- name: overlaps
-- Files without row ids that say what an earlier file says: their rows, how many of them are there already, and where.
WITH rows_of AS (
    SELECT file, count(*) AS rows FROM staged WHERE NOT has_id AND reject IS NULL GROUP BY file
), firsts AS (
    SELECT s.event_id, min(s.file) AS file FROM staged s JOIN repeated r ON r.event_id = s.event_id WHERE s.reject IS NULL GROUP BY s.event_id
)
SELECT r.file, f.file AS earlier, o.rows, count(*) AS repeats
FROM repeated r
JOIN staged s ON s.event_id = r.event_id AND s.file = r.file AND s.line = r.line
JOIN firsts f ON f.event_id = r.event_id
JOIN rows_of o ON o.file = r.file
WHERE f.file <> r.file AND NOT s.has_id
GROUP BY r.file, f.file, o.rows
ORDER BY r.file, f.file;

-- name: kept
-- Accepted rows once, with ids that may join people and text that means something.
SELECT s.file, s.line, s.event_id,
       CASE WHEN d.value IS NULL THEN s.device_id ELSE d.clean END AS device_id,
       CASE WHEN u.value IS NULL THEN s.user_id ELSE u.clean END AS user_id,
       CASE WHEN u.value IS NULL THEN s.user_id WHEN u.is_legal THEN u.clean END AS login,
       s.source_session, s.time,
       coalesce(s.order_1, 0) AS order_1, coalesce(s.order_2, 0) AS order_2, coalesce(s.order_3, 0) AS order_3,
       s.local_date, s.event, s.is_page,
       s.page_url, s.page_title, s.referrer, s.search_term,
       s.source, s.medium, s.campaign, s.channel,
       lower(known(s.platform)) AS platform, known(s.app_version) AS app_version, lower(known(s.device)) AS device,
       known(s.browser) AS browser, known(s.os) AS os, known(s.country) AS country, known(s.language) AS language, s.user_agent,
       known(s.order_id) AS order_id, s.amount, s.amount_text, upper(known(s.currency)) AS currency,
       s.is_purchase OR p.event IS NOT NULL AS is_purchase, s.is_refund,
       s.error, s.load_seconds, s.engagement_seconds, s.is_bounce, s.visit_number, s.properties, s.items
FROM staged s
LEFT JOIN repeated r ON r.event_id = s.event_id AND r.file = s.file AND r.line = s.line
LEFT JOIN odd_ids d ON d.value = s.device_id
LEFT JOIN odd_ids u ON u.value = s.user_id
LEFT JOIN purchases p ON p.event = s.event
WHERE s.reject IS NULL AND r.event_id IS NULL;

-- name: odd_ids
-- Ids that are words for nothing, or that may be a person's address or number. All others stay untouched.
SELECT DISTINCT value
FROM (SELECT DISTINCT device_id AS value FROM staged UNION ALL SELECT DISTINCT user_id AS value FROM staged) ids
WHERE value LIKE '%@%' OR value LIKE '%\%40%' ESCAPE '\' OR value LIKE '+%' OR value LIKE '%0000000%' OR matches(value, $separated)
   OR lower(trim(replace(replace(value, '"', ''), '''', ''))) IN (SELECT word FROM illegal);

-- name: distinct_pages
SELECT DISTINCT page_url AS value FROM rows WHERE page_url IS NOT NULL ORDER BY value;

-- name: distinct_titles
SELECT DISTINCT page_title AS value FROM rows WHERE page_title IS NOT NULL ORDER BY value;

-- name: distinct_referrers
SELECT DISTINCT referrer AS value FROM rows WHERE referrer IS NOT NULL ORDER BY value;

-- name: distinct_searches
SELECT DISTINCT search_term AS value FROM rows WHERE search_term IS NOT NULL ORDER BY value;

-- name: distinct_errors
SELECT DISTINCT error AS value FROM rows WHERE error IS NOT NULL ORDER BY value;

-- name: distinct_properties
SELECT DISTINCT properties AS value FROM rows WHERE matches(properties, $pattern) ORDER BY value;

-- name: rejects
SELECT file, line, reject AS reason, reject_column AS "column", reject_value AS value
FROM staged
WHERE reject IS NOT NULL;
