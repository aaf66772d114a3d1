"""Personal data in texts: all of it found, nothing else touched."""

import time

import duckdb
import pytest

from conversion_audit.intake.privacy import KINDS, SUSPICIOUS, is_card, is_iban, is_opaque, mask

PLANTED = {
    "email": [
        "jo@example.com",
        "mail jo.doe+shop@sub.example.co.uk now",
        "jo%40example.com",
        "jo%2540example.com",
        "jörg@müller.de",
        '{"email":"jo@example.com"}',
    ],
    "phone": [
        "+49 171 1234567",
        "+491711234567",
        "%2B491711234567",
        "0049 171 1234567",
        "(555) 234-5678",
        "555-234-5678",
        "+1 (212) 555-0123",
        "030 12345678",
        "(030) 1234567",
        "0171/1234567",
        "0711 / 1234567",
        "0171-1234567",
        "06 12 34 56 78",
        "020 7946 0958",
        "07911123456",
        "+44 20 7946 0958",
        "+41 44 668 18 00",
        "tel: 1234567",
        "call 5552345678",
    ],
    "card": [
        "4111 1111 1111 1111",
        "card 4242424242424242 declined",
        "5500-0000-0000-0004",
        "378282246310005",
        "6011111111111117",
    ],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
    "token": ["https://x.de/cb?access_token=abcdef123456", "token=9f8e7d6c5b4a", '{"password": "hunter2222"}'],
    "key": ["sk_live_4eC39HqLyjWDarjtT1zdp7dc", "AKIAIOSFODNN7EXAMPLE", "Bearer abcdefghijklmnop123"],
    "reset_link": [
        "https://x.de/reset-password/a8f5f167f44f4964",
        "/account/reset/AbC123dEf456",
        "/verify/9f8e7d6c5b4a3f2e1d0c",
    ],
    "ip": [
        "upstream 192.168.10.12 timed out",
        "91.198.174.192",
        "2a02:8108:8ac0:1f:3c1d:9f00:7a6b:1",
        "from 2001:DB8::8a2e:370:7334, refused",
    ],
    "name": [
        '{"first_name": "Aybüke"}',
        "https://x.de/thanks?lastName=O%27Hara",
        '{"billing_address_1":"Am Markt 3"}',
        "Geburtsdatum=03.07.1984",
        "user_firstname=Jo O'Hara, Ann",
        '{"checkoutFirstName":"Aybüke"}',
    ],
}

CLEAN = """
order 1234567890|Order #100012345|#1001|INV-2024-0012345|302-1234567-1234567|SKU 4711-0815|ABC-12345-XL|2024-03-01|01.03.2024
3/1/2024 14:30|01.03.2024 12:30:15|2024-03-01T12:30:00|20240301123000|1,234.56 €|EUR 1.234,50|$1,200.00|99,90|0,99 €
4006381333931|012345678905|9783161484100|1Z999AA10123456784|00340434161094015902|GA1.2.1712345678.1234567890
1712345678.1234567890|size 42 43 44 45|100 x 200 cm|1920x1080|Nike Air Max 90|iPhone 15 Pro Max 256GB|Windows 10.0.19041
version 5.4.2.1|ver=22.9.4.8|Chrome/120.0.6099.109|super-light-shoes-2024|@nike|hero@2x.png|M8 x 40 DIN 933|EN 10204 3.1|RAL 9010
7.5.2024 - 14.5.2024|Mo-Fr 9:00-17:00|10 000 000|3 for 2|50% off|12-18 months|2019/2020|12345|0815|PZN 01234567
ISBN 978-3-16-148410-0|EAN 4006381333931|P.O. 2024000123|Error 404: /p/12345 not found|HTTP 500 at 1712345678901
TypeError: undefined is not a function at line 1024:33|1712345678901234|40 x 60 x 80 x 100 mm|1-2-3-4-5|Art.-Nr. 123.456.78
Art. 12 34 56 78|ARTNR 300 200 100|R2-D2|DE 10115 Berlin|0012345678|ab12cd34|coupon SUMMER24|tracking 1234 5678 9012
payment_type=card|q=token ring|sort=price_asc&page=2|password reset|code: SAVE20|reset filters|/reset/filters-and-sorting
/confirm/order-summary|/magic/card-games-collection|/activate/newsletter-subscription|12 345 678|52.520008, 13.404954|1e5|0x1F4
product_name=Boot|{"backstreet":"x y"}|browser_name: Chrome|{"event_name":"x"}|street view|given names|last name|first_name=|last_name: is required|street: too short|username: x|ip_address: none|00:1A:2B:3C:4D:5E|10:20:30:40|std::vector::at|16:9|10::20::30|dead::beef:cafe|a:1:b:2:c:3|{"ga_session_id":"1712345678","stream_id":"7204518"}|{"engagement_time_msec":"1234567"}
"""


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, several in PLANTED.items() for text in several])
def test_each_planted_piece_is_found_once_under_its_kind(kind, text):
    clean, found = mask(text)
    assert found == {kind: 1}
    assert clean != text


