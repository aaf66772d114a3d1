-- name: hours
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal)
SELECT sessions.date, sessions.hour, COUNT(*) AS sessions, COUNT(goals.session_id) AS goal_sessions
FROM sessions LEFT JOIN goals ON goals.session_id = sessions.session_id
GROUP BY sessions.date, sessions.hour

-- name: groups
WITH goals AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal),
entered AS (SELECT DISTINCT session_id FROM marks WHERE name = $step)
SELECT
    sessions.label, COUNT(*) AS sessions, COUNT(DISTINCT sessions.visitor_id) AS visitors,
    COUNT(CASE WHEN sessions.is_bounce THEN 1 END) AS bounces, COUNT(entered.session_id) AS entered_sessions,
    COUNT(goals.session_id) AS goal_sessions
FROM labelled AS sessions
LEFT JOIN goals ON goals.session_id = sessions.session_id
LEFT JOIN entered ON entered.session_id = sessions.session_id
GROUP BY sessions.label
ORDER BY COUNT(*) DESC, sessions.label
