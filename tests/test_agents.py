"""What a user agent says of device, browser and operating system, where the export itself says nothing."""

import inputs
import pandas as pd
import pytest

from conversion_audit.intake.agents import named

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "device", "browser", "os"),
    [
        (WINDOWS, "desktop", "Chrome", "Windows"),
        (f"{WINDOWS} Edg/129.0", "desktop", "Edge", "Windows"),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "desktop", "Firefox", "Ubuntu"),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "mobile", "Safari", "iOS"),
        (f"{IPHONE} CriOS/129.0 Mobile/15E148 Safari/604.1", "mobile", "Chrome", "iOS"),
        (f"{IPHONE} Mobile/15E148", "mobile", "Safari (in-app)", "iOS"),
        (f"{IPHONE} Version/16.5 Mobile/15E148 Safari/604.1".replace("iPhone;", "iPad;"), "tablet", "Safari", "iOS"),
        (f"{ANDROID.format('Pixel 8')} Chrome/129.0.0.0 Mobile Safari/537.36", "mobile", "Chrome", "Android"),
        (f"{ANDROID.format('SM-T870')} Chrome/120.0.0.0 Safari/537.36", "tablet", "Chrome", "Android"),
        (f"{ANDROID.format('SM-S911B')} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", "mobile", "Samsung Internet", "Android"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/7.0 TV Safari/537.36", "smart tv", "Safari", "Tizen"),
        ("Quite something else", None, None, None),
    ],
)  # fmt: skip
def test_a_user_agent_says_what_a_visit_came_with(agent, device, browser, os):
    [row] = named([agent, None]).itertuples(index=False)
    assert tuple(None if pd.isna(one) else one for one in row) == (agent, device, browser, os)


def test_the_export_s_own_word_counts_more_and_what_it_leaves_open_is_filled(audit_home):
    rows = [
        {**row, "agent": WINDOWS if row["who"] == "c0" else "", "gadget": "tablet" if row["id"] == "e0-0" else ""}
        for row in inputs.clean()
    ]
    audit = inputs.taken_in(audit_home, inputs.as_csv(rows), inputs.config(user_agent="agent", device="gadget"))
    events = audit.frame("events").set_index("event_id")
    assert events.loc["e0-0", ["device", "browser", "os"]].tolist() == ["tablet", "Chrome", "Windows"]
    assert events.loc["e0-1", ["device", "browser", "os"]].tolist() == ["desktop", "Chrome", "Windows"]
    assert events.loc["e1-0", ["device", "os"]].isna().all()
