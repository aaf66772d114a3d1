-- name: goal_counts
-- Per name: how often, in how many sessions, by how many visitors; and sums over visitors for the interval.
WITH found AS (
    SELECT marks.name, marks.session_id, COUNT(*) AS completions
    FROM marks JOIN names ON names.name = marks.name
    GROUP BY marks.name, marks.session_id
),
visitors AS (
    SELECT sessions.visitor_id, found.name, SUM(found.completions) AS completions, SUM(1.0) AS hits
    FROM found JOIN sessions ON sessions.session_id = found.session_id
    GROUP BY sessions.visitor_id, found.name
),
visits AS (SELECT visitor_id, SUM(1.0) AS tries FROM sessions GROUP BY visitor_id),
hits AS (
    SELECT
        visitors.name, SUM(visitors.completions) AS completions, SUM(visitors.hits) AS sessions,
        COUNT(*) AS visitors, SUM(visitors.hits * visitors.hits) AS hits_hits,
        SUM(visitors.hits * visits.tries) AS hits_tries
    FROM visitors JOIN visits ON visits.visitor_id = visitors.visitor_id
    GROUP BY visitors.name
),
everyone AS (
    SELECT SUM(tries) AS all_sessions, COUNT(*) AS all_visitors, SUM(tries * tries) AS tries_tries FROM visits
)
SELECT
    names.name, COALESCE(hits.completions, 0) AS completions, COALESCE(hits.sessions, 0) AS sessions,
    COALESCE(hits.visitors, 0) AS visitors, COALESCE(everyone.all_sessions, 0) AS all_sessions,
    everyone.all_visitors, COALESCE(hits.hits_hits, 0) AS hits_hits, COALESCE(hits.hits_tries, 0) AS hits_tries,
    COALESCE(everyone.tries_tries, 0) AS tries_tries
FROM names
LEFT JOIN hits ON hits.name = names.name
CROSS JOIN everyone
ORDER BY names.place

-- name: order_goals
-- An order is of the goal whose mark its event is, else of one at the same instant: the goal may be the page beside it,
-- and an export that sends its events in batches gives several goals one time. One that is no goal's own is of the first.
WITH placed AS (
    SELECT orders.order_id, orders.session_id, orders.time, events.event_number
    FROM orders LEFT JOIN events ON events.event_id = orders.event_id
),
own AS (
    SELECT
        placed.order_id, names.name,
        ROW_NUMBER() OVER (
            PARTITION BY placed.order_id
            ORDER BY CASE WHEN marks.event_number = placed.event_number THEN 0 ELSE 1 END, names.place
        ) AS n
    FROM placed
    JOIN marks ON marks.session_id = placed.session_id AND marks.time = placed.time
    JOIN names ON names.name = marks.name
)
SELECT orders.*, COALESCE(own.name, $first) AS goal
FROM orders
LEFT JOIN own ON own.order_id = orders.order_id AND own.n = 1

-- name: revenue
SELECT goal AS name, COUNT(*) AS orders, SUM(revenue) AS revenue
FROM orders
WHERE goal IS NOT NULL
GROUP BY goal

-- name: kpi_counts
-- Sessions and visitors with one thing, those with another as well; and sums over visitors for the interval of sessions.
WITH based AS (SELECT DISTINCT session_id, visitor_id FROM marks WHERE name = $of),
done AS (SELECT DISTINCT session_id, visitor_id FROM marks WHERE name = $other),
visitors AS (
    SELECT based.visitor_id, SUM(1.0) AS tries, SUM(CASE WHEN done.session_id IS NULL THEN 0.0 ELSE 1.0 END) AS hits
    FROM based LEFT JOIN done ON done.session_id = based.session_id
    GROUP BY based.visitor_id
)
SELECT
    COALESCE(SUM(visitors.tries), 0) AS sessions, COALESCE(SUM(visitors.hits), 0) AS sessions_done,
    COUNT(visitors.visitor_id) AS visitors, COUNT(by_visitor.visitor_id) AS visitors_done,
    SUM(visitors.hits * visitors.hits) AS hits_hits, SUM(visitors.hits * visitors.tries) AS hits_tries,
    SUM(visitors.tries * visitors.tries) AS tries_tries
FROM visitors
LEFT JOIN (SELECT DISTINCT visitor_id FROM done) AS by_visitor ON by_visitor.visitor_id = visitors.visitor_id
