-- name: addresses
SELECT DISTINCT event, page_url AS url
FROM rows
WHERE known(order_id) IS NOT NULL AND page_url IS NOT NULL AND event IS NOT NULL AND NOT is_refund;

-- name: sold
SELECT r.* REPLACE ((r.is_purchase OR (s.url IS NOT NULL AND known(r.order_id) IS NOT NULL AND NOT r.is_refund)) AS is_purchase)
FROM rows r LEFT JOIN sold s ON s.event = r.event AND s.url = r.page_url;
