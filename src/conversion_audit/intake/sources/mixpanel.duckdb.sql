-- name: identity
SELECT * EXCLUDE (device_id, user_id, source_session, referrer),
       coalesce(device_id, CASE WHEN user_id IS NULL OR source_session LIKE '$device:%' THEN source_session END) AS device_id,
       coalesce(user_id, CASE WHEN device_id IS NOT NULL AND source_session <> device_id AND source_session <> '$device:' || device_id
                              THEN source_session END) AS user_id,
       nullif(referrer, '$direct') AS referrer
FROM told
