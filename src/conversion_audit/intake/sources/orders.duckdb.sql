-- name: orders
-- An order's own row is its first with an amount, else its first.
WITH alive AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY CASE WHEN amount IS NULL THEN 1 ELSE 0 END, file, line) AS n
    FROM rows
    WHERE reject IS NULL AND order_id IS NOT NULL
      AND coalesce(lower(event) NOT IN ('cancelled', 'canceled', 'voided', 'failed', 'test', 'storniert', 'expired'), TRUE)
)
SELECT order_id, "time", CAST(local_time("time", $zone) AS DATE) AS date, amount AS revenue, currency, event AS status
FROM alive
WHERE n = 1
ORDER BY "time", order_id;

-- name: lost
WITH judged AS (
    SELECT order_id, reject, coalesce(lower(event) IN ('cancelled', 'canceled', 'voided', 'failed', 'test', 'storniert', 'expired'), FALSE) AS is_dead
    FROM rows
)
SELECT count(reject) AS unreadable,
       count(*) FILTER (reject IS NULL AND order_id IS NULL) AS nameless,
       count(DISTINCT CASE WHEN reject IS NULL AND is_dead THEN order_id END) AS dead,
       count(*) FILTER (reject IS NULL AND order_id IS NOT NULL AND NOT is_dead)
           - count(DISTINCT CASE WHEN reject IS NULL AND NOT is_dead THEN order_id END) AS repeated
FROM judged;
