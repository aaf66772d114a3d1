-- name: identity
-- A cookie's id is 27 letters of base 64 and an equals sign, or a UUID; anything else is a name.
SELECT * EXCLUDE (event, device_id, user_id, is_cookie),
       coalesce(event, CASE WHEN user_id IS NOT NULL THEN 'alias' ELSE 'properties set' END) AS event,
       CASE WHEN is_cookie THEN device_id END AS device_id,
       CASE WHEN is_cookie THEN CASE WHEN NOT regexp_full_match(user_id, '[A-Za-z0-9+/]{27}=|[0-9a-fA-F-]{36}') THEN user_id END
            ELSE device_id END AS user_id
FROM (SELECT *, regexp_full_match(device_id, '[A-Za-z0-9+/]{27}=|[0-9a-fA-F-]{36}') AS is_cookie FROM told) known;

-- name: aliases
SELECT user_id, time, max(device_id) AS device_id
FROM rows
WHERE device_id IS NOT NULL AND user_id IS NOT NULL AND time IS NOT NULL
GROUP BY user_id, time;

-- name: devices
SELECT r.* REPLACE (coalesce(r.device_id, a.device_id) AS device_id)
FROM rows r ASOF LEFT JOIN aliases a ON a.user_id = r.user_id AND a.time <= r.time;
