-- name: chances
-- One row per session that reached a step: when it did, when the chance ended (the next step, else the session's end), and
-- the pages of that time; of an export without pages, the events.
WITH placed AS (
    SELECT
        here.session_id, here.unit_id, here.step, here.moment, here.time,
        COALESCE(onward.moment, 9223372036854775807) AS until_moment
    FROM reached AS here
    LEFT JOIN reached AS onward
        ON onward.unit_id = here.unit_id AND onward.step = here.step + 1 AND onward.is_counted
    WHERE here.is_counted AND here.step < $last
),
known AS (SELECT MAX(CASE WHEN is_page THEN 1 ELSE 0 END) AS has_pages FROM events),
seen AS (
    SELECT placed.session_id, placed.step, COUNT(*) AS pages
    FROM placed
    JOIN events ON events.session_id = placed.session_id
        AND events.moment >= placed.moment AND events.moment < placed.until_moment
    CROSS JOIN known
    WHERE events.is_page OR known.has_pages = 0
    GROUP BY placed.session_id, placed.step
)
SELECT
    placed.session_id, sessions.visitor_id, sessions.visit_number, sessions.device, sessions.channel,
    placed.step, placed.moment, placed.until_moment, COALESCE(seen.pages, 0) AS pages,
    seconds_between(sessions.start, placed.time) AS seconds_before,
    CASE WHEN goals.session_id IS NULL THEN 0 ELSE 1 END AS is_goal
FROM placed
JOIN sessions ON sessions.session_id = placed.session_id
LEFT JOIN seen ON seen.session_id = placed.session_id AND seen.step = placed.step
LEFT JOIN reached AS goals ON goals.unit_id = placed.unit_id AND goals.step = $last AND goals.is_counted

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
    chances.seconds_before, chances.pages, chances.is_goal,
    CASE WHEN met.session_id IS NULL THEN 0 ELSE 1 END AS is_with
FROM chances
LEFT JOIN (
    SELECT DISTINCT marks.session_id
    FROM chances JOIN marks ON marks.session_id = chances.session_id AND marks.moment < chances.until_moment
    WHERE marks.name = $name AND chances.step = $step
) AS met ON met.session_id = chances.session_id
WHERE chances.step = $step
ORDER BY md5(chances.session_id), chances.session_id
LIMIT 60000
