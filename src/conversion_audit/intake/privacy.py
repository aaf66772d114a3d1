"""Personal data in texts: e-mail addresses, phone numbers, cards, accounts, tokens, found and masked."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

KINDS = ("email", "phone", "card", "iban", "jwt", "token", "key", "reset_link", "ip", "name")
"""What is found. The mask is the kind in brackets; a reset link keeps its page and loses its token, and a name is all that
is called by a person's: names, streets, birthdays. Nothing but what it is called tells it."""

_FILE_ENDINGS = r"(?:png|jpe?g|gif|webp|svg|avif|css|js|html?|php|json|pdf|ico)"
_EMAIL = re.compile(
    r"[^\s@＠<>\"'(),;:/\\?&=#|\[\]{}]{1,64}(?:@|＠|%2540|%40)(?!\dx\.)"
    r"(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,6}(?!" + _FILE_ENDINGS + r"\b)[^\W\d_]{2,24}(?![\w@])"
)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?")
_KEY = re.compile(
    r"\b(?:(?:sk|pk|rk|whsec)_(?:live_|test_)?\w{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|AIza[\w-]{30,}|glpat-[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,})"
    r"|(?<=[Bb]earer )[\w.~+/-]{16,}=*"
)
_SECRET_NAMES = (
    r"access_token|id_token|refresh_token|auth_token|session_token|csrf_token|reset_token|token|auth|authorization|"
    r"api_?key|apikey|password|passwort|passwd|pwd|secret|client_secret|signature|sessionid|sessid|phpsessid|"
    r"jsessionid|otp|one_time_code|magic|invite_code|verification_code"
)
_SECRET = re.compile(r"(?i)(?<![a-z_])(" + _SECRET_NAMES + r")(\"?\s?[=:]\s?\"?|%3d)([^\s&#;,\"'<>\[\]]{6,})")
_PERSONS = (
    r"(?:first|last|sur|full|given|family|maiden|middle|customer|contact|billing|shipping|delivery|recipient|vor|nach)[_ -]?name"
    r"|(?:street|postal|billing|shipping|delivery|home)[_ -]?address(?:[_ -]?(?:line)?[_ -]?\d)?|address[_ -]?line[_ -]?\d?|stra(?:ss|ß)e|street"
    r"|birth[_ -]?da(?:y|te)|date[_ -]?of[_ -]?birth|dob|geburts(?:tag|datum)"
)
_PERSON = re.compile(
    r"(?i)(?:(?<![a-zß])|(?-i:(?<=[a-z])(?=[A-Z])))("
    + _PERSONS
    + r")(\s?=\s?\"?|\"\s?:\s?\"?|%3d)([^\s&#\"<>\[][^&#\"<>]{0,199})"
)
_RESET = re.compile(
    r"(?i)(/[^\s/?#]{0,80}?(?:reset|passwor[dt]|verif|confirm|activat|aktivier|magic|invit|einlad|unsubscri|abmeld|recover|"
    r"token|sso)[^\s/?#]{0,80}/(?:[a-z_-]{1,20}/)?)([^\s/?#&\"'<>\[\]]{10,})"
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_CARD = re.compile(r"(?<![\w.,+-])(?:\d[ -]?){13,18}\d(?![\w-]|[.,]\d)")
_IP = re.compile(r"(?<![\w.])(?!0\.)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)")
_IP6 = re.compile(r"(?i)(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?![\w:])")
_VERSION_BEFORE = re.compile(r"(?i)(?:\bv|ver(?:sion)?|release|build|/)[\s=:]*$")

# Dates, times, money and decimals are matched first and left alone, so that their digits are never read as a phone.
_SHIELD = (
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}(?!\d)|\d{1,2}:\d{2}(?::\d{2})?"
    r"|(?:[€$£¥]|EUR|USD|GBP|CHF) ?\d[\d.,' ]{0,20}|(?<!\d)\d[\d.,']{0,20} ?(?:[€$£¥%]|EUR\b|USD\b|GBP\b|CHF\b)"
    r"|(?<!\d)\d{1,12}[.,]\d{1,12}(?!\d|[ .-]\d)"
)
_PHONE = re.compile(
    r"(?P<shield>" + _SHIELD + r")"
    r"|(?P<context>(?i:\b(?:tel|telefon|telephone|téléphone|teléfono|telefono|telefoon|phone|phone_number|mobile|mobil|"
    r"handy|fax|fon|whatsapp|sms|cell|call|anruf|rufnummer)\b)[\"\s.:#=-]{0,4}\+?\(?\d(?:[\s()./-]{0,2}\d){5,14})(?!\w)"
    r"|(?P<plus>(?<![\w+])(?:\+|%2B)[1-9](?:[\s()./-]{0,3}\d){6,14})(?!\d)"
    r"|(?P<zeros>(?<![\w.,#+-])00[1-9](?:[\s()./-]{0,3}\d){8,13})(?![\w-]|[.,]\d)"
    r"|(?P<nanp>(?<![\w.,#/-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4})(?![\w-]|[.,]\d)"
    r"|(?P<trunk>(?<![\w.,#-])\(?0[1-9]\d{0,4}\)?(?: ?[ /] ?|-(?=\d{4}))\d(?:[ /-]?\d){4,9})(?![\w-]|[.,]\d)"
    r"|(?P<mobile>(?<![\w.,#-])(?:01[5-7]\d{8}|07\d{9}|0[67]\d{8}))(?![\w-]|[.,]\d)"
)
SUSPICIOUS = (
    r"@|＠|%(25)?40|eyJ|(sk|pk|rk|whsec|gh[pousr])_\w|xox[abprs]-|AKIA|AIza|glpat-|SG\.\w"
    r"|(^|\D)[2-6]([ -]?\d){12,}|\+\d[\d ()/-]{6,}\d|%2B\d|[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?\d|(^|[^\d.])(\d{1,3}\.){3}\d{1,3}([^\d.]|$)"
    r"|[0-9a-fA-F]{1,4}:([0-9a-fA-F]{0,4}:){2}[0-9a-fA-F]|[2-9]\d\d[-. )]{1,2}[2-9]\d\d[-. ]\d{4}|(^|[^\w.,#-])\(?0[1-9]\d{0,4}\)?[ /-]{1,3}\d[\d /-]{3,}\d|(^|[^\w.,#+-])0(0[1-9][\d ()/-]{7}|[1-9]\d{8})"
    r"|(?i)(token|auth|api_?key|passw|pwd|secret|signature|sess(ion)?id|otp|iban|bearer"
    r"|one_time|magic|invite_code|verification_code"
    r"|/[^\s/?#]*(reset|passwor|verif|confirm|activat|aktivier|magic|invit|einlad|unsubscri|abmeld|recover|token|sso)"
    r"|(tel|telef[oó]no?|telefoon|t[eé]l[eé]phone|phone|phone_number|mobile?|handy|fax|fon|whatsapp|sms|cell|call|anruf|rufnummer)"
    r"[^a-z\d]{0,6}\d([ ()./-]{0,2}\d){5}|(" + _PERSONS.replace("?:", "") + r")( ?=|\" ?:|%3d))"
)
"""What may hold any of it, in the dialect of every engine: only such texts of the many are looked at one by one."""

