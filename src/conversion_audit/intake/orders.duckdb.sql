-- name: items
SELECT r.event_id, item.item_id, item.name, item.category, item.brand,
       CAST(TRY_CAST(item.price AS DECIMAL(18, 4)) AS DECIMAL(18, 4)) AS price,
       TRY_CAST(item.quantity AS DOUBLE) AS quantity
FROM (
    SELECT event_id,
           unnest(from_json(items, '[{"item_id":"VARCHAR","name":"VARCHAR","category":"VARCHAR","brand":"VARCHAR","price":"VARCHAR","quantity":"VARCHAR"}]')) AS item
    FROM rows
) r;
