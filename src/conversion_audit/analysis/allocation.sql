-- name: by_channel
-- What each channel brought, by visitor group: the groups are drawn anew for the intervals.
SELECT
    COALESCE(sessions.channel, '(unknown)') AS channel,
    sessions.bucket,
    COUNT(*) AS sessions,
    COUNT(reached.session_id) AS goal_sessions,
    SUM(COALESCE(reached.completions, 0)) AS completions,
    SUM(COALESCE(paid.orders, 0)) AS orders,
    CAST(SUM(COALESCE(paid.revenue, 0)) AS DOUBLE) AS revenue
FROM sessions
LEFT JOIN (SELECT session_id, COUNT(*) AS completions FROM marks WHERE name = $goal GROUP BY session_id) AS reached
    ON reached.session_id = sessions.session_id
LEFT JOIN (
    SELECT session_id, COUNT(*) AS orders, SUM(revenue) AS revenue
    FROM orders
    GROUP BY session_id
) AS paid ON paid.session_id = sessions.session_id
GROUP BY COALESCE(sessions.channel, '(unknown)'), sessions.bucket
ORDER BY channel, sessions.bucket
