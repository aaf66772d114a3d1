-- name: of_sessions
SELECT r.* FROM rows r WHERE r.session_id IN (SELECT session_id FROM sessions);
