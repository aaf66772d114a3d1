-- name: chances
-- One row per session that reached a step: when it did, and when the chance ended (the next step, else the session's end).
SELECT
    here.session_id, sessions.visitor_id, sessions.visit_number, sessions.device, sessions.channel,
    here.step, here.moment AS moment, COALESCE(onward.moment, 9223372036854775807) AS until_moment,
    seconds_between(sessions.start, here.time) AS seconds_before,
    CASE WHEN goals.session_id IS NULL THEN 0 ELSE 1 END AS is_goal
FROM reached AS here
JOIN sessions ON sessions.session_id = here.session_id
LEFT JOIN reached AS onward
    ON onward.unit_id = here.unit_id AND onward.step = here.step + 1 AND onward.is_counted
LEFT JOIN reached AS goals ON goals.unit_id = here.unit_id AND goals.step = $last AND goals.is_counted
WHERE here.is_counted AND here.step < $last

-- name: exposures
-- Where each micro-conversion is met before the next step; of its steps, the one where most sessions meet it.
SELECT marks.name, chances.step, COUNT(DISTINCT marks.session_id) AS met
FROM chances
JOIN marks ON marks.session_id = chances.session_id AND marks.moment < chances.until_moment
    AND marks.moment >= chances.moment
JOIN names ON names.name = marks.name
GROUP BY marks.name, chances.step
ORDER BY marks.name, chances.step

-- name: cases
SELECT
    chances.session_id, chances.visitor_id, chances.visit_number, chances.device, chances.channel,
    chances.seconds_before, chances.is_goal, CASE WHEN met.session_id IS NULL THEN 0 ELSE 1 END AS is_with
FROM chances
LEFT JOIN (
    SELECT DISTINCT marks.session_id
    FROM chances JOIN marks ON marks.session_id = chances.session_id AND marks.moment < chances.until_moment
    WHERE marks.name = $name AND chances.step = $step
) AS met ON met.session_id = chances.session_id
WHERE chances.step = $step
ORDER BY md5(chances.session_id), chances.session_id
LIMIT 60000
