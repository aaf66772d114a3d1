-- name: identity
-- A distinct_id alone stands for both, until all rows tell which of them it is.
SELECT * EXCLUDE (device_id, user_id, referrer),
       coalesce(device_id, user_id) AS device_id,
       CASE WHEN device_id IS NULL OR user_id <> device_id THEN user_id END AS user_id,
       nullif(referrer, '$direct') AS referrer
FROM told
