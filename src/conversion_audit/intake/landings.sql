-- name: nameless
SELECT session_number FROM facts WHERE source IS NULL AND medium IS NULL AND campaign IS NULL AND own_channel IS NULL;

-- name: hosts
SELECT host, max(is_own) = 1 AS is_own
FROM (SELECT host, 1 AS is_own FROM pages UNION ALL SELECT host, 0 AS is_own FROM referrers) seen
WHERE host IS NOT NULL
GROUP BY host
ORDER BY host;

-- name: signs
-- Every row of a nameless session that says where it came from: tags before click ids before referrers.
SELECT n.session_number, n.event_number,
       CASE WHEN p.utm_source IS NOT NULL OR p.utm_medium IS NOT NULL THEN 1
            WHEN p.click_source IS NOT NULL THEN 2
            ELSE 3 END AS place,
       CASE WHEN p.utm_source IS NOT NULL OR p.utm_medium IS NOT NULL THEN p.utm_source
            ELSE coalesce(p.click_source, h.source) END AS source,
       CASE WHEN p.utm_source IS NOT NULL OR p.utm_medium IS NOT NULL THEN p.utm_medium
            ELSE coalesce(p.click_medium, h.medium) END AS medium,
       p.utm_campaign AS campaign
FROM nameless s
JOIN numbered n ON n.session_number = s.session_number
JOIN rows r ON r.row_id = n.row_id
LEFT JOIN pages p ON p.value = r.page_url
LEFT JOIN referrers f ON f.value = r.referrer
LEFT JOIN named h ON h.host = f.host
WHERE p.utm_source IS NOT NULL OR p.utm_medium IS NOT NULL OR p.click_source IS NOT NULL OR h.source IS NOT NULL;

-- name: with_sources
WITH ranked AS (
    SELECT session_number, source, medium, campaign,
           ROW_NUMBER() OVER (PARTITION BY session_number ORDER BY place, event_number) AS n
    FROM signs
)
SELECT f.session_id, f.session_number, f.visitor_id, f.source_session,
       coalesce(f.source, g.source) AS source, coalesce(f.medium, g.medium) AS medium, coalesce(f.campaign, g.campaign) AS campaign,
       f.own_channel, f.bounced, f.visit_number
FROM facts f
LEFT JOIN ranked g ON g.session_number = f.session_number AND g.n = 1;
