-- name: around
-- Before: in the goal's own session. After: whatever the same visitor does later.
WITH firsts AS (
    SELECT visitor_id, MIN(visitor_moment) AS moment FROM history WHERE name = $goal AND in_period GROUP BY visitor_id
),
goals AS (
    SELECT firsts.visitor_id, firsts.moment, MIN(history.time) AS time, MIN(history.session_id) AS session_id
    FROM firsts
    JOIN history
        ON history.visitor_id = firsts.visitor_id AND history.visitor_moment = firsts.moment AND history.name = $goal
    GROUP BY firsts.visitor_id, firsts.moment
),
found AS (
    SELECT
        CASE WHEN history.visitor_moment < goals.moment THEN 'before' ELSE 'after' END AS when_it_was, history.name,
        history.visitor_id, COUNT(*) AS times,
        MIN(CASE
            WHEN history.visitor_moment < goals.moment THEN seconds_between(history.time, goals.time)
            ELSE seconds_between(goals.time, history.time)
        END) AS seconds_away,
        SUM(events.page_seconds) AS seconds_spent
    FROM goals
    JOIN history ON history.visitor_id = goals.visitor_id
    JOIN names ON names.name = history.name
    LEFT JOIN events ON events.session_id = history.session_id AND events.event_number = history.event_number
    WHERE history.visitor_moment > goals.moment
        OR (history.visitor_moment < goals.moment AND history.session_id = goals.session_id)
    GROUP BY
        CASE WHEN history.visitor_moment < goals.moment THEN 'before' ELSE 'after' END, history.name,
        history.visitor_id
),
everyone AS (SELECT COUNT(*) AS all_visitors FROM goals)
SELECT
    found.when_it_was, found.name, COUNT(*) AS visitors, everyone.all_visitors, SUM(found.times) AS times,
    quantile_of(found.seconds_away, 0.5) AS median_seconds, AVG(found.seconds_spent) AS seconds_spent
FROM found CROSS JOIN everyone
GROUP BY found.when_it_was, found.name, everyone.all_visitors
ORDER BY found.when_it_was DESC, visitors DESC, found.name
