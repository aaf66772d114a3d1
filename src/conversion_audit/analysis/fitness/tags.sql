-- name: step_gaps
WITH has AS (
    SELECT DISTINCT m.session_id, t.place
    FROM marks m JOIN steps t ON t.step = m.name
), deep AS (
    SELECT h.session_id, s.device, s.browser, max(h.place) AS deepest,
           max(CASE WHEN t.step = $goal THEN 1 ELSE 0 END) AS has_goal
    FROM has h JOIN steps t ON t.place = h.place JOIN sessions s ON s.session_id = h.session_id
    GROUP BY h.session_id, s.device, s.browser
), grid AS (
    SELECT d.device, d.browser, t.place, t.step,
           CASE WHEN h.session_id IS NULL THEN 0 ELSE 1 END AS shown,
           CASE WHEN n.session_id IS NULL THEN 0 ELSE 1 END AS next_shown,
           CASE WHEN d.deepest > t.place THEN 1 ELSE 0 END AS later,
           d.has_goal
    FROM deep d
    CROSS JOIN steps t
    LEFT JOIN has h ON h.session_id = d.session_id AND h.place = t.place
    LEFT JOIN has n ON n.session_id = d.session_id AND n.place = t.place + 1
), summed AS (
    SELECT GROUPING(device) AS all_devices, GROUPING(browser) AS all_browsers, device, browser, place, step,
           sum(shown) AS sessions, sum(next_shown) AS next_sessions, sum(later) AS later_sessions,
           sum(later * (1 - shown)) AS without, sum(has_goal) AS goal_sessions, sum(has_goal * (1 - shown)) AS goal_without
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
