-- name: json
SELECT *, file_index AS __file, NULL AS __line
FROM read_json($paths, format = $format, columns = $columns, compression = $compression,
               maximum_object_size = 16777216, timestampformat = 'none', dateformat = 'none');

-- name: csv
SELECT *, file_index AS __file, NULL AS __line
FROM read_csv($paths, columns = $columns, header = $header, auto_detect = false, delim = $delimiter, quote = $quote, escape = $quote,
              skip = $skip, compression = $compression, strict_mode = true, null_padding = false, max_line_size = 2097152, nullstr = '');

-- name: parquet
SELECT *, file_index AS __file, file_row_number + 1 AS __line
FROM read_parquet($paths, union_by_name = true);

-- name: objects
SELECT json AS "row", file_index AS __file, json_extract_string(json, '$.__line') AS __line
FROM read_json_objects($paths, format = $format, compression = $compression, maximum_object_size = 16777216);

-- name: keys
-- Every key of every object, in the order of their names.
SELECT DISTINCT unnest(json_keys(json)) AS key
FROM read_json_objects($paths, format = $format, compression = $compression, maximum_object_size = 16777216, ignore_errors = $lenient)
ORDER BY key;

-- name: late
-- The longest objects that have one of these keys: what their values look like.
SELECT json
FROM (
    SELECT CAST(json AS VARCHAR) AS json, unnest(json_keys(json)) AS key
    FROM read_json_objects($paths, format = $format, compression = $compression, maximum_object_size = 16777216, ignore_errors = $lenient)
) told
WHERE key IN (SELECT unnest($late))
QUALIFY row_number() OVER (PARTITION BY key ORDER BY length(json) DESC, json) <= 20;
