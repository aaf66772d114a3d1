-- Sessions counted by day, segment and how far they came: what is kept of a run, to compare and to watch.

-- name: depths
-- How far along the journey each session came: the deepest step whose event was seen, 0 for none.
SELECT sessions.session_id, sessions.visitor_id, COALESCE(MAX(steps.step), 0) AS depth
FROM sessions
LEFT JOIN marks ON marks.session_id = sessions.session_id
LEFT JOIN steps ON steps.name = marks.name
GROUP BY sessions.session_id, sessions.visitor_id

-- name: step_spread
-- Per step the sums over visitors that say how much visitors who come back inflate a variance.
WITH people AS (
    SELECT
        steps.step, depths.visitor_id,
        COUNT(*) AS n,
        COUNT(*) FILTER (WHERE depths.depth >= steps.step) AS y
    FROM depths
    JOIN steps ON depths.depth >= steps.step - 1
    GROUP BY steps.step, depths.visitor_id
)
SELECT step, SUM(n) AS n, SUM(y) AS y, SUM(n * n) AS n_n, SUM(n * y) AS n_y, SUM(y * y) AS y_y
FROM people
GROUP BY step
ORDER BY step

-- name: firsts
-- A visitor counts on the day and in the segments of the first session.
SELECT session_id
FROM (
    SELECT session_id, ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY start, session_id) AS place
    FROM sessions
) AS placed
WHERE place = 1

-- name: had
-- Which sessions, or visitors, show which names.
SELECT DISTINCT sessions.session_id, sessions.visitor_id, marks.name
FROM marks
JOIN sessions ON sessions.session_id = marks.session_id
WHERE marks.name NOT LIKE 'evidence:%'

-- name: events
SELECT days.date, names.name, days.sessions AS at_risk, COALESCE(seen.sessions, 0) AS passed
FROM (SELECT date, COUNT(*) AS sessions FROM sessions GROUP BY date) AS days
CROSS JOIN (SELECT DISTINCT name FROM had) AS names
LEFT JOIN (
    SELECT sessions.date, had.name, COUNT(DISTINCT had.session_id) AS sessions
    FROM had
    JOIN sessions ON sessions.session_id = had.session_id
    GROUP BY sessions.date, had.name
) AS seen ON seen.date = days.date AND seen.name = names.name
ORDER BY names.name, days.date

-- name: levels
SELECT value, COUNT(*) AS sessions
FROM named
GROUP BY value
ORDER BY sessions DESC, value

-- name: step_cells
SELECT coded.date, coded.cell, depths.depth, COUNT(*) AS sessions
FROM depths
JOIN coded ON coded.session_id = depths.session_id
GROUP BY coded.date, coded.cell, depths.depth
ORDER BY coded.date, coded.cell, depths.depth

-- name: measure_cells
-- Goals of all sessions, KPIs of the sessions or visitors with something: how many count, and how many of them show it.
WITH shown AS (
    SELECT DISTINCT
        measures.number, measures.is_visitor, measures.is_without, measures.base IS NULL AS is_all, measures.hit,
        measures.base
    FROM measures
),
session_units AS (
    SELECT shown.number, coded.date, coded.cell, coded.visitor_id,
        CASE WHEN hits.session_id IS NULL THEN shown.is_without ELSE 1 - shown.is_without END AS y
    FROM shown
    CROSS JOIN coded
    LEFT JOIN had AS bases ON bases.session_id = coded.session_id AND bases.name = shown.base
    LEFT JOIN had AS hits ON hits.session_id = coded.session_id AND hits.name = shown.hit
    WHERE shown.is_visitor = 0 AND (shown.is_all OR bases.session_id IS NOT NULL)
),
by_visitor AS (SELECT DISTINCT visitor_id, name FROM had),
visitor_units AS (
    SELECT shown.number, coded.date, coded.cell, coded.visitor_id,
        CASE WHEN hits.visitor_id IS NULL THEN shown.is_without ELSE 1 - shown.is_without END AS y
    FROM shown
    CROSS JOIN coded
    JOIN firsts ON firsts.session_id = coded.session_id
    LEFT JOIN by_visitor AS bases ON bases.visitor_id = coded.visitor_id AND bases.name = shown.base
    LEFT JOIN by_visitor AS hits ON hits.visitor_id = coded.visitor_id AND hits.name = shown.hit
    WHERE shown.is_visitor = 1 AND (shown.is_all OR bases.visitor_id IS NOT NULL)
)
SELECT number, date, cell, visitor_id, COUNT(*) AS n, SUM(y) AS y
FROM (SELECT * FROM session_units UNION ALL SELECT * FROM visitor_units) AS units
GROUP BY number, date, cell, visitor_id

-- name: measure_sums
SELECT number, date, cell, CAST(SUM(n) AS BIGINT) AS at_risk, CAST(SUM(y) AS BIGINT) AS passed
FROM units
GROUP BY number, date, cell
ORDER BY number, date, cell

-- name: measure_spread
SELECT number, SUM(n) AS n, SUM(y) AS y, SUM(n * n) AS n_n, SUM(n * y) AS n_y, SUM(y * y) AS y_y
FROM (SELECT number, visitor_id, SUM(n) AS n, SUM(y) AS y FROM units GROUP BY number, visitor_id) AS people
GROUP BY number
ORDER BY number
