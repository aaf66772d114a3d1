-- The passes over the prepared tables. Everything after them works on arrays with one entry per session.

-- name: numbered
SELECT
    session_id,
    start,
    row_number() OVER (ORDER BY session_id) - 1 AS n,
    dense_rank() OVER (ORDER BY visitor_id) - 1 AS visitor
FROM sessions

-- name: reached
-- How often a step was taken counts until the session got beyond it: what comes later says nothing of going on.
WITH taken AS (
    SELECT numbered.n, steps.step, numbered.start, marks.time, marks.event_number
    FROM marks
    JOIN steps ON steps.name = marks.name
    JOIN numbered ON numbered.session_id = marks.session_id
),
firsts AS (SELECT n, step, min(time) AS time FROM taken GROUP BY n, step),
beyond AS (
    SELECT
        firsts.n,
        firsts.step,
        coalesce(min(CASE WHEN later.step = firsts.step + 1 THEN later.time END), min(later.time)) AS time
    FROM firsts
    JOIN firsts AS later ON later.n = firsts.n AND later.step > firsts.step
    GROUP BY firsts.n, firsts.step
)
SELECT
    taken.n,
    taken.step,
    seconds_between(min(taken.start), min(taken.time)) AS seconds,
    min(taken.event_number) AS event_number,
    count(CASE WHEN beyond.time IS NULL OR taken.time < beyond.time THEN 1 END) AS times
FROM taken
LEFT JOIN beyond ON beyond.n = taken.n AND beyond.step = taken.step
GROUP BY taken.n, taken.step
ORDER BY taken.n, taken.step

-- name: troubles
-- What went wrong on the way: marks of negative micro-conversions, called by their own name.
SELECT
    numbered.n,
    seconds_between(numbered.start, marks.time) AS seconds,
    marks.event_number,
    marks.name AS message
FROM marks
JOIN negatives ON negatives.name = marks.name
JOIN numbered ON numbered.session_id = marks.session_id
WHERE marks.detail IS NOT NULL

-- name: messages
-- The export's own error texts, where it has them.
SELECT
    numbered.n,
    seconds_between(numbered.start, events.time) AS seconds,
    events.event_number,
    events.error AS message
FROM events
JOIN numbered ON numbered.session_id = events.session_id
WHERE events.error IS NOT NULL

-- name: usual_pages
-- The page each step's event is usually recorded on, and in how many sessions.
SELECT steps.step, events.page, count(DISTINCT events.session_id) AS sessions
FROM marks
JOIN steps ON steps.name = marks.name
JOIN events ON events.session_id = marks.session_id AND events.event_number = marks.event_number
WHERE events.page IS NOT NULL
GROUP BY steps.step, events.page
ORDER BY steps.step, sessions DESC, events.page

-- name: pages_seen
SELECT DISTINCT numbered.n, companions.step
FROM events
JOIN companions ON companions.page = events.page
JOIN numbered ON numbered.session_id = events.session_id
ORDER BY numbered.n, companions.step

-- name: after
-- What stopped sessions did from the moment they stood before the step. One query for all findings.
SELECT
    stopped.finding,
    stopped.is_inside,
    stopped.n,
    events.event_number,
    CASE WHEN events.error IS NOT NULL THEN events.event ELSE coalesce(events.page_type, events.event) END AS what,
    seconds_between(numbered.start, events.time) - stopped.seconds AS seconds
FROM events
JOIN numbered ON numbered.session_id = events.session_id
JOIN stopped ON stopped.n = numbered.n
WHERE events.event_number > stopped.event_number
ORDER BY stopped.finding, stopped.n, events.event_number

-- name: after_marks
SELECT
    stopped.finding,
    stopped.is_inside,
    stopped.n,
    marks.event_number,
    marks.name AS what,
    seconds_between(numbered.start, marks.time) - stopped.seconds AS seconds
FROM marks
JOIN numbered ON numbered.session_id = marks.session_id
JOIN stopped ON stopped.n = numbered.n
WHERE marks.event_number > stopped.event_number AND marks.name NOT LIKE 'evidence:%'
ORDER BY stopped.finding, stopped.n, marks.event_number, marks.name
