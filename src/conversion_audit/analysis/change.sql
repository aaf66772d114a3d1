-- name: cells
-- Sessions of two periods by adjusters and visitor group, and how many reached the goal.
SELECT
    periods.period,
    sessions.bucket,
    keyed.code,
    count(*) AS sessions,
    count(reached.session_id) AS goals
FROM sessions
JOIN periods ON sessions.date >= periods.first AND sessions.date <= periods.last
JOIN keyed ON keyed.session_id = sessions.session_id
LEFT JOIN (SELECT DISTINCT session_id FROM marks WHERE name = $goal) AS reached
    ON reached.session_id = sessions.session_id
GROUP BY periods.period, sessions.bucket, keyed.code
ORDER BY periods.period, sessions.bucket, keyed.code
