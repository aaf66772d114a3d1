-- name: signed_events
-- Two events of one moment that can fill the same steps are interchangeable: they carry the same signature.
SELECT events.unit_id, events.step, events.event_number, events.moment, events.time, signatures.signature
FROM (SELECT DISTINCT unit_id, step, event_number, moment, time FROM step_events WHERE step > 0) AS events
JOIN (
    SELECT filled.unit_id, filled.event_number, SUM(bits.bit) AS signature
    FROM (SELECT DISTINCT unit_id, step, event_number FROM step_events WHERE step > 0) AS filled
    JOIN bits ON bits.step = filled.step
    GROUP BY filled.unit_id, filled.event_number
) AS signatures
    ON signatures.unit_id = events.unit_id AND signatures.event_number = events.event_number

-- name: no_step_yet
SELECT
    CAST(0 AS BIGINT) AS state, CAST(0 AS BIGINT) AS parent, unit_id, entry, entry_moment, entry_time, entry_step,
    latest, deadline, CAST(0 AS BIGINT) AS event_number, CAST(-1 AS BIGINT) AS moment, entry_time AS time,
    ',' AS used, FALSE AS is_tied
FROM entries

-- name: next_states
-- Every event that can follow each chain and that the chain has not used. Kept are those that can matter: of equal
-- ones the first; without a window per step, those of the nearest moment (with a tolerance, those within reach of it).
WITH candidates AS (
    SELECT
        states.state, states.unit_id, states.entry, states.entry_moment, states.entry_time, states.entry_step,
        states.latest, states.deadline, states.used, states.moment AS from_moment, signed.signature,
        MIN(signed.moment) AS moment, MIN(signed.time) AS time, MIN(signed.event_number) AS event_number
    FROM states JOIN signed ON signed.unit_id = states.unit_id
    WHERE signed.step = $step
        AND signed.time <= states.latest
        AND signed.moment <= GREATEST(states.deadline, CASE WHEN $step = 1 THEN states.entry_moment ELSE 0 END)
        AND ($step = 1 OR $step_window IS NULL
            OR signed.time <= add_seconds(states.time, CAST($step_window AS DOUBLE)))
        AND CASE
            WHEN $rule = 'any_order' THEN signed.moment >= states.entry_moment
            WHEN $step = 1 THEN signed.moment = states.entry_moment
            WHEN $rule = 'strict' THEN
                signed.event_number = states.event_number + 1 AND signed.moment >= states.moment + $later
            WHEN $rule = 'near' THEN signed.time >= add_seconds(states.time, -$tolerance)
            WHEN $rule = 'apart' THEN signed.time > add_seconds(states.time, $tolerance)
            ELSE signed.moment >= states.moment + $later
        END
        AND POSITION(',' || CAST(signed.event_number AS VARCHAR) || ',' IN states.used) = 0
    GROUP BY
        states.state, states.unit_id, states.entry, states.entry_moment, states.entry_time, states.entry_step,
        states.latest, states.deadline, states.used, states.moment, signed.signature,
        CASE WHEN $rule = 'any_order' THEN 0 WHEN $rule = 'strict' THEN signed.event_number ELSE signed.moment END
),
nearest AS (
    SELECT
        unit_id, entry, CASE WHEN $tolerance > 0 THEN state ELSE 0 END AS of_state,
        MIN(moment) AS moment, MIN(time) AS time
    FROM candidates
    GROUP BY unit_id, entry, CASE WHEN $tolerance > 0 THEN state ELSE 0 END
),
kept AS (
    SELECT
        candidates.state AS parent, candidates.unit_id, candidates.entry, candidates.entry_moment,
        candidates.entry_time, candidates.entry_step, candidates.latest, candidates.deadline,
        candidates.event_number, candidates.moment, candidates.time,
        candidates.moment = candidates.from_moment AS is_tied,
        CASE
            WHEN NOT $overlap THEN ','
            WHEN $remember OR candidates.moment = candidates.from_moment
                THEN candidates.used || CAST(candidates.event_number AS VARCHAR) || ','
            ELSE ',' || CAST(candidates.event_number AS VARCHAR) || ','
        END AS used
    FROM candidates
    JOIN nearest
        ON nearest.unit_id = candidates.unit_id AND nearest.entry = candidates.entry
        AND nearest.of_state = CASE WHEN $tolerance > 0 THEN candidates.state ELSE 0 END
    WHERE $keep_all
        OR ($tolerance > 0 AND candidates.time <= add_seconds(nearest.time, $slack))
        OR ($tolerance = 0 AND candidates.moment = nearest.moment)
),
merged AS (
    SELECT
        MIN(parent) AS parent, unit_id, entry, entry_moment, entry_time, entry_step, latest, deadline, event_number,
        moment, time, used
    FROM kept
    GROUP BY unit_id, entry, entry_moment, entry_time, entry_step, latest, deadline, event_number, moment, time, used
)
SELECT
    ROW_NUMBER() OVER (ORDER BY merged.unit_id, merged.entry, merged.event_number, merged.used) AS state,
    merged.parent, merged.unit_id, merged.entry, merged.entry_moment, merged.entry_time, merged.entry_step,
    merged.latest, merged.deadline, merged.event_number, merged.moment, merged.time, merged.used,
    kept.is_tied
FROM merged
JOIN kept
    ON kept.parent = merged.parent AND kept.unit_id = merged.unit_id AND kept.entry = merged.entry
    AND kept.event_number = merged.event_number AND kept.used = merged.used

-- name: walked
-- From the deepest state of each chain back to its entry.
SELECT
    states.state, states.parent, states.unit_id, states.entry, states.entry_time, states.entry_step,
    CAST($step AS INTEGER) AS step, states.event_number, states.moment, states.time, states.is_tied
FROM states
WHERE states.state IN (SELECT parent FROM later)
    OR states.state IN (
        SELECT MIN(ends.state)
        FROM states AS ends
        LEFT JOIN later ON later.unit_id = ends.unit_id AND later.entry = ends.entry
        WHERE later.unit_id IS NULL
        GROUP BY ends.unit_id, ends.entry
    )

-- name: overlap
SELECT COUNT(*) > 0 AS overlap
FROM signed JOIN bits ON bits.step = signed.step
WHERE signed.signature <> bits.bit
