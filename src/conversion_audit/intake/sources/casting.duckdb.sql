-- name: times
-- What the time column of each file is made of. The ranges are the years 2005 to 2100 in each unit: they do not overlap.
WITH texts AS (
    -- 20260302 is a day, not a number; what has a colon is a clock's time, and a cast that fails is dear.
    -- 1.77244E+15 is what a spreadsheet leaves of a time: hours are rounded away.
    SELECT file, trim("time") AS text,
           CASE WHEN contains("time", ':') OR contains("time", 'E+') OR regexp_full_match(trim("time"), '(19|20)\d{6}') THEN NULL
                ELSE TRY_CAST(trim("time") AS DECIMAL(38, 9)) END AS number
    FROM mapped
    WHERE reject IS NULL AND "time" IS NOT NULL
), slashed AS (
    SELECT *, CASE WHEN number IS NULL AND contains(text, '/') THEN regexp_extract(text, '^(\d{1,2})/(\d{1,2})/\d{2}', ['first', 'second']) END AS parts
    FROM texts
)
SELECT file,
       count(number) AS numbers,
       count(*) FILTER (number BETWEEN 1104537600 AND 4102444800) AS s,
       count(*) FILTER (number BETWEEN 1104537600000 AND 4102444800000) AS ms,
       count(*) FILTER (number BETWEEN 1104537600000000 AND 4102444800000000) AS us,
       count(*) FILTER (number BETWEEN 1104537600000000000 AND 4102444800000000000) AS ns,
       count(*) FILTER (parts.first <> '') AS slashed,
       max(TRY_CAST(parts.first AS INTEGER)) AS most_first,
       max(TRY_CAST(parts.second AS INTEGER)) AS most_second,
       min(text) AS example
FROM slashed
GROUP BY file
ORDER BY file;

-- name: money
-- How many amounts can only be read with a point, only with a comma, or with either and another value.
WITH texts AS (SELECT file, regexp_replace(amount, '[\s\x{a0}\x{2009}\x{202f}''\x{2019}+\x{2212}-]', '', 'g') AS text FROM mapped WHERE amount IS NOT NULL)
SELECT count(*) FILTER (regexp_full_match(text, '\d{1,3}(,\d{3})*\.\d+') AND NOT regexp_full_match(text, '\d{1,3}\.\d{3}')
                        OR regexp_full_match(text, '\d{4,}\.\d+') OR regexp_full_match(text, '\d{1,3}(,\d{3}){2,}')) AS points,
       count(*) FILTER (regexp_full_match(text, '\d{1,3}(\.\d{3})*,\d+') AND NOT regexp_full_match(text, '\d{1,3},\d{3}')
                        OR regexp_full_match(text, '\d{4,},\d+') OR regexp_full_match(text, '\d{1,3}(\.\d{3}){2,}')) AS commas,
       count(*) FILTER (regexp_full_match(text, '\d{1,3}[.,]\d{3}')) AS unclear,
       min(CASE WHEN regexp_full_match(text, '\d{1,3}[.,]\d{3}') THEN text END) AS example
FROM texts;

