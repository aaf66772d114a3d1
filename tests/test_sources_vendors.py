"""One small shop visit in every event-level format: the same numbers whatever the tool was."""

from __future__ import annotations

import json

import pytest
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.audit import open_audit
from conversion_audit.intake.headerless import SNOWPLOW
from conversion_audit.intake.sources import KINDS, recognise

NOON = 1772449200  # 2026-03-02 11:00 UTC
VISIT = [
    (0, "view", "https://shop.example/", {}),
    (20, "view", "https://shop.example/p/hat", {}),
    (60, "purchase", "https://shop.example/done", {"order_id": "0012", "revenue": 59.9, "currency": "EUR"}),
]


@pytest.mark.parametrize(
    ("kind", "name", "beside"),
    [
        ("amplitude", "export.json", "expected.json"),
        ("posthog", "events.jsonl", "expected_json.json"),
        ("posthog", "events.csv", "expected_csv.json"),
        ("segment", "calls.json", "expected.json"),
        ("snowplow", "enriched.tsv", "expected.json"),
        ("logs", "access.log", "expected.json"),
        ("matomo", "visits.json", "expected.json"),
    ],
)
def test_every_row_of_a_fixture_is_read_as_it_stands_beside_it(tmp_path, kind, name, beside):
    assert plain(rows_of(kind, FIXTURES / kind, name, scratch=tmp_path)) == expected(kind, beside)
    assert list(recognise(opened(FIXTURES / kind, name, scratch=tmp_path))) == [kind]


def ga4(at, event, url, order):
    params = {"ga_session_id": "1", "page_location": url}
    row = {"event_name": "page_view" if event == "view" else event, "event_timestamp": str((NOON + at) * 1_000_000)}
    shop = {"transaction_id": order["order_id"], "purchase_revenue": order["revenue"]} if order else None
    listed = [{"key": key, "value": {"string_value": value}} for key, value in params.items()]
    listed += [{"key": "currency", "value": {"string_value": order["currency"]}}] if order else []
    return {**row, "user_pseudo_id": "0012.1", "event_params": listed, "ecommerce": shop}


def mixpanel(at, event, url, order):
    name = "$mp_web_page_view" if event == "view" else "Order Completed"
    return {"event": name, "properties": {"time": NOON + at, "distinct_id": "0012.1", "$current_url": url, **order}}


def kissmetrics(at, event, url, order):
    name = "Page View" if event == "view" else "Completed Order"
    person = "cKq2FJ0cOeDTf8x0RDGVmPCXHc8="
    renamed = (
        {"Order ID": order["order_id"], "Order Total": order["revenue"], "Currency": order["currency"]} if order else {}
    )
    return {"_n": name, "_p": person, "_t": NOON + at, "url": url, **renamed}


def amplitude(at, event, url, order):
    name = "[Amplitude] Page Viewed" if event == "view" else "Order Completed"
    properties = {"[Amplitude] Page URL": url, **order}
    return {
        "event_type": name,
        "event_time": f"2026-03-02 11:{at // 60:02}:{at % 60:02}",
        "device_id": "0012.1",
        "event_properties": properties,
    }


def posthog(at, event, url, order):
    name = "$pageview" if event == "view" else "Order Completed"
    time = f"2026-03-02T11:{at // 60:02}:{at % 60:02}Z"
    properties = {"$current_url": url, "$session_id": "s", **order}
    return {"uuid": f"u{at}", "event": name, "timestamp": time, "distinct_id": "0012.1", "properties": properties}


def segment(at, event, url, order):
    time = f"2026-03-02T11:{at // 60:02}:{at % 60:02}Z"
    call = {"type": "page"} if event == "view" else {"type": "track", "event": "Order Completed"}
    return {
        **call,
        "messageId": f"m{at}",
        "anonymousId": "0012.1",
        "timestamp": time,
        "properties": {"url": url, **order},
    }


def table(at, event, url, order):
    name = "page_view" if event == "view" else event
    return {"time": NOON + at, "event": name, "visitor_id": "0012.1", "url": url, **order}


def matomo(at, event, url, order):
    order = (
        {"type": "ecommerceOrder", "orderId": order["order_id"], "revenue": order["revenue"]}
        if order
        else {"type": "action"}
    )
    visit = {"idVisit": "1", "visitorId": "0012.1", "siteCurrency": "EUR"}
    return {**visit, "actionDetails": [{"url": url, "timestamp": NOON + at, **order}]}


def snowplow(at, event, url, order):
    name = "page_view" if event == "view" else "transaction"
    when = f"2026-03-02 11:{at // 60:02}:{at % 60:02}.000"
    ids = {"event_id": f"c6ef3124-b53a-4b13-a233-0088f79dc{at:03}", "domain_userid": "0012.1", "collector_tstamp": when}
    shop = (
        {"tr_orderid": order["order_id"], "tr_total": order["revenue"], "tr_currency": order["currency"]}
        if order
        else {}
    )
    return {**ids, "event_name": name, "page_url": url, **shop}


