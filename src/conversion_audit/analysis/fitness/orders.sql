-- name: order_faults
SELECT count(*) AS orders,
       count(CASE WHEN NOT has_id THEN 1 END) AS unnumbered_orders,
       count(CASE WHEN has_id AND repeats > 0 THEN 1 END) AS repeated_orders,
       CAST(coalesce(sum(CASE WHEN has_id THEN repeats END), 0) AS BIGINT) AS repeat_events,
       count(CASE WHEN differs THEN 1 END) AS differing_orders,
       count(CASE WHEN revenue IS NULL THEN 1 END) AS unpriced_orders,
       count(CASE WHEN revenue <= 0 THEN 1 END) AS free_orders,
       count(CASE WHEN refunded > 0 THEN 1 END) AS refunded_orders,
       CAST(coalesce(sum(refunded), 0) AS DOUBLE) AS refunded_revenue
FROM orders;

-- name: without_rate
-- Orders whose amount is known, in a currency that nothing turns into the client's; what else stands there names none.
SELECT e.currency, count(*) AS orders
FROM orders o JOIN events e ON e.event_id = o.event_id
WHERE o.revenue IS NULL AND e.amount IS NOT NULL AND matches(e.currency, '^[A-Z][A-Z][A-Z]$')
GROUP BY e.currency
ORDER BY orders DESC, e.currency;

-- name: differing
SELECT order_id FROM orders WHERE differs ORDER BY order_id;

-- name: book_match
WITH counted AS (
    SELECT DISTINCT order_id FROM orders
), ours AS (
    SELECT lower(trim(replace(e.order_id, '#', ''))) AS id, e.revenue, CASE WHEN c.order_id IS NULL THEN 0 ELSE 1 END AS is_counted
    FROM every e LEFT JOIN counted c ON c.order_id = e.order_id
), books AS (
    SELECT lower(trim(replace(order_id, '#', ''))) AS id, max(revenue) AS revenue,
           max(CASE WHEN date IS NULL OR (date >= CAST($start AS DATE) AND date <= CAST($end AS DATE)) THEN 1 ELSE 0 END) AS in_period
    FROM book_orders
    GROUP BY lower(trim(replace(order_id, '#', '')))
), matched AS (
    SELECT CASE WHEN o.id IS NULL THEN 'books_only' WHEN b.id IS NULL THEN 'export_only' ELSE 'in_both' END AS found_in,
           o.revenue, b.revenue AS book_revenue
    FROM ours o FULL JOIN books b ON b.id = o.id
    WHERE o.is_counted = 1 OR b.in_period = 1
)
SELECT found_in, count(*) AS orders, CAST(sum(revenue) AS DOUBLE) AS revenue, CAST(sum(book_revenue) AS DOUBLE) AS book_revenue,
       count(CASE WHEN abs(revenue - book_revenue) > 0.01 THEN 1 END) AS differing_orders,
       CAST(sum(CASE WHEN abs(revenue - book_revenue) > 0.01 THEN abs(revenue - book_revenue) END) AS DOUBLE) AS differing_revenue,
       CAST(sum(revenue - book_revenue) AS DOUBLE) AS net_revenue
FROM matched
WHERE EXISTS (SELECT 1 FROM book_orders)
GROUP BY found_in
ORDER BY found_in;

-- name: source_totals
-- Universal Analytics writes a session's own totals beside every hit, money in millionths.
WITH said AS (
    SELECT session_id,
           max(number(property(properties, 'totals.transactions'))) AS orders,
           max(number(property(properties, 'totals.totalTransactionRevenue'))) / 1000000 AS revenue
    FROM events
    WHERE properties LIKE '%"totals.transactions"%'
    GROUP BY session_id
), ours AS (
    SELECT count(*) AS orders, CAST(sum(revenue) AS DOUBLE) AS revenue FROM orders
)
SELECT CAST(sum(s.orders) AS BIGINT) AS source_orders, sum(s.revenue) AS source_revenue,
       max(o.orders) AS orders, max(o.revenue) AS revenue
FROM said s CROSS JOIN ours o
HAVING count(*) > 0;
