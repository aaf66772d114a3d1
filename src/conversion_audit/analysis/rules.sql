-- name: combinations
SELECT DISTINCT event, coalesce(page, '') AS page, coalesce(page_type, '') AS page_type, is_page
FROM events
WHERE session_id IS NOT NULL;

-- name: candidates
-- Which rules an (event, page) can match at all; what else a rule asks for is checked on the rows that remain.
-- A page is reached by seeing it: what else is recorded on it (a field filled, a scroll) reaches it in sessions alone that
-- have no view of it.
SELECT c.event, c.page, c.page_type, c.is_page, r.name, r.place,
       r.event IS NULL AND NOT c.is_page AND c.page IN (SELECT page FROM combinations WHERE is_page AND page <> '') AS is_beside,
       NOT c.is_page AND c.page <> '' AND c.page NOT IN (SELECT page FROM combinations WHERE is_page AND page <> '') AS is_unseen,
       r.title, r.landing_page, r.referrer, r.campaign, r.channel, r.search_term,
       r.seconds, r.property, r.at_least, r.rule_id, r.conditions,
       CASE WHEN r.page IS NULL AND r.page_type IS NULL AND r.event IS NOT NULL THEN c.event
            WHEN c.page = '' THEN c.event ELSE c.page END AS detail,
       r.title IS NULL AND r.landing_page IS NULL AND r.referrer IS NULL AND r.campaign IS NULL AND r.channel IS NULL
           AND r.search_term IS NULL AND r.seconds IS NULL AND r.at_least IS NULL AND r.property IS NULL
           AND r.conditions = 0 AND r.place IS NULL AS is_plain