WRITERS = {
    writer.__name__: writer for writer in (ga4, mixpanel, kissmetrics, amplitude, posthog, segment, snowplow, table)
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_visit_gives_the_same_numbers_in_every_format(tmp_path, kind):
    lines = [json.dumps(WRITERS[kind](*step)) for step in VISIT]
    (tmp_path / "export").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert list(recognise(opened(tmp_path, "export", scratch=tmp_path / "scratch"))) == [kind]
    found = plain(rows_of(kind, tmp_path, "export", scratch=tmp_path / "scratch"))
    assert [(row["time"], row["page_url"], row.get("is_page", False)) for row in found] == [
        ("2026-03-02 11:00:00", "https://shop.example/", True),
        ("2026-03-02 11:00:20", "https://shop.example/p/hat", True),
        ("2026-03-02 11:01:00", "https://shop.example/done", False),
    ]
    assert {row["device_id"] for row in found} == {
        "cKq2FJ0cOeDTf8x0RDGVmPCXHc8=" if kind == "kissmetrics" else "0012.1"
    }
    [order] = [row for row in found if row.get("is_purchase")]
    assert (order["order_id"], order["amount"], order["currency"]) == ("0012", 59.9, "EUR")


def ga360(at, event, url, order):
    hit = {"hitNumber": str(1 + at // 20), "time": str(at * 1000), "type": "PAGE" if event == "view" else "EVENT"}
    host, path = url.removeprefix("https://").split("/", 1)
    hit |= {"page": {"pagePath": f"/{path}", "hostname": host}}
    if order:
        money = str(int(float(order["revenue"]) * 1_000_000))
        hit |= {
            "eCommerceAction": {"action_type": "6"},
            "transaction": {
                "transactionId": order["order_id"], "transactionRevenue": money, "localTransactionRevenue": money,
                "currencyCode": "EUR",
            },
        }  # fmt: skip
    return {
        "visitId": str(NOON), "visitStartTime": str(NOON), "visitNumber": "1", "fullVisitorId": "0012.1", "date": "20260302",
        "totals": {"hits": "3"}, "hits": [hit],
    }  # fmt: skip


def snowplow_tsv(at, event, url, order):
    fields = snowplow(at, event, url, order)
    fields |= {"platform": "web", "app_id": "shop", "event": "page_view" if event == "view" else "transaction"}
    return "\t".join(str(fields.get(name, "")) for name in SNOWPLOW)


def logs(at, event, url, order):
    clock = f"02/Mar/2026:11:{at // 60:02}:{at % 60:02} +0000"
    path = url.removeprefix("https://shop.example")
    return f'203.0.113.9 - - [{clock}] "GET {path} HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (Windows NT 10.0)"'


ONE_CONFIG = """\
client: Acme
currency: EUR
timezone: UTC
main_goal: purchase
sources:
  - {kind: KIND, files: raw/export}
goals:
  purchase: {event: [purchase, transaction, Order Completed, Completed Order, ecommerceOrder, order, transaction_item], value: revenue}
journey: []
"""


@pytest.mark.parametrize("writer", [*WRITERS.values(), matomo, ga360, snowplow_tsv, logs], ids=lambda one: one.__name__)
def test_the_same_visit_gives_the_same_headline_from_every_tool(audit_home, writer):
    lines = [writer(*step) for step in VISIT]
    raw = audit_home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    (raw / "export").write_text(text, encoding="utf-8")
    config = ONE_CONFIG.replace("KIND", writer.__name__.removesuffix("_tsv"))
    (raw.parent / "audit.yaml").write_text(config, encoding="utf-8")
    audit = open_audit("acme")
    [session] = audit.sessions.frame().to_dict("records")
    has_orders = writer is not logs  # a log knows addresses, no orders; the page after the order is a page like others
    assert (session["pages"], session["landing_page"], session["seconds"]) == (2 if has_orders else 3, "/", 60.0)
    assert (session["orders"], float(session["revenue"])) == ((1, 59.9) if has_orders else (0, 0.0))
    assert list(audit.ledger[["status", "reason", "rows"]].itertuples(index=False, name=None)) == [
        ("analysed", "ok", 3)
    ]
    if has_orders:
        assert list(audit.orders.frame()["order_id"]) == ["0012"]


def test_a_page_that_the_browser_had_kept_is_a_page_and_no_redirect(tmp_path):
    line = '203.0.113.9 - - [02/Mar/2026:12:00:00 +0100] "GET /hats HTTP/1.1" {} 0 "-" "Mozilla/5.0"\n'
    (tmp_path / "access.log").write_text("".join(line.format(status) for status in (200, 304, 301, 302)))
    events = [row["event"] for row in plain(rows_of("logs", tmp_path, "access.log", scratch=tmp_path))]
    assert sorted(events) == ["page_view", "page_view", "redirect", "redirect"]


def test_every_kind_has_the_one_interface():
    for name, module in KINDS.items():
        assert name == module.KIND
        assert module.GIVES in ("rows", "book_orders", "stage_counts", "outcomes")
        assert (
            module.TITLE and module.NEEDS and module.__doc__ and callable(module.read) and callable(module.recognises)
        )
