"""Findings about how much is known: orders, books, consent, segments, traffic, people, order of events, rows."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from conversion_audit.analysis.fitness.gaps import EVERY, fault, note
from conversion_audit.findings import Finding

FEW, MANY = 0.02, 0.10
UNKNOWN, MOSTLY_UNKNOWN = 0.10, 0.95
UNCOVERED = 0.20
NO_CONSENT, MUCH_NO_CONSENT = 0.05, 0.20
TIED, MUCH_TIED, ALL_TIED = 0.02, 0.20, 0.90
NO_USER_AGENT = frozenset(("ga4", "ga360"))
_WEAKENS = {"channel": ("03", "05"), "landing_page": ("03",)}


def orders(faults: pd.DataFrame, has_orders: bool) -> list[Finding]:
    """Find orders without id, with an id that repeats, with differing amounts or none."""
    row = faults.iloc[0].to_dict()
    row |= {name: int(row[name]) for name in row.keys() - {"differing_ids", "currencies", "refunded_revenue"}}
    if not row["orders"]:
        return [fault("no_orders", "high", EVERY, row)] if has_orders else []
    found = []
    checks = (
        ("without_id", "unnumbered_orders", ("01",)),
        ("differing_orders", "differing_orders", ("01", "05")),
        ("without_revenue", "unpriced_orders", ("01", "04", "05")),
        ("without_rate", "foreign_orders", ("01", "04", "05")),
    )
    for claim, name, voids in checks:
        rate = row[name] / row["orders"]
        if row[name]:
            severity = "high" if rate > MANY else "medium" if rate > FEW else "low"
            found.append(fault(claim, severity, voids, row | {"rate": rate}))
    if row["repeated_orders"]:
        rate = row["repeated_orders"] / row["orders"]
        values = row | {"rate": rate}
        found.append(fault("repeated_orders", "low", (), values) if rate > FEW else note("repeated_orders", values))
    if row["refunded_orders"]:
        found.append(note("refunded", row | {"rate": row["refunded_orders"] / row["orders"]}))
    return found


def books(match: pd.DataFrame) -> list[Finding]:
    """Find orders that the export or the shop's own books lack, and those with another amount in the two."""
    if match.empty:
        return []
    rows = match.set_index("found_in").reindex(["in_both", "books_only", "export_only"]).fillna(0)
    both, only_books, only_export = (
        int(rows.loc[place, "orders"]) for place in ("in_both", "books_only", "export_only")
    )
    booked = both + only_books
    values = {
        "both": both,
        "missing": only_books,
        "extra": only_export,
        "booked": booked,
        "exported": both + only_export,
    }
    if not both:
        return [fault("books_no_match", "medium", ("01",), values)]
    revenue, booked_revenue = rows.loc["in_both", "revenue"], rows.loc["in_both", "book_revenue"]
    values |= {"rate": only_books / booked, "revenue": revenue, "book_revenue": booked_revenue}
    worth = match.set_index("found_in").astype(object).where(match.set_index("found_in").notna(), None)
    values |= {
        "missing_revenue": worth["book_revenue"].get("books_only"),
        "extra_revenue": worth["revenue"].get("export_only"),
        "differing": int(rows.loc["in_both", "differing_orders"]),
        "differing_revenue": float(rows.loc["in_both", "differing_revenue"]),
    }
    found = []
    if only_books:
        severity = "high" if values["rate"] > MANY else "medium" if values["rate"] > FEW else "low"
        found.append(fault("books_missing", severity, ("01", "05"), values))
    if only_export:
        told = values | {"rate": only_export / values["exported"]}
        found.append(fault("books_extra", "low", ("01",), told) if told["rate"] > FEW else note("books_extra", told))
    apart = rows.loc["in_both", "net_revenue"] / booked_revenue if booked_revenue else 0.0
    if abs(apart) > FEW:
        claim = "books_revenue_less" if apart < 0 else "books_revenue_more"
        told = values | {"rate": abs(apart)}
        found.append(fault(claim, "medium", ("01", "05"), told, next_step="fitness.books_revenue_next"))
    elif values["differing"]:
        told = values | {"rate": values["differing"] / both}
        found.append(fault("books_differ", "low", ("01",), told) if told["rate"] > FEW else note("books_differ", told))
    return found or [note("books_agree", values)]


