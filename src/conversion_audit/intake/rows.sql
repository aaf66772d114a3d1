-- name: files
-- How many lines the files before a file have, so that a row's line gives its number among all rows; which times are believed.
WITH lengths AS (
    SELECT file, max(line) AS lines, count(CASE WHEN event_id IS NULL THEN 1 END) AS without_id FROM rows GROUP BY file
)
SELECT file,
       CAST(coalesce(SUM(lines) OVER (ORDER BY file ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS BIGINT) AS lines_before,
       without_id, $ids_tell AS ids_tell,
       CAST($earliest AS TIMESTAMP) AS earliest, CAST($latest AS TIMESTAMP) AS latest
FROM lengths;

-- name: ids_made
-- Rows without an id are told apart by these columns: rows that differ in none of them are one row, said again.
-- Where ids were given twice, a row is its id together with its moment, event and visitor.
SELECT r.*, r.event_id IS NOT NULL AS has_id,
       coalesce(CASE WHEN f.ids_tell THEN r.event_id
                     WHEN r.event_id IS NOT NULL
                     THEN md5(concat_ws('|', r.event_id, CAST(r.time AS VARCHAR), r.event, coalesce(r.device_id, r.user_id))) END,
           md5(concat_ws('|', coalesce(r.device_id, ''), coalesce(r.user_id, ''), coalesce(r.source_session, ''),
           CAST(r.time AS VARCHAR), coalesce(CAST(r.order_1 AS VARCHAR), ''), coalesce(CAST(r.order_2 AS VARCHAR), ''),
           coalesce(CAST(r.order_3 AS VARCHAR), ''), r.event, coalesce(r.page_url, ''), coalesce(r.order_id, ''),
           coalesce(CAST(r.amount AS VARCHAR), ''), r.properties, coalesce(r.items, ''), coalesce(r.page_title, ''),
           coalesce(r.referrer, ''), coalesce(r.search_term, ''), coalesce(r.error, ''), coalesce(r.source, ''),
           coalesce(r.medium, ''), coalesce(r.campaign, ''), coalesce(r.device, ''), coalesce(r.browser, ''), coalesce(r.os, ''),
           coalesce(r.country, ''), coalesce(r.user_agent, '')))) AS own_id
FROM rows r
JOIN files f ON f.file = r.file;

-- name: ids_given
SELECT r.*, TRUE AS has_id, r.event_id AS own_id FROM rows r;

-- name: staged
-- Each row with its number, its id and, where it cannot be kept, the reason: the first that applies, in the order below.
SELECT f.lines_before + r.line AS row_id, r.file, r.line, r.has_id, r.own_id AS event_id,
       r.device_id, r.user_id, r.source_session, r.time, r.order_1, r.order_2, r.order_3, r.local_date, r.event,
       coalesce(r.is_page, FALSE) AS is_page,
       r.page_url, r.page_title, r.referrer, r.search_term, r.source, r.medium, r.campaign, r.channel,
       r.platform, r.app_version, r.device, r.browser, r.os, r.country, r.language, r.user_agent,
       r.order_id, r.amount, r.amount_text, r.currency,
       coalesce(r.is_purchase, FALSE) AS is_purchase, coalesce(r.is_refund, FALSE) AS is_refund,
       r.error, r.load_seconds, r.engagement_seconds, r.is_bounce, r.visit_number,
       coalesce(r.properties, '{}') AS properties, r.items,
       CASE WHEN r.reject IS NOT NULL THEN r.reject
            WHEN r.time IS NULL THEN 'time_unreadable'
            WHEN r.time < f.earliest OR r.time > f.latest THEN 'time_out_of_range'
            WHEN r.event IS NULL OR r.event = '' THEN 'no_event' END AS reject,
       CASE WHEN r.reject IS NOT NULL THEN r.reject_column
            WHEN r.time IS NULL OR r.time < f.earliest OR r.time > f.latest THEN 'time'
            WHEN r.event IS NULL OR r.event = '' THEN 'event' END AS reject_column,
       CASE WHEN r.reject IS NOT NULL THEN r.reject_value
            WHEN r.time < f.earliest OR r.time > f.latest THEN CAST(r.time AS VARCHAR) END AS reject_value
FROM rows r
JOIN files f ON f.file = r.file;

-- name: repeated
-- The rows that say again what another row of the same id said: the earliest is kept, of those that name an amount or an
-- order if some do not. Only repeated ids are sorted.
WITH twice AS (
    SELECT event_id FROM staged WHERE reject IS NULL GROUP BY event_id HAVING count(*) > 1
), placed AS (
    SELECT s.row_id, s.event_id, ROW_NUMBER() OVER (PARTITION BY s.event_id ORDER BY s.amount IS NULL, s.order_id IS NULL, s.row_id) AS n
    FROM staged s JOIN twice t ON t.event_id = s.event_id
    WHERE s.reject IS NULL
)
SELECT row_id, event_id FROM placed WHERE n > 1;

-- name: clashes
-- Rows whose id another event has, or another visitor at another time: such an id was given twice. Another visitor at the very
-- moment is the same one, exported again after a login told who it was.
WITH shared AS (
    SELECT s.event_id
    FROM staged s JOIN (SELECT DISTINCT event_id FROM repeated) r ON r.event_id = s.event_id
    WHERE s.reject IS NULL
    GROUP BY s.event_id
    HAVING count(DISTINCT s.event) > 1 OR count(DISTINCT coalesce(s.device_id, s.user_id)) > 1 AND count(DISTINCT s.time) > 1
)
SELECT count(*) AS "rows" FROM repeated r JOIN shared c ON c.event_id = r.event_id;

-- name: overlaps
-- Files without row ids that say what an earlier file says: their rows, how many of them are there already, and where.
WITH rows_of AS (
    SELECT file, count(*) AS rows FROM staged WHERE NOT has_id AND reject IS NULL GROUP BY file
), firsts AS (
    SELECT s.event_id, min(s.file) AS file FROM staged s JOIN repeated r ON r.event_id = s.event_id WHERE s.reject IS NULL GROUP BY s.event_id
)
SELECT s.file, f.file AS earlier, o.rows, count(*) AS repeats
FROM repeated r
JOIN staged s ON s.row_id = r.row_id
JOIN firsts f ON f.event_id = r.event_id
JOIN rows_of o ON o.file = s.file
WHERE f.file <> s.file AND NOT s.has_id
GROUP BY s.file, f.file, o.rows
ORDER BY s.file, f.file;

-- name: accepted
-- Rows that can be read, with ids that may join people and text that means something.
SELECT s.row_id, s.event_id, s.device_id, s.user_id, s.source_session, s.time,
       coalesce(s.order_1, 0) AS order_1, coalesce(s.order_2, 0) AS order_2, coalesce(s.order_3, 0) AS order_3,
       s.local_date, s.event, s.is_page,
       s.page_url, s.page_title, s.referrer, s.search_term,
       s.source, s.medium, s.campaign, s.channel,
       lower(known(s.platform)) AS platform, known(s.app_version) AS app_version, lower(known(s.device)) AS device,
       known(s.browser) AS browser, known(s.os) AS os, known(s.country) AS country, known(s.language) AS language, s.user_agent,
       known(s.order_id) AS order_id, s.amount, s.amount_text, upper(known(s.currency)) AS currency,
       s.is_purchase, s.is_refund,
       s.error, s.load_seconds, s.engagement_seconds, s.is_bounce, s.visit_number, s.properties, s.items
FROM staged s
WHERE s.reject IS NULL;

-- name: kept
-- Accepted rows once each.
SELECT a.* FROM accepted a LEFT JOIN repeated r ON r.row_id = a.row_id WHERE r.row_id IS NULL;

-- name: ids
SELECT DISTINCT device_id AS id FROM staged UNION ALL SELECT DISTINCT user_id AS id FROM staged
UNION ALL SELECT DISTINCT source_session AS id FROM staged UNION ALL SELECT DISTINCT order_id AS id FROM staged;

-- name: odd_ids
-- Ids that are words for nothing, or that may be a person's address or number, or a secret. All others stay untouched.
SELECT DISTINCT id AS value
FROM ids
WHERE id LIKE '%@%' OR id LIKE '%\%40%' ESCAPE '\' OR id LIKE '+%' OR matches(id, $odd)
   OR lower(trim(replace(replace(replace(id, '"', ''), '''', ''), '`', ''))) IN (SELECT word FROM illegal);

-- name: sources
SELECT source AS value FROM staged UNION SELECT medium AS value FROM staged UNION SELECT campaign AS value FROM staged;

-- name: odd_sources
SELECT value FROM sources WHERE matches(value, $pattern);

-- name: texts
-- The distinct texts of five columns, each row of the answer one text of one of them.
SELECT page_url, page_title, referrer, search_term, error
FROM rows
GROUP BY GROUPING SETS ((page_url), (page_title), (referrer), (search_term), (error));

-- name: suspicious
SELECT DISTINCT properties FROM rows WHERE matches(properties, $pattern);

-- name: rejects
SELECT file, line, reject AS reason, reject_column AS "column", reject_value AS value
FROM staged
WHERE reject IS NOT NULL;
