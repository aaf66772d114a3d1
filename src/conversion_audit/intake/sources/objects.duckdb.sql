-- name: items
SELECT CAST(to_json(list_transform(
    TRY_CAST(products AS STRUCT(product_id VARCHAR, item_id VARCHAR, sku VARCHAR, id VARCHAR, "name" VARCHAR, item_name VARCHAR, title VARCHAR,
                                category VARCHAR, item_category VARCHAR, brand VARCHAR, item_brand VARCHAR, price VARCHAR, quantity VARCHAR)[]),
    lambda p: {'item_id': coalesce(p.product_id, p.item_id, p.sku, p.id), 'name': coalesce(p."name", p.item_name, p.title),
               'category': coalesce(p.category, p.item_category), 'brand': coalesce(p.brand, p.item_brand),
               'price': p.price, 'quantity': p.quantity})) AS VARCHAR);

-- name: logins
SELECT DISTINCT user_id FROM rows WHERE user_id IS NOT NULL AND (device_id IS NULL OR device_id <> user_id);

-- name: named
SELECT r.* REPLACE (CASE WHEN r.device_id = r.user_id AND l.user_id IS NOT NULL THEN NULL ELSE r.device_id END AS device_id,
                    CASE WHEN r.device_id = r.user_id AND l.user_id IS NULL THEN NULL ELSE r.user_id END AS user_id)
FROM rows r LEFT JOIN logins l ON l.user_id = r.user_id;
