-- name: items
SELECT CAST(to_json(list_transform(
    TRY_CAST(products AS STRUCT(product_id VARCHAR, item_id VARCHAR, sku VARCHAR, id VARCHAR, "name" VARCHAR, item_name VARCHAR, title VARCHAR,
                                category VARCHAR, item_category VARCHAR, brand VARCHAR, item_brand VARCHAR, price VARCHAR, quantity VARCHAR)[]),
    lambda p: {'item_id': coalesce(p.product_id, p.item_id, p.sku, p.id), 'name': coalesce(p."name", p.item_name, p.title),
               'category': coalesce(p.category, p.item_category), 'brand': coalesce(p.brand, p.item_brand),
               'price': p.price, 'quantity': p.quantity})) AS VARCHAR)
