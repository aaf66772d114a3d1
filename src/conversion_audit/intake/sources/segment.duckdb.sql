-- name: calls
SELECT * EXCLUDE (event, platform),
       coalesce(event, CASE platform WHEN 'page' THEN 'page_view' WHEN 'screen' THEN 'screen_view' ELSE platform END) AS event,
       CASE WHEN platform = 'screen' THEN 'app' END AS platform
FROM told
