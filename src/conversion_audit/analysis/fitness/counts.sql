-- name: event_counts
SELECT CASE WHEN GROUPING(date) = 0 AND GROUPING(event) = 0 THEN 'day_event'
            WHEN GROUPING(date) = 0 THEN 'day_hour'
            WHEN GROUPING(event) = 0 AND GROUPING(browser) = 0 THEN 'event_browser'
            WHEN GROUPING(event) = 0 THEN 'event_device'
            ELSE 'device' END AS part,
       date, hour, event, browser, device,
       count(*) AS events,
       count(CASE WHEN session_id IS NULL AND coalesce(device_id, user_id) IS NULL THEN 1 END) AS without_consent,
       count(CASE WHEN is_page THEN 1 END) AS pages,
       count(CASE WHEN is_page AND page_type IS NULL THEN 1 END) AS untyped_pages,
       count(page) AS addressed
FROM events
WHERE date >= CAST($start AS DATE) AND date <= CAST($end AS DATE)
GROUP BY GROUPING SETS ((date, event), (date, hour), (event, browser), (event, device), (device));

-- name: part
SELECT date, hour, event, browser, device, events, without_consent, pages, untyped_pages, addressed
FROM counts
WHERE part = $part
ORDER BY date, hour, event, browser, device;

-- name: ties
WITH moments AS (
    SELECT session_id, moment, count(*) AS events,
           min(event) <> max(event) OR coalesce(min(page) <> max(page), FALSE) AS differ
    FROM events
    WHERE session_id IS NOT NULL
    GROUP BY session_id, moment
)
SELECT CAST(coalesce(sum(events), 0) AS BIGINT) AS events,
       CAST(coalesce(sum(CASE WHEN differ THEN events ELSE 0 END), 0) AS BIGINT) AS tied_events
FROM moments;
