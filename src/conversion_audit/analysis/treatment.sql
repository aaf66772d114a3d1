-- name: baskets
-- Which session holds which item. Views are items of the events that a step's rule matches.
SELECT DISTINCT marks.session_id, items.item_id
FROM marks
JOIN events ON events.session_id = marks.session_id AND events.event_number = marks.event_number
JOIN items ON items.event_id = events.event_id
WHERE marks.name = $shown AND items.item_id IS NOT NULL

-- name: pairs
-- Items that occur together, with how often each occurs alone; rare ones are left out before they are joined. All pairs
-- that could have occurred were looked at, and not only those that did.
WITH often AS (SELECT item_id, COUNT(*) AS baskets FROM baskets GROUP BY item_id HAVING COUNT(*) >= $fewest),
kept AS (
    SELECT baskets.session_id, baskets.item_id
    FROM baskets
    JOIN often ON often.item_id = baskets.item_id
),
small AS (SELECT session_id FROM kept GROUP BY session_id HAVING COUNT(*) <= $most),
joined AS (
    SELECT one.item_id AS item_id, other.item_id AS with_item_id, COUNT(*) AS together
    FROM kept AS one
    JOIN kept AS other ON other.session_id = one.session_id AND other.item_id <> one.item_id
    JOIN small ON small.session_id = one.session_id
    GROUP BY one.item_id, other.item_id
)
SELECT
    joined.item_id, joined.with_item_id, joined.together, here.baskets, there.baskets AS with_baskets,
    (SELECT COUNT(DISTINCT session_id) FROM baskets) AS all_baskets,
    (SELECT COUNT(*) * (COUNT(*) - 1) FROM often) AS pairs
FROM joined
JOIN often AS here ON here.item_id = joined.item_id
JOIN often AS there ON there.item_id = joined.with_item_id
WHERE joined.together >= $fewest_together
ORDER BY joined.item_id, joined.with_item_id

-- name: names
-- A price counts where its event is in the client's currency, or names none.
SELECT
    items.item_id, MIN(items.name) AS name,
    AVG(CASE WHEN events.currency IS NULL OR events.currency = $currency THEN CAST(items.price AS DOUBLE) END) AS price
FROM items
JOIN events ON events.event_id = items.event_id
WHERE items.item_id IS NOT NULL
GROUP BY items.item_id
ORDER BY items.item_id

-- name: waits
-- Per session and step: seconds until the next step (1), else until the session's last event (2).
WITH first AS (
    SELECT marks.session_id, steps.step, MIN(marks.time) AS time
    FROM marks
    JOIN steps ON steps.name = marks.name
    GROUP BY marks.session_id, steps.step
),
onward AS (
    SELECT here.session_id, here.step, here.time, MIN(later.time) AS next_time
    FROM first AS here
    LEFT JOIN first AS later
        ON later.session_id = here.session_id AND later.step > here.step AND later.time >= here.time
    GROUP BY here.session_id, here.step, here.time
)
SELECT
    onward.step,
    CASE WHEN onward.next_time IS NULL THEN 2 ELSE 1 END AS ending,
    CAST(ROUND(seconds_between(
        onward.time, COALESCE(onward.next_time, add_seconds(sessions.start, sessions.seconds))
    )) AS BIGINT) AS seconds,
    COUNT(*) AS sessions
FROM onward
JOIN sessions ON sessions.session_id = onward.session_id
WHERE onward.step < $last
GROUP BY
    onward.step,
    CASE WHEN onward.next_time IS NULL THEN 2 ELSE 1 END,
    CAST(ROUND(seconds_between(
        onward.time, COALESCE(onward.next_time, add_seconds(sessions.start, sessions.seconds))
    )) AS BIGINT)
ORDER BY onward.step, seconds, ending

-- name: returns
-- Visitors by their first session without a purchase: days until they came back, or until the export ends.
WITH placed AS (
    SELECT
        sessions.visitor_id, sessions.session_id, sessions.start, sessions.orders,
        ROW_NUMBER() OVER (PARTITION BY sessions.visitor_id ORDER BY sessions.start, sessions.session_id) AS place,
        LEAD(sessions.start) OVER (
            PARTITION BY sessions.visitor_id ORDER BY sessions.start, sessions.session_id
        ) AS next_start
    FROM sessions
),
ends AS (SELECT MAX(start) AS until FROM sessions),
interested AS (SELECT DISTINCT session_id FROM marks JOIN steps ON steps.name = marks.name),
bought AS (SELECT DISTINCT session_id FROM marks WHERE name = $goal),
later AS (
    SELECT placed.visitor_id, MIN(placed.place) AS place
    FROM placed
    JOIN bought ON bought.session_id = placed.session_id
    GROUP BY placed.visitor_id
)
SELECT
    placed.visitor_id,
    CASE WHEN placed.next_start IS NULL THEN 0 ELSE 1 END AS is_back,
    seconds_between(placed.start, COALESCE(placed.next_start, ends.until)) / 86400.0 AS days,
    seconds_between(placed.start, ends.until) / 86400.0 AS watched_days,
    CASE WHEN later.place > 1 THEN 1 ELSE 0 END AS is_buyer_later
FROM placed
CROSS JOIN ends
JOIN interested ON interested.session_id = placed.session_id
LEFT JOIN bought ON bought.session_id = placed.session_id
LEFT JOIN later ON later.visitor_id = placed.visitor_id
WHERE placed.place = 1 AND bought.session_id IS NULL
ORDER BY placed.visitor_id
