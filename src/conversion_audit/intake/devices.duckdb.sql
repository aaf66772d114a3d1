-- name: named
SELECT DISTINCT device, os FROM rows WHERE coalesce(known(device), known(os)) IS NOT NULL;

-- name: told
SELECT r.* REPLACE (CASE WHEN n.kind IS NULL THEN r.device ELSE n.kind END AS device)
FROM rows r LEFT JOIN kinds n ON coalesce(n.device, '') = coalesce(r.device, '') AND coalesce(n.os, '') = coalesce(r.os, '');
