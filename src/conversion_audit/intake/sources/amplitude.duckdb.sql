-- name: system
SELECT * EXCLUDE (source_session, browser, os),
       CASE WHEN source_session <> '-1' THEN source_session END AS source_session,
       CASE WHEN lower(platform) = 'web' THEN browser END AS browser,
       CASE WHEN coalesce(lower(platform), '') <> 'web' THEN browser WHEN lower(os) NOT IN ('desktop', 'mobile', 'tablet') THEN os END AS os
FROM told
