-- name: fates
-- Every row of the export under its one terminal reason, by file and by the day its session started.
-- An order counts where its first purchase row went, so that orders add up over reasons.
WITH ids AS (
    SELECT event_id, file, line,
           CASE WHEN is_purchase THEN coalesce(order_id, 'row ' || file || ' ' || CAST(line AS VARCHAR)) END AS order_id
    FROM staged
), firsts AS (
    SELECT order_id, min(file || ' ' || LPAD(CAST(line AS VARCHAR), 12, '0')) AS place
    FROM ids
    WHERE order_id IS NOT NULL
    GROUP BY order_id
)
SELECT s.file,
       CASE WHEN s.reject IS NOT NULL THEN 'quarantined'
            WHEN r.event_id IS NOT NULL OR n.session_id IS NULL OR x.set_aside IS NOT NULL THEN 'set_aside'
            ELSE 'analysed' END AS status,
       CASE WHEN s.reject IS NOT NULL THEN s.reject
            WHEN r.event_id IS NOT NULL THEN 'duplicate'
            WHEN n.session_id IS NULL THEN 'no_consent'
            WHEN x.set_aside IS NOT NULL THEN x.set_aside
            ELSE 'ok' END AS reason,
       coalesce(x.date, CAST(local_time(s.time, $zone) AS DATE)) AS date,
       count(*) AS rows,
       count(f.order_id) AS orders,
       CAST(coalesce(sum(CASE WHEN s.is_purchase THEN s.amount END), 0) AS DECIMAL(18, 4)) AS revenue
FROM staged s
JOIN ids i ON i.file = s.file AND i.line = s.line
LEFT JOIN repeated r ON r.event_id = s.event_id AND r.file = s.file AND r.line = s.line
LEFT JOIN numbered n ON n.event_id = s.event_id
LEFT JOIN sessions x ON x.session_id = n.session_id
LEFT JOIN firsts f ON f.order_id = i.order_id AND f.place = s.file || ' ' || LPAD(CAST(s.line AS VARCHAR), 12, '0')
GROUP BY 1, 2, 3, 4;

-- name: ledger
SELECT file,
       CASE WHEN status = 'analysed' AND (date < $start OR date > $end) THEN 'set_aside' ELSE status END AS status,
       CASE WHEN status = 'analysed' AND (date < $start OR date > $end) THEN 'out_of_period' ELSE reason END AS reason,
       CAST(sum(rows) AS BIGINT) AS rows, CAST(sum(orders) AS BIGINT) AS orders, CAST(sum(revenue) AS DECIMAL(18, 4)) AS revenue
FROM fates
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