_DIGIT = re.compile(r"\d")
_MAYBE = re.compile(r"[@＠%]|\":|\d\D{0,3}\d\D{0,3}\d|[=/]|\w{16}|oken|[Ss]es|ass")


def mask(text: str) -> tuple[str, dict[str, int]]:
    """
    Replace personal data in a text.

    Parameters
    ----------
    text : str
        Any text; addresses may be percent-encoded.

    Returns
    -------
    str, dict
        The text with ``[email]``, ``[phone]``, ``[card]``, ``[iban]``, ``[jwt]``, ``[token]``, ``[key]``, ``[ip]`` or ``[name]`` in
        place of what was found, and how often each kind of `KINDS` was found.

    Notes
    -----
    What is ambiguous and looks exactly like a phone number is masked. Dates, prices, order numbers, article numbers and
    plain runs of digits are not phone numbers; a card number must pass Luhn's check and an IBAN its check digits.
    """
    found: dict[str, int] = {}
    if not _MAYBE.search(text):
        return text, found

    def replace(kind: str, pattern: re.Pattern[str], by: str, hit=lambda m: True) -> None:
        nonlocal text

        def one(match: re.Match[str]) -> str:
            if not hit(match):
                return match[0]
            found[kind] = found.get(kind, 0) + 1
            return match.expand(by)

        text = pattern.sub(one, text)

    if "eyJ" in text:
        replace("jwt", _JWT, "[jwt]")
    if len(text) >= 20:
        replace("key", _KEY, "[key]")
    if "@" in text or "%40" in text or "%2540" in text or "＠" in text:
        replace("email", _EMAIL, "[email]")
    if "=" in text or ":" in text or "%3" in text:
        replace("token", _SECRET, r"\1\2[token]")
        replace("name", _PERSON, r"\1\2[name]")
    if "/" in text:
        replace("reset_link", _RESET, r"\1[token]", lambda m: is_opaque(m[2], least=10))
    digits = len(_DIGIT.findall(text))
    if digits >= 8:
        replace("iban", _IBAN, "[iban]", lambda m: is_iban(m[0]))
    if digits >= 14:
        replace("card", _CARD, "[card]", lambda m: is_card(m[0]))
    if digits >= 4 and text.count(".") >= 3:
        replace("ip", _IP, "[ip]", _is_ip)
    if digits >= 1 and text.count(":") >= 3:
        replace("ip", _IP6, "[ip]", lambda m: is_ip6(m[0]))
    if digits >= 6:
        text = _PHONE.sub(lambda m: _phone(m, found), text)
    return text, found


