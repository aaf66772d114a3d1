"""The shared tables: what one row is, and what each column means."""

from __future__ import annotations

from conversion_audit.contract import Column, Contract, check, empty

__all__ = ["CONTRACTS", "Column", "Contract", "check", "empty"]

UNKNOWN = "the export does not say"

EVENTS = Contract(
    "events",
    "one row per accepted event of the whole export",
    {
        "event_id": Column("text", "Unique: the export's own id, else md5 of the row"),
        "visitor_id": Column(
            "text",
            "The stitched person we count, prefixed u:, d: or, where a refused login alone names it, s:",
            "consent was denied",
        ),
        "device_id": Column("text", "Cookie or app id, exactly as exported", "consent was denied"),
        "user_id": Column("text", "Login id, exactly as exported", "not logged in"),
        "session_id": Column("text", "Unique across visitors", "consent was denied"),
        "event_number": Column(
            "int", "1.. in the session, under the total order time, source order keys, event_id", "no session"
        ),
        "visitor_event_number": Column("int", "1.. in the visitor's life, same order", "no visitor"),
        "moment": Column(
            "int", "Dense number of distinct (time, order keys) in the session: equal means truly tied", "no session"
        ),
        "visitor_moment": Column("int", "The same in the visitor's life", "no visitor"),
        "time": Column("time", "Naive UTC, microseconds"),
        "date": Column("date", "Day in the client's time zone"),
        "hour": Column("int", "Hour in the client's time zone, 0 to 23"),
        "event": Column("text", "The client's own event name"),
        "is_page": Column("bool", "This event is a page view"),
        "next_event": Column("text", "The session's next event", "last of its session"),
        "seconds_to_next": Column("float", "Seconds to the next event", "last of its session"),
        "page_seconds": Column(
            "float",
            "Seconds from this page view to the next; on the last page the source's engagement time",
            "not a page view, or the export does not say",
        ),
        "host": Column("text", "Host of the page", UNKNOWN),
        "page": Column("text", "Path, ids templated as /order/:n, unlisted query parameters dropped", UNKNOWN),
        "page_type": Column("text", "From `page_types` of the config", "no page type covers this page"),
        "page_title": Column("text", "Title, personal data masked", UNKNOWN),
        "referrer": Column("text", "Referring host and path", UNKNOWN),
        "search_term": Column("text", "Site search, personal data masked", UNKNOWN),
        "source": Column("text", "Traffic source of the event", UNKNOWN),
        "medium": Column("text", "Traffic medium of the event", UNKNOWN),
        "campaign": Column("text", "Campaign of the event", UNKNOWN),
        "channel": Column("text", "The session's channel by GA4's default rules", UNKNOWN),
        "platform": Column("text", "web, ios, android", UNKNOWN),
        "app_version": Column("text", "Release of the app or site", UNKNOWN),
        "device": Column("text", "desktop, mobile, tablet: as exported, or told by model, system or agent", UNKNOWN),
        "browser": Column("text", "Browser", UNKNOWN),
        "os": Column("text", "Operating system", UNKNOWN),
        "country": Column("text", "Country", UNKNOWN),
        "language": Column("text", "Browser language", UNKNOWN),
        "order_id": Column("text", "Order id, exactly as exported", "not an order, or an order without id"),
        "amount": Column("money", "Amount as exported", "no amount"),
        "currency": Column("text", "ISO 4217, upper case", "no currency: the client's is taken"),
        "revenue": Column("money", "Amount in the client's currency", "cannot be converted, or no amount"),
        "error": Column("text", "Error message, personal data masked", "not an error"),
        "load_seconds": Column("float", "Page load time", UNKNOWN),
        "properties": Column("json", "Everything else, as a JSON object of texts"),
    },
)