FROM combinations c JOIN rules r
  ON (r.event IS NULL OR lower(c.event) LIKE r.event ESCAPE '\')
 AND (r.page IS NULL OR lower(c.page) LIKE r.page ESCAPE '\')
 AND (r.page_type IS NULL OR lower(c.page_type) LIKE r.page_type ESCAPE '\');

-- name: landings
SELECT session_id, min(event_number) AS event_number
FROM events
WHERE is_page AND session_id IS NOT NULL
GROUP BY session_id;

-- name: marks
WITH plain AS (
    SELECT event, page, page_type, is_page, is_beside, name, min(detail) AS detail
    FROM candidates
    WHERE is_plain
    GROUP BY event, page, page_type, is_page, is_beside, name
), viewed AS (
    SELECT DISTINCT e.session_id, c.name
    FROM plain c
    JOIN events e ON e.event = c.event AND coalesce(e.page, '') = c.page AND coalesce(e.page_type, '') = c.page_type AND e.is_page = c.is_page
    WHERE c.is_page AND e.session_id IS NOT NULL AND c.name IN (SELECT name FROM plain WHERE is_beside)
), asking AS (
    SELECT * FROM candidates WHERE NOT is_plain
), matched AS (
    SELECT e.session_id, e.visitor_id, e.event_number, e.moment, e.visitor_event_number, e.visitor_moment, e.time,
           c.name, c.detail, c.rule_id, c.conditions, e.properties,
           e.hour, e.device, e.browser, e.os, e.country, e.platform, e.language, e.host, e.app_version, e.device_id, e.user_id,
           e.event_id
    FROM asking c
    JOIN events e ON e.event = c.event AND coalesce(e.page, '') = c.page AND coalesce(e.page_type, '') = c.page_type AND e.is_page = c.is_page
    LEFT JOIN landings l ON l.session_id = e.session_id
    LEFT JOIN sessions s ON s.session_id = e.session_id
    WHERE e.session_id IS NOT NULL
      AND (c.place IS NULL OR (c.place = 'landing' AND e.is_page AND e.event_number = l.event_number)
           OR (c.place = 'later' AND e.is_page AND e.event_number > l.event_number)
           -- A page of which no view is ever recorded, as of a log-in, is landed on by what else happens there.
           OR (c.place = 'landing' AND c.is_unseen AND e.event_number = 1)
           OR (c.place = 'later' AND c.is_unseen AND e.event_number > 1)
           OR (c.place = 'first' AND e.event_number = 1))
      AND (c.title IS NULL OR lower(e.page_title) LIKE c.title ESCAPE '\')
      AND (c.landing_page IS NULL OR lower(s.landing_page) LIKE c.landing_page ESCAPE '\')
      AND (c.referrer IS NULL OR lower(e.referrer) LIKE c.referrer ESCAPE '\')
      AND (c.campaign IS NULL OR lower(coalesce(s.campaign, e.campaign)) LIKE c.campaign ESCAPE '\')
      AND (c.channel IS NULL OR lower(e.channel) LIKE c.channel ESCAPE '\')
      AND (c.search_term IS NULL OR lower(e.search_term) LIKE c.search_term ESCAPE '\')
      AND (c.seconds IS NULL OR e.page_seconds >= c.seconds)
      AND (c.property IS NULL OR (c.at_least IS NULL AND property(e.properties, c.property) IS NOT NULL)
           OR number(property(e.properties, c.property)) >= c.at_least)
), met AS (
    -- A rule with conditions needs all its keys, each by any of its values.
    SELECT m.event_id, m.rule_id
    FROM matched m
    JOIN conditions k ON k.rule_id = m.rule_id
    LEFT JOIN sessions s ON s.session_id = m.session_id
    WHERE lower(CASE k.key WHEN 'hour' THEN CAST(m.hour AS VARCHAR) WHEN 'device' THEN m.device WHEN 'browser' THEN m.browser
                WHEN 'os' THEN m.os WHEN 'country' THEN m.country WHEN 'platform' THEN m.platform
                WHEN 'language' THEN m.language WHEN 'host' THEN m.host WHEN 'app_version' THEN m.app_version
                WHEN 'device_id' THEN m.device_id WHEN 'user_id' THEN m.user_id
                WHEN 'visit_number' THEN CAST(s.visit_number AS VARCHAR)
                ELSE property(m.properties, k.key) END) LIKE k.value ESCAPE '\'
    GROUP BY m.event_id, m.rule_id, m.conditions
    HAVING count(DISTINCT k.key) = m.conditions
), repeats AS (
    SELECT event_id, ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY time, order_id) AS n
    FROM orders
    WHERE visitor_id IS NOT NULL
)
SELECT e.session_id, e.visitor_id, e.event_number, e.moment, e.visitor_event_number, e.visitor_moment, e.time, c.name, c.detail
FROM plain c
JOIN events e ON e.event = c.event AND coalesce(e.page, '') = c.page AND coalesce(e.page_type, '') = c.page_type AND e.is_page = c.is_page
LEFT JOIN viewed v ON c.is_beside AND v.session_id = e.session_id AND v.name = c.name
WHERE e.session_id IS NOT NULL AND v.session_id IS NULL
UNION ALL
SELECT DISTINCT m.session_id, m.visitor_id, m.event_number, m.moment, m.visitor_event_number, m.visitor_moment, m.time, m.name, m.detail
FROM matched m LEFT JOIN met ON met.event_id = m.event_id AND met.rule_id = m.rule_id
WHERE m.conditions = 0 OR met.event_id IS NOT NULL
UNION ALL
SELECT e.session_id, e.visitor_id, e.event_number, e.moment, e.visitor_event_number, e.visitor_moment, e.time,
       'repeat_purchase' AS name, CAST(NULL AS VARCHAR) AS detail
FROM repeats r JOIN events e ON e.event_id = r.event_id
WHERE r.n > 1 AND e.session_id IS NOT NULL;

-- name: bounces
WITH silent AS (
    SELECT session_id, landing_page FROM sessions WHERE is_bounce IS NULL AND is_single_page
), active AS (
    SELECT m.session_id FROM marks m JOIN counting c ON c.name = m.name WHERE NOT c.is_place
    UNION
    SELECT m.session_id
    FROM silent s
    JOIN marks m ON m.session_id = s.session_id
    JOIN counting c ON c.name = m.name AND c.is_place
    JOIN events e ON e.session_id = m.session_id AND e.event_number = m.event_number
    LEFT JOIN landings l ON l.session_id = m.session_id
    WHERE m.event_number > coalesce(l.event_number, 1)
      AND (e.page IS NULL OR s.landing_page IS NULL OR e.page <> s.landing_page)
), somewhere AS (
    SELECT DISTINCT e.session_id FROM silent s JOIN events e ON e.session_id = s.session_id WHERE e.page IS NOT NULL
)
SELECT s.session_id,
       coalesce(s.is_bounce,
                CASE WHEN p.pages = 0 THEN NULL
                     WHEN a.session_id IS NOT NULL THEN FALSE
                     WHEN w.session_id IS NOT NULL OR NOT s.is_single_page THEN s.is_single_page END) AS is_bounce
FROM sessions s
LEFT JOIN active a ON a.session_id = s.session_id
LEFT JOIN somewhere w ON w.session_id = s.session_id
CROSS JOIN (SELECT count(*) AS pages FROM landings) p;

-- name: bounce_marks
SELECT e.session_id, e.visitor_id, e.event_number, e.moment, e.visitor_event_number, e.visitor_moment, e.time,
       $rule AS name, CAST(NULL AS VARCHAR) AS detail
FROM events e JOIN bounces b ON b.session_id = e.session_id
WHERE b.is_bounce AND e.event_number = 1;
