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

-- name: earliest
CREATE OR REPLACE MACRO earliest(value, place) AS arg_min(value, CASE WHEN value IS NOT NULL THEN place END)

-- name: latest
CREATE OR REPLACE MACRO latest(value, place) AS arg_max(value, CASE WHEN value IS NOT NULL THEN place END)

-- name: value_at
-- The value, missing or not, at the first place there is.
CREATE OR REPLACE MACRO value_at(value, place) AS arg_min_null(value, place)

-- name: known
-- The words by which exports say that they do not know. Not IN: it becomes a join, which runs even where nobody asks for the column.
-- All begin with n, u or a sign, and most values do not: these are done when their first letter is compared.
CREATE OR REPLACE MACRO known(value) AS CASE
WHEN suffix(value, ' ') OR value < '=' OR value >= 'n' AND value < 'o' OR value >= 'u' AND value < 'v' OR value >= 'N' AND value < 'O' OR value >= 'U' AND value < 'V'
THEN CASE WHEN coalesce(list_position(['', '(not set)', '(none)', '(not provided)', '(other)', '(unknown)', 'not set', 'null', 'none', 'undefined', 'nan', 'unknown', 'n/a', '<other>', 'not available in demo dataset', 'unknown.unknown', '(data not available)', '(data deleted)', 'unassigned'], lower(trim(value))), 0) > 0 THEN NULL ELSE trim(value) END
ELSE value END

-- name: matches
CREATE OR REPLACE MACRO matches(value, pattern) AS regexp_matches(value, pattern)

-- name: number_by
-- A number for each row, as they come: no order is asked for, and none is sorted.
CREATE OR REPLACE MACRO number_by(value) AS CAST(row_number() OVER () AS INTEGER)

-- name: part_of
-- One of so many parts, of about the same size: equal values are in the same one.
CREATE OR REPLACE MACRO part_of(value, parts) AS CAST(hash(value) % CAST(parts AS UBIGINT) AS INTEGER)
