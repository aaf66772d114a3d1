-- name: served
-- One row per session that came for something else than shopping: did it get what it came for, with what effort.
-- Where nobody has said what counts as success, nobody has failed either: is_served is missing.
WITH got AS (
    SELECT DISTINCT m.session_id, g.intent FROM marks AS m JOIN goals AS g ON g.name = m.name
)
SELECT i.intent, i.session_id, i.visitor_id, s.start, s.pages, s.seconds, s.exit_page,
       CASE WHEN w.is_declared THEN CASE WHEN g.session_id IS NULL THEN 0 ELSE 1 END END AS is_served
FROM intents AS i
JOIN sessions AS s ON s.session_id = i.session_id
LEFT JOIN got AS g ON g.session_id = i.session_id AND g.intent = i.intent
JOIN wanted AS w ON w.intent = i.intent

-- name: repeats
-- Sums over visitors, for the interval of sessions that got what they came for.
SELECT intent, SUM(hits * hits) AS hits_hits, SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries
FROM (
    SELECT intent, visitor_id, SUM(CAST(is_served AS DOUBLE)) AS hits, SUM(1.0) AS tries
    FROM served
    GROUP BY intent, visitor_id
) AS people
GROUP BY intent
ORDER BY intent

-- name: efforts
SELECT intent, COUNT(*) AS sessions, COUNT(DISTINCT visitor_id) AS visitors, SUM(is_served) AS successes,
       quantile_of(CASE WHEN is_served = 1 THEN CAST(pages AS DOUBLE) END, 0.5) AS success_pages,
       quantile_of(CASE WHEN is_served = 1 THEN CAST(seconds AS DOUBLE) END, 0.5) AS success_seconds,
       quantile_of(CASE WHEN is_served = 0 THEN CAST(pages AS DOUBLE) END, 0.5) AS failure_pages,
       quantile_of(CASE WHEN is_served = 0 THEN CAST(seconds AS DOUBLE) END, 0.5) AS failure_seconds
FROM served
GROUP BY intent
ORDER BY intent

-- name: failures
-- With sums over visitors of the failures here and of all that the visitor had.
WITH failed AS (
    SELECT intent, visitor_id, exit_page AS page, SUM(1 - is_served) AS failures, COUNT(*) AS sessions
    FROM served
    WHERE exit_page IS NOT NULL
    GROUP BY intent, visitor_id, exit_page
),
people AS (SELECT intent, visitor_id, SUM(1.0 * failures) AS tries FROM failed GROUP BY intent, visitor_id),
every AS (SELECT intent, SUM(tries * tries) AS tries_tries FROM people GROUP BY intent)
SELECT
    failed.intent, failed.page, SUM(failed.failures) AS failures, SUM(failed.sessions) AS sessions,
    SUM(1.0 * failed.failures * failed.failures) AS hits_hits, SUM(failed.failures * people.tries) AS hits_tries,
    MAX(every.tries_tries) AS tries_tries
FROM failed
JOIN people ON people.intent = failed.intent AND people.visitor_id = failed.visitor_id
JOIN every ON every.intent = failed.intent
GROUP BY failed.intent, failed.page
HAVING SUM(failed.failures) > 0
ORDER BY failed.intent, SUM(failed.failures) DESC, failed.page

-- name: come_back
-- Each visitor's first session of an intent, followed for so many days; only where the export reaches that far.
-- What is bought in that session itself is no coming back.
WITH firsts AS (
    SELECT intent, visitor_id, MIN(start) AS start FROM served WHERE is_served IS NOT NULL GROUP BY intent, visitor_id
),
people AS (
    SELECT s.intent, s.visitor_id, f.start, MIN(s.session_id) AS session_id, MAX(s.is_served) AS is_served
    FROM served AS s
    JOIN firsts AS f ON f.intent = s.intent AND f.visitor_id = s.visitor_id AND f.start = s.start
    GROUP BY s.intent, s.visitor_id, f.start
),
bought AS (SELECT visitor_id, session_id, time FROM history WHERE name = $goal),
ends AS (SELECT MAX(start) AS last_start FROM every_session),
followed AS (
    SELECT p.intent, p.is_served, w.days, p.visitor_id,
           MAX(CASE WHEN b.time > p.start AND b.time <= add_seconds(p.start, w.days * 86400) THEN 1 ELSE 0 END) AS bought
    FROM people AS p
    CROSS JOIN windows AS w
    CROSS JOIN ends AS e
    LEFT JOIN bought AS b ON b.visitor_id = p.visitor_id AND b.session_id <> p.session_id
    WHERE add_seconds(p.start, w.days * 86400) <= e.last_start
    GROUP BY p.intent, p.is_served, w.days, p.visitor_id
)
SELECT intent, is_served, days, COUNT(*) AS visitors, SUM(bought) AS came_back
FROM followed
GROUP BY intent, is_served, days
ORDER BY intent, days, is_served DESC
