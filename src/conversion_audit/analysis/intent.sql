-- name: read
-- Marks that labels may rest on: rows of the goal are never read, whatever else the same event matched.
SELECT m.session_id, m.event_number, m.moment, m.name, m.detail
FROM marks AS m
LEFT JOIN (SELECT DISTINCT session_id, event_number FROM marks WHERE name = $goal) AS g
    ON g.session_id = m.session_id AND g.event_number = m.event_number
WHERE g.session_id IS NULL AND m.session_id IS NOT NULL
    AND (m.name IN (SELECT name FROM rules) OR m.name IN (SELECT step FROM steps))

-- name: entries
-- The row that closes each session's window: its first row of the journey, whichever step that is. Of steps taken in one
-- moment, in whatever order they are numbered, the earliest is the one at which the session entered.
WITH journey AS (
    SELECT r.session_id, r.event_number, r.moment, s.step, s.place FROM read AS r JOIN steps AS s ON s.step = r.name
),
first_rows AS (SELECT session_id, MIN(event_number) AS closes, MIN(moment) AS moment FROM journey GROUP BY session_id)
SELECT j.session_id, f.closes, MIN(j.place) AS place
FROM journey AS j
JOIN first_rows AS f ON f.session_id = j.session_id AND f.moment = j.moment
GROUP BY j.session_id, f.closes

-- name: evidence
-- One row per piece of evidence inside the window. The closing row says one thing, the same for every step.
SELECT r.session_id, r.event_number, e.intent, e.can_buy, e.strength, r.detail,
       CASE WHEN r.detail IS NOT NULL AND r.detail = s.landing_page THEN 1 ELSE 0 END AS on_landing
FROM read AS r
JOIN rules AS e ON e.name = r.name
JOIN sessions AS s ON s.session_id = r.session_id
LEFT JOIN entries AS c ON c.session_id = r.session_id
WHERE c.closes IS NULL OR r.event_number < c.closes
UNION ALL
SELECT c.session_id, c.closes, $shop, 'can', 3, CAST(NULL AS VARCHAR), 0
FROM entries AS c

-- name: scores
-- Per session and intent: the strongest evidence, half a point for a second distinct page, and where it was first seen.
WITH sums AS (
    SELECT session_id, intent, can_buy,
           MAX(strength) + CASE WHEN COUNT(DISTINCT CASE WHEN strength >= 2 THEN detail END) >= 2 THEN 0.5 ELSE 0 END AS score,
           MIN(event_number) AS first_seen,
           MAX(CASE WHEN strength >= 2 AND on_landing = 0 THEN 1 ELSE 0 END) AS later,
           MAX(CASE WHEN strength = 3 AND on_landing = 1 THEN 1 ELSE 0 END) AS landed,
           MAX(CASE WHEN strength = 2 AND on_landing = 1 THEN 1 ELSE 0 END) AS landed_near
    FROM evidence
    GROUP BY session_id, intent, can_buy
),
ordered AS (
    SELECT session_id, intent, detail,
           ROW_NUMBER() OVER (PARTITION BY session_id, intent ORDER BY strength DESC, event_number, detail) AS place
    FROM evidence
)
SELECT s.session_id, s.intent, s.can_buy, CAST(s.score AS DOUBLE) AS score, s.first_seen, s.later, s.landed, s.landed_near,
       o.detail AS evidence,
       ROW_NUMBER() OVER (PARTITION BY s.session_id ORDER BY s.score DESC, s.first_seen, s.intent) AS place
FROM sums AS s
JOIN ordered AS o ON o.session_id = s.session_id AND o.intent = s.intent AND o.place = 1

-- name: summaries
SELECT session_id,
       MAX(CASE WHEN place = 1 AND score >= 2 THEN intent END) AS intent,
       COALESCE(MAX(CASE WHEN place = 1 AND score < 2 THEN intent END), MAX(CASE WHEN place = 2 THEN intent END)) AS runner_up,
       MAX(CASE WHEN place = 1 AND score >= 2 THEN COALESCE(evidence, 'journey') END) AS evidence,
       MAX(CASE WHEN place = 1 THEN score END) AS strength,
       MAX(CASE WHEN can_buy = 'can' AND score >= 2 THEN 1 ELSE 0 END) AS shows_shop,
       MAX(CASE WHEN can_buy = 'cannot' AND score >= 2 THEN 1 ELSE 0 END) AS shows_service,
       MAX(CASE WHEN can_buy = 'unclear' AND score >= 2 THEN 1 ELSE 0 END) AS shows_unclear,
       MAX(CASE WHEN intent = $shop AND score >= 2 THEN later ELSE 0 END) AS later_shop,
       MIN(CASE WHEN can_buy = 'cannot' AND later = 1 THEN intent END) AS later_intent,
       MAX(CASE WHEN can_buy = 'can' THEN landed ELSE 0 END) AS landed_shop,
       MAX(CASE WHEN intent = $shop THEN landed_near ELSE 0 END) AS landed_near_shop,
       MIN(CASE WHEN can_buy = 'cannot' AND landed = 1 THEN intent END) AS landed_service
