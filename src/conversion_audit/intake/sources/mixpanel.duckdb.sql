-- name: identity
-- A distinct_id alone stands for both, until all rows tell which of them it is.
SELECT * EXCLUDE (device_id, user_id, source_session, referrer),
       coalesce(device_id, CASE WHEN source_session LIKE '$device:%' THEN substr(source_session, 9) WHEN user_id IS NULL THEN source_session END) AS device_id,
       coalesce(user_id, CASE WHEN source_session NOT LIKE '$device:%' AND source_session IS DISTINCT FROM device_id THEN source_session END) AS user_id,
       nullif(referrer, '$direct') AS referrer
FROM told
