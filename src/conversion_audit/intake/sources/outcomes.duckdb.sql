-- name: outcomes
-- A stage that says not, or not yet, keeps its own name; a customer who is called or awaited is none yet.
WITH named AS (
    SELECT order_id AS lead_id, "time", amount, currency, file, line, lower(event) AS said
    FROM rows
    WHERE reject IS NULL AND order_id IS NOT NULL AND event IS NOT NULL
), staged AS (
    SELECT *,
           CASE WHEN regexp_matches(said, '(^|[^a-z]|closed)(unqualif|disqualif|lost|rejected|verloren|abgelehnt)') THEN 'lost'
                WHEN regexp_matches(said, 'churn|cancelled|canceled|gekuendigt|gekündigt') THEN 'churned'
                WHEN regexp_matches(said, '(^|[^a-z])(not|nicht|noch)([^a-z]|$)') THEN said
                WHEN regexp_matches(said, '(^|[^a-z]|closed)(won|gewonnen)([^a-z]|$)') THEN 'won'
                WHEN regexp_matches(said, '^[^a-z]*(new |paying |active |neu)?(customer|kunde)[^a-z]*$') THEN 'won'
                WHEN regexp_matches(said, 'qualif|(^|[^a-z])(sql|mql)([^a-z]|$)') THEN 'qualified'
                ELSE said END AS stage
    FROM named
), placed AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY lead_id, stage ORDER BY "time" NULLS LAST, file, line) AS n FROM staged
)
-- A deal is often given its value after it was moved: the first one said at that stage counts.
SELECT lead_id, stage, min("time") AS "time", arg_min(amount, n) FILTER (WHERE amount IS NOT NULL) AS value,
       arg_min(currency, n) FILTER (WHERE amount IS NOT NULL) AS currency
FROM placed
GROUP BY lead_id, stage
ORDER BY lead_id, "time", stage;