ROWS = Contract(
    "rows",
    "one row per row of a raw export, as its source module reads it: nothing cleaned, nothing dropped but unreadable rows",
    {
        "file": Column("text", "File, relative to the client's folder"),
        "line": Column("int", "Line or row number in that file, from 1"),
        "event_id": Column("text", "The source's own row id", "the source has none: intake takes md5 of the row"),
        "device_id": Column("text", "Cookie or app id", "consent was denied"),
        "user_id": Column("text", "Login id", "not logged in"),
        "source_session": Column(
            "text", "The source's own session id", "the source has none: sessions are made by inactivity"
        ),
        "time": Column("time", "Naive UTC, microseconds", "cannot be read: the row is quarantined"),
        "order_1": Column("int", "Source order key, compared after time", "the source has none"),
        "order_2": Column("int", "Next source order key", "the source has none"),
        "order_3": Column("int", "Next source order key", "the source has none"),
        "local_date": Column("text", "The export's own local date, YYYY-MM-DD", "the source has none"),
        "event": Column("text", "Event name as exported", "missing: the row is quarantined"),
        "is_page": Column("bool", "This row is a page view"),
        "page_url": Column("text", "Full address, or path with query", UNKNOWN),
        "page_title": Column("text", "As exported", UNKNOWN),
        "referrer": Column("text", "As exported", UNKNOWN),
        "search_term": Column("text", "As exported", UNKNOWN),
        "source": Column("text", "As exported, the most session-like scope the export has", UNKNOWN),
        "medium": Column("text", "As exported", UNKNOWN),
        "campaign": Column("text", "As exported", UNKNOWN),
        "channel": Column(
            "text", "The source's own channel grouping", "the source has none: GA4's default rules decide"
        ),
        "platform": Column("text", "As exported", UNKNOWN),
        "app_version": Column("text", "As exported", UNKNOWN),
        "device": Column("text", "As exported", UNKNOWN),
        "browser": Column("text", "As exported", UNKNOWN),
        "os": Column("text", "As exported", UNKNOWN),
        "country": Column("text", "As exported", UNKNOWN),
        "language": Column("text", "As exported", UNKNOWN),
        "user_agent": Column("text", "As exported", UNKNOWN),
        "order_id": Column("text", "As exported", "not an order"),
        "amount": Column("money", "Amount of a purchase (positive) or refund (negative)", "none, or not a number"),
        "amount_text": Column(
            "text", "Amount as exported where it could not be read as a number", "it could, or there is none"
        ),
        "currency": Column("text", "As exported", "none"),
        "is_purchase": Column("bool", "This row is an order of the shop"),
        "is_refund": Column("bool", "This row takes an order back"),
        "error": Column("text", "Error message as exported", "not an error"),
        "load_seconds": Column("float", "Page load time", UNKNOWN),
        "engagement_seconds": Column("float", "The source's own time on this row", "the source has none"),
        "is_bounce": Column("bool", "The source's own verdict on this row's session", "the source has none"),
        "visit_number": Column("int", "The source's own visit number", "the source has none"),
        "properties": Column("json", "Everything else, as a JSON object of texts"),
        "items": Column("json", "JSON list of {item_id, name, category, brand, price, quantity}", "no items"),
        "reject": Column("text", "Reason code where the row cannot be kept", "it can"),
        "reject_column": Column("text", "Column that failed", "no reject, or the row as a whole"),
        "reject_value": Column("text", "Value seen, unmasked: intake masks it", "no reject"),
    },
)

ITEMS = Contract(
    "items",
    "one row per item of an event",
    {
        "event_id": Column("text", "The event it belongs to"),
        "item_id": Column("text", "Product id, exactly as exported", UNKNOWN),
        "name": Column("text", "Product name", UNKNOWN),
        "category": Column("text", "Product category", UNKNOWN),
        "brand": Column("text", "Brand", UNKNOWN),
        "price": Column("money", "Price of one, as exported", UNKNOWN),
        "quantity": Column("float", "How many", UNKNOWN),
    },
)

SESSIONS = Contract(
    "sessions",
    "one row per session of the whole export",
    {
        "session_id": Column("text", "Unique across visitors"),
        "visitor_id": Column("text", "The stitched person we count"),
        "device_id": Column("text", "Cookie or app id of the session", "login only"),
        "user_id": Column("text", "The login that decided the visitor", "never logged in"),
        "source_session": Column("text", "The source's own session id", "the export has none"),
        "start": Column("time", "Time of the first event, naive UTC"),
        "date": Column("date", "Start day in the client's time zone: the period is applied to it"),
        "hour": Column("int", "Start hour in the client's time zone"),
        "seconds": Column("float", "First to last event"),
        "events": Column("int", "Events"),
        "pages": Column("int", "Page views"),
        "landing_page": Column("text", "First page", "no page view"),
        "landing_page_type": Column("text", "Its page type", "no page type covers it"),
        "exit_page": Column("text", "Last page", "no page view"),
        "channel": Column("text", "By GA4's default rules", UNKNOWN),
        "source": Column("text", "Traffic source", UNKNOWN),
        "medium": Column("text", "Traffic medium", UNKNOWN),
        "campaign": Column("text", "Campaign", UNKNOWN),
        "referrer": Column("text", "Referrer of the landing", UNKNOWN),
        "platform": Column("text", "web, ios, android", UNKNOWN),
        "device": Column("text", "desktop, mobile, tablet: as exported, or told by model, system or agent", UNKNOWN),
        "browser": Column("text", "Browser", UNKNOWN),
        "os": Column("text", "Operating system", UNKNOWN),
        "country": Column("text", "Country", UNKNOWN),
        "language": Column("text", "Browser language", UNKNOWN),
        "visit_number": Column("int", "1.. in the visitor's life; the source's own number where it has one"),
        "is_new": Column("bool", "First visit"),
        "is_bounce": Column(
            "bool",
            "The source's flag; else one page, nothing done, nothing reached after the landing",
            "no page views, no flag",
        ),
        "is_single_page": Column("bool", "At most one page view: the other count, shown beside"),
        "orders": Column("int", "Distinct orders placed"),
        "revenue": Column("money", "Revenue of those orders in the client's currency"),
        "set_aside": Column("text", "Why this session is left out of the headline: bot, internal, test", "it counts"),
        "bucket": Column("text", "First two hex digits of md5(visitor_id): 256 groups for halves and resampling"),
    },
)

