-- name: channels
-- What each channel brings; and sums over its visitors for the interval.
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal),
paid AS (SELECT session_id, COUNT(*) AS orders, SUM(revenue) AS revenue FROM orders GROUP BY session_id),
people AS (
    SELECT
        COALESCE(sessions.channel, '(not set)') AS channel, sessions.visitor_id, SUM(1.0) AS tries,
        SUM(CASE WHEN goals.session_id IS NULL THEN 0.0 ELSE 1.0 END) AS hits,
        SUM(paid.orders) AS orders, SUM(paid.revenue) AS revenue
    FROM sessions
    LEFT JOIN goals ON goals.session_id = sessions.session_id
    LEFT JOIN paid ON paid.session_id = sessions.session_id
    GROUP BY COALESCE(sessions.channel, '(not set)'), sessions.visitor_id
)
SELECT
    channel, SUM(tries) AS sessions, COUNT(visitor_id) AS visitors, SUM(hits) AS goal_sessions,
    SUM(orders) AS orders, SUM(revenue) AS revenue,
    SUM(hits * hits) AS hits_hits, SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries
FROM people
GROUP BY channel
ORDER BY goal_sessions DESC, sessions DESC, channel

-- name: abandoned
-- Sessions that show one thing and never another: the furthest step they reached, and the page they left from.
WITH left_behind AS (
    SELECT DISTINCT marks.session_id
    FROM marks
    LEFT JOIN (SELECT DISTINCT session_id FROM marks WHERE name = $other) AS done ON done.session_id = marks.session_id
    WHERE marks.name = $of AND done.session_id IS NULL
),
furthest AS (
    SELECT left_behind.session_id, MAX(steps.step) AS step
    FROM left_behind
    JOIN marks ON marks.session_id = left_behind.session_id
    JOIN steps ON steps.name = marks.name
    GROUP BY left_behind.session_id
)
SELECT
    COALESCE(furthest.step, 0) AS step_number, COALESCE(sessions.exit_page, '(not set)') AS exit_page,
    COUNT(*) AS sessions
FROM left_behind
JOIN sessions ON sessions.session_id = left_behind.session_id
LEFT JOIN furthest ON furthest.session_id = left_behind.session_id
GROUP BY COALESCE(furthest.step, 0), COALESCE(sessions.exit_page, '(not set)')
ORDER BY sessions DESC, step_number, exit_page
