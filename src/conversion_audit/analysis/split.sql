-- name: cells
SELECT channel, landing, landing_intent, later, class, COUNT(*) AS sessions, SUM(is_buyer) AS converted
FROM intents
GROUP BY channel, landing, landing_intent, later, class
ORDER BY channel, landing, landing_intent, later, class

-- name: chances
-- The chance that a session could have bought. Nobody who bought came for nothing else.
SELECT i.*,
       CASE WHEN i.is_buyer = 1 OR $everyone THEN 1.0
            WHEN i.landing IN ('product', 'shelf') THEN 1.0
            WHEN i.landing = 'service' THEN 0.0
            ELSE COALESCE(c.chance, $otherwise) END AS chance
FROM intents AS i
LEFT JOIN chances AS c ON c.channel = i.channel AND c.later = i.later
