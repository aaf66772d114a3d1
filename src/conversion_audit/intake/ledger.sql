-- name: fates
-- Every row of the export under its one terminal reason, by file and by the day its session started.
-- An order counts, with its revenue, where the row that placed it went; one that only unreadable rows name, where the first
-- of them went, with the first amount any of them names. So orders and revenue add up over reasons.
WITH unread AS (
    SELECT s.row_id, known(s.order_id) AS order_id, CAST(s.amount * x.rate AS DECIMAL(18, 4)) AS amount
    FROM staged s
    LEFT JOIN rates x ON x.currency = coalesce(upper(known(s.currency)), $currency)
    LEFT JOIN orders o ON o.order_id = known(s.order_id)
    WHERE s.reject IS NOT NULL AND s.is_purchase AND o.order_id IS NULL
), firsts AS (
    SELECT p.row_id, o.revenue AS amount FROM orders o JOIN purchases p ON p.event_id = o.event_id
    UNION ALL
    SELECT min(row_id) AS row_id, earliest(amount, row_id) AS amount FROM unread WHERE order_id IS NOT NULL GROUP BY order_id
    UNION ALL
    SELECT row_id, amount FROM unread WHERE order_id IS NULL
), owned AS (
    SELECT o.session_number, s.date, s.set_aside FROM owners o JOIN sessions s ON s.session_id = o.session_id
)
SELECT s.file,
       CASE WHEN s.reject IS NOT NULL THEN 'quarantined'
            WHEN r.row_id IS NOT NULL OR n.session_number IS NULL OR x.set_aside IS NOT NULL THEN 'set_aside'
            ELSE 'analysed' END AS status,
       CASE WHEN s.reject IS NOT NULL THEN s.reject
            WHEN r.row_id IS NOT NULL THEN 'duplicate'
            WHEN n.session_number IS NULL AND h.row_id IS NOT NULL THEN 'no_visit'
            WHEN n.session_number IS NULL THEN 'no_consent'
            WHEN x.set_aside IS NOT NULL THEN x.set_aside
            ELSE 'ok' END AS reason,
       coalesce(x.date, CAST(local_time(s.time, $zone) AS DATE)) AS date,
       count(*) AS rows,
       count(f.row_id) AS orders,
       CAST(coalesce(sum(f.amount), 0) AS DECIMAL(18, 4)) AS revenue
FROM staged s
LEFT JOIN repeated r ON r.row_id = s.row_id
LEFT JOIN numbered n ON n.row_id = s.row_id
LEFT JOIN homes h ON h.row_id = s.row_id
LEFT JOIN owned x ON x.session_number = n.session_number
LEFT JOIN firsts f ON f.row_id = s.row_id
GROUP BY 1, 2, 3, 4;

-- name: ledger
SELECT file,
       CASE WHEN status = 'analysed' AND (date < $start OR date > $end) THEN 'set_aside' ELSE status END AS status,
       CASE WHEN status = 'analysed' AND (date < $start OR date > $end) THEN 'out_of_period' ELSE reason END AS reason,
       CAST(sum(rows) AS BIGINT) AS rows, CAST(sum(orders) AS BIGINT) AS orders, CAST(sum(revenue) AS DECIMAL(18, 4)) AS revenue
FROM fates
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
