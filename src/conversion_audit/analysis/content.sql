-- name: content
-- What visitors met besides the journey: calls to action clicked, links that leave, kinds of page read.
WITH links AS (
    SELECT
        session_id, visitor_id, event_number, moment, visitor_event_number, visitor_moment, time, event, is_page,
        page_type, lower(COALESCE(property(properties, 'link_url'), '')) AS link,
        lower(COALESCE(property(properties, 'outbound'), '')) AS outbound
    FROM events
    WHERE session_id IS NOT NULL
),
named AS (
    SELECT
        session_id, visitor_id, event_number, moment, visitor_event_number, visitor_moment, time,
        CASE
            WHEN link LIKE 'tel:%' THEN 'cta:telephone'
            WHEN link LIKE 'mailto:%' THEN 'cta:mail'
            WHEN outbound IN ('true', '1') THEN 'cta:outbound'
            WHEN ctas.event IS NOT NULL THEN 'cta:' || links.event
            WHEN is_page AND page_type IS NOT NULL THEN 'page:' || page_type
        END AS name
    FROM links LEFT JOIN ctas ON ctas.event = links.event
)
SELECT
    session_id, visitor_id, event_number, moment, visitor_event_number, visitor_moment, time, name, name AS detail
FROM named
WHERE name IS NOT NULL
