"""The diagnosis on two raw exports, from their files to their findings."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from conftest import REPOSITORY

from conversion_audit import demo
from conversion_audit.audit import open_audit

pytestmark = pytest.mark.slow


def diagnosed(audit_home, client: str, shop: str) -> tuple[pd.DataFrame, dict[tuple[str, str], dict]]:
    """The likely frictions found, and what was planted by step and segment."""
    folder = audit_home / "data" / client
    folder.mkdir()
    shutil.copy(REPOSITORY / "data" / client / "audit.yaml", folder)
    demo.write_demo(folder / "raw", shop=shop)
    found = open_audit(client).frame("friction_found")
    planted = [one for one in demo.planted(shop=shop) if one["kind"] in ("friction", "incident")]
    return found[found.verdict == "likely friction"], {
        (one["step"], json.dumps(one["segment"], sort_keys=True)): one for one in planted
    }


@pytest.mark.parametrize(("client", "shop"), [("demo", "shop"), ("demo-leads", "leads")])
def test_what_a_raw_export_holds_is_found_and_priced(audit_home, client, shop):
    found, planted = diagnosed(audit_home, client, shop)
    assert {(row.step, row.segment) for row in found.itertuples()} == set(planted)
    for row in found.itertuples():
        truth = planted[row.step, row.segment]
        assert row.lost_orders_low <= truth["lost_orders"] <= row.lost_orders_high
        if truth["kind"] == "incident":
            assert abs((pd.Timestamp(row.since) - pd.Timestamp(truth["first_day"])).days) <= 2
            assert abs((pd.Timestamp(row.until) - pd.Timestamp(truth["last_day"])).days) <= 2