-- name: rows
WITH names AS (
    SELECT DISTINCT event, lower(replace(event, '_', ' ')) AS plain_name FROM mapped WHERE event IS NOT NULL
), told AS (
    SELECT event, event IN (SELECT name FROM page_events) AS is_page,
           plain_name IN ('purchase', 'order', 'orders', 'order completed', 'order placed', 'order paid', 'transaction',
                'in app purchase', 'ecommerce purchase', 'checkout completed', 'completed order', 'placed order', 'purchase completed',
                'buy', 'order complete', 'purchased', 'payment completed', 'bestellung', 'bestellung abgeschlossen', 'kauf',
                'kauf abgeschlossen', 'gekauft', 'bestelling', 'bestelling geplaatst', 'aankoop', 'achat', 'commande passée',
                'commande validée', 'compra', 'compra realizada', 'pedido realizado', 'acquisto', 'ordine completato') AS bought,
           plain_name IN ('refund', 'refunded', 'order refunded', 'refunded order', 'purchase refunded', 'erstattung', 'rückerstattung',
                'rueckerstattung', 'gutschrift', 'terugbetaling', 'remboursement', 'reembolso', 'rimborso') AS returned
    FROM names
), texts AS (
    SELECT m.*, trim(m."time") AS clock,
           CASE WHEN contains(m."time", ':') OR contains(m."time", 'E+') OR regexp_full_match(trim(m."time"), '(19|20)\d{6}') THEN NULL
                ELSE TRY_CAST(trim(m."time") AS DECIMAL(38, 9)) END AS number,
           s.zone, s."decimal" AS mark, s.day_first, u.unit,
           replace(regexp_replace(m.amount, '[\s\x{a0}\x{2009}\x{202f}''\x{2019}]', '', 'g'), '−', '-') AS money, t.is_page, t.bought, t.returned
    FROM mapped m CROSS JOIN settings s LEFT JOIN units u ON u.file = m.file LEFT JOIN told t ON t.event = m.event
), instants AS (
    SELECT *,
           CASE WHEN number IS NOT NULL THEN
                    CASE CASE WHEN number BETWEEN 1104537600 AND 4102444800 THEN 's'
                              WHEN number BETWEEN 1104537600000 AND 4102444800000 THEN 'ms'
                              WHEN number BETWEEN 1104537600000000 AND 4102444800000000 THEN 'us'
                              WHEN number BETWEEN 1104537600000000000 AND 4102444800000000000 THEN 'ns' ELSE unit END
                    WHEN 's' THEN round(CAST(number AS DOUBLE) * 1000000) WHEN 'ms' THEN round(CAST(number AS DOUBLE) * 1000)
                    WHEN 'us' THEN CAST(number AS DOUBLE) WHEN 'ns' THEN floor(CAST(number AS DOUBLE) / 1000) END
           END AS micros,
           CASE WHEN number IS NULL AND length(clock) > 10 AND regexp_matches(clock, $zoned)
                -- Of the short names of zones those that mean one thing only; the clock says itself whether it is summer.
                THEN timezone('UTC', TRY_CAST(regexp_replace(coalesce(rtrim(clock, ' CDEPSTW') || MAP {
                    'CET': '+01', 'CEST': '+02', 'EET': '+02', 'EEST': '+03', 'WET': '+00', 'WEST': '+01', 'EST': '-05', 'EDT': '-04', 'PST': '-08', 'PDT': '-07'
                }[regexp_extract(clock, ' ([A-Z]{3,4})$', 1)], regexp_replace(clock, 'z$', 'Z')), '\s*([+-]\d\d):?(\d\d)$', '\1:\2') AS TIMESTAMPTZ)) END AS zoned,
           CASE WHEN number IS NULL THEN coalesce(
                    -- As a time alone, letters behind it would be left out (10:00 PM is not 10:00), and 13/03/26 be in the year 13.
                    CASE WHEN NOT regexp_matches(clock, '[A-Za-z]$|^\d{1,2}\D') THEN TRY_CAST(clock AS TIMESTAMP) END, try_strptime(clock, '%Y%m%d'),
                    try_strptime(clock, ['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p', '%Y/%m/%d %I:%M:%S %p', '%Y/%m/%d %I:%M %p']),
                    -- Years of two digits first: where four are meant, the two left over do not fit; the other way 26 is the year 26.
                    try_strptime(clock, ['%d.%m.%y %H:%M:%S', '%d.%m.%y %H:%M', '%d.%m.%y', '%d.%m.%y, %H:%M:%S', '%d.%m.%y, %H:%M',
                                         '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M', '%d.%m.%Y', '%d.%m.%Y, %H:%M:%S', '%d.%m.%Y, %H:%M']),
                    CASE WHEN day_first THEN try_strptime(clock, ['%d/%m/%y %H:%M:%S', '%d/%m/%y %H:%M', '%d/%m/%y',
                                                                   '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %H:%M', '%d/%m/%Y', '%d/%m/%Y, %H:%M:%S',
                                                                   '%d/%m/%Y %I:%M:%S %p', '%d/%m/%Y %I:%M %p'])
                         ELSE try_strptime(clock, ['%m/%d/%y %I:%M:%S %p', '%m/%d/%y %I:%M %p', '%m/%d/%y %H:%M:%S', '%m/%d/%y %H:%M', '%m/%d/%y',
                                                   '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M', '%m/%d/%Y',
                                                   '%m/%d/%Y, %I:%M:%S %p', '%m/%d/%Y, %H:%M:%S']) END,
                    -- English names of months, as Mailchimp and Google Ads write them.
                    try_strptime(clock, ['%b %d, %Y %I:%M %p', '%b %d, %Y, %I:%M %p', '%b %d, %Y, %I:%M:%S %p', '%b %d, %Y', '%d %b %Y', '%d %b %Y %H:%M',
                                         '%B %d, %Y %I:%M %p', '%B %d, %Y, %I:%M %p', '%B %d, %Y', '%d %B %Y'])) END AS local
    FROM texts
), utc AS (
    SELECT *,
           CASE WHEN micros BETWEEN -62135596800000000 AND 253402300799999999 THEN make_timestamp(CAST(micros AS BIGINT))
                WHEN zoned IS NOT NULL THEN zoned
                WHEN zone = 'UTC' THEN local
                -- An hour that a clock shows twice is taken the first time it is shown.
                WHEN local_time(timezone('UTC', timezone(zone, local)) - INTERVAL 1 HOUR, zone) = local
                THEN timezone('UTC', timezone(zone, local)) - INTERVAL 1 HOUR
                ELSE timezone('UTC', timezone(zone, local)) END AS instant,
           CASE WHEN mark = ',' THEN
                    CASE WHEN regexp_full_match(money, '[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?') THEN replace(replace(money, '.', ''), ',', '.') END
                WHEN regexp_full_match(money, '[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?') THEN replace(money, ',', '') END AS plain
    FROM instants
), valued AS (
    SELECT *, CASE WHEN abs(CAST(plain AS DOUBLE)) < 1e11 THEN CAST(plain AS DECIMAL(18, 4)) END AS worth,
           -- "google / organic" under one heading, as Google's own reports write it. DuckDB 2.0 cannot bind what compares a
           -- medium with a source that is missing throughout; an empty one it can.
           CASE WHEN contains(coalesce(source, ''), ' / ') AND (medium IS NULL OR medium = split_part(source, ' / ', 2)) THEN split_part(source, ' / ', 2) END AS its_medium
    FROM utc
), named AS (
    SELECT *, CASE WHEN its_medium IS NULL THEN source ELSE split_part(source, ' / ', 1) END AS said_source,
           coalesce(its_medium, medium) AS said_medium
    FROM valued
)
SELECT file, line,
       -- An id that stands for nothing tells no two rows apart, and a session of that name would last for months.
       CASE WHEN event_id IN ('0', '-1') THEN NULL ELSE known(event_id) END AS event_id, device_id, user_id,
       known(source_session) AS source_session, instant AS "time",
       TRY_CAST(order_1 AS BIGINT) AS order_1, TRY_CAST(order_2 AS BIGINT) AS order_2, TRY_CAST(order_3 AS BIGINT) AS order_3,
       local_date, event,
       coalesce(is_page, FALSE) AS is_page,
       page_url, page_title, referrer, search_term,
       CASE WHEN lower(said_source) IN ('(direkt)', '(directe)', '(directo)', '(diretto)') THEN '(direct)' ELSE said_source END AS source,
       CASE WHEN lower(said_medium) IN ('(keine)', '(keines)', '(aucun)', '(ninguno)', '(nessuno)') THEN '(none)' ELSE said_medium END AS medium, campaign, channel, platform, app_version, device, browser, os,
       country, language, user_agent, order_id,
       CASE WHEN returned THEN -abs(worth) ELSE worth END AS amount,
       CASE WHEN worth IS NULL THEN amount END AS amount_text,
       coalesce(currency, CASE WHEN worth IS NOT NULL THEN default_currency END) AS currency,
       coalesce(bought AND NOT coalesce(worth < 0, FALSE), FALSE) AS is_purchase,
       -- Whatever the event is called: a negative amount under an order's number takes something back.
       coalesce(returned OR ((bought OR order_id IS NOT NULL) AND worth < 0), FALSE) AS is_refund,
       error, TRY_CAST(load_seconds AS DOUBLE) AS load_seconds, TRY_CAST(engagement_seconds AS DOUBLE) AS engagement_seconds,
       CASE WHEN lower(is_bounce) IN ('true', '1', 'yes', 't', 'y', 'ja') THEN TRUE
            WHEN lower(is_bounce) IN ('false', '0', 'no', 'f', 'n', 'nein') THEN FALSE END AS is_bounce,
       TRY_CAST(visit_number AS BIGINT) AS visit_number,
       coalesce(properties, '{}') AS properties,
       -- A text that is no JSON is the name of what was bought.
       coalesce(CASE WHEN json_valid(items) THEN items WHEN items IS NOT NULL THEN CAST(to_json([{'name': items}]) AS VARCHAR) END, CASE WHEN coalesce(item_id, item_name) IS NOT NULL THEN
           CAST(to_json([{'item_id': item_id, 'name': item_name, 'category': item_category, 'brand': item_brand, 'price': item_price, 'quantity': item_quantity}]) AS VARCHAR) END) AS items,
       CASE WHEN reject IS NOT NULL THEN reject WHEN instant IS NULL AND "time" IS NOT NULL THEN 'cast_failed' END AS reject,
       CASE WHEN reject IS NOT NULL THEN reject_column WHEN instant IS NULL AND "time" IS NOT NULL THEN 'time' END AS reject_column,
       CASE WHEN reject IS NOT NULL THEN reject_value WHEN instant IS NULL THEN "time" END AS reject_value
