"""Addresses read: host, page, campaign tags, click ids, search terms."""

import json

import pandas as pd
import pytest
from conftest import real_data
from hypothesis import given
from hypothesis import strategies as st

from conversion_audit.intake.pages import pages, referrers


def page(url, **options):
    return pages([url], **options)["page"][0]


def test_an_address_is_taken_apart():
    read = pages(["https://Shop.de:443/Order/12345/?q=Hut+rot&utm_source=nl&utm_medium=email&utm_campaign=Mai&gclid=x"])
    assert read.drop(columns="value").iloc[0].to_dict() == {
        "host": "shop.de",
        "page": "/Order/:n",
        "utm_source": "nl",
        "utm_medium": "email",
        "utm_campaign": "Mai",
        "click_source": "google",
        "click_medium": "cpc",
        "search_term": "Hut rot",
        "masked": 0,
        "kinds": "",
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/", "/"),
        ("https://x.de", "/"),
        ("/a/b//c/", "/a/b/c"),
        ("/order/12345", "/order/:n"),
        ("/order-123456.html", "/order-:n.html"),
        ("/invoice/INV-2024-0012345", "/invoice/:n"),
        ("/p/550e8400-e29b-41d4-a716-446655440000", "/p/:n"),
        ("/session/a8f5f167f44f4964e6c998dee827110c/x", "/session/:n/x"),
        ("/p/super-light-shoes-2024", "/p/super-light-shoes-2024"),
        ("/p/nike-air-max-90-10045", "/p/nike-air-max-90-10045"),
        ("/p/kleid-1234567890123", "/p/kleid-:n"),
        ("/checkout/2", "/checkout/2"),
        ("/2024/05/slug", "/2024/05/slug"),
        ("/s%C3%BChne", "/sühne"),
        ("/s%FChne", "/sühne"),
        ("/su\u0308hne", "/sühne"),
        ("/a%2Fb%3Fc", "/a%2Fb%3Fc"),
        ("/zero\u200bwidth\u202eflip", "/zerowidthflip"),
        ("/p/abc;jsessionid=ABCD1234?x=1", "/p/abc"),
        ("/x#reviews", "/x"),
        ("https://x.de/#/cart", "/cart"),
        ("https://x.de/shop/#!/cart/1", "/shop/cart/1"),
        ("products.php?id=2", "/products.php"),
        ("www.website.com/a", "/a"),
        ("javascript:alert(1)", "javascript:"),
        ("mailto:jo@example.com", "mailto:"),
    ],
)
def test_pages_are_paths_in_one_form_with_ids_as_n(url, expected):
    assert page(url) == expected


def test_listed_parameters_make_another_page_in_the_lists_order():
    assert page("/a?y=2&x=1&z=3", keep=["x", "y"]) == "/a?x=1&y=2"
    assert page("/a?z=3", keep=["x", "y"]) == "/a"


def test_parameters_outside_the_list_are_dropped_as_published():
    given = pd.read_csv(real_data("ga4_ndjson_fixtures/exclude_query_params_input.csv"))
    expected = pd.read_csv(real_data("ga4_ndjson_fixtures/exclude_query_params_expected.csv"))
    kept = ["foo", "another", "exclude"]
    for before, after in zip(given["url"], expected["url"], strict=True):
        assert page(before, keep=kept) == page(after, keep=kept)
    assert (
        page("www.website.com/?foo=bar&param_to_exclude=1234&another=parameter", keep=kept)
        == "/?foo=bar&another=parameter"
    )


def test_parameters_are_extracted_as_published():
    given = pd.read_csv(real_data("ga4_ndjson_fixtures/extract_query_params_input.csv"))
    expected = pd.read_csv(real_data("ga4_ndjson_fixtures/extract_query_params_expected.csv")).fillna("")
    read = pages(given["url"], keep=["param1", "param2", "param3"]).set_index("value")["page"]
    for url, values in zip(given["url"], expected.to_dict("records"), strict=True):
        wanted = "&".join(f"{name}={value}" for name, value in values.items() if value)
        assert read[url] == ("/?" + wanted if wanted else "/")


