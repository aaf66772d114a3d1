-- name: met
-- Which of the looked-for patterns any text of its kind matches. Compared once per distinct text, as rules are.
WITH texts AS (
    SELECT 'event' AS kind, lower(event) AS text FROM events GROUP BY lower(event)
    UNION ALL
    SELECT 'page' AS kind, lower(page) AS text FROM events WHERE page IS NOT NULL GROUP BY lower(page)
)
SELECT DISTINCT looked.place
FROM looked JOIN texts ON texts.kind = looked.kind AND texts.text LIKE looked.pattern ESCAPE '\'

-- name: events_seen
SELECT event AS text, COUNT(*) AS times FROM events GROUP BY event ORDER BY times DESC, text LIMIT 5000

-- name: pages_seen
SELECT page AS text, COUNT(*) AS times FROM events WHERE page IS NOT NULL GROUP BY page ORDER BY times DESC, text LIMIT 5000

-- name: marked
SELECT DISTINCT name FROM marks

-- name: property
SELECT COUNT(property(properties, $key)) AS times FROM events
