-- name: soonest
-- The export's first day, and the fewest days from a visitor's first to what is looked for; who is nobody's has not waited.
WITH firsts AS (
    SELECT visitor_id, min(date) AS first_day FROM seen WHERE visitor_id IS NOT NULL GROUP BY visitor_id
)
SELECT r.name, (SELECT min(date) FROM seen) AS first_day,
       CAST(min(coalesce(seconds_between(CAST(f.first_day AS TIMESTAMP), CAST(r.date AS TIMESTAMP)) / 86400, 0)) AS BIGINT) AS days
FROM reached r
JOIN wanted w ON w.name = r.name
LEFT JOIN firsts f ON f.visitor_id = r.visitor_id
GROUP BY r.name;

-- name: events
SELECT event AS name, visitor_id, date FROM events;

-- name: goals
SELECT m.name, s.visitor_id, s.date
FROM marks m
JOIN sessions s ON s.session_id = m.session_id
WHERE s.set_aside IS NULL;
