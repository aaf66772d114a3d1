-- name: visits
SELECT count(*) AS sessions, count(DISTINCT visitor_id) AS visitors, sum(events) AS events, sum(orders) AS orders, sum(revenue) AS revenue
FROM sessions;

-- name: stages
SELECT stage, CAST(sum("count") AS DOUBLE) AS "count" FROM stage_counts GROUP BY stage;

-- name: reached
SELECT count(DISTINCT session_id) AS sessions FROM marks WHERE name = $goal;