FROM scores
GROUP BY session_id

-- name: labelled
-- One row per eligible session. An order sets no label and no landing; it is carried beside them.
WITH barred AS (
    SELECT DISTINCT m.visitor_id FROM marks AS m JOIN ineligible AS i ON i.name = m.name WHERE m.visitor_id IS NOT NULL
),
buyers AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal)
SELECT s.session_id, s.visitor_id, s.device_id, s.source_session, s.date,
       COALESCE(s.channel, '') AS channel,
       COALESCE(x.intent, 'unknown') AS intent, x.runner_up, x.evidence, COALESCE(x.strength, 0) AS strength,
       COALESCE(x.shows_shop, 0) AS shows_shop, COALESCE(x.shows_service, 0) AS shows_service,
       COALESCE(x.shows_unclear, 0) AS shows_unclear,
       CASE WHEN x.shows_shop = 1 AND x.shows_service = 0 AND x.shows_unclear = 0 THEN 'C'
            WHEN x.shows_service = 1 AND x.shows_shop = 0 AND x.shows_unclear = 0 THEN 'X'
            ELSE 'A' END AS class,
       CASE WHEN x.landed_service IS NOT NULL AND x.landed_near_shop = 0 AND x.landed_shop = 0 AND t.page_type IS NULL
                THEN 'service'
            WHEN x.landed_service IS NULL AND (t.strength = 2 OR (t.page_type IS NULL AND x.landed_near_shop = 1))
                THEN 'shelf'
            WHEN x.landed_service IS NULL AND (t.strength = 3 OR x.landed_shop = 1) THEN 'product'
            ELSE 'neutral' END AS landing,
       x.landed_service AS landing_intent,
       CASE WHEN x.later_shop = 1 AND x.later_intent IS NOT NULL THEN 'both'
            WHEN x.later_shop = 1 THEN 'shop'
            WHEN x.later_intent IS NOT NULL THEN 'service:' || x.later_intent
            ELSE 'silent' END AS later,
       p.step AS entry_step,
       CASE WHEN b.session_id IS NULL THEN 0 ELSE 1 END AS is_buyer
FROM sessions AS s
LEFT JOIN summaries AS x ON x.session_id = s.session_id
LEFT JOIN entries AS c ON c.session_id = s.session_id
LEFT JOIN steps AS p ON p.place = c.place
LEFT JOIN landing_types AS t ON t.page_type = s.landing_page_type
LEFT JOIN buyers AS b ON b.session_id = s.session_id
LEFT JOIN barred AS i ON i.visitor_id = s.visitor_id
WHERE i.visitor_id IS NULL

-- name: by_intent
-- With sums over visitors: who comes back counts for less than as many strangers.
WITH people AS (
    SELECT intent, visitor_id, SUM(1.0) AS tries, SUM(CAST(is_buyer AS DOUBLE)) AS hits,
           SUM(CASE WHEN class = 'C' THEN 1 ELSE 0 END) AS sure_sessions
    FROM intents
    GROUP BY intent, visitor_id
)
SELECT intent, CAST(SUM(tries) AS BIGINT) AS sessions, COUNT(visitor_id) AS visitors, CAST(SUM(hits) AS BIGINT) AS converted,
       CAST(SUM(sure_sessions) AS BIGINT) AS sure_sessions,
       SUM(hits * hits) AS hits_hits, SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries
FROM people
GROUP BY intent
ORDER BY sessions DESC, intent

-- name: entry_steps
SELECT p.step, COUNT(x.session_id) AS sessions
FROM steps AS p
LEFT JOIN intents AS x ON x.entry_step = p.step
GROUP BY p.step, p.place
ORDER BY p.place
