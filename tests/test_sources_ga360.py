from __future__ import annotations

from conftest import real_data
from exports import FIXTURES, expected, opened, plain, rows_of

from conversion_audit.intake.sources import recognise


def test_every_hit_of_the_fixture_is_read_as_it_stands_beside_it(tmp_path):
    found = plain(rows_of("ga360", FIXTURES / "ga360", "sessions.ndjson", scratch=tmp_path))
    assert found == expected("ga360", "expected.json")


def test_the_kind_is_told_from_the_rows(tmp_path):
    found = recognise(opened(FIXTURES / "ga360", "sessions.ndjson", scratch=tmp_path))
    assert {kind: reason for kind, [(_, reason)] in found.items()} == {
        "ga360": "its rows have hits, visitId, visitStartTime"
    }


def test_an_address_in_the_action_of_an_event_is_masked(tmp_path):
    text = (FIXTURES / "ga360" / "sessions.ndjson").read_text(encoding="utf-8")
    text = text.replace('"Quickview Click"', '"Login jo@example.com"').replace('"action_type":"2"', '"action_type":"0"')
    (tmp_path / "sessions.ndjson").write_text(text, encoding="utf-8")
    found = plain(rows_of("ga360", tmp_path, "sessions.ndjson", scratch=tmp_path / "scratch"))
    assert "Login [email]" in [row.get("event") for row in found]
    assert len(found) == len(expected("ga360", "expected.json"))


def test_google_s_published_day_is_read_hit_by_hit(tmp_path):
    path = real_data("ga360_sample/ga_sample.parquet")
    rows = rows_of("ga360", path.parent, path.name, scratch=tmp_path)
    one = rows.engine.query(
        """
        SELECT count(*) AS hits, count(DISTINCT line) AS lines, count(DISTINCT device_id || source_session) AS sessions,
               count(DISTINCT device_id) AS visitors, count(*) FILTER (is_purchase) AS purchases,
               count(DISTINCT order_id) AS orders, count(amount) AS amounts, sum(amount) AS revenue,
               count(DISTINCT CASE WHEN is_bounce THEN device_id || source_session END) AS bounces, count(reject) AS rejects
        FROM rows
        """,
        {"rows": rows},
    ).iloc[0]
    assert one.to_dict() == {
        "hits": 13233, "lines": 13233, "sessions": 2556, "visitors": 2293, "purchases": 92, "orders": 43, "amounts": 45,
        "revenue": 8902.0, "bounces": 1238, "rejects": 0,
    }  # fmt: skip
    steps = rows.engine.query(
        "SELECT event, count(DISTINCT device_id || source_session) AS sessions FROM rows GROUP BY event", {"rows": rows}
    )
    sessions = dict(zip(steps.event, steps.sessions, strict=True))
    wanted = ("view_item", "add_to_cart", "begin_checkout", "checkout_step_2", "checkout_step_3", "purchase")
    assert [sessions[event] for event in wanted] == [430, 176, 100, 64, 45, 43]
