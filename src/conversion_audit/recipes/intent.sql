-- name: current
SELECT session_id, device_id, source_session, intent, runner_up, evidence, strength, class, chance
FROM intents
ORDER BY session_id
