-- The same names as in duckdb.sql, in Spark's words. Spark has no macros for aggregates, so that these are written into
-- each statement before it is sent.

-- name: seconds_between
CREATE OR REPLACE MACRO seconds_between(earlier, later) AS CAST(unix_micros(CAST(later AS TIMESTAMP_LTZ)) - unix_micros(CAST(earlier AS TIMESTAMP_LTZ)) AS DOUBLE) / 1000000D

-- name: add_seconds
CREATE OR REPLACE MACRO add_seconds(moment_in_time, seconds) AS CAST(timestamp_micros(unix_micros(CAST(moment_in_time AS TIMESTAMP_LTZ)) + CAST(ROUND(seconds * 1000000) AS BIGINT)) AS TIMESTAMP_NTZ)

-- name: property
CREATE OR REPLACE MACRO property(properties, key) AS get_json_object(properties, CONCAT('$[\'', key, '\']'))

-- name: number
-- What DuckDB reads as a number: Spark would take the suffixes of its own literals, 1d and 1f, as well.
CREATE OR REPLACE MACRO number(value) AS CASE WHEN CAST(value AS STRING) RLIKE '^\\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\\s*$' THEN TRY_CAST(value AS DOUBLE) END

-- name: quantile_of
CREATE OR REPLACE MACRO quantile_of(value, share) AS percentile(value, share)

-- name: local_time
CREATE OR REPLACE MACRO local_time(utc, zone) AS convert_timezone('UTC', zone, CAST(utc AS TIMESTAMP_NTZ))

-- name: earliest
CREATE OR REPLACE MACRO earliest(value, place) AS min_by(value, CASE WHEN value IS NOT NULL THEN place END)

-- name: latest
CREATE OR REPLACE MACRO latest(value, place) AS max_by(value, CASE WHEN value IS NOT NULL THEN place END)

-- name: value_at
CREATE OR REPLACE MACRO value_at(value, place) AS min_by(value, place)

-- name: known
-- The words by which exports say that they do not know.
CREATE OR REPLACE MACRO known(value) AS CASE WHEN lower(trim(value)) IN ('', '(not set)', '(none)', '(not provided)', '(other)', '(unknown)', 'not set', 'null', 'none', 'undefined', 'nan', 'unknown', 'n/a', '<other>', 'not available in demo dataset', 'unknown.unknown', '(data not available)', '(data deleted)', 'unassigned') THEN NULL ELSE trim(value) END

-- name: matches
CREATE OR REPLACE MACRO matches(value, pattern) AS value RLIKE pattern

-- name: number_by
CREATE OR REPLACE MACRO number_by(value) AS CAST(row_number() OVER (ORDER BY value) AS INT)

-- name: part_of
CREATE OR REPLACE MACRO part_of(value, parts) AS CAST(pmod(xxhash64(value), parts) AS INT)
