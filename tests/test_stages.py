"""Totals of stages: what each passes on, where it is weak, what broke."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conversion_audit.analysis import stage_claims, stages
from conversion_audit.report.figures import plot_funnel
from conversion_audit.report.wording import next_step_of
from conversion_audit.report.words import label, text

STAGES = ["Impressions", "Clicks", "Opt-ins", "Follow-ups sent", "Delivered", "Opened", "Added to cart", "Paid"]


def totals(weeks: int = 8, **shares: float) -> pd.DataFrame:
    """Two campaigns of the same quality; `shares` replaces one share of campaign B, in the later half with `_late`."""
    usual = {"Clicks": 0.02, "Opt-ins": 0.3, "Follow-ups sent": 1, "Delivered": 0.98, "Opened": 0.4}
    usual |= {"Added to cart": 0.3, "Paid": 0.5}
    random = np.random.default_rng(4)
    rows = []
    for week in range(weeks):
        for segment in ("A", "B"):
            count = int(100_000 * random.uniform(0.9, 1.1))
            rows.append((week, "Impressions", segment, count, 1000.0))
            for stage, share in usual.items():
                key = stage.split()[0].lower().replace("-", "_")
                if segment == "B":
                    share = shares.get(key, share)
                    share = shares.get(f"{key}_late", share) if week >= weeks // 2 else share
                count = random.binomial(count, share)
                rows.append((week, stage, segment, count, np.nan))
    frame = pd.DataFrame(rows, columns=["week", "stage", "segment", "count", "cost"])
    return frame.assign(date=pd.Timestamp("2026-03-02") + pd.to_timedelta(frame.week * 7, unit="D")).drop(
        columns="week"
    )


def test_stages_come_in_their_usual_order_whatever_order_they_were_read_in():
    shuffled = totals().sample(frac=1, random_state=3)
    assert stages.stage_order(shuffled) == STAGES
    assert stages.stage_order(shuffled[shuffled.stage.isin(["Paid", "Clicks"])]) == ["Clicks", "Paid"]


def mails(**counts: float) -> pd.DataFrame:
    frame = pd.DataFrame({"stage": list(counts), "count": list(counts.values()), "cost": np.nan, "segment": None})
    return frame.assign(date=pd.Timestamp("2026-03-02")).astype({"segment": "string", "count": float})


def test_clicks_in_messages_come_after_opening_them():
    table = stages.stage_table(mails(Clicked=500, Sent=10_000, Delivered=9_800, Opened=3_000, Purchases=40))
    assert table.stage.tolist() == ["Sent", "Delivered", "Opened", "Clicked", "Purchases"]
    assert table.rate.tolist()[1:] == pytest.approx([0.98, 3_000 / 9_800, 500 / 3_000, 0.08])
    assert table.parameter.tolist()[2:] == ["open_rate", "click_to_open_rate", "payment_rate"]
    # Clicks on an advertisement were shown before; without opens, nothing says that they are in a message.
    assert stages.stage_order(mails(Impressions=9_000, Clicks=90, Sent=300, Opened=100))[:2] == [
        "Impressions",
        "Clicks",
    ]
    table = stages.stage_table(mails(Clicks=90, Sent=80, Delivered=70))
    assert table.stage.tolist() == ["Clicks", "Sent", "Delivered"]


def test_more_than_the_stage_before_is_no_share_and_has_no_interval():
    row = stages.stage_table(mails(Sent=110, Delivered=100, Opened=130)).iloc[2]
    assert (row.rate, np.isnan(row.rate_low), np.isnan(row.rate_high)) == (1.3, True, True)


def test_each_stage_is_a_share_of_the_one_before_under_its_usual_name():
    frame = pd.DataFrame(
        {
            "date": pd.Timestamp("2026-03-02"),
            "stage": ["Impressions", "Clicks", "Paid"],
            "segment": None,
            "count": [400_000, 6_000, 120],
            "cost": [4000.0, np.nan, np.nan],
        }
    ).astype({"segment": "string"})
    table = stages.stage_table(frame).set_index("stage")
    assert table.of.tolist()[1:] == ["Impressions", "Clicks"]
    assert table.parameter.tolist() == ["reach", "click_rate", "payment_rate"]
    assert table.rate.tolist()[1:] == pytest.approx([0.015, 0.02]) and np.isnan(table.rate.iloc[0])
    assert table.cost_per.tolist() == pytest.approx([0.01, 0.6667, 33.3333], rel=1e-3)
    assert (table.rate_low.iloc[1:] < table.rate.iloc[1:]).all()


def test_a_breakdown_has_one_chain_for_each_group():
    table = stages.stage_table(totals(), by=["segment"])
    assert table.groupby("segment").stage.apply(list).tolist() == [STAGES, STAGES]


def test_a_campaign_that_passes_on_less_than_its_siblings_is_weak():
    weak = stages.weak_links(totals(opened=0.3))
    first = weak.iloc[0]
    assert (first.segment, first.stage, first.benchmark_kind, first.is_weak) == ("B", "Opened", "siblings", True)
    assert first.difference == pytest.approx(-0.1, abs=0.02)


def test_campaigns_alike_are_not_weak():
    assert not stages.weak_links(totals()).is_weak.any()


def test_among_many_campaigns_alike_hardly_any_is_called_weak():
    random, told, worlds = np.random.default_rng(3), 0, 30
    for _ in range(worlds):
        frames = []
        for name, week in ((name, week) for name in "ABCDEFGH" for week in range(8)):
            shown = random.poisson(8000)
            clicked = random.binomial(shown, 0.03)
            put = random.binomial(clicked, 0.2)
            counts = [shown, clicked, put, random.binomial(put, 0.4)]
            frames += [
                (week, *one, name)
                for one in zip(["Impressions", "Clicks", "Added to cart", "Paid"], counts, strict=True)
            ]
        frame = pd.DataFrame(frames, columns=["week", "stage", "count", "segment"]).assign(cost=np.nan)
        days = pd.Timestamp("2026-03-02") + pd.to_timedelta(frame.pop("week") * 7, unit="D")
        told += bool(stages.weak_links(frame.assign(date=days)).is_weak.any())
    assert told / worlds <= 0.2  # one in ten, and chance


def test_messages_owed_and_never_sent_are_a_finding_of_their_own():
    made = stage_claims.findings(totals(follow_ups=0.8))
    claims = {one.claim: one for one in made}
    assert claims["stages.never_sent"].values["missing_share"] == pytest.approx(0.1, abs=0.02)
    assert "stages.not_delivered" not in claims


def test_fewer_and_dearer_clicks_are_told_together():
    made = stage_claims.findings(totals(clicks_late=0.014))
    one = next(one for one in made if one.claim == "stages.dearer_clicks")
    assert one.segment == {"segment": "B"}
    assert one.values["rate_after"] < one.values["rate_before"] and one.values["cost_after"] > one.values["cost_before"]


def test_the_seam_shows_the_week_in_which_visits_are_missing():
    days = pd.date_range("2026-03-02", periods=56)
    sessions = pd.DataFrame({"date": np.repeat(days, 400), "channel": "Paid Search"})
    lost = (sessions.date >= "2026-03-23") & (sessions.date < "2026-03-30") & (sessions.index % 4 > 0)
    table = stages.seam(totals(), sessions[~lost])
    assert table.week[table.is_odd].tolist() == [pd.Timestamp("2026-03-23")]


def test_clicks_of_campaigns_across_networks_lead_to_sessions_of_the_seam():
    days = pd.date_range("2026-03-02", periods=56)
    sessions = pd.DataFrame(
        {"date": np.repeat(days, 40), "channel": ["Paid Search", "Cross-network", "Display", "Direct"] * 560}
    )
    assert stages.seam(totals(), sessions).sessions.tolist() == [7 * 30] * 8


def test_a_week_without_any_visit_is_in_the_seam_and_odd():
    weeks = pd.date_range("2026-03-02", periods=8, freq="7D")
    counts = pd.DataFrame({"date": weeks, "stage": "Clicks", "segment": "A", "count": 100.0, "cost": np.nan})
    tracked = weeks[[1, 2, 3, 5, 6]]  # not yet in the first week, down in the fifth, the export ends before the last
    table = stages.seam(counts, pd.DataFrame({"date": np.repeat(tracked, 90), "channel": "Paid Search"}))
    assert table.week.tolist() == weeks[1:7].tolist()
    assert table.sessions.tolist() == [90, 90, 90, 0, 90, 90]
    assert table.arrival_rate.tolist() == [0.9, 0.9, 0.9, 0.0, 0.9, 0.9]
    assert table.week[table.is_odd].tolist() == [weeks[4]]


def two_tools() -> pd.DataFrame:
    """Advertisements and a newsletter, exported side by side: nobody who clicked asked for a message."""
    frame = totals()
    ads = frame[frame.stage.isin(["Impressions", "Clicks", "Paid"])]
    mails = frame[frame.stage.isin(["Follow-ups sent", "Delivered", "Opened", "Paid"])]
    clicked = mails[mails.stage == "Opened"].assign(stage="Clicks", count=lambda rows: rows["count"] * 0.1)
    mails = pd.concat([mails, clicked]).assign(segment=lambda rows: "mail " + rows.segment)
    return pd.concat([ads, mails.assign(count=lambda rows: rows["count"] * 500)], ignore_index=True)


def test_messages_of_another_tool_are_a_chain_of_their_own():
    counts = two_tools()
    table = stages.stage_table(counts, by=["segment"])
    assert table[table.segment == "mail A"].stage.tolist() == [
        "Follow-ups sent",
        "Delivered",
        "Opened",
        "Clicks",
        "Paid",
    ]
    assert (stages.weak_links(counts).rate <= 1).all()
    key, values = stage_claims.headline(counts)
    assert (key, values["first"], values["message_first"]) == (
        "stages.headline_messages",
        "Impressions",
        "Follow-ups sent",
    )
    paid = counts[counts.stage == "Paid"].groupby(counts.segment.str.startswith("mail"))["count"].sum()
    assert (values["count"], values["message_count"]) == (paid[False], paid[True])
    nobody = pd.DataFrame({"step": [], "at_risk": [], "passed": []})
    chain = stages.joined_stages(counts, nobody)
    assert chain.source.tolist() == ["totals"] * 3 + ["messages"] * 5
    for told in (stage_claims.headline(counts), stage_claims.chain_claim(chain)):
        assert text(*told).endswith("at “Paid”") or text(*told).endswith("reach “Paid”")


def test_what_a_report_merged_is_no_segment_to_judge():
    counts = totals(opened=0.3)
    assert stages.weak_links(counts).is_weak.any()
    merged = counts.assign(segment=counts.segment.replace({"B": "(other)"}))
    assert not stages.weak_links(merged).is_weak.any()


def test_the_share_of_a_stage_has_a_name_of_its_own_and_a_chain_begins_with_none():
    counts = mails(session=900, engaged_session=500).replace({"stage": {"engaged_session": "engaged session"}})
    counts = pd.concat([counts, mails(booked=50)], ignore_index=True)
    table = stages.stage_table(counts)
    assert table.parameter.isna().tolist() == [True, False, False]
    assert [label(name) for name in table.parameter[1:]] == ["engagement rate", "rate"]


def test_every_finding_about_totals_says_what_to_do_next():
    made = stage_claims.findings(totals(clicks_late=0.014, follow_ups=0.8, delivered=0.5, opened=0.3))
    assert {one.claim.split(".")[1] for one in made} == {"weak", "dearer_clicks", "never_sent", "not_delivered"}
    assert all(next_step_of(one.record()) for one in made)


def test_totals_and_events_make_one_chain():
    steps = pd.DataFrame({"step": ["cart", "purchase"], "at_risk": [900, 300], "passed": [300, 40]})
    chain = stages.joined_stages(totals(), steps)
    assert chain.step.tolist() == ["Impressions", "Clicks", "session", "cart", "purchase"]
    assert chain.source.tolist() == ["totals"] * 2 + ["events"] * 3


def test_no_totals_are_no_error():
    empty = totals().head(0)
    nobody = pd.DataFrame({"date": pd.to_datetime([]), "channel": pd.Series([], dtype="string")})
    assert stages.seam(totals(), nobody).empty
    assert stages.stage_table(empty).empty and stages.weak_links(empty).empty and stage_claims.findings(empty) == []


def test_a_stage_that_a_segment_never_names_is_no_zero():
    frame = totals()
    mails = frame[~((frame.segment == "A") & (frame.stage == "Paid"))]
    weak = stages.weak_links(mails)
    assert not ((weak.segment == "A") & (weak.stage == "Paid")).any() and not weak.is_weak.any()


def test_clicks_of_one_tool_are_owed_no_message_of_another():
    frame = totals()
    ads = frame[frame.stage.isin(["Impressions", "Clicks"])].assign(
        segment="ads", count=lambda rows: rows["count"] * 100
    )
    mails = frame[frame.stage.isin(["Follow-ups sent", "Opened"])]
    assert "stages.never_sent" not in {one.claim for one in stage_claims.findings(pd.concat([ads, mails]))}


def test_counts_of_an_ad_tool_and_sessions_of_all_channels_are_no_shares_of_each_other():
    rows = [("impression", 85_722, "totals"), ("session", 1_711, "events"), ("purchase", 88, "events")]
    chain = pd.DataFrame(rows, columns=["step", "count", "source"])
    values = {"first": "impression", "first_count": 85_722, "last": "purchase", "count": 88}
    assert stage_claims.chain_claim(chain) == ("stages.chain_claim_both", values | {"sessions": 1_711})
    assert stage_claims.chain_claim(chain.assign(source="totals")) == ("stages.chain_claim", values)
    drawn = {words.get_text() for words in plot_funnel(chain).texts}
    assert {"counted", "88", "5.1%"} <= drawn  # of the sessions
    assert not {"sessions", "2.0%", "0.1%"} & drawn  # of what the tool counted
