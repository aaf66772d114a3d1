-- name: user_agents
SELECT DISTINCT user_agent FROM rows WHERE user_agent IS NOT NULL ORDER BY user_agent;

-- name: facts
-- One row per session: how much, how fast, how often at the payment, and what it ordered: an order that is looked at is none.
WITH ordered AS (
    SELECT session_id, count(*) AS orders,
           max(CASE WHEN lower(order_id) LIKE 'test%' OR lower(order_id) LIKE '%-test%' THEN order_id END) AS test_order
    FROM orders
    WHERE has_id AND session_id IS NOT NULL
    GROUP BY session_id
), counted AS (
    SELECT session_id,
           min(visitor_id) AS visitor_id,
           min(date) AS date,
           count(*) AS events,
           count(CASE WHEN is_page THEN 1 END) AS pages,
           seconds_between(min(CASE WHEN is_page THEN time END), max(CASE WHEN is_page THEN time END)) AS page_seconds,
           count(CASE WHEN lower(event) LIKE '%payment%' THEN 1 END) AS payments,
           seconds_between(min(CASE WHEN lower(event) LIKE '%payment%' THEN time END),
                           max(CASE WHEN lower(event) LIKE '%payment%' THEN time END)) AS payment_seconds,
           max(CASE WHEN properties LIKE '%traffic_type%' THEN lower(property(properties, 'traffic_type')) END) AS traffic_type,
           max(CASE WHEN properties LIKE '%debug_mode%' THEN lower(property(properties, 'debug_mode')) END) AS debug_mode
    FROM events
    WHERE session_id IS NOT NULL
    GROUP BY session_id
)
SELECT c.*, coalesce(o.orders, 0) AS orders, o.test_order FROM counted c LEFT JOIN ordered o ON o.session_id = c.session_id;

-- name: suspects
-- Behaviour no person shows. One row per session and rule.
WITH days AS (
    SELECT visitor_id, date, sum(events) AS events, sum(payments) AS payments, sum(orders) AS orders
    FROM facts
    GROUP BY visitor_id, date
), fast AS (
    SELECT f.session_id, f.page_seconds / (f.pages - 1) AS seconds, count(DISTINCT e.page) AS different
    FROM facts f JOIN events e ON e.session_id = f.session_id
    WHERE f.pages >= $least_pages AND f.page_seconds > 0 AND f.page_seconds < $least_page_seconds * (f.pages - 1)
    GROUP BY f.session_id, f.page_seconds, f.pages
)
SELECT session_id, 'many_events' AS rule, CAST(events AS VARCHAR) AS evidence FROM facts WHERE events >= $most_events
UNION ALL
SELECT f.session_id, 'many_events_a_day' AS rule, CAST(d.events AS VARCHAR) AS evidence
FROM facts f JOIN days d ON d.visitor_id = f.visitor_id AND d.date = f.date
WHERE d.events >= $most_events_a_day
UNION ALL
SELECT session_id, 'no_dwell' AS rule, CAST(CAST(seconds AS DECIMAL(9, 2)) AS VARCHAR) AS evidence FROM fast WHERE different >= 5
UNION ALL
SELECT session_id, 'card_testing' AS rule, CAST(CASE WHEN orders >= $most_payments THEN orders ELSE payments END AS VARCHAR) AS evidence
FROM facts
WHERE orders >= $most_payments
   OR (payments >= $most_payments AND orders * 5 < payments AND payment_seconds <= $most_payment_seconds * (payments - 1))
UNION ALL
SELECT f.session_id, 'card_testing' AS rule, CAST(d.payments AS VARCHAR) AS evidence
FROM facts f JOIN days d ON d.visitor_id = f.visitor_id AND d.date = f.date
WHERE d.payments >= $most_payments_a_day AND d.orders * 5 < d.payments;

-- name: crawled
-- Few rows name a crawler, and most exports name none: they are found before events are read.
SELECT r.event_id, r.user_agent FROM rows r JOIN bots b ON b.user_agent = r.user_agent;

-- name: by_rule
-- A session is met by a rule when one of its events is; the rule's conditions follow.
WITH placed AS (
    SELECT e.*, CASE WHEN e.is_page AND e.event_number = l.landing THEN e.page END AS landing
    FROM events e
    LEFT JOIN (SELECT session_id, min(event_number) AS landing FROM events WHERE is_page GROUP BY session_id) l
           ON l.session_id = e.session_id
)
SELECT DISTINCT e.session_id, $reason AS reason, $rule AS rule, CAST(NULL AS VARCHAR) AS evidence
FROM placed e
WHERE e.session_id IS NOT NULL;

-- name: no_rule
SELECT CAST(NULL AS VARCHAR) AS session_id, CAST(NULL AS VARCHAR) AS reason, CAST(NULL AS VARCHAR) AS rule,
       CAST(NULL AS VARCHAR) AS evidence
WHERE 1 = 0;

-- name: set_aside
-- One row per session: bot before internal before test, and by the name of the rule.
WITH flags AS (
    SELECT e.session_id, 1 AS place, 'bot' AS reason, 'user_agent' AS rule, SUBSTR(min(c.user_agent), 1, 120) AS evidence
    FROM events e JOIN crawled c ON c.event_id = e.event_id
    WHERE e.session_id IS NOT NULL
    GROUP BY e.session_id
    UNION ALL
    SELECT session_id, 2 AS place, 'bot' AS reason, rule, max(evidence) AS evidence FROM suspects GROUP BY session_id, rule
    UNION ALL
    SELECT session_id, CASE reason WHEN 'internal' THEN 3 ELSE 6 END AS place, reason, rule, evidence FROM by_rule
    UNION ALL
    SELECT session_id, 4 AS place, 'internal' AS reason, 'traffic_type' AS rule, traffic_type AS evidence
    FROM facts
    WHERE traffic_type = 'internal'
    UNION ALL
    SELECT session_id, 5 AS place, 'test' AS reason, 'debug_mode' AS rule, coalesce(debug_mode, traffic_type) AS evidence
    FROM facts
    WHERE traffic_type = 'developer' OR debug_mode IN ('1', 'true')
    UNION ALL
    SELECT session_id, 7 AS place, 'test' AS reason, 'test_order' AS rule, test_order AS evidence
    FROM facts
    WHERE test_order IS NOT NULL AND orders = 1
), placed AS (
    SELECT session_id, reason, rule, evidence, ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY place, rule) AS n
    FROM flags
)
SELECT session_id, reason, rule, evidence FROM placed WHERE n = 1;
