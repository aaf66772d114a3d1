-- name: mapped
WITH parts AS (
    SELECT __file, __line, line,
           regexp_extract(line, '^(\S+) (\S+) (.*?) \[([^\]]+)\] "(?:([A-Z]+) (\S+)[^"]*|[^"]*)" (\d{3}) (\S+)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?',
               ['address', 'ident', 'login', 'stamp', 'method', 'target', 'status', 'bytes', 'referrer', 'agent']) AS p
    FROM raw
)
SELECT __file, __line,
       md5(p.address || '|' || p.agent) AS device_id,
       CASE WHEN p.login NOT IN ('-', '') THEN p.login END AS user_id,
       strftime(try_strptime(p.stamp, '%d/%b/%Y:%H:%M:%S %z'), '%Y-%m-%d %H:%M:%S UTC') AS "time",
       CASE WHEN p.status = '' THEN NULL
            WHEN p.status >= '400' THEN 'request failed'
            WHEN p.method = 'POST' THEN 'post'
            WHEN p.method <> 'GET' THEN lower(p.method)
            WHEN regexp_matches(lower(p.target), '\.(png|jpe?g|gif|svg|ico|webp|avif|css|js|mjs|map|woff2?|ttf|eot|mp4|webm|json|xml|txt)(\?|$)') THEN 'asset'
            WHEN p.status >= '300' AND p.status <> '304' THEN 'redirect'
            ELSE 'page_view' END AS event,
       nullif(p.target, '') AS page_url,
       CASE WHEN p.referrer NOT IN ('-', '') THEN p.referrer END AS referrer,
       CASE WHEN p.agent NOT IN ('-', '') THEN p.agent END AS user_agent,
       'web' AS platform,
       CASE WHEN p.status >= '500' THEN 'HTTP ' || p.status END AS error,
       '{"status":' || to_json(p.status) || '}' AS properties,
       CASE WHEN p.status = '' THEN 'bad_line' END AS reject,
       CASE WHEN p.status = '' THEN line END AS reject_value
FROM parts
