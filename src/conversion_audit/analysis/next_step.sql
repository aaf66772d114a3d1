-- name: waits
-- Of those who reached a step: seconds until the next one (1), else until the session's last event (2).
WITH waited AS (
    SELECT
        here.step, CASE WHEN onward.unit_id IS NULL THEN 2 ELSE 1 END AS ending,
        CAST(ROUND(
            seconds_between(here.time, COALESCE(onward.time, add_seconds(sessions.start, sessions.seconds)))
        ) AS BIGINT) AS waited_seconds
    FROM reached AS here
    JOIN sessions ON sessions.session_id = here.unit_id
    LEFT JOIN reached AS onward
        ON onward.unit_id = here.unit_id AND onward.step = here.step + 1 AND onward.is_counted
    WHERE here.is_counted AND here.step < $last
)
SELECT step AS step_number, ending, waited_seconds AS seconds, COUNT(*) AS sessions
FROM waited
GROUP BY step, ending, waited_seconds
ORDER BY step, ending, waited_seconds

-- name: returns
-- Per step, sums over visitors of who reached it and who went on: for intervals that allow for repeated visits.
WITH visitors AS (
    SELECT
        here.step, sessions.visitor_id, SUM(1.0) AS tries,
        SUM(CASE WHEN onward.unit_id IS NULL THEN 0.0 ELSE 1.0 END) AS hits
    FROM reached AS here
    JOIN sessions ON sessions.session_id = here.unit_id
    LEFT JOIN reached AS onward
        ON onward.unit_id = here.unit_id AND onward.step = here.step + 1 AND onward.is_counted
    WHERE here.is_counted AND here.step < $last
    GROUP BY here.step, sessions.visitor_id
)
SELECT step AS step_number, SUM(hits * hits) AS hits_hits, SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries
FROM visitors
GROUP BY step
ORDER BY step

-- name: visitor_waits
-- For visitors: the next step (1), else the window's or the export's end (0: not watched any longer).
WITH ends AS (
    SELECT
        unit_id, entry, step, time, is_counted,
        LEAST(add_seconds(entry_time, CAST($window AS DOUBLE)), CAST($until AS TIMESTAMP)) AS watched_until
    FROM reached
),
waited AS (
    SELECT
        here.step, CASE WHEN onward.unit_id IS NULL THEN 0 ELSE 1 END AS ending,
        CAST(ROUND(
            seconds_between(here.time, COALESCE(onward.time, here.watched_until))
        ) AS BIGINT) AS waited_seconds
    FROM ends AS here
    LEFT JOIN ends AS onward
        ON onward.unit_id = here.unit_id AND onward.step = here.step + 1 AND onward.is_counted
    WHERE here.is_counted AND here.step < $last
)
SELECT step AS step_number, ending, waited_seconds AS seconds, COUNT(*) AS sessions
FROM waited
GROUP BY step, ending, waited_seconds
ORDER BY step, ending, waited_seconds

-- name: instead
-- Sessions that stopped at a step: the next page they saw, if any.
WITH stopped AS (
    SELECT unit_id, MAX(step) AS step, MAX(event_number) AS event_number
    FROM reached
    WHERE is_counted
    GROUP BY unit_id
    HAVING MAX(step) < $last
),
onward AS (
    SELECT stopped.unit_id, MIN(events.event_number) AS event_number
    FROM stopped
    JOIN events ON events.session_id = stopped.unit_id AND events.event_number > stopped.event_number
    WHERE events.is_page
    GROUP BY stopped.unit_id
)
SELECT
    stopped.step AS step_number,
    CASE WHEN onward.unit_id IS NULL THEN '(exit)' ELSE COALESCE(events.page_type, events.page, '(not set)') END AS did,
    COUNT(*) AS sessions
FROM stopped
LEFT JOIN onward ON onward.unit_id = stopped.unit_id
LEFT JOIN events ON events.session_id = onward.unit_id AND events.event_number = onward.event_number
GROUP BY
    stopped.step,
    CASE WHEN onward.unit_id IS NULL THEN '(exit)' ELSE COALESCE(events.page_type, events.page, '(not set)') END
ORDER BY step_number, sessions DESC, did
