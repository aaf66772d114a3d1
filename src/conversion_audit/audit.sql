-- name: counted
SELECT * FROM sessions WHERE set_aside IS NULL;

-- name: of_sessions
SELECT r.* FROM rows r WHERE r.session_id IN (SELECT session_id FROM sessions);

-- name: items
SELECT i.* FROM items i WHERE i.event_id IN (SELECT event_id FROM events);

-- name: history
SELECT m.*, m.session_id IN (SELECT session_id FROM sessions) AS in_period
FROM marks m
WHERE m.session_id IN (SELECT session_id FROM every WHERE set_aside IS NULL);
