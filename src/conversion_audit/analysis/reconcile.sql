-- name: of_steps
SELECT * FROM marks
WHERE name IN (SELECT name FROM steps);

-- name: whole_seconds
-- Times cut to the second, and with them what is tied.
SELECT
    session_id, visitor_id, event_number, visitor_event_number, name, detail, in_period,
    CAST(FLOOR(seconds_between(CAST('1970-01-01' AS TIMESTAMP), time)) AS BIGINT) AS moment,
    CAST(FLOOR(seconds_between(CAST('1970-01-01' AS TIMESTAMP), time)) AS BIGINT) AS visitor_moment,
    add_seconds(
        CAST('1970-01-01' AS TIMESTAMP), FLOOR(seconds_between(CAST('1970-01-01' AS TIMESTAMP), time))
    ) AS time
FROM marks

