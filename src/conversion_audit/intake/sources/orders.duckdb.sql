-- name: told
-- An order is dead where its status says so (WooCommerce writes wc- before it); rows without one, as a shop's further lines of an order, are as dead as the others.
WITH judged AS (SELECT *, regexp_replace(lower(trim(platform)), '^wc-', '') IN ('cancelled', 'canceled', 'voided', 'failed', 'test', 'storniert', 'expired') AS says FROM rows)
SELECT *, CASE WHEN says IS NULL THEN coalesce(max(CASE WHEN reject IS NULL THEN CAST(says AS INTEGER) END) OVER (PARTITION BY order_id) = 1
                                                AND min(CASE WHEN reject IS NULL THEN CAST(says AS INTEGER) END) OVER (PARTITION BY order_id) = 1, FALSE)
               ELSE says END AS is_dead
FROM judged;

-- name: orders
-- An order's own row is its first with an amount, else its first.
WITH alive AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY CASE WHEN amount IS NULL THEN 1 ELSE 0 END, file, line) AS n
    FROM told
    WHERE reject IS NULL AND order_id IS NOT NULL AND NOT is_dead
)
SELECT order_id, "time", CAST(local_time("time", $zone) AS DATE) AS date, amount AS revenue, currency, platform AS status
FROM alive
WHERE n = 1
ORDER BY "time", order_id;

-- name: lost
SELECT count(reject) AS unreadable,
       count(*) FILTER (reject IS NULL AND order_id IS NULL) AS nameless,
       count(DISTINCT CASE WHEN reject IS NULL AND is_dead THEN order_id END)
           - count(DISTINCT CASE WHEN reject IS NULL AND is_dead AND is_alive THEN order_id END) AS dead,
       count(*) FILTER (reject IS NULL AND order_id IS NOT NULL AND NOT is_dead)
           - count(DISTINCT CASE WHEN reject IS NULL AND NOT is_dead THEN order_id END) AS repeated
FROM (SELECT *, order_id IN (SELECT order_id FROM told WHERE reject IS NULL AND NOT is_dead AND order_id IS NOT NULL) AS is_alive FROM told) marked;
