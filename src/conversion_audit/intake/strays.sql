-- name: strays
-- Rows outside the sessions of their source: of a device that has some, or of a login that has devices or sessions elsewhere.
WITH outside AS (
    SELECT row_id, device_id, user_id, is_purchase
    FROM rows
    WHERE source_session IS NULL AND coalesce(device_id, user_id) IS NOT NULL
), devices AS (
    SELECT DISTINCT device_id FROM rows WHERE source_session IS NOT NULL AND device_id IN (SELECT device_id FROM outside)
), logins AS (
    SELECT DISTINCT user_id
    FROM rows
    WHERE coalesce(device_id, source_session) IS NOT NULL AND user_id IN (SELECT user_id FROM outside WHERE device_id IS NULL)
)
SELECT row_id, device_id, user_id, is_purchase FROM outside WHERE device_id IN (SELECT device_id FROM devices)
UNION ALL
SELECT row_id, device_id, user_id, is_purchase FROM outside WHERE device_id IS NULL AND user_id IN (SELECT user_id FROM logins);

-- name: homes
-- The visit in which each stray falls: of its device, else of its login; the one before it, else the one that follows.
-- What falls in none is a visit of its own where it shows one: a page is seen, or a goal is reached.
WITH hubs AS (
    SELECT user_id FROM keyed WHERE user_id IN (SELECT user_id FROM strays) GROUP BY user_id HAVING count(DISTINCT device_id) > $most_devices
), owned AS (
    SELECT 1 AS place, k.device_id AS owner, k.* FROM keyed k
    WHERE k.device_id IN (SELECT device_id FROM strays)
    UNION ALL
    SELECT 2 AS place, k.user_id AS owner, k.* FROM keyed k
    WHERE k.user_id IN (SELECT user_id FROM strays) AND k.user_id NOT IN (SELECT user_id FROM hubs)
), held AS (
    SELECT o.*, s.row_id IS NOT NULL AS is_stray,
           CASE WHEN s.row_id IS NULL THEN o.session_id END AS visit, CASE WHEN s.row_id IS NULL THEN o.time END AS visited
    FROM owned o LEFT JOIN strays s ON s.row_id = o.row_id
), near AS (
    SELECT row_id, place, is_stray, time,
           LAG(visit IGNORE NULLS) OVER life AS visit_before, LAG(visited IGNORE NULLS) OVER life AS time_before,
           LEAD(visit IGNORE NULLS) OVER life AS visit_after, LEAD(visited IGNORE NULLS) OVER life AS time_after
    FROM held
    WINDOW life AS (PARTITION BY place, owner ORDER BY time, order_1, order_2, order_3, event_id)
), found AS (
    SELECT row_id, place,
           CASE WHEN seconds_between(time_before, time) <= $timeout_seconds THEN visit_before
                WHEN seconds_between(time, time_after) <= $timeout_seconds THEN visit_after END AS session_id
    FROM near
    WHERE is_stray
), joined AS (
    SELECT row_id, coalesce(max(CASE WHEN place = 1 THEN session_id END), max(session_id)) AS session_id
    FROM found
    GROUP BY row_id
), left_over AS (
    SELECT k.row_id, k.session_id, k.event, k.is_page OR s.is_purchase AS is_visit
    FROM strays s
    JOIN keyed k ON k.row_id = s.row_id
    LEFT JOIN joined j ON j.row_id = s.row_id
    WHERE j.session_id IS NULL
), reached AS (
    SELECT DISTINCT e.event FROM (SELECT DISTINCT event FROM left_over) e JOIN goals g ON lower(e.event) LIKE g.pattern ESCAPE '\'
), visits AS (
    SELECT session_id FROM left_over WHERE is_visit OR event IN (SELECT event FROM reached) OR (SELECT count(*) FROM keyed WHERE is_page) = 0
)
SELECT row_id, session_id, TRUE AS is_joined FROM joined WHERE session_id IS NOT NULL
UNION ALL
SELECT row_id, CASE WHEN session_id IN (SELECT session_id FROM visits) THEN session_id END AS session_id, FALSE AS is_joined
FROM left_over;

-- name: at_home
SELECT k.row_id, CASE WHEN h.row_id IS NULL THEN k.session_id ELSE h.session_id END AS session_id,
       k.event_id, k.device_id, k.user_id, k.time, k.order_1, k.order_2, k.order_3, k.event, k.is_page
FROM keyed k LEFT JOIN homes h ON h.row_id = k.row_id;

-- name: counts
SELECT count(*) AS "rows", count(CASE WHEN is_joined THEN 1 END) AS joined,
       count(DISTINCT CASE WHEN NOT is_joined THEN session_id END) AS sessions,
       count(CASE WHEN session_id IS NULL THEN 1 END) AS outside
FROM homes;
