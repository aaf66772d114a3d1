-- name: agents
SELECT DISTINCT user_agent FROM rows WHERE user_agent IS NOT NULL AND (device IS NULL OR browser IS NULL OR os IS NULL);

-- name: told
SELECT r.* REPLACE (coalesce(known(r.device), n.device) AS device, coalesce(known(r.browser), n.browser) AS browser,
                    coalesce(known(r.os), n.os) AS os)
FROM rows r LEFT JOIN named n ON n.user_agent = r.user_agent;
