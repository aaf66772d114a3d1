-- name: session_owners
-- Whose a session of the source is where rows name it without a device: the one device's, else the one login's that has it,
-- else, where neither is known, its own. Of an id that several share nobody can say it.
SELECT source_session,
       CASE WHEN count(DISTINCT device_id) = 1 THEN min(device_id) END AS device_id,
       CASE WHEN count(device_id) = 0 AND count(user_id) = 0 THEN 'session ' || source_session
            WHEN count(device_id) = 0 AND count(DISTINCT user_id) = 1 THEN 'user ' || min(user_id) END AS owner
FROM rows
WHERE source_session IN (SELECT source_session FROM rows WHERE device_id IS NULL)
  AND known(source_session) IS NOT NULL AND NOT matches(source_session, '^[0\W_]+$')
GROUP BY source_session;

-- name: add_sessions
-- Rows without a session of their source's take two windows: the number of the row that opened the session is carried along.
WITH gaps AS (
    SELECT row_id, event_id, device_id, user_id, time, order_1, order_2, order_3, event, is_page,
           coalesce(device_id, 'user ' || user_id) AS owner,
           ROW_NUMBER() OVER (PARTITION BY coalesce(device_id, 'user ' || user_id)
                              ORDER BY time, order_1, order_2, order_3, event_id) AS n,
           LAG(time) OVER (PARTITION BY coalesce(device_id, 'user ' || user_id)
                           ORDER BY time, order_1, order_2, order_3, event_id) AS earlier
    FROM rows
    WHERE source_session IS NULL AND coalesce(device_id, user_id) IS NOT NULL
), opened AS (
    SELECT *, MAX(CASE WHEN earlier IS NULL OR seconds_between(earlier, time) > $timeout_seconds THEN n END)
                  OVER (PARTITION BY owner ORDER BY n ROWS UNBOUNDED PRECEDING) AS first_row
    FROM gaps
)
SELECT r.row_id, coalesce(r.device_id, o.device_id, 'user ' || r.user_id, o.owner) || '/' || r.source_session AS session_id,
       r.event_id, coalesce(r.device_id, o.device_id) AS device_id, r.user_id, r.time, r.order_1, r.order_2, r.order_3, r.event, r.is_page
FROM rows r LEFT JOIN session_owners o ON o.source_session = r.source_session
WHERE r.source_session IS NOT NULL OR coalesce(r.device_id, r.user_id) IS NULL
UNION ALL
SELECT row_id, owner || '/gap/' || CAST(first_row AS VARCHAR) AS session_id,
       event_id, device_id, user_id, time, order_1, order_2, order_3, event, is_page
FROM opened;

-- name: timeouts
-- How many sessions each gap would give, where the source has no session ids.
WITH gaps AS (
    SELECT coalesce(device_id, 'user ' || user_id) AS owner, time,
           LAG(time) OVER (PARTITION BY coalesce(device_id, 'user ' || user_id)
                           ORDER BY time, order_1, order_2, order_3, event_id) AS earlier
    FROM rows
    WHERE source_session IS NULL AND coalesce(device_id, user_id) IS NOT NULL AND row_id NOT IN (SELECT row_id FROM strays)
), own AS (
    SELECT count(source_session) > 0 AS has_sessions FROM rows
)
SELECT t.minutes,
       count(CASE WHEN g.earlier IS NULL OR seconds_between(g.earlier, g.time) > t.minutes * 60 THEN 1 END) AS sessions,
       t.is_used
FROM gaps g CROSS JOIN timeouts t CROSS JOIN own o
WHERE NOT o.has_sessions
GROUP BY t.minutes, t.is_used
ORDER BY t.minutes;

-- name: logins
-- A session's first login. Where it has several, the total order says which: two may come at one instant.
WITH found AS (
    SELECT session_id, min(device_id) AS device_id, min(user_id) AS login, max(user_id) AS other, min(time) AS start
    FROM keyed
    WHERE session_id IS NOT NULL
    GROUP BY session_id
), placed AS (
    SELECT k.session_id, k.user_id,
           ROW_NUMBER() OVER (PARTITION BY k.session_id ORDER BY k.time, k.order_1, k.order_2, k.order_3, k.event_id) AS n
    FROM keyed k JOIN found f ON f.session_id = k.session_id
    WHERE f.login <> f.other AND k.user_id IS NOT NULL
)
SELECT f.session_id, f.device_id, coalesce(p.user_id, f.login) AS login, f.start
FROM found f LEFT JOIN placed p ON p.session_id = f.session_id AND p.n = 1;

-- name: session_numbers
-- Numbers stand for the two ids wherever events are sorted or joined: the ids are long, and there are as many as events.
SELECT session_id, visitor_id, user_id, number_by(session_id) AS session_number FROM visitors;

