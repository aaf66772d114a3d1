-- name: ladder
-- Per name: when it is first reached, on which visit, and who then reaches the goal, in the session and within the window.
WITH firsts AS (
    SELECT marks.name, marks.session_id, MIN(marks.moment) AS moment, MIN(marks.time) AS time
    FROM marks JOIN names ON names.name = marks.name
    GROUP BY marks.name, marks.session_id
),
goals AS (SELECT session_id, MAX(moment) AS moment FROM marks WHERE name = $goal GROUP BY session_id)
SELECT
    firsts.name, COUNT(*) AS sessions, COUNT(goals.session_id) AS goal_sessions,
    quantile_of(seconds_between(sessions.start, firsts.time), 0.5) AS median_seconds
FROM firsts
JOIN sessions ON sessions.session_id = firsts.session_id
LEFT JOIN goals ON goals.session_id = firsts.session_id AND goals.moment >= firsts.moment
GROUP BY firsts.name

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
WITH weeks AS (
    SELECT session_id, CAST(FLOOR(seconds_between(CAST($start AS TIMESTAMP), CAST(date AS TIMESTAMP)) / 604800) AS INTEGER) AS week,
        CASE WHEN visit_number <= 1 THEN 'first' ELSE 'repeat' END AS visit
    FROM sessions
),
sizes AS (SELECT week, visit, COUNT(*) AS all_sessions FROM weeks GROUP BY week, visit),
found AS (
    SELECT marks.name, weeks.week, weeks.visit, COUNT(DISTINCT marks.session_id) AS sessions
    FROM marks
    JOIN names ON names.name = marks.name
    JOIN weeks ON weeks.session_id = marks.session_id
    GROUP BY marks.name, weeks.week, weeks.visit
)
SELECT names.name, sizes.week, sizes.visit, COALESCE(found.sessions, 0) AS sessions, sizes.all_sessions
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
