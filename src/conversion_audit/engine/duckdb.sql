-- The few things that differ between engines, once per engine and under the same names.

-- name: seconds_between
CREATE OR REPLACE MACRO seconds_between(earlier, later) AS (epoch_us(later) - epoch_us(earlier)) / 1000000.0

-- name: add_seconds
CREATE OR REPLACE MACRO add_seconds(moment_in_time, seconds) AS make_timestamp(epoch_us(moment_in_time) + CAST(seconds * 1000000 AS BIGINT))

-- name: property
CREATE OR REPLACE MACRO property(properties, key) AS json_extract_string(properties, '$."' || key || '"')

-- name: number
CREATE OR REPLACE MACRO number(value) AS TRY_CAST(value AS DOUBLE)

-- name: quantile_of
CREATE OR REPLACE MACRO quantile_of(value, share) AS quantile_cont(value, share)

-- name: local_time
CREATE OR REPLACE MACRO local_time(utc, zone) AS timezone(zone, timezone('UTC', utc))
