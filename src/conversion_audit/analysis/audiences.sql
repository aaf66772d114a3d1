-- name: gaps
-- Days between one purchase session of a visitor and the next.
WITH bought AS (
    SELECT visitor_id, session_id, MIN(time) AS time FROM history WHERE name = $goal GROUP BY visitor_id, session_id
),
pairs AS (
    SELECT time, LAG(time) OVER (PARTITION BY visitor_id ORDER BY time, session_id) AS before FROM bought
)
SELECT COUNT(*) AS pairs, quantile_of(seconds_between(before, time) / 86400.0, 0.5) AS days FROM pairs WHERE before IS NOT NULL

-- name: last_purchases
SELECT visitor_id, MAX(time) AS last_bought FROM history WHERE name = $goal AND visitor_id IS NOT NULL GROUP BY visitor_id

-- name: members
-- One row per audience and visitor. A visitor may be in several.
SELECT 'stopped_at' AS kind, s.step, p.visitor_id, p.last_seen
FROM people AS p
JOIN steps AS s ON s.place = p.furthest
WHERE p.completions = 0 AND p.furthest >= 1
UNION ALL
SELECT 'cart_leavers', s.step, p.visitor_id, p.last_seen
FROM people AS p
JOIN steps AS s ON s.place = $cart
WHERE p.completions = 0 AND p.furthest >= $cart
UNION ALL
SELECT 'research', s.step, p.visitor_id, p.last_seen
FROM people AS p
JOIN steps AS s ON s.place = 1
WHERE p.completions = 0 AND p.furthest = 1 AND p.sessions >= 2
UNION ALL
SELECT 'due_back', CAST(NULL AS VARCHAR), l.visitor_id, l.last_bought
FROM last_purchases AS l
CROSS JOIN ends AS e
WHERE seconds_between(l.last_bought, e.last_start) / 86400.0 >= $due_days AND $due_days > 0

-- name: ends
SELECT MAX(start) AS last_start FROM sessions

-- name: sizes
SELECT kind, step, COUNT(DISTINCT visitor_id) AS people, MAX(last_seen) AS last_seen
FROM members
GROUP BY kind, step
HAVING COUNT(DISTINCT visitor_id) >= $least
ORDER BY kind, people DESC, step

-- name: later
-- Of visitors who were in the audience at the middle of the period, how many bought after it.
SELECT m.kind, m.step, COUNT(DISTINCT m.visitor_id) AS early_visitors, COUNT(DISTINCT b.visitor_id) AS later_buyers
FROM members AS m
LEFT JOIN (SELECT visitor_id FROM later_marks WHERE name = $goal) AS b ON b.visitor_id = m.visitor_id
GROUP BY m.kind, m.step

-- name: chosen
SELECT DISTINCT m.visitor_id, m.last_seen
FROM members AS m
WHERE m.kind = $kind AND (m.step = $step OR ($step IS NULL AND m.step IS NULL))
ORDER BY m.visitor_id

-- name: raw
-- Ids as exported, for a list that never leaves this machine through a report.
SELECT DISTINCT s.user_id, s.device_id
FROM sessions AS s
JOIN members AS m ON m.visitor_id = s.visitor_id
WHERE m.kind = $kind AND (m.step = $step OR ($step IS NULL AND m.step IS NULL))
    AND (s.user_id IS NOT NULL OR s.device_id IS NOT NULL)
ORDER BY s.user_id, s.device_id
