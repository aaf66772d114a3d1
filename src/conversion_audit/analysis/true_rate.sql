-- name: visitors
-- The same columns, one row per visitor: what a visitor showed in any session counts.
SELECT visitor_id AS session_id, visitor_id, MIN(date) AS date, MAX(is_buyer) AS is_buyer,
       CASE WHEN MAX(shows_shop) = 1 AND MAX(shows_service) = 0 AND MAX(shows_unclear) = 0 THEN 'C'
            WHEN MAX(shows_service) = 1 AND MAX(shows_shop) = 0 AND MAX(shows_unclear) = 0 THEN 'X'
            ELSE 'A' END AS class,
       CASE WHEN MAX(chance) >= 1 THEN 1.0
            ELSE 1.0 - EXP(SUM(LN(CASE WHEN chance >= 1 THEN 1.0 ELSE 1.0 - chance END))) END AS chance
FROM intents
GROUP BY visitor_id

-- name: totals
-- Everything the record needs, in one pass. A buyer counts as able to buy whatever the label.
SELECT COUNT(*) AS sessions, COUNT(DISTINCT visitor_id) AS visitors, COALESCE(SUM(is_buyer), 0) AS converted,
       COALESCE(SUM(CASE WHEN class = 'C' OR is_buyer = 1 THEN 1 ELSE 0 END), 0) AS can_buy,
       COALESCE(SUM(CASE WHEN class = 'A' AND is_buyer = 0 THEN 1 ELSE 0 END), 0) AS ambiguous,
       COALESCE(SUM(CASE WHEN class = 'X' AND is_buyer = 0 THEN 1 ELSE 0 END), 0) AS cannot_buy,
       COALESCE(SUM(CASE WHEN class <> 'C' AND is_buyer = 1 THEN 1 ELSE 0 END), 0) AS buyers_elsewhere,
       COALESCE(SUM(chance), 0) AS expected,
       AVG(CASE WHEN class = 'C' AND is_buyer = 0 THEN 1.0 - chance END) AS wrong_can_buy,
       AVG(CASE WHEN class = 'X' AND is_buyer = 0 THEN chance END) AS wrong_cannot_buy
FROM intents

-- name: segments
-- Per segment: the counts, and the sums over visitors that a clustered standard error needs.
WITH weighed AS (
    SELECT segment, visitor_id, class, is_buyer, chance,
           CASE WHEN class = 'X' AND is_buyer = 0 THEN CAST($wrong_cannot_buy AS DOUBLE) ELSE 1.0 END AS wide,
           CASE WHEN is_buyer = 1 THEN 1.0
                WHEN class = 'C' THEN 1.0 - CAST($wrong_can_buy AS DOUBLE)
                ELSE 0.0 END AS narrow
    FROM placed
),
people AS (
    SELECT segment, visitor_id, COUNT(*) AS sessions, SUM(is_buyer) AS converted,
           SUM(CASE WHEN class = 'C' OR is_buyer = 1 THEN 1 ELSE 0 END) AS can_buy,
           SUM(CASE WHEN class = 'A' AND is_buyer = 0 THEN 1 ELSE 0 END) AS ambiguous,
           SUM(CASE WHEN class = 'X' AND is_buyer = 0 THEN 1 ELSE 0 END) AS cannot_buy,
           SUM(chance) AS expected, SUM(wide) AS wide, SUM(narrow) AS narrow
    FROM weighed
    GROUP BY segment, visitor_id
)
SELECT segment, SUM(sessions) AS sessions, COUNT(*) AS visitors, SUM(converted) AS converted, SUM(can_buy) AS can_buy,
       SUM(ambiguous) AS ambiguous, SUM(cannot_buy) AS cannot_buy, SUM(expected) AS expected,
       SUM(wide) AS wide, SUM(narrow) AS narrow,
       SUM(CAST(converted AS DOUBLE) * converted) AS converted_squared,
       SUM(converted * wide) AS converted_wide, SUM(wide * wide) AS wide_squared,
       SUM(converted * narrow) AS converted_narrow, SUM(narrow * narrow) AS narrow_squared
FROM people
GROUP BY segment
ORDER BY sessions DESC, segment

-- name: everything
SELECT visitor_id, class, is_buyer, chance, 'all' AS segment FROM intents
