-- name: touches
-- A path is what a visitor's visits were between one goal and the next; each visit is a touch. The last path of a
-- visitor ends without a goal, if it is not empty.
WITH won AS (
    SELECT marks.session_id, COUNT(*) AS conversions FROM marks WHERE marks.name = $goal GROUP BY marks.session_id
),
paid AS (
    SELECT session_id, COUNT(*) AS orders, SUM(revenue) AS revenue FROM orders
    WHERE session_id IS NOT NULL AND goal = $goal GROUP BY session_id
),
ordered AS (
    SELECT
        sessions.visitor_id, sessions.session_id, sessions.start, COALESCE(sessions.channel, '(not set)') AS channel,
        CASE WHEN $in_orders THEN paid.orders ELSE won.conversions END AS conversions, paid.revenue,
        sessions.in_period
    FROM sessions
    LEFT JOIN won ON won.session_id = sessions.session_id
    LEFT JOIN paid ON paid.session_id = sessions.session_id
),
grouped AS (
    SELECT
        visitor_id, session_id, start, channel, conversions, revenue, in_period,
        COALESCE(SUM(CASE WHEN conversions > 0 THEN 1 ELSE 0 END) OVER (
            PARTITION BY visitor_id ORDER BY start, session_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS path_number
    FROM ordered
),
ends AS (
    SELECT
        visitor_id, path_number, MAX(start) AS end_time, SUM(COALESCE(conversions, 0)) AS conversions,
        CASE WHEN $in_orders THEN SUM(COALESCE(revenue, 0)) END AS revenue,
        MAX(CASE WHEN in_period AND conversions > 0 THEN 1 ELSE 0 END) AS counts
    FROM grouped
    GROUP BY visitor_id, path_number
)
SELECT
    DENSE_RANK() OVER (ORDER BY grouped.visitor_id, grouped.path_number) AS path,
    ROW_NUMBER() OVER (
        PARTITION BY grouped.visitor_id, grouped.path_number ORDER BY grouped.start, grouped.session_id
    ) AS position,
    grouped.channel, seconds_between(grouped.start, ends.end_time) / 86400.0 AS age_days,
    CAST(ends.conversions AS DOUBLE) AS conversions, CAST(ends.revenue AS DOUBLE) AS revenue
FROM grouped
JOIN ends ON ends.visitor_id = grouped.visitor_id AND ends.path_number = grouped.path_number
WHERE seconds_between(grouped.start, ends.end_time) <= $window
    AND ((ends.conversions > 0 AND ends.counts = 1) OR (ends.conversions = 0 AND grouped.in_period))
ORDER BY path, position
