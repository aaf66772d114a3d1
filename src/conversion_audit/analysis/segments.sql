-- name: people
-- One row per visitor: how far they got, how often they came, what they bought.
WITH reached AS (
    SELECT m.visitor_id, MAX(p.place) AS furthest FROM marks AS m JOIN steps AS p ON p.step = m.name GROUP BY m.visitor_id
),
visits AS (
    SELECT visitor_id, COUNT(*) AS sessions, SUM(pages) AS pages, SUM(seconds) AS seconds, SUM(orders) AS orders,
           CAST(SUM(revenue) AS DOUBLE) AS revenue, MIN(start) AS first_seen, MAX(start) AS last_seen
    FROM sessions
    GROUP BY visitor_id
),
came AS (
    SELECT visitor_id, MAX(shows_shop) AS shows_shop, MAX(shows_service) AS shows_service
    FROM intents
    GROUP BY visitor_id
),
bought AS (
    SELECT visitor_id, COUNT(DISTINCT session_id) AS completions FROM marks WHERE name = $goal GROUP BY visitor_id
)
SELECT v.visitor_id, COALESCE(r.furthest, 0) AS furthest, v.sessions, v.pages, v.seconds,
       COALESCE(b.completions, 0) AS completions, v.orders, COALESCE(v.revenue, 0) AS revenue, v.first_seen, v.last_seen,
       COALESCE(c.shows_shop, 0) AS shows_shop, COALESCE(c.shows_service, 0) AS shows_service
FROM visits AS v
LEFT JOIN reached AS r ON r.visitor_id = v.visitor_id
LEFT JOIN came AS c ON c.visitor_id = v.visitor_id
LEFT JOIN bought AS b ON b.visitor_id = v.visitor_id

-- name: named
-- The first rule that holds names the segment. A large amount is above the quantile: where many paid the same, it is none.
WITH dear AS (
    SELECT quantile_of(CASE WHEN completions > 0 THEN revenue END, 0.8) AS revenue FROM people
)
SELECT p.*,
       CASE WHEN p.completions >= 2 THEN 'repeat_buyers'
            WHEN p.completions = 1 AND p.revenue > d.revenue THEN 'big_buyers'
            WHEN p.completions = 1 THEN 'buyers'
            WHEN p.furthest >= 3 THEN 'stopped_late'
            WHEN p.furthest = 2 THEN 'stopped_early'
            WHEN p.furthest = 1 AND p.sessions >= 2 THEN 'returning_lookers'
            WHEN p.furthest = 1 THEN 'one_time_lookers'
            WHEN p.shows_service = 1 THEN 'came_for_service'
            WHEN p.shows_shop = 1 THEN 'browsers'
            ELSE 'passers_by' END AS segment
FROM people AS p
CROSS JOIN dear AS d

-- name: sizes
SELECT segment, COUNT(*) AS visitors, SUM(sessions) AS sessions, SUM(completions) AS completions, SUM(revenue) AS revenue,
       quantile_of(CAST(pages AS DOUBLE), 0.5) AS median_pages
FROM named
GROUP BY segment
ORDER BY visitors DESC, segment

-- name: later
-- Of visitors placed by their sessions before the cut, how many bought in one after it. No label knows this outcome.
SELECT n.segment, COUNT(*) AS early_visitors, SUM(CASE WHEN b.visitor_id IS NULL THEN 0 ELSE 1 END) AS later_buyers
FROM named AS n
LEFT JOIN (SELECT DISTINCT visitor_id FROM later_marks WHERE name = $goal) AS b ON b.visitor_id = n.visitor_id
GROUP BY n.segment

-- name: traits
-- What a segment has more of than everyone: per column, each value's share inside and among all.
WITH long AS (
    SELECT n.segment, t.trait, t.value, COUNT(DISTINCT n.visitor_id) AS visitors
    FROM named AS n
    JOIN traits AS t ON t.visitor_id = n.visitor_id
    GROUP BY n.segment, t.trait, t.value
),
sizes AS (SELECT segment, COUNT(*) AS size FROM named GROUP BY segment),
everyone AS (SELECT COUNT(*) AS size FROM named),
overall AS (SELECT trait, value, SUM(visitors) AS visitors FROM long GROUP BY trait, value),
shares AS (
    SELECT l.segment, l.trait, l.value, l.visitors, CAST(l.visitors AS DOUBLE) / s.size AS share,
           CAST(o.visitors AS DOUBLE) / e.size AS overall_share
    FROM long AS l
    JOIN sizes AS s ON s.segment = l.segment
    JOIN overall AS o ON o.trait = l.trait AND o.value = l.value
    CROSS JOIN everyone AS e
),
ordered AS (
    SELECT s.*, ROW_NUMBER() OVER (
        PARTITION BY segment ORDER BY visitors * (share - overall_share) / overall_share DESC, trait, value) AS place
    FROM shares AS s
    WHERE visitors >= 30 AND share >= 0.1 AND share > 1.15 * overall_share
)
SELECT segment, trait, value, visitors AS trait_visitors, share AS trait_share, overall_share
FROM ordered
WHERE place = 1

-- name: session_traits
SELECT DISTINCT visitor_id, 'channel' AS trait, channel AS value FROM sessions WHERE channel IS NOT NULL
UNION ALL
SELECT DISTINCT visitor_id, 'device', device FROM sessions WHERE device IS NOT NULL
UNION ALL
SELECT DISTINCT visitor_id, 'country', country FROM sessions WHERE country IS NOT NULL
UNION ALL
SELECT DISTINCT visitor_id, 'landing_page_type', landing_page_type FROM sessions WHERE landing_page_type IS NOT NULL

-- name: before
SELECT s.* FROM sessions AS s CROSS JOIN cut AS c WHERE s.start < c.cut

-- name: earlier
-- All of a session is in the half in which it began: what one visit over the cut ends with, nobody came back for.
SELECT m.* FROM marks AS m JOIN sessions AS s ON s.session_id = m.session_id CROSS JOIN cut AS c WHERE s.start < c.cut

-- name: after
SELECT m.* FROM marks AS m JOIN sessions AS s ON s.session_id = m.session_id CROSS JOIN cut AS c WHERE s.start >= c.cut

-- name: middle
-- Of too few days nothing lies before the cut: visitors of a morning who buy in the afternoon are not ones who came back later.
SELECT CASE WHEN seconds_between(MIN(start), MAX(start)) > ($least_days - 1) * 86400
            THEN add_seconds(MIN(start), seconds_between(MIN(start), MAX(start)) / 2) ELSE MIN(start) END AS cut
FROM sessions

-- name: labelled
SELECT i.* FROM intents AS i WHERE i.session_id IN (SELECT session_id FROM sessions)

-- name: features
SELECT visitor_id, segment, furthest, sessions, COALESCE(pages, 0) AS pages, COALESCE(seconds, 0) AS seconds,
       LN(1 + sessions) AS visits, LN(1 + COALESCE(pages, 0)) AS log_pages, LN(1 + COALESCE(seconds, 0)) AS log_seconds,
       shows_service
FROM people
ORDER BY md5(CAST($seed AS VARCHAR) || visitor_id), visitor_id
LIMIT CAST($most AS BIGINT)
