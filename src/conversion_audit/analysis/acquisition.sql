-- name: channels
SELECT s.channel, COUNT(*) AS sessions, SUM(i.is_buyer) AS converted, SUM(i.chance) AS expected,
       SUM(CASE WHEN i.class IN ('C', 'A') OR i.is_buyer = 1 THEN 1 ELSE 0 END) AS most
FROM intents AS i
JOIN sessions AS s ON s.session_id = i.session_id
WHERE s.channel IS NOT NULL
GROUP BY s.channel
ORDER BY sessions DESC, s.channel
