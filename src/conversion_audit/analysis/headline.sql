-- name: totals
SELECT s.sessions, s.visitors, s.bounces, o.orders, o.goal_orders, o.revenue, g.goal_marks, g.goal_sessions
FROM (SELECT count(*) AS sessions, count(DISTINCT visitor_id) AS visitors, CASE WHEN count(*) = 0 THEN 0 ELSE sum(CAST(is_bounce AS INTEGER)) END AS bounces
      FROM sessions) s
CROSS JOIN (SELECT count(*) AS orders, count(CASE WHEN goal = $goal THEN 1 END) AS goal_orders, sum(revenue) AS revenue
            FROM orders) o
CROSS JOIN (SELECT count(*) AS goal_marks, count(DISTINCT session_id) AS goal_sessions FROM marks WHERE name = $goal) g;

-- name: with_step
-- Of all devices: device is missing. Sessions whose device the export does not say are called 'unknown'.
SELECT CASE WHEN GROUPING(d.device) = 0 THEN d.device END AS device, d.step,
       count(DISTINCT d.session_id) AS sessions, count(DISTINCT d.visitor_id) AS visitors
FROM (
    SELECT coalesce(s.device, 'unknown') AS device, t.step, m.session_id, m.visitor_id
    FROM marks m JOIN steps t ON t.name = m.name JOIN sessions s ON s.session_id = m.session_id
) d
GROUP BY GROUPING SETS ((d.step), (d.device, d.step));

-- name: in_order
-- All steps of a chain are of the device on which it began: its later sessions may be on another, or after the period.
SELECT CASE WHEN GROUPING(d.device) = 0 THEN d.device END AS device, d.step, count(DISTINCT d.unit_id) AS units
FROM (
    SELECT coalesce(s.device, 'unknown') AS device, r.step, r.unit_id
    FROM reached r
    JOIN (
        SELECT unit_id, value_at(session_id, CASE WHEN event_number >= entry THEN event_number END) AS session_id
        FROM reached
        WHERE is_counted
        GROUP BY unit_id
    ) b ON b.unit_id = r.unit_id
    LEFT JOIN sessions s ON s.session_id = b.session_id
    WHERE r.is_counted
) d
GROUP BY GROUPING SETS ((d.step), (d.device, d.step));