def consent(shares: pd.DataFrame) -> list[Finding]:
    """Say how much is seen without consent, and where most of it is."""
    row = shares.iloc[0]
    if not row["without_consent"]:
        return []
    devices = shares.iloc[1:].sort_values(["without_rate", "device"], ascending=[False, True], kind="stable")
    rate = float(row["without_rate"])
    values = {
        "rate": rate,
        "without_consent": int(row["without_consent"]),
        "events": int(row["events"]),
        "device": devices.iloc[0]["device"],
        "device_rate": float(devices.iloc[0]["without_rate"]),
        "orders": int(row["orders"]),
        "revenue": float(row["revenue"]),
    }
    claim = "consent_orders" if values["orders"] else "consent"
    if rate <= NO_CONSENT:
        return [note(claim, values)]
    return [fault(claim, "high" if rate > 0.5 else "medium" if rate > MUCH_NO_CONSENT else "low", ("01",), values)]


def unknown(shares: pd.DataFrame) -> list[Finding]:
    """Find segments that are often or always unknown."""
    rows = shares[shares["unknown_rate"] > UNKNOWN]
    absent = rows[rows["unknown_rate"] > MOSTLY_UNKNOWN]
    found = []
    if len(absent):
        names = [f"column.{name}" for name in absent["column"]]
        voids = sorted({chapter for name in absent["column"] for chapter in _WEAKENS.get(name, ("04",))})
        found.append(
            fault("segment_absent", "low", voids, {"columns": names, "sessions": int(absent["sessions"].iloc[0])})
        )
    for row in rows[rows["unknown_rate"] <= MOSTLY_UNKNOWN].itertuples():
        values = {
            "key": row.column,
            "column": f"column.{row.column}",
            "unknown": int(row.unknown),
            "sessions": int(row.sessions),
        }
        values |= {"rate": float(row.unknown_rate)}
        severity = "medium" if row.unknown_rate > 0.3 else "low"
        found.append(fault("segment_unknown", severity, _WEAKENS.get(row.column, ("04",)), values))
    return found


def pages(cover: pd.DataFrame, has_page_types: bool) -> list[Finding]:
    """Find page views that no page type covers."""
    row = cover.iloc[0]
    values = {"pages": int(row["pages"]), "untyped": int(row["untyped_pages"]), "rate": float(row["untyped_rate"])}
    if not values["pages"]:
        values["addressed"] = int(row["addressed"])
        return [fault("unnamed_pages" if values["addressed"] else "no_pages", "medium", ("02", "03"), values)]
    if not has_page_types or not values["rate"] > UNCOVERED:
        return []
    return [fault("uncovered", "medium" if values["rate"] > 0.5 else "low", ("03",), values)]


def traffic(aside: pd.DataFrame, kinds: Collection[str]) -> list[Finding]:
    """Size the traffic set aside, with the headline with and without it; say where bots cannot be known by name."""
    rows = aside.set_index("part")
    found = []
    if kinds and set(kinds) <= NO_USER_AGENT | {"orders"}:
        found.append(note("no_user_agent", {}))
    if "all" not in rows.index or not rows.loc["all", "sessions"]:
        return found
    every, counted = rows.loc["all"], rows.loc["counted"] if "counted" in rows.index else None
    out = int(every["sessions"] - (0 if counted is None else counted["sessions"]))
    if out:
        reasons = {reason: int(rows["sessions"].get(reason, 0)) for reason in ("bot", "internal", "test")}
        values = reasons | {
            "out": out,
            "sessions": int(every["sessions"]),
            "rate": out / every["sessions"],
            "rate_with": float(every["completing_rate"]),
            "rate_without": None if counted is None else float(counted["completing_rate"]),
        }
        if values["rate"] > MANY:
            return [*found, fault("set_aside", "medium", ("01",), values)]
        found.append(note("set_aside", values))
    return found


