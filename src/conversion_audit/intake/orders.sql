-- name: listed
SELECT event_id, items FROM rows WHERE items IS NOT NULL;

-- name: order_lines
-- Orders told in several rows of one moment, each row with one item of its own. An item that is told twice is one line.
WITH firsts AS (
    SELECT order_id, min(time) AS time
    FROM purchases
    WHERE is_purchase AND order_id IS NOT NULL
    GROUP BY order_id
    HAVING count(*) > 1
), told AS (
    SELECT p.order_id, p.event_id, p.amount, p.revenue, p.visitor_event_number,
           min(md5(concat_ws('|', i.item_id, i.name, CAST(i.price AS VARCHAR), CAST(i.quantity AS VARCHAR)))) AS item,
           min(i.price * coalesce(i.quantity, 1)) AS worth
    FROM purchases p
    JOIN firsts f ON f.order_id = p.order_id AND f.time = p.time
    JOIN items i ON i.event_id = p.event_id
    WHERE p.is_purchase
    GROUP BY p.order_id, p.event_id, p.amount, p.revenue, p.visitor_event_number
    HAVING count(*) = 1
), placed AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id, item ORDER BY visitor_event_number, event_id) AS n FROM told
), counted AS (
    SELECT *, count(*) OVER (PARTITION BY order_id) AS lines FROM placed WHERE n = 1
)
SELECT order_id, event_id, amount, revenue, worth FROM counted WHERE lines > 1;

-- name: line_amounts
-- How many orders have lines, and in how many of them an amount is that of its line: amounts differ, or are price by quantity.
WITH told AS (
    SELECT order_id, count(DISTINCT amount) > 1 OR count(CASE WHEN abs(amount - worth) <= 0.01 THEN 1 END) = count(*) AS is_per_line
    FROM order_lines
    GROUP BY order_id
)
SELECT count(*) AS orders, count(CASE WHEN is_per_line THEN 1 END) AS per_line FROM told;

-- name: orders
-- One order per id: placed by its first purchase event, worth the first amount that any of its events carries, or the sum of
-- its lines where amounts are theirs. An order without an id is an order of its own, never merged with another. A refund that
-- names no amount takes the whole order back.
WITH bought AS (
    SELECT event_id, session_id, visitor_id, time, visitor_event_number, revenue, amount,
           order_id IS NOT NULL AS has_id,
           coalesce(order_id, 'event:' || event_id) AS order_id
    FROM purchases
    WHERE is_purchase
), back AS (
    SELECT order_id, coalesce(sum(abs(revenue)), 0) AS refunded, count(*) > count(amount) AS is_whole
    FROM purchases
    WHERE is_refund AND order_id IS NOT NULL
    GROUP BY order_id
), placed AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY time, visitor_event_number, event_id) AS n
    FROM bought
), lined AS (
    SELECT order_id, count(*) AS lines, sum(revenue) AS revenue FROM order_lines GROUP BY order_id
), valued AS (
    SELECT p.order_id,
           CASE WHEN $is_per_line AND max(l.lines) > 1 THEN max(l.revenue) ELSE earliest(p.revenue, p.n) END AS revenue,
           count(*) - coalesce(max(l.lines), 1) AS repeats,
           count(DISTINCT p.amount) > 1 AND coalesce(max(l.lines), 1) = 1 AS differs
    FROM placed p LEFT JOIN lined l ON l.order_id = p.order_id
    GROUP BY p.order_id
), counted AS (
    SELECT p.order_id, count(*) AS items
    FROM placed p
    JOIN items i ON i.event_id = p.event_id
    LEFT JOIN order_lines l ON l.event_id = p.event_id
    WHERE p.n = 1 OR l.event_id IS NOT NULL
    GROUP BY p.order_id
)
SELECT p.order_id, p.event_id, p.has_id, p.session_id, p.visitor_id, p.time,
       CAST(local_time(p.time, $zone) AS DATE) AS date,
       v.revenue,
       CAST(CASE WHEN b.is_whole THEN greatest(coalesce(v.revenue, 0), b.refunded) ELSE coalesce(b.refunded, 0) END
            AS DECIMAL(18, 4)) AS refunded,
       CAST(coalesce(c.items, 0) AS INTEGER) AS items,
       CAST(v.repeats AS INTEGER) AS repeats,
       v.differs
FROM placed p
JOIN valued v ON v.order_id = p.order_id
LEFT JOIN back b ON b.order_id = p.order_id
LEFT JOIN counted c ON c.order_id = p.order_id
WHERE p.n = 1;
