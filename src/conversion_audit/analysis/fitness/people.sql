-- name: people
WITH done AS (
    SELECT DISTINCT session_id FROM marks WHERE name = $goal
)
SELECT count(*) AS sessions,
       count(DISTINCT s.device_id) AS devices,
       count(DISTINCT s.visitor_id) AS visitors,
       count(DISTINCT s.user_id) AS logins,
       count(d.session_id) AS converted_sessions,
       count(DISTINCT CASE WHEN d.session_id IS NOT NULL THEN s.device_id END) AS converted_devices,
       count(DISTINCT CASE WHEN d.session_id IS NOT NULL THEN s.visitor_id END) AS converted_visitors,
       count(DISTINCT CASE WHEN d.session_id IS NOT NULL THEN s.user_id END) AS converted_logins
FROM sessions s
LEFT JOIN done d ON d.session_id = s.session_id;