def privacy(masked: pd.DataFrame) -> list[Finding]:
    """Report personal data in the export: it is masked here, and should not have been sent."""
    hit = masked[masked["masked"] > 0]
    if hit.empty:
        return []
    kinds = sorted({kind for text in hit.get("kinds", pd.Series(dtype=str)).dropna() for kind in str(text).split()})
    values = {
        "values": int(hit["values"].sum()),
        "fields": [f"field.{name}" for name in hit["field"]],
        "kinds": [f"personal.{kind}" for kind in kinds] or ["personal.any"],
    }
    return [fault("personal_data", "medium", (), values)]


def people(units: pd.DataFrame) -> list[Finding]:
    """Say how far the conversion rate moves with what is counted, and what missing logins cost."""
    rows = units.set_index("unit")
    session, visitor, device, login = (rows.loc[name] for name in ("session", "visitor", "device", "login"))
    if not session["units"]:
        return []
    values = {
        "session_rate": float(session["conversion_rate"]),
        "device_rate": float(device["conversion_rate"]),
        "visitor_rate": float(visitor["conversion_rate"]),
        "sessions": int(session["units"]),
        "devices": int(device["units"]),
        "visitors": int(visitor["units"]),
        "logins": int(login["units"]),
        "login_rate": login["units"] / visitor["units"] if visitor["units"] else None,
    }
    if not values["logins"]:
        return [note("no_logins", values, next_step="fitness.no_logins_next")]
    return [note("people", values, next_step="fitness.people_next")]


def order_of_events(ties: pd.DataFrame) -> list[Finding]:
    """Find an export whose times are too coarse to say what came first."""
    row = ties.iloc[0]
    values = {"tied": int(row["tied_events"]), "events": int(row["events"]), "rate": float(row["tied_rate"])}
    if not values["rate"] > TIED:
        return []
    if values["rate"] > MUCH_TIED:
        # Where days come without times of day, no pace and no way through can be told either.
        return [fault("ties", "medium", ("02", "04") if values["rate"] > ALL_TIED else ("02",), values)]
    return [note("ties", values)]


def rows(ledger: pd.DataFrame) -> list[Finding]:
    """Find rows that could not be read, and rows that were there twice."""
    every = int(ledger["rows"].sum())
    found = []
    bad = ledger[ledger["status"] == "quarantined"]
    if len(bad) and bad["rows"].sum():
        count = int(bad["rows"].sum())
        reason = bad.groupby("reason")["rows"].sum().sort_values(ascending=False, kind="stable").index[0]
        values = {"rows": count, "all_rows": every, "rate": count / every, "reason": f"reason.{reason}"}
        found.append(fault("unreadable", "medium" if values["rate"] > 0.01 else "low", ("01",), values))
    twice = ledger[ledger["reason"] == "duplicate"].groupby("file")["rows"].sum()
    # Doubled by its tag, at most half of a file's rows are repeats: above that, another file holds them.
    is_overlap = twice > ledger.groupby("file")["rows"].sum().reindex(twice.index) / 2
    if is_overlap.any():
        values = {"rows": int(twice[is_overlap].sum()), "all_rows": every, "files": ", ".join(twice.index[is_overlap])}
        found.append(note("overlap", values))
    inside = int(twice[~is_overlap].sum())
    if inside:
        values = {"rows": inside, "all_rows": every, "rate": inside / every}
        weight = "medium" if values["rate"] > MANY else "low"
        found.append(fault("duplicates", weight, (), values) if values["rate"] > FEW else note("duplicates", values))
    return found
