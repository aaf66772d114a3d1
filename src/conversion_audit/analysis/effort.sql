-- name: moves
-- Steps and what lies beside them, of sessions that took any step. One pass.
SELECT numbered.n, marks.name, marks.event_number, seconds_between(numbered.start, marks.time) AS seconds
FROM marks
JOIN numbered ON numbered.session_id = marks.session_id
JOIN names ON names.name = marks.name
ORDER BY numbered.n, marks.event_number, marks.name

-- name: seen_before
-- How far people saw the page they stood on: the largest share scrolled or shown, per session and step, before they went on.
SELECT
    standing.n,
    standing.step,
    max(number(property(events.properties, keys.key))) AS share_seen
FROM events
JOIN numbered ON numbered.session_id = events.session_id
JOIN standing ON standing.n = numbered.n
JOIN keys ON keys.event = events.event
WHERE events.event_number >= standing.event_number
    AND (standing.until IS NULL OR events.event_number < standing.until)
GROUP BY standing.n, standing.step
ORDER BY standing.n, standing.step
