-- name: system
SELECT * EXCLUDE (source_session, browser, os),
       CASE WHEN source_session <> '-1' THEN source_session END AS source_session,
       CASE WHEN lower(platform) = 'web' THEN browser END AS browser,
       CASE WHEN lower(platform) = 'web' THEN os ELSE browser END AS os
FROM told
