"""The kind of a device from its model or operating system."""

import inputs
import pandas as pd
import pytest

from conversion_audit.intake.devices import kind


@pytest.mark.parametrize(
    ("device", "os", "expected"),
    [
        ("Apple iPhone 12", "iOS", "mobile"),
        ("Samsung Galaxy S21", None, "mobile"),
        ("Samsung Galaxy Tab S7", None, "tablet"),
        ("iPad Pro", "iOS", "tablet"),
        ("SM-T870", "Android", "tablet"),
        ("Mac", None, "desktop"),
        ("ios", None, "mobile"),
        (None, "Mac OS X", "desktop"),
        (None, "Android", "mobile"),
        (None, "Tizen", None),
        ("T-1000", "Android", None),
        ("Mobile web", "Android", None),
        ("desktop", "Windows", None),
        ("Windows Phone", None, None),
        (None, None, None),
    ],
)
def test_a_model_or_a_system_tells_the_kind_and_a_kind_stays_as_it_is_said(device, os, expected):
    assert kind(device, os) == expected


def test_devices_are_kinds_where_an_export_names_models_or_systems_alone(audit_home):
    gadgets = {0: "Apple iPhone", 1: "", 2: "Mobile web", 3: "(not set)", 4: "T-1000"}
    rows = [{**row, "gadget": gadgets.get(int(row["who"][1:]) % 6, ""), "system": "Windows"} for row in inputs.clean()]
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), inputs.config(device="gadget", os="system"))
    found = audit.frame("events").drop_duplicates("device_id").set_index("device_id")["device"]
    assert found[[f"c{n}" for n in range(6)]].tolist() == [
        "mobile",
        "desktop",
        "mobile web",
        "desktop",
        "t-1000",
        "desktop",
    ]


def test_what_names_neither_stays_unknown(audit_home):
    audit = inputs.taken_in(audit_home, inputs.as_csv(inputs.clean()))
    assert pd.isna(audit.frame("events")["device"]).all()
