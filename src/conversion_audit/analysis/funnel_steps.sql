-- name: depths
-- Each unit's depth, its entry's session, and the depth that counts in rates (0: begun too late).
SELECT
    unit_id, MIN(CASE WHEN step = 1 AND is_counted THEN session_id END) AS session_id,
    MAX(CASE WHEN is_counted THEN step ELSE 0 END) AS depth, MAX(CASE WHEN is_rated THEN step ELSE 0 END) AS rated_depth,
    MAX(CASE WHEN is_tied AND is_counted THEN 1 ELSE 0 END) AS is_tied
FROM reached
GROUP BY unit_id

-- name: depth_counts
SELECT depth, rated_depth, COUNT(*) AS units, SUM(is_tied) AS tied
FROM depths
GROUP BY depth, rated_depth

-- name: clusters
-- Per segment and step, sums over visitors: what their sessions have in common widens the interval. All could enter.
WITH visitors AS (
    SELECT
        sessions.segment, sessions.visitor_id, steps.step,
        SUM(CASE WHEN steps.step = 1 OR depths.rated_depth >= steps.step - 1 THEN 1.0 ELSE 0.0 END) AS tries,
        SUM(CASE WHEN depths.rated_depth >= steps.step THEN 1.0 ELSE 0.0 END) AS hits,
        SUM(CASE WHEN depths.rated_depth >= 1 THEN 1.0 ELSE 0.0 END) AS entrants
    FROM sessions
    LEFT JOIN depths ON depths.session_id = sessions.session_id
    CROSS JOIN steps
    WHERE steps.step = 1 OR depths.rated_depth >= 1
    GROUP BY sessions.segment, sessions.visitor_id, steps.step
)
SELECT
    segment, step AS step_number,
    SUM(hits * hits) AS hits_hits, SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries,
    SUM(hits * entrants) AS hits_entrants, SUM(entrants * entrants) AS entrants_entrants
FROM visitors
GROUP BY segment, step
ORDER BY segment, step

-- name: occurrences
-- Who shows a step at all, in whatever order.
SELECT
    steps.step AS step_number, COUNT(DISTINCT marks.session_id) AS sessions,
    COUNT(DISTINCT marks.visitor_id) AS visitors
FROM steps
LEFT JOIN marks ON marks.name = steps.name AND marks.in_period
GROUP BY steps.step
ORDER BY steps.step

-- name: direct
-- The step at which a session first shows in the journey.
WITH firsts AS (
    SELECT marks.session_id, steps.step, MIN(marks.moment) AS moment
    FROM marks JOIN steps ON steps.name = marks.name
    WHERE marks.in_period
    GROUP BY marks.session_id, steps.step
),
earliest AS (SELECT session_id, MIN(moment) AS moment FROM firsts GROUP BY session_id),
began AS (
    SELECT firsts.session_id, MIN(firsts.step) AS step
    FROM firsts JOIN earliest ON earliest.session_id = firsts.session_id AND earliest.moment = firsts.moment
    GROUP BY firsts.session_id
)
SELECT step AS step_number, COUNT(*) AS direct_sessions
FROM began
GROUP BY step
ORDER BY step

-- name: marked_sessions
SELECT DISTINCT steps.step AS step_number, marks.session_id, marks.visitor_id
FROM marks JOIN steps ON steps.name = marks.name
WHERE marks.in_period
