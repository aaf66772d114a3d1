-- name: marked_steps
-- One row per event and step it can fill; step 0 is an excluding event.
SELECT marks.*, steps.step
FROM marks JOIN steps ON marks.name = steps.name

-- name: session_steps
SELECT session_id AS unit_id, step, event_number, moment, time, in_period
FROM marked

-- name: visitor_steps
SELECT
    visitor_id AS unit_id, step, visitor_event_number AS event_number, visitor_moment AS moment, time, in_period
FROM marked

-- name: first_entries
-- Where nothing limits a chain, the one that begins first reaches everything that a later one reaches.
SELECT
    unit_id, MIN(event_number) AS entry, MIN(time) AS entry_time, 1 AS entry_step, 1 AS step,
    MIN(event_number) AS event_number, MIN(moment) AS moment, MIN(time) AS time, FALSE AS is_tied
FROM starts
WHERE step = 1
GROUP BY unit_id

-- name: next_step_unlimited
SELECT
    step_events.unit_id, MIN(chains.entry) AS entry, MIN(chains.entry_time) AS entry_time, 1 AS entry_step,
    CAST($step AS INTEGER) AS step, MIN(step_events.event_number) AS event_number,
    MIN(step_events.moment) AS moment, MIN(step_events.time) AS time,
    MIN(step_events.moment) = MIN(chains.moment) AS is_tied
FROM chains JOIN step_events ON step_events.unit_id = chains.unit_id
WHERE step_events.step = $step AND step_events.moment >= chains.moment + $later
GROUP BY step_events.unit_id

-- name: entries
-- One row per moment at which a chain can begin, with the time it must end by. Where the window is longer than all
-- the unit did, later entries reach nothing more and are left out.
WITH starts AS (
    SELECT
        unit_id, moment AS entry_moment, MIN(event_number) AS entry, MIN(time) AS entry_time, MIN(step) AS entry_step
    FROM step_events
    WHERE in_period AND (step = 1 OR ($rule = 'any_order' AND step > 1))
    GROUP BY unit_id, moment
),
spans AS (
    SELECT starts.unit_id, MIN(starts.entry_moment) AS first_moment, MIN(starts.entry_time) AS first_time
    FROM starts
    GROUP BY starts.unit_id
),
ends AS (SELECT unit_id, MAX(time) AS last_time FROM step_events GROUP BY unit_id)
SELECT
    starts.unit_id, starts.entry, starts.entry_moment, starts.entry_time, starts.entry_step,
    COALESCE(add_seconds(starts.entry_time, CAST($window AS DOUBLE)), CAST('9999-12-31' AS TIMESTAMP)) AS latest
FROM starts
JOIN spans ON spans.unit_id = starts.unit_id
JOIN ends ON ends.unit_id = starts.unit_id
WHERE starts.entry_moment = spans.first_moment
    OR (NOT $first AND ($every OR ends.last_time > add_seconds(spans.first_time, CAST($window AS DOUBLE))))

-- name: limited_entries
-- The last moment a chain may use: an excluding event strictly after its entry ends it, in the visitor's favour not
-- before the events of that very moment; under adverse order those of the moment are lost as well.
SELECT
    entries.unit_id, entries.entry, entries.entry_moment, entries.entry_time, entries.entry_step, entries.latest,
    COALESCE(MIN(step_events.moment) - $later, 9223372036854775807) AS deadline
FROM entries
LEFT JOIN step_events
    ON step_events.unit_id = entries.unit_id AND step_events.step = 0
    AND step_events.moment >= entries.entry_moment + 1 - $later
GROUP BY
    entries.unit_id, entries.entry, entries.entry_moment, entries.entry_time, entries.entry_step, entries.latest

-- name: first_step
SELECT
    entries.unit_id, entries.entry, entries.entry_moment, entries.entry_time, entries.entry_step, entries.latest,
    entries.deadline, 1 AS step, MIN(step_events.event_number) AS event_number, MIN(step_events.moment) AS moment,
    MIN(step_events.time) AS time, FALSE AS is_tied
FROM entries JOIN step_events ON step_events.unit_id = entries.unit_id
WHERE step_events.step = 1
    AND (step_events.moment = entries.entry_moment
        OR ($rule = 'any_order' AND step_events.moment > entries.entry_moment
            AND step_events.moment <= entries.deadline AND step_events.time <= entries.latest))
