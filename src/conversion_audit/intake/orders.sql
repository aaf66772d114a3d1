-- name: listed
SELECT event_id, items FROM rows WHERE items IS NOT NULL;

-- name: orders
-- One order per id: placed by its first purchase event, worth the first amount that any of its events carries.
-- An order without an id is an order of its own, never merged with another.
WITH bought AS (
    SELECT event_id, session_id, visitor_id, time, visitor_event_number, revenue, amount,
           order_id IS NOT NULL AS has_id,
           coalesce(order_id, 'event:' || event_id) AS order_id
    FROM purchases
    WHERE is_purchase
), back AS (
    SELECT order_id, sum(abs(revenue)) AS refunded
    FROM purchases
    WHERE is_refund AND order_id IS NOT NULL
    GROUP BY order_id
), placed AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY time, visitor_event_number, event_id) AS n
    FROM bought
), valued AS (
    SELECT order_id,
           earliest(revenue, n) AS revenue,
           count(*) - 1 AS repeats,
           count(DISTINCT amount) > 1 AS differs
    FROM placed
    GROUP BY order_id
), counted AS (
    SELECT p.order_id, count(*) AS items
    FROM placed p JOIN items i ON i.event_id = p.event_id
    WHERE p.n = 1
    GROUP BY p.order_id
)
SELECT p.order_id, p.event_id, p.has_id, p.session_id, p.visitor_id, p.time,
       CAST(local_time(p.time, $zone) AS DATE) AS date,
       v.revenue,
       CAST(coalesce(b.refunded, 0) AS DECIMAL(18, 4)) AS refunded,
       CAST(coalesce(c.items, 0) AS INTEGER) AS items,
       CAST(v.repeats AS INTEGER) AS repeats,
       v.differs
FROM placed p
JOIN valued v ON v.order_id = p.order_id
LEFT JOIN back b ON b.order_id = p.order_id
LEFT JOIN counted c ON c.order_id = p.order_id
WHERE p.n = 1;
