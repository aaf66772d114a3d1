-- name: hours
-- Of the week, 5 January 1970 being a Monday. With sums over visitors for the intervals.
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal),
placed AS (
    SELECT
        sessions.visitor_id, sessions.hour, CASE WHEN goals.session_id IS NULL THEN 0.0 ELSE 1.0 END AS is_goal,
        CAST(seconds_between(CAST('1970-01-05' AS TIMESTAMP), CAST(sessions.date AS TIMESTAMP)) / 86400 AS BIGINT) % 7 AS weekday
    FROM sessions LEFT JOIN goals ON goals.session_id = sessions.session_id
),
people AS (
    SELECT weekday, hour, visitor_id, SUM(1.0) AS tries, SUM(is_goal) AS hits FROM placed GROUP BY weekday, hour, visitor_id
)
SELECT
    weekday, hour, SUM(tries) AS sessions, SUM(hits) AS goal_sessions, SUM(hits * hits) AS hits_hits,
    SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries
FROM people
GROUP BY weekday, hour
ORDER BY weekday, hour

-- name: groups
-- Small values are one before visitors are counted: who comes with two of them is one visitor. With sums over visitors
-- for the intervals.
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal),
entered AS (SELECT DISTINCT session_id FROM marks WHERE name = $step),
kept AS (SELECT label FROM labelled GROUP BY label HAVING COUNT(*) >= $fewest),
named AS (
    SELECT labelled.session_id, labelled.visitor_id, labelled.is_bounce, COALESCE(kept.label, '(other)') AS label
    FROM labelled LEFT JOIN kept ON kept.label = labelled.label
),
people AS (
    SELECT
        named.label, named.visitor_id, SUM(1.0) AS tries, SUM(CASE WHEN named.is_bounce THEN 1.0 ELSE 0.0 END) AS bounces,
        SUM(CASE WHEN entered.session_id IS NULL THEN 0.0 ELSE 1.0 END) AS entered_sessions,
        SUM(CASE WHEN goals.session_id IS NULL THEN 0.0 ELSE 1.0 END) AS goal_sessions
    FROM named
    LEFT JOIN goals ON goals.session_id = named.session_id
    LEFT JOIN entered ON entered.session_id = named.session_id
    GROUP BY named.label, named.visitor_id
)
SELECT
    label, SUM(tries) AS sessions, COUNT(visitor_id) AS visitors, SUM(tries * tries) AS tries_tries,
    SUM(bounces) AS bounces, SUM(bounces * bounces) AS bounces_squared, SUM(bounces * tries) AS bounces_tries,
    SUM(entered_sessions) AS entered_sessions, SUM(entered_sessions * entered_sessions) AS entered_sessions_squared,
    SUM(entered_sessions * tries) AS entered_sessions_tries,
    SUM(goal_sessions) AS goal_sessions, SUM(goal_sessions * goal_sessions) AS goal_sessions_squared,
    SUM(goal_sessions * tries) AS goal_sessions_tries
FROM people
GROUP BY label
ORDER BY CASE WHEN label = '(other)' THEN 1 ELSE 0 END, SUM(tries) DESC, label
