-- name: days
-- Of the visits; of the totals where there are no visits.
SELECT coalesce(v.first_day, s.first_day) AS first_day, coalesce(v.last_day, s.last_day) AS last_day
FROM (SELECT min(date) AS first_day, max(date) AS last_day FROM visits) v
CROSS JOIN (SELECT min(date) AS first_day, max(date) AS last_day FROM stage_counts) s;

-- name: in_period
SELECT s.* FROM sessions s JOIN period p ON s.date >= CAST(p.start AS DATE) AND s.date <= CAST(p.end AS DATE);

-- name: recorded
SELECT s.* FROM sessions s WHERE s.date NOT IN (SELECT CAST(date AS DATE) FROM blind);
