-- name: last_non_direct
WITH placed AS (
    SELECT session_id, visitor_id, start, source, medium, campaign, channel,
           ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY start, session_id) AS n,
           CASE WHEN coalesce(lower(source), '(direct)') <> '(direct)' OR coalesce(channel, 'Direct') <> 'Direct'
                THEN 1 ELSE 0 END AS has_source
    FROM sessions
    WHERE visitor_id IS NOT NULL
), latest AS (
    SELECT session_id, visitor_id, start, n,
           MAX(CASE WHEN has_source = 1 THEN n END)
               OVER (PARTITION BY visitor_id ORDER BY n ROWS UNBOUNDED PRECEDING) AS source_n
    FROM placed
), found AS (
    SELECT l.session_id,
           CASE WHEN seconds_between(p.start, l.start) <= $seconds THEN l.source_n END AS source_n,
           l.visitor_id, l.n
    FROM latest l
    LEFT JOIN placed p ON p.visitor_id = l.visitor_id AND p.n = l.source_n
)
SELECT f.session_id, p.session_id AS from_session_id, p.source, p.medium, p.campaign, p.channel
FROM found f
JOIN placed p ON p.visitor_id = f.visitor_id AND p.n = coalesce(f.source_n, f.n);