ORDERS = Contract(
    "orders",
    "one row per order",
    {
        "order_id": Column("text", "Order id; an order without one gets event:<event_id>"),
        "event_id": Column("text", "The first purchase event"),
        "has_id": Column("bool", "The export gave an id"),
        "session_id": Column("text", "Session of the first purchase event", "consent was denied"),
        "visitor_id": Column("text", "Visitor of that session", "consent was denied"),
        "time": Column("time", "Time of the first purchase event"),
        "date": Column("date", "Day in the client's time zone"),
        "revenue": Column(
            "money",
            "In the client's currency: the first purchase event with an amount",
            "no amount, or not convertible",
        ),
        "refunded": Column("money", "Refunds of this order, positive"),
        "items": Column("int", "Item rows"),
        "repeats": Column("int", "Further purchase events with the same id"),
        "differs": Column("bool", "Those events carry another amount"),
    },
)

BOOK_ORDERS = Contract(
    "book_orders",
    "one row per order of the shop's own books",
    {
        "order_id": Column("text", "Order id, exactly as exported"),
        "time": Column("time", "Naive UTC", UNKNOWN),
        "date": Column("date", "Day in the client's time zone", UNKNOWN),
        "revenue": Column("money", "In the client's currency", UNKNOWN),
    },
)

REJECTS = Contract(
    "rejects",
    "one row per quarantined row of the export",
    {
        "file": Column("text", "File, relative to the client's folder"),
        "line": Column("int", "Line or row number, from 1", "the file has no lines"),
        "reason": Column("text", "Reason code"),
        "column": Column("text", "Column that failed", "the row as a whole"),
        "value": Column("text", "Value seen, masked"),
    },
)

ASIDE = Contract(
    "aside",
    "one row per session set aside",
    {
        "session_id": Column("text", "Session"),
        "reason": Column("text", "bot, internal or test"),
        "rule": Column("text", "Which rule it met: user_agent, many_events, no_dwell, ... or a name from the config"),
        "evidence": Column("text", "The count, seconds or text that met it", "a rule of the config"),
    },
)

LEDGER = Contract(
    "ledger",
    "one row per file and terminal reason; rows_in = kept + quarantined, kept = analysed + set aside",
    {
        "file": Column("text", "File, relative to the client's folder"),
        "status": Column("text", "analysed, set_aside or quarantined"),
        "reason": Column("text", "Reason code; 'ok' for analysed rows"),
        "rows": Column("int", "Rows with this fate"),
        "orders": Column("int", "Distinct orders among them"),
        "revenue": Column("money", "Amounts among them in the client's currency"),
    },
)

STAGE_COUNTS = Contract(
    "stage_counts",
    "one row per date, stage and segment of a totals export",
    {
        "date": Column("date", "Day", "totals of the whole period"),
        "stage": Column("text", "Stage name"),
        "segment": Column("text", "Campaign or other segment", "all"),
        "count": Column("float", "How many; parts too, where a tool shares a sale among several clicks"),
        "cost": Column("money", "Cost", "no cost"),
    },
)

OUTCOMES = Contract(
    "outcomes",
    "one row per lead and stage it reached, from a CRM",
    {
        "lead_id": Column("text", "Lead id, as in the goal's order_id or property lead_id"),
        "stage": Column("text", "qualified, won, lost, churned"),
        "time": Column("time", "Naive UTC", UNKNOWN),
        "value": Column("money", "Value in the client's currency", "no value"),
    },
)

MARKS = Contract(
    "marks",
    "one row per event and rule of the config it matches",
    {
        "session_id": Column("text", "Session"),
        "visitor_id": Column("text", "Visitor"),
        "event_number": Column("int", "See events"),
        "moment": Column("int", "See events"),
        "visitor_event_number": Column("int", "See events"),
        "visitor_moment": Column("int", "See events"),
        "time": Column("time", "Naive UTC"),
        "name": Column(
            "text", "The rule: a micro-conversion, goal, step, success; evidence:<intent>:<strength> for intent rules"
        ),
        "detail": Column("text", "What matched: the page, else the event", "a rule about the whole session"),
    },
)

CONTRACTS = {contract.name: contract for contract in (
    ROWS, EVENTS, ITEMS, SESSIONS, ORDERS, BOOK_ORDERS, REJECTS, ASIDE, LEDGER, STAGE_COUNTS, OUTCOMES, MARKS,
)}  # fmt: skip
