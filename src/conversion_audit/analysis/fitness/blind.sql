-- name: goal_days
-- Books that end before a day say nothing of it: only within their own first and last day is none a number.
WITH done AS (
    SELECT DISTINCT session_id FROM marks WHERE name = $goal
), seen AS (
    SELECT s.date, count(*) AS sessions, count(d.session_id) AS goal_sessions
    FROM sessions s
    LEFT JOIN done d ON d.session_id = s.session_id
    WHERE s.set_aside IS NULL AND s.date >= CAST($start AS DATE) AND s.date <= CAST($end AS DATE)
    GROUP BY s.date
), booked AS (
    SELECT date, count(*) AS orders FROM book_orders WHERE date IS NOT NULL GROUP BY date
), span AS (
    SELECT min(date) AS first_day, max(date) AS last_day FROM booked
)
SELECT seen.date, seen.sessions, seen.goal_sessions,
       CASE WHEN seen.date >= span.first_day AND seen.date <= span.last_day
            THEN CAST(coalesce(booked.orders, 0) AS DOUBLE) END AS book_orders
FROM seen
CROSS JOIN span
LEFT JOIN booked ON booked.date = seen.date
ORDER BY seen.date;
