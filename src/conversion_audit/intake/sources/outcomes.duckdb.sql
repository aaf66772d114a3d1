-- name: outcomes
WITH staged AS (
    SELECT order_id AS lead_id, "time", amount, currency, file, line,
           CASE WHEN regexp_matches(lower(event), '(^|[^a-z])(unqualified|disqualified|lost|rejected|verloren|abgelehnt)') THEN 'lost'
                WHEN regexp_matches(lower(event), 'churn|cancelled|canceled|gekuendigt|gekündigt') THEN 'churned'
                WHEN regexp_matches(lower(event), '(^|[^a-z])(won|customer|gewonnen|kunde)') THEN 'won'
                WHEN regexp_matches(lower(event), 'qualif|sql|mql') THEN 'qualified'
                ELSE lower(event) END AS stage
    FROM rows
    WHERE reject IS NULL AND order_id IS NOT NULL AND event IS NOT NULL
), placed AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id, stage ORDER BY "time" NULLS LAST, file, line) AS n FROM staged
)
SELECT lead_id, stage, "time", amount AS value, currency FROM placed WHERE n = 1 ORDER BY lead_id, "time", stage;