-- name: owners
WITH firsts AS (
    SELECT visitor_id, min(session_number) AS visitor_number FROM session_numbers GROUP BY visitor_id
)
SELECT s.session_id, s.visitor_id, s.user_id, s.session_number, f.visitor_number
FROM session_numbers s JOIN firsts f ON f.visitor_id = s.visitor_id;

-- name: numbered
-- The order in a visitor's life is sorted once, by all keys; the order in a session follows from it.
WITH owned AS (
    SELECT k.row_id, o.session_number, o.visitor_number, k.event_id, k.time, k.order_1, k.order_2, k.order_3, k.event, k.is_page
    FROM keyed k
    JOIN owners o ON o.session_id = k.session_id
), lived AS (
    SELECT row_id, session_number, visitor_number, time, event, is_page,
           CAST(ROW_NUMBER() OVER (PARTITION BY visitor_number ORDER BY time, order_1, order_2, order_3, event_id) AS INTEGER)
               AS visitor_event_number,
           CAST(DENSE_RANK() OVER (PARTITION BY visitor_number ORDER BY time, order_1, order_2, order_3) AS INTEGER) AS visitor_moment
    FROM owned
)
SELECT row_id, session_number,
       CAST(ROW_NUMBER() OVER in_session AS INTEGER) AS event_number,
       CAST(DENSE_RANK() OVER (PARTITION BY session_number ORDER BY visitor_moment) AS INTEGER) AS moment,
       visitor_event_number, visitor_moment,
       LEAD(event) OVER in_session AS next_event,
       LEAD(time) OVER in_session AS next_time,
       LEAD(CASE WHEN is_page THEN time END IGNORE NULLS) OVER in_session AS next_page_time
FROM lived
WINDOW in_session AS (PARTITION BY session_number ORDER BY visitor_moment, visitor_event_number)
UNION ALL
SELECT row_id, NULL AS session_number, NULL AS event_number, NULL AS moment, NULL AS visitor_event_number, NULL AS visitor_moment,
       NULL AS next_event, NULL AS next_time, NULL AS next_page_time
FROM keyed
WHERE session_id IS NULL;

-- name: facts
-- What only the raw rows know of a session. Its traffic source is that of the first row that names any, taken whole;
-- it bounced where the source calls none of its rows engaged.
WITH placed AS (
    SELECT n.session_number, n.event_number, r.source_session, r.source, r.medium, r.campaign, r.channel, r.is_bounce, r.visit_number,
           CASE WHEN coalesce(r.source, r.medium, r.campaign) IS NOT NULL THEN n.event_number END AS named_at
    FROM rows r JOIN numbered n ON n.row_id = r.row_id
    WHERE n.session_number IS NOT NULL
), known_of AS (
    SELECT session_number,
           min(source_session) AS source_session,
           value_at(source, named_at) AS source,
           value_at(medium, named_at) AS medium,
           value_at(campaign, named_at) AS campaign,
           earliest(channel, event_number) AS own_channel,
           min(CAST(is_bounce AS INTEGER)) AS bounced,
           min(visit_number) AS visit_number
    FROM placed
    GROUP BY session_number
)
SELECT o.session_id, o.visitor_id, f.* FROM known_of f JOIN owners o ON o.session_number = f.session_number;

-- name: shared_ids
SELECT count(*) AS ids
FROM (
    SELECT source_session FROM facts WHERE source_session IS NOT NULL GROUP BY source_session HAVING count(*) > 1
) shared;

-- name: source_triples
SELECT source, medium, campaign, max(own_channel) AS own_channel, count(*) AS sessions
FROM facts
GROUP BY source, medium, campaign
ORDER BY source, medium, campaign;

-- name: channels
-- An empty name is another name than a missing one: each has its own row among the named.
SELECT f.session_id, f.session_number, f.visitor_id, coalesce(known(f.own_channel), n.channel) AS channel
FROM facts f
LEFT JOIN named n ON coalesce(n.source, '') = coalesce(f.source, '') AND (n.source IS NULL) = (f.source IS NULL)
                 AND coalesce(n.medium, '') = coalesce(f.medium, '') AND (n.medium IS NULL) = (f.medium IS NULL)
                 AND coalesce(n.campaign, '') = coalesce(f.campaign, '') AND (n.campaign IS NULL) = (f.campaign IS NULL);

-- name: purchases
WITH sold AS (
    SELECT row_id, event_id, is_purchase, is_refund FROM rows WHERE is_purchase OR is_refund
)
SELECT s.row_id, e.event_id, e.session_id, e.visitor_id, e.visitor_event_number, e.time, e.order_id, e.amount, e.revenue,
       s.is_purchase, s.is_refund
FROM events e JOIN sold s ON s.event_id = e.event_id;

-- name: ordered
-- Where memory is short, events are made in ranges of row ids: of sessions too, only those of the range are held then.
SELECT * FROM numbered WHERE row_id > $after AND row_id <= $until;

-- name: channels_here
SELECT * FROM session_channels WHERE session_number IN (SELECT session_number FROM ordered);