@pytest.mark.parametrize(
    ("url", "clean", "kinds"),
    [
        ("https://x.de/u/jo%40example.com/x", "/u/[email]/x", "email"),
        ("/reset-password/abc123DEF456ghi", "/reset-password/[token]", "reset_link"),
        ("/call/+49 171 1234567", "/call/[phone]", "phone"),
        ("/pay/4111111111111111", "/pay/[card]", "card"),
        ("/thanks?email=jo@example.com", "/thanks", "email"),
        ("/thanks?Access_Token=abcdef123456", "/thanks", "token"),
        ("https://user:secret@x.de/a", "/a", "token"),
    ],
)
def test_personal_data_is_masked_and_counted_wherever_it_stands(url, clean, kinds):
    read = pages([url]).iloc[0]
    assert (read["page"], read["masked"], read["kinds"]) == (clean, 1, kinds)


def test_search_terms_are_masked():
    read = pages(["/s?q=jo@example.com"]).iloc[0]
    assert (read["search_term"], read["masked"]) == ("[email]", 1)


@pytest.mark.parametrize(
    ("url", "source", "medium"),
    [
        ("/?fbclid=1", "facebook", "social"),
        ("/?msclkid=1", "bing", "cpc"),
        ("/?gclid=", None, None),
        ("/?x=1", None, None),
    ],
)
def test_click_ids_name_source_and_medium(url, source, medium):
    read = pages([url]).iloc[0]
    assert (read["click_source"], read["click_medium"]) == (source, medium)


def test_an_own_host_is_recognised_without_https():
    assert pages(["shop.js/a"], own_hosts=["shop.js"])["host"][0] == "shop.js"
    assert pages(["shop.js/a"])["page"][0] == "/shop.js/a"


def test_values_stand_once_and_missing_ones_are_left_out():
    read = pages(pd.Series(["/a", None, "/a", float("nan"), "/b"], dtype=object))
    assert read["value"].tolist() == ["/a", "/b"]
    assert pages([]).empty
    assert pages([""]).iloc[0]["page"] is None


def test_long_addresses_are_read_whole():
    assert page("https://x.de/" + "x" * 65536) == "/" + "x" * 65536
    assert len(page("https://x.de/" + "a/" * 30000)) > 1000


def test_addresses_that_differ_in_click_ids_alone_are_read_once():
    from conversion_audit.intake.pages import _parsed

    _parsed.cache_clear()
    read = pages([f"https://x.de/a?gclid=Cj0K{n}&fbclid=Iw{n}&q=hut" for n in range(50)])
    assert _parsed.cache_info().misses == 1
    assert read["value"].nunique() == 50
    assert set(zip(read["page"], read["click_source"], read["search_term"], strict=True)) == {("/a", "google", "hut")}


def test_a_click_id_that_makes_a_page_is_read_as_it_is():
    assert page("https://x.de/#/a&gclid=red") == "/a&gclid=red"
    assert page("https://x.de/a?gclid=red", keep=["gclid"]) == "/a?gclid=red"


def test_naughty_strings_never_raise():
    naughty = json.loads(real_data("messy/blns.json").read_text(encoding="utf-8"))
    read = pages(naughty, keep=["q"])
    assert len(read) == len(set(naughty))
    assert len(referrers(naughty)) == len(set(naughty))


@given(st.text(max_size=60))
def test_whatever_comes_a_page_comes_out_and_reading_it_again_changes_nothing(text):
    first = page("https://x.de/" + text.replace("#", "").replace("%", ""))
    assert first.startswith("/")
    assert page(first.replace("?", "")) is not None


def test_referrers_are_host_and_path():
    read = referrers(
        [
            "https://www.google.com/url?q=x",
            "https://x.de/",
            "android-app://com.google.android.gm/",
            "https://t.co/Ab?e=jo@example.com",
        ]
    )
    assert read["referrer"].tolist() == ["www.google.com/url", "x.de", "com.google.android.gm", "t.co/Ab"]
    assert read["masked"].tolist() == [0, 0, 0, 1]
