-- name: days
SELECT local_date, min(time) AS first, max(time) AS last
FROM rows
WHERE local_date IS NOT NULL AND time IS NOT NULL
GROUP BY local_date
ORDER BY local_date;
