-- name: hours
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal)
SELECT sessions.date, sessions.hour, COUNT(*) AS sessions, COUNT(goals.session_id) AS goal_sessions
FROM sessions LEFT JOIN goals ON goals.session_id = sessions.session_id
GROUP BY sessions.date, sessions.hour

-- name: groups
-- Small values are one before visitors are counted: who comes with two of them is one visitor.
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal),
entered AS (SELECT DISTINCT session_id FROM marks WHERE name = $step),
kept AS (SELECT label FROM labelled GROUP BY label HAVING COUNT(*) >= $fewest),
named AS (
    SELECT labelled.session_id, labelled.visitor_id, labelled.is_bounce, COALESCE(kept.label, '(other)') AS label
    FROM labelled LEFT JOIN kept ON kept.label = labelled.label
)
SELECT
    sessions.label, COUNT(*) AS sessions, COUNT(DISTINCT sessions.visitor_id) AS visitors,
    COUNT(CASE WHEN sessions.is_bounce THEN 1 END) AS bounces, COUNT(entered.session_id) AS entered_sessions,
    COUNT(goals.session_id) AS goal_sessions
FROM named AS sessions
LEFT JOIN goals ON goals.session_id = sessions.session_id
LEFT JOIN entered ON entered.session_id = sessions.session_id
GROUP BY sessions.label
ORDER BY CASE WHEN sessions.label = '(other)' THEN 1 ELSE 0 END, COUNT(*) DESC, sessions.label
