-- name: names
SELECT lower(event) AS event, COUNT(*) AS events
FROM events
GROUP BY lower(event)
ORDER BY event

-- name: filled
SELECT
    COUNT(*) AS events,
    COUNT(error) AS errors,
    COUNT(load_seconds) AS load_seconds,
    COUNT(search_term) AS search_terms,
    COUNT(user_id) AS user_ids,
    COUNT(device_id) AS device_ids,
    COUNT(app_version) AS app_versions
FROM events

-- name: orders
SELECT
    COUNT(*) AS orders,
    COUNT(*) FILTER (WHERE NOT has_id) AS orders_without_id,
    COUNT(revenue) AS orders_with_amount,
    COUNT(*) FILTER (WHERE refunded > 0) AS orders_refunded,
    COUNT(*) FILTER (WHERE items > 0) AS orders_with_items
FROM orders

-- name: campaigns
SELECT COUNT(*) AS paid, COUNT(campaign) AS named
FROM sessions
WHERE lower(channel) LIKE '%paid%'