FROM named CROSS JOIN (SELECT currency AS default_currency FROM settings) fallback;

-- name: doubled
-- Hours that the client's clock shows twice, of those in which anything happened.
WITH hours AS (
    SELECT DISTINCT date_trunc('hour', "time") AS hour FROM rows WHERE "time" IS NOT NULL
)
SELECT hour FROM hours WHERE local_time(hour, $zone) = local_time(hour + INTERVAL 1 HOUR, $zone);

-- name: twice
-- Rows of such an hour whose time names no zone.
SELECT r.file, r.line, r."time"
FROM rows r
JOIN doubled d ON d.hour = date_trunc('hour', r."time")
JOIN mapped m ON m.file = r.file AND m.line = r.line
WHERE (contains(m."time", ':') OR TRY_CAST(m."time" AS DOUBLE) IS NULL)
  AND NOT (length(trim(m."time")) > 10 AND regexp_matches(trim(m."time"), $zoned));

-- name: second
-- In a file that runs in the order of time, the clock steps back once: the rows of that hour behind the step are the second turn.
-- Where not the file but each of its sessions runs in the order of time, and only in such an hour one steps back, it holds for each.
WITH stepped AS (
    SELECT file, line, source_session,
           "time" < lag("time") OVER (PARTITION BY file ORDER BY line) AS is_back,
           "time" < lag("time") OVER (PARTITION BY file, source_session ORDER BY line) AS is_back_in_session
    FROM rows
    WHERE "time" IS NOT NULL AND file IN (SELECT file FROM twice)
), steps AS (
    SELECT file, max(line) AS line FROM stepped WHERE is_back GROUP BY file HAVING count(*) = 1
), in_sessions AS (
    SELECT s.file, s.source_session, max(s.line) AS line
    FROM stepped s
    WHERE s.is_back_in_session AND s.source_session IS NOT NULL AND s.file NOT IN (SELECT file FROM steps)
      AND s.file NOT IN (SELECT b.file FROM stepped b ANTI JOIN twice t ON t.file = b.file AND t.line = b.line WHERE b.is_back_in_session)
    GROUP BY s.file, s.source_session
    HAVING count(*) = 1
)
SELECT t.file, t.line FROM twice t JOIN steps s ON s.file = t.file AND t.line >= s.line
UNION ALL
SELECT t.file, t.line
FROM twice t
JOIN stepped r ON r.file = t.file AND r.line = t.line
JOIN in_sessions s ON s.file = t.file AND s.source_session = r.source_session AND t.line >= s.line;

-- name: counts
SELECT t.file, count(*) AS rows, count(s.line) AS second
FROM twice t LEFT JOIN second s ON s.file = t.file AND s.line = t.line
GROUP BY t.file
ORDER BY t.file;

-- name: moved
SELECT r.* REPLACE (CASE WHEN s.line IS NULL THEN r."time" ELSE r."time" + INTERVAL 1 HOUR END AS "time")
FROM rows r LEFT JOIN second s ON s.file = r.file AND s.line = r.line;
