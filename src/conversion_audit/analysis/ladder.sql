-- name: ladder
-- Per name: when it is first reached, and which sessions then reach the goal, with sums over visitors.
WITH firsts AS (
    SELECT marks.name, marks.session_id, MIN(marks.moment) AS moment, MIN(marks.time) AS time
    FROM marks JOIN names ON names.name = marks.name
    GROUP BY marks.name, marks.session_id
),
goals AS (SELECT session_id, MAX(moment) AS moment FROM marks WHERE name = $goal GROUP BY session_id),
placed AS (
    SELECT
        firsts.name, sessions.visitor_id, seconds_between(sessions.start, firsts.time) AS waited,
        CASE WHEN goals.session_id IS NULL THEN 0.0 ELSE 1.0 END AS is_goal
    FROM firsts
    JOIN sessions ON sessions.session_id = firsts.session_id
    LEFT JOIN goals ON goals.session_id = firsts.session_id AND goals.moment >= firsts.moment
),
waits AS (SELECT name, quantile_of(waited, 0.5) AS median_seconds FROM placed GROUP BY name),
people AS (SELECT name, visitor_id, SUM(1.0) AS tries, SUM(is_goal) AS hits FROM placed GROUP BY name, visitor_id),
sums AS (
    SELECT
        name, CAST(SUM(tries) AS BIGINT) AS sessions, CAST(SUM(hits) AS BIGINT) AS goal_sessions,
        SUM(hits * hits) AS hits_hits, SUM(hits * tries) AS hits_tries, SUM(tries * tries) AS tries_tries
    FROM people
    GROUP BY name
)
SELECT sums.*, waits.median_seconds FROM sums JOIN waits ON waits.name = sums.name

-- name: visitor_ladder
-- A visitor's first time in the period, its visit, and the goal within the window after it. Begun too late: not judged.
WITH firsts AS (
    SELECT history.name, history.visitor_id, MIN(history.visitor_moment) AS moment
    FROM history JOIN names ON names.name = history.name
    WHERE history.in_period
    GROUP BY history.name, history.visitor_id
),
placed AS (
    SELECT firsts.name, firsts.visitor_id, firsts.moment, MIN(history.time) AS time, MIN(sessions.visit_number) AS visit
    FROM firsts
    JOIN history
        ON history.visitor_id = firsts.visitor_id AND history.name = firsts.name
        AND history.visitor_moment = firsts.moment
    JOIN sessions ON sessions.session_id = history.session_id
    GROUP BY firsts.name, firsts.visitor_id, firsts.moment
),
goals AS (SELECT visitor_id, visitor_moment AS moment, time FROM history WHERE name = $goal),
judged AS (
    SELECT
        placed.name, placed.visitor_id, MIN(placed.visit) AS visit,
        MIN(CASE WHEN add_seconds(placed.time, $window) <= CAST($until AS TIMESTAMP) THEN 1 ELSE 0 END) AS is_mature,
        MAX(CASE WHEN goals.visitor_id IS NULL THEN 0 ELSE 1 END) AS is_goal
    FROM placed
    LEFT JOIN goals
        ON goals.visitor_id = placed.visitor_id AND goals.moment >= placed.moment
        AND goals.time <= add_seconds(placed.time, $window)
    GROUP BY placed.name, placed.visitor_id
)
SELECT
    name, COUNT(*) AS visitors, SUM(is_mature) AS rated_visitors, SUM(is_mature * is_goal) AS within_goal_visitors,
    SUM(CASE WHEN visit <= 1 THEN 1 ELSE 0 END) AS first_visit, SUM(CASE WHEN visit = 2 THEN 1 ELSE 0 END) AS second_visit,
    SUM(CASE WHEN visit >= 3 THEN 1 ELSE 0 END) AS later_visit
FROM judged
GROUP BY name

-- name: weekly
-- With sums over visitors for the intervals: the repeated visits of a week are often one visitor's.
WITH weeks AS (
    SELECT session_id, visitor_id, CAST(FLOOR(seconds_between(CAST($start AS TIMESTAMP), CAST(date AS TIMESTAMP)) / 604800) AS INTEGER) AS week,
        CASE WHEN visit_number <= 1 THEN 'first' ELSE 'repeat' END AS visit
    FROM sessions
),
people AS (
    SELECT week, visit, visitor_id, SUM(1.0) AS tries FROM weeks GROUP BY week, visit, visitor_id
),
sizes AS (
    SELECT week, visit, SUM(tries) AS all_sessions, SUM(tries * tries) AS tries_tries FROM people GROUP BY week, visit
),
reached AS (
    SELECT DISTINCT marks.name, marks.session_id FROM marks JOIN names ON names.name = marks.name
),
visitors AS (
    SELECT reached.name, weeks.week, weeks.visit, weeks.visitor_id, SUM(1.0) AS hits
    FROM reached
    JOIN weeks ON weeks.session_id = reached.session_id
    GROUP BY reached.name, weeks.week, weeks.visit, weeks.visitor_id
),
found AS (
    SELECT
        visitors.name, visitors.week, visitors.visit, SUM(visitors.hits) AS sessions,
        SUM(visitors.hits * visitors.hits) AS hits_hits, SUM(visitors.hits * people.tries) AS hits_tries
    FROM visitors
    JOIN people
        ON people.week = visitors.week AND people.visit = visitors.visit AND people.visitor_id = visitors.visitor_id
    GROUP BY visitors.name, visitors.week, visitors.visit
)
SELECT
    names.name, sizes.week, sizes.visit, CAST(COALESCE(found.sessions, 0) AS BIGINT) AS sessions,
    CAST(sizes.all_sessions AS BIGINT) AS all_sessions, COALESCE(found.hits_hits, 0) AS hits_hits,
    COALESCE(found.hits_tries, 0) AS hits_tries, sizes.tries_tries
FROM names
CROSS JOIN sizes
LEFT JOIN found ON found.name = names.name AND found.week = sizes.week AND found.visit = sizes.visit
ORDER BY names.place, sizes.week, sizes.visit

-- name: uncovered
SELECT events.event, COUNT(*) AS events, COUNT(DISTINCT events.session_id) AS sessions,
       MAX(CASE WHEN events.is_page THEN 1 ELSE 0 END) AS is_page
FROM events
LEFT JOIN (
    SELECT DISTINCT marks.session_id, marks.event_number FROM marks JOIN names ON names.name = marks.name
) AS covered
    ON covered.session_id = events.session_id AND covered.event_number = events.event_number
GROUP BY events.event
HAVING COUNT(covered.session_id) = 0
ORDER BY events DESC, events.event

-- name: never_seen
SELECT names.name
FROM names LEFT JOIN (SELECT DISTINCT name FROM marks) AS seen ON seen.name = names.name
WHERE seen.name IS NULL
ORDER BY names.place