-- name: events
SELECT r.event_id, c.visitor_id, r.device_id, r.user_id, c.session_id,
       n.event_number, n.visitor_event_number, n.moment, n.visitor_moment,
       r.time,
       CAST(local_time(r.time, $zone) AS DATE) AS date,
       CAST(EXTRACT(HOUR FROM local_time(r.time, $zone)) AS INTEGER) AS hour,
       r.event, r.is_page, n.next_event,
       seconds_between(r.time, n.next_time) AS seconds_to_next,
       CASE WHEN r.is_page THEN coalesce(seconds_between(r.time, n.next_page_time), r.engagement_seconds) END AS page_seconds,
       p.host, p.page, p.page_type, i.clean AS page_title, f.clean AS referrer,
       coalesce(q.clean, p.search_term) AS search_term,
       known(r.source) AS source, known(r.medium) AS medium, known(r.campaign) AS campaign, c.channel,
       r.platform, r.app_version, r.device, r.browser, r.os, r.country, r.language,
       r.order_id, r.amount, r.currency,
       CAST(r.amount * x.rate AS DECIMAL(18, 4)) AS revenue,
       m.clean AS error, r.load_seconds,
       CASE WHEN o.value IS NULL THEN r.properties ELSE o.clean END AS properties
FROM rows r
JOIN ordered n ON n.row_id = r.row_id
LEFT JOIN channels_here c ON c.session_number = n.session_number
LEFT JOIN pages p ON p.value = r.page_url
LEFT JOIN titles i ON i.value = r.page_title
LEFT JOIN referrers f ON f.value = r.referrer
LEFT JOIN searches q ON q.value = r.search_term
LEFT JOIN errors m ON m.value = r.error
LEFT JOIN other o ON o.value = r.properties
LEFT JOIN rates x ON x.currency = coalesce(r.currency, $currency)
WHERE r.row_id > $after AND r.row_id <= $until;

-- name: visits
WITH seen AS (
    SELECT session_id,
           min(device_id) AS device_id,
           min(time) AS start,
           seconds_between(min(time), max(time)) AS seconds,
           count(*) AS events,
           count(CASE WHEN is_page THEN 1 END) AS pages,
           earliest(CASE WHEN is_page THEN page END, event_number) AS landing_page,
           nullif(earliest(CASE WHEN is_page THEN coalesce(page_type, '') END, event_number), '') AS landing_page_type,
           latest(CASE WHEN is_page THEN page END, event_number) AS exit_page,
           earliest(referrer, event_number) AS referrer,
           earliest(platform, event_number) AS platform,
           earliest(device, event_number) AS device,
           earliest(browser, event_number) AS browser,
           earliest(os, event_number) AS os,
           earliest(country, event_number) AS country,
           earliest(language, event_number) AS language
    FROM events
    WHERE session_id IS NOT NULL AND ($parts = 1 OR part_of(coalesce(visitor_id, session_id), $parts) = $part)
    GROUP BY session_id
), owned AS (
    SELECT session_id, session_number, user_id
    FROM owners
    WHERE $parts = 1 OR part_of(coalesce(visitor_id, session_id), $parts) = $part
), sold AS (
    SELECT session_id, count(*) AS orders, sum(revenue) AS revenue
    FROM orders
    WHERE session_id IS NOT NULL
    GROUP BY session_id
)
SELECT f.session_id, s.visitor_id, f.device_id, v.user_id, s.source_session, f.start,
       CAST(local_time(f.start, $zone) AS DATE) AS date,
       CAST(EXTRACT(HOUR FROM local_time(f.start, $zone)) AS INTEGER) AS hour,
       f.seconds, f.events, f.pages, f.landing_page, f.landing_page_type, f.exit_page,
       c.channel, known(s.source) AS source, known(s.medium) AS medium, known(s.campaign) AS campaign, f.referrer,
       f.platform, f.device, f.browser, f.os, f.country, f.language,
       CAST(coalesce(s.visit_number,
            ROW_NUMBER() OVER (PARTITION BY s.visitor_id ORDER BY f.start, f.session_id)) AS INTEGER) AS visit_number,
       coalesce(s.visit_number, ROW_NUMBER() OVER (PARTITION BY s.visitor_id ORDER BY f.start, f.session_id)) = 1 AS is_new,
       CAST(s.bounced AS BOOLEAN) AS is_bounce,
       f.pages <= 1 AS is_single_page,
       CAST(coalesce(o.orders, 0) AS INTEGER) AS orders,
       CAST(coalesce(o.revenue, 0) AS DECIMAL(18, 4)) AS revenue,
       a.reason AS set_aside,
       SUBSTR(md5(s.visitor_id), 1, 2) AS bucket
FROM seen f
JOIN owned v ON v.session_id = f.session_id
JOIN facts s ON s.session_number = v.session_number
LEFT JOIN session_channels c ON c.session_number = v.session_number
LEFT JOIN sold o ON o.session_id = f.session_id
LEFT JOIN aside a ON a.session_id = f.session_id;
