-- name: groups
-- Each session under its intent, and under what its visitor had done before it: both are known without knowing how it ends.
WITH places AS (
    SELECT every_one.visitor_id, every_one.session_id, every_one.start, MAX(steps.place) AS furthest
    FROM every_one
    LEFT JOIN history ON history.session_id = every_one.session_id
    LEFT JOIN steps ON steps.name = history.name
    GROUP BY every_one.visitor_id, every_one.session_id, every_one.start
),
before AS (
    SELECT
        session_id,
        COUNT(*) OVER earlier AS visits,
        MAX(furthest) OVER earlier AS furthest
    FROM places
    WHERE visitor_id IS NOT NULL
    WINDOW earlier AS (
        PARTITION BY visitor_id ORDER BY start, session_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
placed AS (
    SELECT 'intent' AS grouped_by, intents.intent AS group_name, intents.session_id
    FROM intents
    LEFT JOIN quiet ON quiet.intent = intents.intent
    WHERE quiet.intent IS NULL
    UNION ALL
    SELECT
        'earlier_visits' AS grouped_by,
        CASE
            WHEN before.visits = 0 THEN 'first_visit'
            WHEN before.furthest = $goal THEN 'bought_before'
            WHEN before.furthest >= 2 THEN 'began_before'
            WHEN before.furthest = 1 THEN 'looked_before'
            ELSE 'came_before'
        END AS group_name,
        sessions.session_id
    FROM sessions
    JOIN before ON before.session_id = sessions.session_id
),
sizes AS (
    SELECT grouped_by, group_name FROM placed GROUP BY grouped_by, group_name HAVING COUNT(*) >= $least
)
SELECT placed.grouped_by, placed.group_name, placed.session_id
FROM placed
JOIN sizes ON sizes.grouped_by = placed.grouped_by AND sizes.group_name = placed.group_name
WHERE placed.group_name IS NOT NULL

-- name: sizes
SELECT grouped_by, group_name, COUNT(*) AS sessions
FROM groups AS g
GROUP BY grouped_by, group_name
ORDER BY grouped_by DESC, sessions DESC, group_name

-- name: own
SELECT held.*
FROM rows AS held
JOIN groups AS g ON g.session_id = held.session_id
WHERE g.grouped_by = $grouped_by AND g.group_name = $group_name
