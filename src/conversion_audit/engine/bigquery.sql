-- The same names as in duckdb.sql, in BigQuery's words. Times are DATETIME there: naive UTC, as in the prepared files.

-- name: seconds_between
CREATE OR REPLACE MACRO seconds_between(earlier, later) AS DATETIME_DIFF(CAST(later AS DATETIME), CAST(earlier AS DATETIME), MICROSECOND) / 1000000

-- name: add_seconds
CREATE OR REPLACE MACRO add_seconds(moment_in_time, seconds) AS DATETIME_ADD(CAST(moment_in_time AS DATETIME), INTERVAL CAST(seconds * 1000000 AS INT64) MICROSECOND)

-- name: property
CREATE OR REPLACE MACRO property(properties, key) AS LAX_STRING(PARSE_JSON(properties)[key])

-- name: number
CREATE OR REPLACE MACRO number(value) AS SAFE_CAST(value AS FLOAT64)

-- name: quantile_of
-- Exact quantiles are no aggregate in BigQuery: this is the nearest of a thousand.
CREATE OR REPLACE MACRO quantile_of(value, share) AS APPROX_QUANTILES(value, 1000)[SAFE_OFFSET(CAST(share * 1000 AS INT64))]

-- name: local_time
CREATE OR REPLACE MACRO local_time(utc, zone) AS DATETIME(TIMESTAMP(utc), zone)

-- name: earliest
CREATE OR REPLACE MACRO earliest(value, place) AS MIN_BY(value, CASE WHEN value IS NOT NULL THEN place END)

-- name: latest
CREATE OR REPLACE MACRO latest(value, place) AS MAX_BY(value, CASE WHEN value IS NOT NULL THEN place END)

-- name: known
-- The words by which exports say that they do not know.
CREATE OR REPLACE MACRO known(value) AS CASE WHEN lower(trim(value)) IN ('', '(not set)', '(none)', '(not provided)', '(other)', '(unknown)', 'not set', 'null', 'none', 'undefined', 'nan', 'unknown', 'n/a', '<other>', 'not available in demo dataset', 'unknown.unknown', '(data not available)', '(data deleted)', 'unassigned') THEN NULL ELSE trim(value) END

-- name: matches
CREATE OR REPLACE MACRO matches(value, pattern) AS REGEXP_CONTAINS(value, pattern)
