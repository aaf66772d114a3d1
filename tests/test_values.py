"""Texts cleaned once per distinct value: ids, words for nothing, page types."""

import json

import pandas as pd
import pytest
from conftest import real_data

from conversion_audit.engine import Engine, like
from conversion_audit.intake.values import ids, is_illegal_id, objects, page_types, texts, tidy, unknown

KEY = b"key of one client"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  two   spaces ", "two spaces"),
        ("Cafe\u0301", "Café"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("flip\u202eped", "flipped"),
        ("line\r\nbreak\tand\x00nul", "line break andnul"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("a\u200db", "ab"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_tidy_leaves_one_form_without_what_cannot_be_seen(text, expected):
    assert tidy(text) == expected


def test_texts_are_cleaned_masked_and_counted():
    read = texts(["Hello jo@example.com", "Hut", None, "Hut", "\u200b"])
    assert read.values.tolist() == [
        ["Hello jo@example.com", "Hello [email]", 1, "email"],
        ["Hut", "Hut", 0, ""],
        ["\u200b", None, 0, ""],
    ]


def test_texts_leave_their_input_unchanged():
    given = pd.Series(["a ", "b"])
    texts(given)
    assert given.tolist() == ["a ", "b"]


def test_naughty_strings_never_raise():
    naughty = json.loads(real_data("messy/blns.json").read_text(encoding="utf-8"))
    assert len(texts(naughty)) == len(set(naughty))
    assert len(ids(naughty, KEY)) == len(set(naughty))


@pytest.mark.parametrize(
    "text",
    [
        "0012",
        "1e5",
        "1712345678.1234567890",
        "1712345678.1234567891",
        "NA",
        "9007199254740993",
        "01711234567",
        " x ",
        "a\u200bb",
        "0171-x",
    ],
)
def test_an_id_that_is_no_address_is_left_exactly_as_it_is(text):
    assert ids([text], KEY)["clean"][0] == text


@pytest.mark.parametrize(
    "text", ["jo@example.com", "jo%40example.com", "+49 171 1234567", "+491711234567", "mail:jo@example.com"]
)
def test_an_id_that_is_an_address_becomes_a_keyed_hash(text):
    read = ids([text], KEY).iloc[0]
    assert read["clean"].startswith("h:") and len(read["clean"]) == 34
    assert read["masked"] == 1
    assert ids([text], b"another key")["clean"][0] != read["clean"]


def test_the_same_address_has_the_same_hash():
    read = ids(["Jo@Example.com", "jo@example.com ", "+49 171 1234567", "+491711234567"], KEY)["clean"]
    assert read[0] == read[1]
    assert read[2] == read[3]


@pytest.mark.parametrize(
    "text",
    [
        None,
        float("nan"),
        "",
        "  ",
        "null",
        "'NULL'",
        '"undefined"',
        "NaN",
        "None",
        "anonymous",
        "Guest",
        "email",
        "true",
        "FALSE",
        "0",
        "(not set)",
        "[object Object]",
        "00000000-0000-0000-0000-000000000000",
        "0000",
        "-1",
    ],
)
def test_ids_that_stand_for_nobody_are_illegal(text):
    assert is_illegal_id(text)


@pytest.mark.parametrize(
    "text", ["1", "0012", "NA", "jo@example.com", "10", "user-7", "00000000-0000-0000-0000-000000000001"]
)
def test_other_ids_are_legal(text):
    assert not is_illegal_id(text)


@pytest.mark.parametrize("text", [None, "", "(none)", "(not set)", "not available in demo dataset", "NULL", "Unknown"])
def test_words_for_nothing_are_unknown(text):
    assert unknown(text) is None


@pytest.mark.parametrize("text", ["(direct)", "NA", "Germany", "0"])
def test_other_words_are_kept(text):
    assert unknown(text) == text


def test_the_first_matching_page_type_wins_and_case_does_not_matter():
    read = page_types(
        ["/P/Hat", "/p/sale", "/cart", "/x"], {"sale": ["/p/sale*"], "product": ["/p/*"], "cart": ["/cart/"]}
    )
    assert read.values.tolist() == [["/P/Hat", "product"], ["/p/sale", "sale"], ["/cart", "cart"], ["/x", None]]


def test_a_star_stands_for_any_text_and_nothing_else_is_special():
    read = page_types(["/a.b", "/axb", "/a/b/c", "/a+b"], {"t": ["/a.b", "*/c", "/a+b"]})
    assert read["page_type"].tolist() == ["t", None, "t", "t"]


@pytest.mark.parametrize("pattern", ["/p/*", "100%*", "a_b", "back\\slash", "*", "/cart/"])
@pytest.mark.parametrize("page", ["/p/hat", "100% wool", "a_b", "axb", "back\\slash", "/cart", "100 wool"])
def test_like_and_page_types_agree(pattern, page):
    sql = "SELECT lower($page) LIKE $pattern ESCAPE '\\' AS met"
    met = bool(Engine().query(sql, page=page, pattern=like(pattern))["met"][0])
    assert met is (page_types([page], {"t": [pattern]})["page_type"][0] == "t")


def test_an_object_stays_one_when_what_it_holds_is_masked():
    written = [
        '{"note":"<a href=\\"https://x.de/?token=abcdefgh1234\\">","n":12}',
        '{"phone":4915112345678,"ok":true,"of":[1.5,null]}',
    ]
    found = objects(written, KEY)
    assert [json.loads(text) for text in found["clean"]] == [
        {"note": '<a href="https://x.de/?token=[token]">', "n": 12},
        {"phone": "[phone]", "ok": True, "of": [1.5, None]},
    ]
    assert found["kinds"].tolist() == ["token", "phone"]


def test_a_lead_named_by_an_address_is_the_lead_of_the_crm_and_two_are_two():
    found = objects(['{"lead_id":"Jo@example.com"}', '{"lead_id":"al@example.com"}', '{"lead_id":"L-12"}'], KEY)
    named = [json.loads(text)["lead_id"] for text in found["clean"]]
    assert named == [*ids(["jo@example.com", "al@example.com"], KEY)["clean"], "L-12"]
    assert found["kinds"].tolist() == ["email", "email", ""]