GROUP BY
    entries.unit_id, entries.entry, entries.entry_moment, entries.entry_time, entries.entry_step, entries.latest,
    entries.deadline

-- name: next_step
-- The earliest event that can follow each chain. Earliest is best: whatever follows a later one follows it too.
SELECT
    chains.unit_id, chains.entry, MIN(chains.entry_moment) AS entry_moment, MIN(chains.entry_time) AS entry_time,
    MIN(chains.entry_step) AS entry_step, MIN(chains.latest) AS latest, MIN(chains.deadline) AS deadline,
    CAST($step AS INTEGER) AS step, MIN(step_events.event_number) AS event_number,
    MIN(step_events.moment) AS moment, MIN(step_events.time) AS time,
    MIN(step_events.moment) = MIN(chains.moment) AS is_tied
FROM chains JOIN step_events ON step_events.unit_id = chains.unit_id
WHERE step_events.step = $step
    AND step_events.time <= chains.latest
    AND step_events.moment <= chains.deadline
    AND CASE $rule
        WHEN 'any_order' THEN step_events.moment >= chains.entry_moment
        WHEN 'near' THEN step_events.time >= add_seconds(chains.time, -$tolerance)
        WHEN 'apart' THEN step_events.time > add_seconds(chains.time, $tolerance)
        ELSE step_events.moment >= chains.moment + $later
    END
GROUP BY chains.unit_id, chains.entry

-- name: shared_events
-- Units whose chain used one event for two steps: there the earliest event is not always the right one.
SELECT DISTINCT unit_id
FROM (
    SELECT chains.unit_id, chains.entry, chains.event_number
    FROM chains
    JOIN (SELECT DISTINCT unit_id, entry FROM chains WHERE is_tied OR NOT $in_order) AS suspects
        ON suspects.unit_id = chains.unit_id AND suspects.entry = chains.entry
    GROUP BY chains.unit_id, chains.entry, chains.event_number
    HAVING COUNT(*) > 1
) AS shared

-- name: picked
-- Of each unit the deepest chain, of those the earliest; and the same among the chains whose window has passed.
WITH depths AS (
    SELECT unit_id, entry, MAX(step) AS depth, MIN(entry_time) AS entry_time
    FROM chains
    GROUP BY unit_id, entry
    HAVING $rule <> 'any_order' OR $first OR MAX(step) >= MIN(entry_step)
),
judged AS (
    SELECT
        unit_id, entry, depth,
        CASE
            WHEN $horizon IS NULL OR $until IS NULL THEN TRUE
            ELSE add_seconds(entry_time, CAST($horizon AS DOUBLE)) <= CAST($until AS TIMESTAMP)
        END AS is_mature
    FROM depths
),
placed AS (
    SELECT
        unit_id, entry, is_mature,
        ROW_NUMBER() OVER (PARTITION BY unit_id ORDER BY depth DESC, entry) AS place,
        ROW_NUMBER() OVER (PARTITION BY unit_id, is_mature ORDER BY depth DESC, entry) AS place_of_kind
    FROM judged
)
SELECT
    chains.unit_id, chains.entry, chains.entry_time, chains.step, chains.event_number, chains.moment, chains.time,
    chains.is_tied, placed.place = 1 AS is_counted, placed.is_mature AND placed.place_of_kind = 1 AS is_rated
FROM chains
JOIN placed ON placed.unit_id = chains.unit_id AND placed.entry = chains.entry
WHERE placed.place = 1 OR (placed.is_mature AND placed.place_of_kind = 1)

-- name: session_reached
SELECT
    unit_id, entry, entry_time, step, event_number, moment, time, is_tied, is_counted, is_rated,
    unit_id AS session_id
FROM picked

-- name: visitor_reached
SELECT DISTINCT
    picked.unit_id, picked.entry, picked.entry_time, picked.step, picked.event_number, picked.moment, picked.time,
    picked.is_tied, picked.is_counted, picked.is_rated, marks.session_id
FROM picked
JOIN steps ON steps.step = picked.step
JOIN marks
    ON marks.visitor_id = picked.unit_id AND marks.visitor_event_number = picked.event_number
    AND marks.name = steps.name
