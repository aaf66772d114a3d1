-- name: names
-- What a structured event is called travels as the version.
SELECT * EXCLUDE (event, app_version),
       CASE WHEN event IN ('event', 'struct') THEN coalesce(app_version, event) ELSE event END AS event
FROM told
