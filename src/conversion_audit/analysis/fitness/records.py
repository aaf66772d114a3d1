"""What the tables of chapter 00 say in one line: records for its sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd


def days_record(days: pd.DataFrame) -> dict[str, Any]:
    """Return claim (key of the sentence), days, bad, empty, first, last; see `calendar.days`."""
    bad, empty = int(days["is_alarm"].sum()), int(days["is_missing"].sum())
    odd = {"_gaps": bad, "_few": empty, "_one": len(days) == 1}
    claim = "days_claim" + next((kind for kind, is_so in odd.items() if is_so), "")
    span = {"first": days["date"].min(), "last": days["date"].max()}
    return {"claim": f"fitness.{claim}", "days": len(days), "bad": bad, "empty": empty, **span}


def hours_record(quiet: pd.DataFrame) -> dict[str, Any]:
    """Return claim, from_hour, to_hour; see `calendar.quiet_hours`."""
    from_hour = quiet["from_hour"].iloc[0]
    return {"claim": "fitness.hours_claim", "from_hour": from_hour, "to_hour": (from_hour + 6) % 24}


def events_record(events: pd.DataFrame) -> dict[str, Any]:
    """Return claim, events, steady; see `calendar.event_days`."""
    steady = int((events["pattern"] == "steady").sum())
    return {"claim": "fitness.events_claim", "events": len(events), "steady": steady}


def books_record(match: pd.DataFrame) -> dict[str, Any]:
    """Return claim, both, booked; see `orders.book_match`."""
    orders = match.set_index("found_in")["orders"]
    both = int(orders.get("in_both", 0))
    booked = both + int(orders.get("books_only", 0))
    return {"claim": "fitness.books_claim" if booked else "fitness.books_claim_none", "both": both, "booked": booked}


def consent_record(consent: pd.DataFrame) -> dict[str, Any]:
    """Return claim, rate; see `coverage.consent`."""
    rate = float(consent["without_rate"].iloc[0])
    return {"claim": "fitness.consent_claim" if rate > 0 else "fitness.consent_claim_none", "rate": rate}


def people_record(people: pd.DataFrame) -> dict[str, Any]:
    """Return claim, session_rate, visitor_rate; see `people.people`."""
    rates = people.set_index("unit")["conversion_rate"]
    return {"claim": "fitness.people_claim", "session_rate": rates["session"], "visitor_rate": rates["visitor"]}


def traffic_record(traffic: pd.DataFrame) -> dict[str, Any]:
    """Return claim, rate: the share of sessions set aside; see `coverage.set_aside`."""
    sessions = traffic.set_index("part")["sessions"]
    every = int(sessions.get("all", 0))
    rate = 1 - sessions.get("counted", 0) / every if every else float("nan")
    return {"claim": "fitness.traffic_claim" if rate > 0 else "fitness.traffic_claim_none", "rate": rate}


def timeouts_record(timeouts: pd.DataFrame) -> dict[str, Any]:
    """Return minutes and sessions of the gap that is used; see `intake.sessions.timeouts`."""
    used = timeouts[timeouts["is_used"]].iloc[0]
    return {"minutes": int(used["minutes"]), "sessions": int(used["sessions"])}


def for_everyone(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `tags.step_gaps` for everyone that a later step can check, without the columns of segments."""
    rows = steps[steps["device"].isna() & steps["browser"].isna() & (steps["later_sessions"] > 0)]
    return rows.drop(columns=["device", "browser"]).reset_index(drop=True)


def steps_record(everyone: pd.DataFrame) -> dict:
    """Return the step of `for_everyone` that is recorded with the largest gap, or that none is."""
    worst = everyone[everyone["without"] > 0].nlargest(1, "without_rate")
    if not len(worst):
        return {"claim": "fitness.steps_none"}
    return {"claim": "fitness.steps_claim", **worst.iloc[0].to_dict()}
