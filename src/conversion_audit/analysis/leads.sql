-- name: named
-- Properties are as exported: a lead called 'undefined' or blank is none, and spaces around an id are not the CRM's.
SELECT coalesce(known(property(e.properties, 'lead_id')), e.order_id) AS lead_id, m.session_id, m.time, m.event_number
FROM marks m
JOIN events e ON e.session_id = m.session_id AND e.event_number = m.event_number
WHERE m.name = $goal;

-- name: channels
-- Leads of the goal by the channel of the session in which they first came, those of every channel too.
WITH first_named AS (
    SELECT lead_id, session_id, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY time, session_id, event_number) AS n
    FROM named
    WHERE lead_id IS NOT NULL
)
SELECT f.lead_id, coalesce(s.channel, '(not set)') AS channel
FROM first_named f
JOIN sessions s ON s.session_id = f.session_id
WHERE f.n = 1;

-- name: match
-- Goals, those that carry an id, the different ids, and how many of them the CRM has; and how many leads the CRM has.
WITH crm AS (
    SELECT DISTINCT lead_id FROM outcomes
)
SELECT count(*) AS goals, count(n.lead_id) AS named, count(DISTINCT n.lead_id) AS leads, count(DISTINCT c.lead_id) AS known,
       (SELECT count(*) FROM crm) AS crm
FROM named n LEFT JOIN crm c ON c.lead_id = n.lead_id;

-- name: stages
WITH both_ways AS (
    SELECT lead_id, channel FROM leads
    UNION ALL
    SELECT lead_id, '(all)' AS channel FROM leads
), counted AS (
    SELECT channel, count(*) AS leads FROM both_ways GROUP BY channel
), names AS (
    SELECT DISTINCT stage FROM outcomes
), once AS (
    -- Two exports of a CRM may name one lead at one stage.
    SELECT lead_id, stage, max(value) AS value FROM outcomes GROUP BY lead_id, stage
), reached AS (
    SELECT b.channel, o.stage, count(*) AS reached, CAST(sum(o.value) AS DOUBLE) AS revenue
    FROM both_ways b
    JOIN once o ON o.lead_id = b.lead_id
    GROUP BY b.channel, o.stage
)
SELECT c.channel, n.stage, coalesce(r.reached, 0) AS reached, c.leads, r.revenue
FROM counted c
CROSS JOIN names n
LEFT JOIN reached r ON r.channel = c.channel AND r.stage = n.stage
ORDER BY CASE WHEN c.channel = '(all)' THEN 0 ELSE 1 END, c.leads DESC, c.channel, reached DESC, n.stage;
