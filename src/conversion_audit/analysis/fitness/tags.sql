-- name: used_events
WITH seen AS (
    SELECT DISTINCT event FROM counts WHERE part = 'day_event'
), met AS (
    SELECT n.place, n.rule, n.said, s.event, count(*) OVER (PARTITION BY n.place) AS events
    FROM named n JOIN seen s ON lower(s.event) LIKE n.pattern ESCAPE '\'
)
SELECT event, rule FROM met WHERE events = 1 OR said NOT LIKE '%*%' ORDER BY place, event;

-- name: step_gaps
WITH has AS (
    SELECT DISTINCT m.session_id, t.place
    FROM marks m JOIN steps t ON t.step = m.name
), deep AS (
    SELECT h.session_id, s.visitor_id, s.start, s.device, s.browser, max(h.place) AS deepest,
           max(CASE WHEN t.step = $goal THEN 1 ELSE 0 END) AS has_goal
    FROM has h JOIN steps t ON t.place = h.place JOIN sessions s ON s.session_id = h.session_id
    GROUP BY h.session_id, s.visitor_id, s.start, s.device, s.browser
), earlier AS (
    -- What a visitor did in an earlier session no tag has to say again.
    SELECT m.visitor_id, t.place, min(m.time) AS time
    FROM marks m JOIN steps t ON t.step = m.name
    WHERE m.visitor_id IS NOT NULL
    GROUP BY m.visitor_id, t.place
), grid AS (
    SELECT d.device, d.browser, t.place, t.step,
           CASE WHEN h.session_id IS NULL THEN 0 ELSE 1 END AS shown,
           CASE WHEN h.session_id IS NULL AND b.visitor_id IS NULL THEN 1 ELSE 0 END AS missing,
           CASE WHEN n.session_id IS NULL THEN 0 ELSE 1 END AS next_shown,
           CASE WHEN d.deepest > t.place THEN 1 ELSE 0 END AS later,
           d.has_goal
    FROM deep d
    CROSS JOIN steps t
    LEFT JOIN has h ON h.session_id = d.session_id AND h.place = t.place
    LEFT JOIN has n ON n.session_id = d.session_id AND n.place = t.place + 1
    LEFT JOIN earlier b ON b.visitor_id = d.visitor_id AND b.place = t.place AND b.time < d.start
), summed AS (
    SELECT GROUPING(device) AS all_devices, GROUPING(browser) AS all_browsers, device, browser, place, step,
           sum(shown) AS sessions, sum(next_shown) AS next_sessions, sum(later) AS later_sessions,
           sum(later * missing) AS without, sum(has_goal) AS goal_sessions, sum(has_goal * missing) AS goal_without
    FROM grid
    GROUP BY GROUPING SETS ((place, step), (place, step, device), (place, step, browser))
)
SELECT device, browser, step,
       CAST(sessions AS BIGINT) AS sessions, CAST(next_sessions AS BIGINT) AS next_sessions,
       CAST(later_sessions AS BIGINT) AS later_sessions, CAST(without AS BIGINT) AS without,
       CAST(goal_sessions AS BIGINT) AS goal_sessions, CAST(goal_without AS BIGINT) AS goal_without
FROM summed
WHERE (all_devices = 1 AND all_browsers = 1) OR (all_devices = 0 AND device IS NOT NULL) OR (all_browsers = 0 AND browser IS NOT NULL)
ORDER BY all_browsers DESC, all_devices DESC, device, browser, place;