def _phone(match: re.Match[str], found: dict[str, int]) -> str:
    kind, digits = match.lastgroup, sum(map(str.isdigit, match[0]))
    if kind == "shield" or (kind == "trunk" and not 9 <= digits <= 12) or (kind == "plus" and digits > 15):
        return match[0]
    found["phone"] = found.get("phone", 0) + 1
    before = re.match(r"[^\d+(]*", match[0])[0] if kind == "context" else ""
    return f"{before}[phone]"


def _is_ip(match: re.Match[str]) -> bool:
    return not _VERSION_BEFORE.search(match.string[max(0, match.start() - 10) : match.start()])


def is_ip6(text: str) -> bool:
    """Say whether a text is an IPv6 address of at least six hexadecimal digits, one of them no letter: `10::20` is none."""
    plain = text.replace(":", "")
    if len(plain) < 6 or plain.isalpha():
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def is_card(text: str) -> bool:
    """Say whether 14 to 19 digits have a card issuer's prefix and length and pass Luhn's check."""
    digits = re.sub(r"\D", "", text)
    issuer = re.fullmatch(
        r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
        r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|(?:5[0678]|6[0-9])\d{10,17}",
        digits,
    )
    if not issuer:
        return False
    doubled = [int(d) * 2 if n % 2 else int(d) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Say whether a text passes the check of ISO 13616 (remainder 1 modulo 97)."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


_UUID = re.compile(r"(?i)\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?")
_HEX = re.compile(r"(?i)[0-9a-f]{12,}")
_CHANGES = re.compile(r"(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]|(?<=[a-z])[A-Z]")
_WORDS = re.compile(r"[A-Za-z]{3,}")


@lru_cache(maxsize=65536)
def is_opaque(text: str, least: int = 16) -> bool:
    """
    Say whether a text is a machine's id and not words.

    A UUID; hexadecimal with both digits and letters; or a run of letters and digits that changes between the two (or
    from lower to upper case) at least every six characters. ``super-light-shoes-2024`` is words.
    """
    if _UUID.fullmatch(text):
        return True
    if len(text) < least or not re.fullmatch(r"[\w=.~%+-]+", text):
        return False
    digits = sum(map(str.isdigit, text))
    if _HEX.fullmatch(text):
        return 0 < digits < len(text)
    words = sum(map(len, _WORDS.findall(text)))
    changes = len(_CHANGES.findall(text))
    return digits > 0 and changes >= max(3, len(text) / 6) and words < 0.8 * len(text)
