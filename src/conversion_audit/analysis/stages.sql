-- name: by_week
SELECT
    stage,
    segment,
    CAST(date_trunc('week', CAST(date AS TIMESTAMP)) AS DATE) AS week,
    CAST(sum("count") AS DOUBLE) AS "count",
    CAST(sum(cost) AS DOUBLE) AS cost
FROM stage_counts
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3

-- name: sessions_by_week
SELECT
    CAST(date_trunc('week', CAST(date AS TIMESTAMP)) AS DATE) AS week,
    count(*) AS sessions,
    count(*) FILTER (
        WHERE lower(channel) LIKE 'paid%' OR lower(channel) LIKE 'display%' OR lower(channel) LIKE 'cross-network%'
    ) AS paid
FROM sessions
GROUP BY 1
ORDER BY 1
