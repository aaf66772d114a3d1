-- name: hubs
SELECT login
FROM logins
WHERE login IS NOT NULL
GROUP BY login
HAVING count(DISTINCT device_id) > $most_devices;

-- name: legal
SELECT l.session_id, l.device_id, CASE WHEN h.login IS NULL THEN l.login END AS login, l.start
FROM logins l LEFT JOIN hubs h ON h.login = l.login;

-- name: visitors
WITH devices AS (
    SELECT device_id, count(DISTINCT login) AS people, min(login) AS login
    FROM legal
    WHERE device_id IS NOT NULL AND login IS NOT NULL
    GROUP BY device_id
), placed AS (
    -- Only devices with several logins need to know the neighbouring ones.
    SELECT l.session_id, l.device_id, l.login,
           ROW_NUMBER() OVER (PARTITION BY l.device_id ORDER BY l.start, l.session_id) AS visit
    FROM legal l JOIN devices d ON d.device_id = l.device_id
    WHERE d.people > 1
), shared AS (
    SELECT session_id, device_id,
           max(CASE WHEN login IS NOT NULL THEN visit END)
               OVER (PARTITION BY device_id ORDER BY visit ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
           min(CASE WHEN login IS NOT NULL THEN visit END)
               OVER (PARTITION BY device_id ORDER BY visit ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS after
    FROM placed
), neighbours AS (
    SELECT s.session_id, n.login
    FROM shared s JOIN placed n ON n.device_id = s.device_id AND n.visit = coalesce(s.before, s.after)
), decided AS (
    SELECT l.session_id, l.device_id, l.login,
           CASE WHEN d.people = 1 THEN d.login END AS only_login,
           n.login AS neighbour
    FROM legal l
    LEFT JOIN devices d ON d.device_id = l.device_id
    LEFT JOIN neighbours n ON n.session_id = l.session_id
)
SELECT session_id,
       coalesce(login, only_login, neighbour) AS user_id,
       coalesce('u:' || coalesce(login, only_login, neighbour), 'd:' || device_id, 's:' || session_id) AS visitor_id,
       CASE WHEN login IS NOT NULL THEN 'login'
            WHEN only_login IS NOT NULL THEN 'only login of the device'
            WHEN neighbour IS NOT NULL THEN 'neighbouring login of the device'
            WHEN device_id IS NOT NULL THEN 'device'
            ELSE 'session' END AS how
FROM decided;
