-- name: sample
-- Sessions to check by hand: half of them ambiguous ones, the rest from both sure classes; drawn by a hash, not by chance.
WITH placed AS (
    SELECT i.session_id, i.class, i.channel, md5(CAST($seed AS VARCHAR) || i.session_id) AS code
    FROM intents AS i
    WHERE i.is_buyer = 0
),
ordered AS (
    SELECT p.*, ROW_NUMBER() OVER (PARTITION BY class ORDER BY code, session_id) AS place FROM placed AS p
)
SELECT o.code AS sample_code, o.session_id, o.channel, s.device, s.landing_page, s.pages, s.seconds
FROM ordered AS o
JOIN sessions AS s ON s.session_id = o.session_id
WHERE o.place <= CASE WHEN o.class = 'A' THEN $size / 2 ELSE $size / 4 END
ORDER BY sample_code

-- name: paths
SELECT e.session_id, e.event_number, e.event, e.page
FROM events AS e
WHERE e.session_id IN (SELECT session_id FROM sample)
ORDER BY e.session_id, e.event_number

-- name: checked
-- What the rules said of the sessions that were checked.
SELECT i.class, CASE WHEN i.chance >= 0.5 THEN 1 ELSE 0 END AS is_said, c.could_buy, COUNT(*) AS checked,
       SUM(i.chance) AS chances
FROM intents AS i
JOIN answers AS c ON c.sample_code = md5(CAST($seed AS VARCHAR) || i.session_id)
WHERE i.is_buyer = 0
GROUP BY i.class, CASE WHEN i.chance >= 0.5 THEN 1 ELSE 0 END, c.could_buy

-- name: strata
SELECT CASE WHEN is_buyer = 1 THEN 'buyer' ELSE class END AS class,
       CASE WHEN chance >= 0.5 THEN 1 ELSE 0 END AS is_said, COUNT(*) AS sessions
FROM intents
GROUP BY CASE WHEN is_buyer = 1 THEN 'buyer' ELSE class END, CASE WHEN chance >= 0.5 THEN 1 ELSE 0 END

-- name: deciles
SELECT CAST(FLOOR(CASE WHEN i.chance >= 1 THEN 0.999 ELSE i.chance END * 10) AS BIGINT) AS decile, COUNT(*) AS checked,
       AVG(i.chance) AS fitted, SUM(c.could_buy) AS could_buy
FROM intents AS i
JOIN answers AS c ON c.sample_code = md5(CAST($seed AS VARCHAR) || i.session_id)
WHERE i.is_buyer = 0
GROUP BY CAST(FLOOR(CASE WHEN i.chance >= 1 THEN 0.999 ELSE i.chance END * 10) AS BIGINT)
ORDER BY decile
