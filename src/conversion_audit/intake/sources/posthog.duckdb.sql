-- name: identity
SELECT * EXCLUDE (device_id, user_id, referrer),
       coalesce(device_id, user_id) AS device_id,
       CASE WHEN device_id IS NOT NULL AND user_id <> device_id THEN user_id END AS user_id,
       nullif(referrer, '$direct') AS referrer
FROM told
