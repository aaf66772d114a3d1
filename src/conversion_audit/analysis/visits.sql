-- name: hours
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal)
SELECT sessions.date, sessions.hour, COUNT(*) AS sessions, COUNT(goals.session_id) AS goal_sessions
FROM sessions LEFT JOIN goals ON goals.session_id = sessions.session_id
GROUP BY sessions.date, sessions.hour

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
