-- name: waits
-- One row per buyer: the days from the first order to the next, or to the end of the export.
WITH numbered AS (
    SELECT
        order_id, visitor_id, time,
        ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY time, order_id) AS n,
        LEAD(time) OVER (PARTITION BY visitor_id ORDER BY time, order_id) AS next_time
    FROM orders
    WHERE
        visitor_id IS NOT NULL AND session_id IN (SELECT session_id FROM sessions WHERE set_aside IS NULL)
)
SELECT
    visitor_id, order_id, time,
    seconds_between(time, COALESCE(next_time, CAST($until AS TIMESTAMP))) / 86400.0 AS days,
    next_time IS NOT NULL AS is_repeat
FROM numbered
WHERE n = 1
ORDER BY visitor_id

-- name: first_products
-- What buyers bought first: the items of the first order's purchase events. An order without an id is named for its event.
SELECT DISTINCT waits.visitor_id, COALESCE(items.name, items.item_id) AS product
FROM waits
JOIN events
    ON COALESCE(events.order_id, 'event:' || events.event_id) = waits.order_id
    AND events.visitor_id = waits.visitor_id
JOIN items ON items.event_id = events.event_id
WHERE COALESCE(items.name, items.item_id) IS NOT NULL
ORDER BY waits.visitor_id, product
