-- name: placed
SELECT i.visitor_id, i.class, i.is_buyer, i.chance, COALESCE(CAST(s.segment AS VARCHAR), '') AS segment
FROM intents AS i
JOIN segments AS s ON s.session_id = i.session_id

-- name: months
SELECT session_id,
       CAST(EXTRACT(YEAR FROM date) AS VARCHAR) || '-' || RIGHT('0' || CAST(EXTRACT(MONTH FROM date) AS VARCHAR), 2) AS segment
FROM sessions

-- name: pages
-- Landings on pages that say nothing about a purpose, whose sessions stay ambiguous: what the client could tell us.
SELECT s.landing_page AS page, COUNT(*) AS landings, SUM(i.is_buyer) AS converted,
       SUM(CASE WHEN i.class = 'A' AND i.is_buyer = 0 THEN 1 ELSE 0 END) AS ambiguous
FROM intents AS i
JOIN sessions AS s ON s.session_id = i.session_id
WHERE i.landing = 'neutral' AND s.landing_page IS NOT NULL
    AND s.landing_page NOT IN (SELECT page FROM homes)
GROUP BY s.landing_page
HAVING SUM(CASE WHEN i.class = 'A' AND i.is_buyer = 0 THEN 1 ELSE 0 END) > 0
ORDER BY ambiguous DESC, page
LIMIT 10