def test_every_kind_is_planted():
    assert set(PLANTED) == set(KINDS)


def test_order_numbers_dates_prices_articles_and_versions_are_left_alone():
    texts = [text for line in CLEAN.strip().splitlines() for text in line.split("|")]
    touched = [text for text in texts if mask(text) != (text, {})]
    assert len(texts) > 80
    assert touched == []


def test_what_surrounds_personal_data_stays():
    assert mask("Write to jo@example.com, or call 0171/1234567!")[0] == "Write to [email], or call [phone]!"
    assert mask("/reset-password/a8f5f167f44f4964?x=1")[0] == "/reset-password/[token]?x=1"


def test_masking_twice_changes_nothing_more():
    for several in PLANTED.values():
        for text in several:
            once = mask(text)[0]
            assert mask(once) == (once, {})


def test_a_card_number_must_pass_its_check():
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert not is_card("1712345678901234")


def test_an_iban_must_pass_its_check():
    assert is_iban("DE89 3704 0044 0532 0130 00")
    assert not is_iban("DE88 3704 0044 0532 0130 00")


@pytest.mark.parametrize(
    ("text", "opaque"),
    [
        ("550e8400-e29b-41d4-a716-446655440000", True),
        ("a8f5f167f44f4964e6c998dee827110c", True),
        ("AbC123dEf456GhI789", True),
        ("super-light-shoes-2024", False),
        ("nike-air-max-90-premium-edition", False),
        ("deadbeefdeadbeef", False),
        ("", False),
    ],
)
def test_machine_ids_are_told_from_words(text, opaque):
    assert is_opaque(text) is opaque


@pytest.mark.parametrize("piece", ["a@", "1 ", "/reset/", "eyJ", "4", "0171 ", "DE89 ", "a.", "token=", "%40", "+1("])
def test_time_grows_with_length_and_not_with_its_square(piece):
    start = time.process_time()
    mask(piece * (100_000 // len(piece)))
    assert time.process_time() - start < 3


@pytest.mark.parametrize("text", [text for several in PLANTED.values() for text in several])
def test_what_is_masked_is_among_what_is_looked_at_at_all(text):
    found = duckdb.execute("SELECT regexp_matches($text, $pattern)", {"text": text, "pattern": SUSPICIOUS}).fetchone()
    assert found == (True,)


def test_what_most_events_carry_is_not_looked_at_one_by_one():
    plain = '{"region":"R3","stream_id":"7204518","browser_version":"124.0.6367.60","at":"2026-03-02 10:00:00","ms":"1772406000000"}'
    found = duckdb.execute("SELECT regexp_matches($text, $pattern)", {"text": plain, "pattern": SUSPICIOUS}).fetchone()
    assert found == (False,)
