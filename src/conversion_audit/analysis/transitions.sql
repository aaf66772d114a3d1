-- name: page_nodes
-- One row per page view: the kind of page, else the page itself. How long the last one took is often not known: no time.
SELECT session_id, event_number, COALESCE(page_type, page, '(not set)') AS node, page_seconds AS seconds
FROM events
WHERE is_page AND session_id IS NOT NULL

-- name: event_nodes
SELECT session_id, event_number, event AS node, seconds_to_next AS seconds
FROM events
WHERE session_id IS NOT NULL

-- name: named_nodes
-- All but the most frequent nodes become one, so that totals still hold.
SELECT
    nodes.session_id, nodes.event_number, nodes.seconds,
    CASE WHEN kept.node IS NULL THEN '(other)' ELSE nodes.node END AS node
FROM nodes
LEFT JOIN (
    SELECT node FROM nodes GROUP BY node ORDER BY COUNT(*) DESC, node LIMIT $most
) AS kept ON kept.node = nodes.node

-- name: visits
-- Stays on a node: the same node again and again is one stay. n counts the stays of a session.
WITH changed AS (
    SELECT
        session_id, event_number, node, seconds,
        CASE
            WHEN LAG(node) OVER (PARTITION BY session_id ORDER BY event_number) = node THEN 0
            ELSE 1
        END AS is_new
    FROM nodes
),
numbered AS (
    SELECT
        session_id, event_number, node, seconds,
        SUM(is_new) OVER (PARTITION BY session_id ORDER BY event_number) AS n
    FROM changed
)
SELECT
    session_id, CAST(n AS BIGINT) AS n, node, MIN(event_number) AS event_number, COUNT(*) AS views,
    SUM(seconds) AS seconds
FROM numbered
GROUP BY session_id, n, node

-- name: transitions
WITH moved AS (
    SELECT
        session_id, node AS source, LEAD(node) OVER (PARTITION BY session_id ORDER BY n) AS target, n
    FROM visits
),
links AS (
    SELECT session_id, '(start)' AS source, source AS target FROM moved WHERE n = 1
    UNION ALL
    SELECT session_id, source, COALESCE(target, '(exit)') AS target FROM moved
)
SELECT source, target, COUNT(*) AS transitions, COUNT(DISTINCT session_id) AS sessions
FROM links
GROUP BY source, target
ORDER BY transitions DESC, source, target

-- name: event_pairs
-- Every event of a session has a number and knows the next one: no sort, no join, and session ids are not read.
SELECT
    event, next_event, COUNT(*) AS transitions, COUNT(*) FILTER (WHERE event_number = 1) AS firsts
FROM events
WHERE event_number IS NOT NULL
GROUP BY event, next_event
ORDER BY event, next_event

-- name: stages
-- The first stays of every session, stage by stage; who has left stays left.
WITH moved AS (
    SELECT session_id, n, node, LEAD(node) OVER (PARTITION BY session_id ORDER BY n) AS target
    FROM visits
)
SELECT CAST(n - 1 AS INTEGER) AS stage, node AS source, COALESCE(target, '(exit)') AS target, COUNT(*) AS sessions
FROM moved
WHERE n <= $stages
GROUP BY n, node, COALESCE(target, '(exit)')
ORDER BY stage, sessions DESC, source, target

-- name: paths
-- The last stays before the goal, or before leaving for those who never reach it.
WITH goals AS (
    SELECT session_id, MIN(event_number) AS event_number FROM marks WHERE name = $goal GROUP BY session_id
),
traced AS (
    SELECT
        session_id, n, event_number, node,
        LAG(node, 1) OVER (PARTITION BY session_id ORDER BY n) AS before_1,
        LAG(node, 2) OVER (PARTITION BY session_id ORDER BY n) AS before_2,
        LAG(node, 3) OVER (PARTITION BY session_id ORDER BY n) AS before_3
    FROM visits
),
lasts AS (
    SELECT
        traced.session_id, MAX(traced.n) AS n, MIN(CASE WHEN goals.session_id IS NULL THEN 0 ELSE 1 END) AS is_goal
    FROM traced
    LEFT JOIN goals ON goals.session_id = traced.session_id
    WHERE goals.session_id IS NULL OR traced.event_number <= goals.event_number
    GROUP BY traced.session_id
),
ended AS (
    SELECT
        lasts.is_goal,
        COALESCE(traced.before_3 || ' > ', '') || COALESCE(traced.before_2 || ' > ', '')
        || COALESCE(traced.before_1 || ' > ', '') || traced.node AS path
    FROM lasts JOIN traced ON traced.session_id = lasts.session_id AND traced.n = lasts.n
)
SELECT is_goal, path, COUNT(*) AS sessions, SUM(COUNT(*)) OVER (PARTITION BY is_goal) AS all_sessions
FROM ended
GROUP BY is_goal, path
ORDER BY is_goal DESC, sessions DESC, path

-- name: rework
-- Coming back to where one has been: per node, the sessions that return to it, and how often.
WITH per_session AS (
    SELECT session_id, node, COUNT(*) AS stays, SUM(views) AS views, SUM(seconds) AS seconds
    FROM visits
    GROUP BY session_id, node
)
SELECT
    node, COUNT(*) AS sessions, SUM(CASE WHEN stays > 1 THEN 1 ELSE 0 END) AS returning_sessions,
    SUM(stays - 1) AS returns, SUM(views) AS views, quantile_of(seconds, 0.5) AS median_seconds
FROM per_session
GROUP BY node
ORDER BY returns DESC, node

-- name: back_and_forth
WITH moved AS (
    SELECT
        session_id, node, LEAD(node, 1) OVER (PARTITION BY session_id ORDER BY n) AS other,
        LEAD(node, 2) OVER (PARTITION BY session_id ORDER BY n) AS again
    FROM visits
)
SELECT
    LEAST(node, other) AS node, GREATEST(node, other) AS other, COUNT(*) AS times,
    COUNT(DISTINCT session_id) AS sessions
FROM moved
WHERE again = node
GROUP BY LEAST(node, other), GREATEST(node, other)
ORDER BY times DESC, LEAST(node, other), GREATEST(node, other)
