-- name: known
SELECT count(*) AS sessions, count(device) AS device, count(browser) AS browser, count(os) AS os, count(country) AS country,
       count(channel) AS channel, count(landing_page) AS landing_page
FROM sessions;

-- name: uncovered
SELECT page, count(*) AS views
FROM events
WHERE is_page AND page_type IS NULL AND page IS NOT NULL
  AND date >= CAST($start AS DATE) AND date <= CAST($end AS DATE)
GROUP BY page
ORDER BY views DESC, page
LIMIT $most;

-- name: set_aside
WITH parts AS (
    SELECT CASE WHEN GROUPING(coalesce(set_aside, 'counted')) = 1 THEN 'all' ELSE coalesce(set_aside, 'counted') END AS part,
           count(*) AS sessions, sum(events) AS events, sum(orders) AS orders, sum(revenue) AS revenue,
           count(m.session_id) AS completing_sessions
    FROM sessions AS s
    LEFT JOIN (SELECT DISTINCT session_id FROM marks WHERE name = $goal) AS m ON m.session_id = s.session_id
    GROUP BY GROUPING SETS ((), (coalesce(set_aside, 'counted')))
)
SELECT part, sessions, CAST(coalesce(events, 0) AS BIGINT) AS events, CAST(coalesce(orders, 0) AS BIGINT) AS orders,
       CAST(coalesce(revenue, 0) AS DOUBLE) AS revenue, completing_sessions
FROM parts
ORDER BY CASE part WHEN 'all' THEN 1 WHEN 'counted' THEN 2 ELSE 3 END, part;

-- name: aside_rules
SELECT a.reason, a.rule, count(*) AS sessions, CAST(sum(s.events) AS BIGINT) AS events, CAST(sum(s.orders) AS BIGINT) AS orders
FROM aside a JOIN sessions s ON s.session_id = a.session_id
GROUP BY a.reason, a.rule
ORDER BY sessions DESC, a.reason, a.rule;

-- name: refused_orders
SELECT count(*) AS orders, CAST(coalesce(sum(revenue), 0) AS DOUBLE) AS revenue
FROM orders
WHERE session_id IS NULL AND date >= CAST($start AS DATE) AND date <= CAST($end AS DATE);
