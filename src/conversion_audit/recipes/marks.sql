-- name: sessions
SELECT v.session_id, v.visitor_id, v.device_id, v.user_id, v.source_session, v.start, v.date, v.hour, v.seconds,
       v.events, v.pages, v.landing_page, v.landing_page_type, v.exit_page, v.channel, v.source, v.medium, v.campaign,
       v.referrer, v.platform, v.device, v.browser, v.os, v.country, v.language, v.visit_number, v.is_new,
       b.is_bounce, v.is_single_page, v.orders, v.revenue, v.set_aside, v.bucket
FROM visits v JOIN bounces b ON b.session_id = v.session_id;
