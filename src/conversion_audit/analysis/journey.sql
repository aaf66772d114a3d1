-- name: goal_without
-- Of the sessions that show the last step, how many show each earlier one.
WITH shown AS (
    SELECT DISTINCT marks.session_id, steps.step
    FROM marks JOIN steps ON steps.name = marks.name
)
SELECT
    earlier.step AS step_number, COUNT(*) AS with_step
FROM shown AS last
JOIN shown AS earlier ON earlier.session_id = last.session_id AND earlier.step < last.step
WHERE last.step = $last
GROUP BY earlier.step
ORDER BY earlier.step

-- name: goal_sessions
SELECT COUNT(DISTINCT marks.session_id) AS n
FROM marks JOIN steps ON steps.name = marks.name
WHERE steps.step = $last
