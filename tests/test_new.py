from __future__ import annotations

import json
import shutil
import zipfile

import inputs
import pytest
from conftest import real_data
from exports import FIXTURES

from conversion_audit.audit import open_audit
from conversion_audit.config import read_config
from conversion_audit.errors import AuditError, ConfigError, DataError
from conversion_audit.new import new_client, writing
from conversion_audit.new.words import is_home, page_of


def visit(path, event="page_view", visitor="1", **more):
    return {
        "event_name": event, "event_timestamp": str(1772449200000000 + more.pop("at", 0) * 1_000_000), "user_pseudo_id": visitor,
        "event_params": [{"key": "page_location", "value": {"string_value": f"https://shop.example{path}"}}], **more,
    }  # fmt: skip


def export(tmp_path, rows):
    path = tmp_path / "export.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_google_s_day_gets_a_config_that_needs_no_edit(audit_home):
    path = new_client("ga-store", [real_data("ga360_sample/ga_sample.parquet")])
    found = read_config("ga-store")
    assert (found.timezone, found.currency, found.site, found.main_goal) == (
        "America/Los_Angeles",
        "USD",
        "shop",
        "purchase",
    )
    assert (str(found.period.start), str(found.period.end)) == ("2017-08-01", "2017-08-01")
    assert found.journey == ["product_view", "add_to_cart", "checkout", "purchase"]
    assert found.goals["purchase"].value == "revenue"
    assert found.own_hosts == ["shop.googlemerchandisestore.com", "www.googlemerchandisestore.com"]
    text = path.read_text(encoding="utf-8")
    assert (
        "journey: [product_view, add_to_cart, checkout, purchase]   # CHECK: sessions with each: 430, 176, 100, 43"
        in text
    )
    assert "timezone: America/Los_Angeles   # the zone in which every row's time falls on the row's own date" in text


def test_the_questions_stand_at_the_end_with_guessed_answers(audit_home):
    text = new_client("acme", [FIXTURES / "mixpanel" / "export.jsonl"]).read_text(encoding="utf-8")
    assert text.split("# Five questions")[1].splitlines()[1:] == [
        "# 1. What is success?            Guessed: purchase (1 session).",
        "# 2. What is it worth?           Guessed: each order's own amount, 59.90 on average.",
        "# 3. Who cannot buy?             Guessed: nobody that the export shows. See intents, ineligible.",
        "# 4. What changed lately?        Guessed: nothing. See changes: [{on: 2026-04-03, what: new product video}].",
        "# 5. Which hosts are yours?      Guessed: shop.example. See own_hosts, referral_exclusions.",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "goal"),
    [
        ("ga4", "events.ndjson", "purchase"),
        ("ga360", "sessions.ndjson", "purchase"),
        ("mixpanel", "export.jsonl", "purchase"),
        ("kissmetrics", "revision.json", "purchase"),
        ("table", "nested.jsonl", "purchase"),
    ],
)
def test_every_kind_gets_a_config_that_is_valid(audit_home, kind, name, goal):
    new_client("acme", [FIXTURES / kind / name])
    found = read_config("acme")
    assert ([source.kind for source in found.sources], found.main_goal) == ([kind], goal)
    assert (audit_home / "data" / "acme" / "raw" / name).is_file()


def test_several_kinds_become_several_sources(audit_home, tmp_path):
    folder = tmp_path / "from the client"
    folder.mkdir()
    shutil.copy(FIXTURES / "ga4" / "events.ndjson", folder / "events_1.ndjson")
    shutil.copy(FIXTURES / "ga4" / "events.ndjson", folder / "events_2.ndjson")
    shutil.copy(FIXTURES / "orders" / "shopify.csv", folder / "books.csv")
    (folder / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    text = new_client("acme", [folder]).read_text(encoding="utf-8")
    assert [(source.kind, source.files) for source in read_config("acme").sources] == [
        ("ga4", ["raw/events_1.ndjson", "raw/events_2.ndjson"]),
        ("orders", ["raw/books.csv"]),
    ]
    assert text.endswith("# CHECK: not read, of no known kind: raw/notes.csv\n")


def test_where_the_time_zone_is_open_the_period_follows_it(audit_home, tmp_path):
    rows = [
        f"2026-03-0{day}T{hour}:10:00Z,view,v{n},/p/{n}" for n in range(9) for day in (1, 2) for hour in ("00", "23")
    ]
    (tmp_path / "log.csv").write_text("\n".join(["time,event,visitor_id,url", *rows, ""]), encoding="utf-8")
    path = new_client("acme", [tmp_path / "log.csv"])
    text = path.read_text(encoding="utf-8")
    assert "# period: {start: 2026-03-01, end: 2026-03-02}   # the whole export" in text
    path.write_text(text.replace("# timezone: Europe/Berlin", "timezone: Europe/Berlin"), encoding="utf-8")
    period = open_audit("acme").period
    assert (str(period.start), str(period.end)) == ("2026-03-01", "2026-03-03")


def test_pages_and_intents_are_told_by_the_words_of_addresses(audit_home, tmp_path):
    paths = (
        "/",
        "/p/hat",
        "/p/cap",
        "/c/hats",
        "/basket",
        "/returns",
        "/returns/start",
        "/de/hilfe/kontakt",
        "/lookbook/spring",
        "/jobs/dev",
    )
    rows = [visit(path, visitor=str(n), at=n) for n, path in enumerate(paths)]
    rows += [visit("/p/hat", "view_item", "1"), visit("/done", "purchase", "1", ecommerce={"transaction_id": "7"})]
    new_client("acme", [export(tmp_path, rows)])
    found = read_config("acme")
    assert found.page_types["product"] == ["/p/*"]
    assert found.page_types["cart"] == ["/basket"]
    assert {name: intent.pages for name, intent in found.intents.items()} == {
        "returns": ["/returns", "/returns/*"], "careers": ["/jobs/*"], "support": ["/de/hilfe/kontakt"],
    }  # fmt: skip
    assert "page_type" in found.suspects


def test_a_site_without_orders_is_about_leads_and_one_with_neither_about_its_rarest_event(audit_home, tmp_path):
    new_client("leads", [export(tmp_path, [visit("/"), visit("/contact", "generate_lead")])])
    assert (read_config("leads").site, read_config("leads").main_goal) == ("leads", "lead")
    rows = [visit("/"), visit("/", visitor="2"), visit("/", "Odd Thing"), visit("/", "other"), visit("/", "other", "2")]
    text = new_client("other", [export(tmp_path, rows)]).read_text(encoding="utf-8")
    assert read_config("other").goals["odd_thing"].event == ["Odd Thing"]
    assert (
        "main_goal: odd_thing   # CHECK: no usual goal was found, this is the rarest event; 1 session reaches it"
        in text
    )


@pytest.mark.parametrize(
    ("began", "done"),
    [("Signup started", "Signup completed"), ("sign_up_start", "sign_up"), ("registration started", "user registered")],
)
def test_a_site_where_one_signs_up_has_the_way_there_as_its_journey(audit_home, tmp_path, began, done):
    rows = [visit("/"), visit("/pricing", "Pricing viewed"), visit("/signup", began), visit("/signup/done", done)]
    rows += [visit("/"), visit("/login"), visit("/signup", "page_view", "2")]
    new_client("tool", [export(tmp_path, rows)])
    found = read_config("tool")
    assert (found.site, found.main_goal) == ("subscription", "sign_up")
    assert found.journey == ["pricing_view", "signup_started", "sign_up"]
    assert found.goals["sign_up"].event == [done]
    assert found.intents["account"].pages == ["/login"], "who signs up does not come for an account that is there"


@pytest.mark.parametrize("goal", ["generate_lead", "form_submit"])
def test_a_site_of_leads_has_begun_forms_in_its_journey_and_its_contact_page_is_no_service(audit_home, tmp_path, goal):
    rows = [visit("/"), visit("/contact"), visit("/contact", "form_start"), visit("/contact/thanks", goal)]
    rows += [visit("/support", visitor="2"), visit("/contact", "form_error", "3")]
    new_client("firm", [export(tmp_path, rows)])
    found = read_config("firm")
    assert (found.site, found.journey) == ("leads", ["form_started", "lead"])
    assert found.micro_conversions["form_error"].event == ["form_error"], "one name, however it may be spelled"
    assert found.intents["support"].pages == ["/support"], "who asks for an offer does not come for help"
    assert found.page_types["contact"] == ["/contact", "/contact/*"]


def test_a_shop_s_forms_and_contact_page_are_not_its_journey(audit_home, tmp_path):
    rows = [visit("/"), visit("/contact"), visit("/contact", "form_start"), visit("/", "purchase", "2")]
    new_client("shop", [export(tmp_path, rows)])
    assert read_config("shop").journey == ["purchase"]
    assert read_config("shop").intents["support"].pages == ["/contact"]


def test_what_an_order_is_worth_is_told_in_one_currency_and_one_odd_day_is_one(audit_home, tmp_path):
    def paid(at, currency, value):
        named = {"currency": currency, "value": value, "transaction_id": str(at)}
        more = [{"key": key, "value": {"string_value": text}} for key, text in named.items()]
        row = visit("/thanks", "purchase", str(at), at=at)
        return row | {"event_params": row["event_params"] + more}

    rows = [paid(1, "EUR", "60"), paid(2, "EUR", "80"), paid(3, "PLN", "400")]
    rows += [visit("/", at=4 + n) for n in range(300)] + [visit("/", at=86_400 + n) for n in range(300)]
    text = new_client("acme", [export(tmp_path, [*rows, visit("/", at=3 * 86_400)])]).read_text(encoding="utf-8")
    assert "Guessed: each order's own amount, 70.00 on average." in text, "180.00 is the average of no currency"
    assert "1 day outside it is almost empty" in text


BY_SESSION = {
    "de": (
        "Sitzungs-ID;Besucher;Beginn;Gerät;Produkt gesehen;Warenkorb;Kasse;Bestellung;Umsatz",
        "s{n};v{n};0{day}.02.2026 10:00;Mobil;{view};{cart};{cart};{buy};1.234,56",
    ),
    "en": (
        "session_id,visitor_id,start,device,viewed product,cart,checkout started,converted,revenue",
        's{n},v{n},2026-02-0{day} 10:00:00,mobile,{view},{cart},{cart},{buy},"1,234.56"',
    ),
}


@pytest.mark.parametrize("language", list(BY_SESSION))
def test_a_table_with_one_row_a_session_gets_its_steps_from_its_headings(audit_home, tmp_path, language):
    head, row = BY_SESSION[language]
    flags = [{"view": int(n % 2 == 0), "cart": int(n % 4 == 0), "buy": int(n % 8 == 0)} for n in range(64)]
    lines = [row.format(n=n, day=1 + n % 7, **flag) for n, flag in enumerate(flags)]
    path = tmp_path / "sessions.csv"
    path.write_bytes("\n".join([head, *lines]).encode("cp1252"))
    text = new_client("acme", [path]).read_text(encoding="utf-8")
    found = read_config("acme")
    assert list(found.sources[0].steps) == ["view_item", "add_to_cart", "begin_checkout", "purchase"]
    assert (found.site, found.journey) == ("shop", ["product_view", "add_to_cart", "checkout", "purchase"])
    assert "# CHECK: sessions with each: 32, 16, 16, 8" in text
    assert "each order's own amount, 1,234.56 on average" in text


def test_columns_of_words_or_numbers_are_no_steps_and_a_table_without_any_is_refused_with_what_to_type(
    audit_home, tmp_path
):
    path = tmp_path / "sessions.csv"
    path.write_text("visitor_id,start,order,checkout\nv1,2026-02-01 10:00,A-17,by card\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        new_client("acme", [path])
    assert '--columns "time=Created at,event=Action,device_id=Visitor ID"' in str(refused.value)
    assert not (audit_home / "data" / "acme").exists()


def test_what_goes_wrong_is_never_the_goal_however_rare_it_is(audit_home, tmp_path):
    rows = [visit("/"), visit("/", "form_error"), visit("/", "Odd Thing"), visit("/", "Odd Thing", "2")]
    new_client("acme", [export(tmp_path, rows)])
    assert read_config("acme").goals["odd_thing"].event == ["Odd Thing"]


def test_the_kind_of_site_can_be_said(audit_home, tmp_path):
    rows = [visit("/"), visit("/contact", "generate_lead"), visit("/done", "purchase")]
    new_client("acme", [export(tmp_path, rows)], site="leads")
    assert read_config("acme").main_goal == "lead"


def test_hostile_names_stay_names(audit_home, tmp_path):
    hostile = 'x\n- {kind: evil} # "\u2028goal: [{'
    new_client("acme", [export(tmp_path, [visit("/"), visit("/é: [a]/#b", hostile)])])
    assert [goal.event for goal in read_config("acme").goals.values()] == [[hostile]]


def test_an_existing_client_is_never_overwritten(audit_home, tmp_path):
    path = new_client("acme", [export(tmp_path, [visit("/")])])
    before = path.read_bytes()
    with pytest.raises(ConfigError) as error:
        new_client("acme", [export(tmp_path, [visit("/")])])
    assert str(error.value) == (
        "data/acme/audit.yaml: this client exists already\n"
        "    Edit it, choose another name, or remove the client with: audit forget acme"
    )
    assert path.read_bytes() == before


def test_an_export_that_lies_in_raw_already_needs_no_path(audit_home, tmp_path):
    raw = audit_home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    shutil.copy(export(tmp_path, [visit("/")]), raw / "mine.ndjson")
    new_client("acme", [])
    assert read_config("acme").sources[0].files == ["raw/mine.ndjson"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "raw/a.csv: is empty (0 bytes)"),
        ("a.csv", "<html>", "raw/a.csv: is a web page, not an export"),
        (
            "a.csv",
            "a,b\n1,2\n",
            "raw/a.csv: is of no kind that is known\n    Columns found: a, b. None of them is headed like a time, "
            "an event or a page, a visitor or a session.\n    Name them: audit new ... --columns ",
        ),
        (
            "a.csv",
            "time,event,b\n2026-03-02 10:00,view,2\n",
            "raw/a.csv: is of no kind that is known\n    Columns found: time, event, b. "
            "None of them is headed like a visitor or a session.\n",
        ),
        ("a.csv", "Name,Created at,Total\n1,2026-03-02,5\n", "raw: these files hold no visitors' events, only orders"),
    ],
)
def test_what_cannot_be_read_leaves_nothing_behind(audit_home, tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        new_client("acme", [tmp_path / name])
    assert str(error.value).startswith(message)
    assert list((audit_home / "data").iterdir()) == []


def strange(tmp_path, rows: int = 40):
    """An export whose headings tell nothing but the time."""
    lines = [
        f"p{n // 4},2026-03-02 10:{n:02},{('seen', 'taken', 'paid', 'left')[n % 4]},/p/{n % 3},{n}" for n in range(rows)
    ]
    (tmp_path / "strange.csv").write_text("\n".join(["who,when,what,where,how much", *lines, ""]), encoding="utf-8")
    return tmp_path / "strange.csv"


def test_columns_whose_headings_do_not_tell_are_named_and_the_others_guessed(audit_home, tmp_path):
    text = "device_id=who, event=what,page_url=where,currency==EUR"
    (source,) = read_config(new_client("acme", [strange(tmp_path)], columns=text).parent.name).sources
    assert source.columns == {
        "time": ["when"], "device_id": ["who"], "event": ["what"], "page_url": ["where"], "currency": ["=EUR"],
    }  # fmt: skip
    audit = open_audit("acme")
    audit.prepare()
    assert (len(audit.events), audit.events.frame()["visitor_id"].nunique()) == (40, 10)


def test_an_order_book_whose_columns_are_named_is_a_table_of_purchases(audit_home, tmp_path):
    lines = [f"{n},2026-03-02 10:{n:02},c{n % 7},20" for n in range(30)]
    (tmp_path / "orders.csv").write_text("\n".join(["Name,Created at,Buyer,Total", *lines, ""]), encoding="utf-8")
    new_client("acme", [tmp_path / "orders.csv"], columns="user_id=Buyer,event==purchase,order_id=Name")
    audit = open_audit("acme")
    audit.prepare()
    assert (len(audit.orders), float(audit.orders.frame()["revenue"].sum())) == (30, 600.0)


def test_a_named_column_is_not_guessed_for_something_else(audit_home, tmp_path):
    path = strange(tmp_path)
    path.write_text(path.read_text().replace("who,", "user,", 1).replace("how much", "amount"), encoding="utf-8")
    config = new_client("acme", [path], columns="device_id=user,event=what,load_seconds=amount")
    (source,) = read_config(config.parent.name).sources
    assert source.columns == {"time": ["when"], "device_id": ["user"], "event": ["what"], "load_seconds": ["amount"]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("device_id=woh,event=what", "raw/strange.csv: --columns: no column 'woh'; did you mean 'who'?\n    Columns found: who, when, what, where, how much."),
        ("device_id", "--columns: write TARGET=COLUMN,... (seen: 'device_id')\n    E.g. audit new ... --columns "),
        ("visitr_id=who", "--columns: rows have no 'visitr_id'; did you mean 'visitor_id'?\n    Known: "),
        ("event=what", "raw/strange.csv: is of no kind that is known\n    Columns found: who, when, what, where, how much. None of them is "
         "headed like a visitor or a session.\n"),
    ],
)  # fmt: skip
def test_what_is_named_wrongly_is_said_and_leaves_nothing_behind(audit_home, tmp_path, columns, message):
    with pytest.raises(AuditError) as refused:
        new_client("acme", [strange(tmp_path)], columns=columns)
    assert str(refused.value).startswith(message)
    assert not (audit_home / "data" / "acme").exists()


def test_a_missing_path_and_a_wrong_site_are_said_together(audit_home, tmp_path):
    with pytest.raises(ConfigError) as error:
        new_client("acme", [tmp_path / "nowhere.csv"], site="shp")
    assert str(error.value).endswith(
        "nowhere.csv: no such file or folder\n- not a kind of site (seen: 'shp')\n"
        "    One of: shop, leads, subscription, content, app"
    )


@pytest.mark.parametrize(
    ("page", "about"),
    [
        ("/contact", "support"), ("/contact-lenses", None), ("/track-pants", None), ("/contact-us-berlin", "support"),
        ("/products/return-to-sender-tee", "product"), ("/help/payment", "support"), ("/help/returns", "returns"),
        ("/help/shipping", "shipping_terms"), ("/de/hilfe/retouren", "returns"), ("/en-us/shop/c/jackets", "category"),
        ("/press-on-nails", None), ("/press", "press"), ("/Über-uns/Jobs", "careers"), ("/kits/bag/red", None),
        ("/basket.html", "cart"), ("/account/orders/:n", "order_tracking"), ("/support-bras", None),
    ],
)  # fmt: skip
def test_a_page_is_about_what_whole_words_of_its_address_say(page, about):
    found = page_of(page)
    assert (found.name if found else None) == about


def test_the_first_page_is_home_in_any_language():
    assert [page for page in ("/", "/de", "/en_us/home", "/index.html", "/homeware") if is_home(page)] == [
        "/", "/de", "/en_us/home", "/index.html",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["no", "On", "a: b", "[x]", "#x", " x", "*", "'", "a\nb", "ü", "1.10", ""])
def test_every_text_survives_yaml(value):
    import yaml

    assert yaml.load(f"- {writing.scalar(value)}", Loader=yaml.BaseLoader) == [value]


def test_an_archive_of_several_kinds_is_to_be_unzipped(audit_home, tmp_path):
    with zipfile.ZipFile(tmp_path / "mix.zip", "w") as archive:
        archive.write(FIXTURES / "mixpanel" / "export.jsonl", "export.jsonl")
        archive.writestr("ads.csv", "Campaign,Impressions,Clicks\nbrand,900,30\n")
    with pytest.raises(DataError) as error:
        new_client("acme", [tmp_path / "mix.zip"])
    assert str(error.value) == (
        "mix.zip: is an archive of several kinds of export\n"
        "    All files of an archive are read alike. Found: Mixpanel, raw event export: export.jsonl; "
        "Totals by stage, from advertising or e-mail tools: ads.csv.\n"
        "    Unzip it and name the folder: unzip mix.zip -d mix; audit new acme --from mix"
    )


def test_a_folder_without_a_file_is_named_as_it_was_given(audit_home, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="/empty: there is no file in this folder"):
        new_client("acme", [tmp_path / "empty"])


@pytest.mark.parametrize(
    ("codes", "line"),
    [
        (("GBP", "GBP"), "currency: GBP   # as the files say"),
        (("GBP", "--"), "currency: GBP   # as the files say"),
        (("GBP", "EUR"), "currency: GBP   # as the files say; CHECK: also EUR, and costs are added as they stand"),
        (("", ""), "currency: EUR   # CHECK: the files name none"),
    ],
)
def test_totals_have_the_currency_that_their_files_name(audit_home, tmp_path, codes, line):
    rows = "".join(f"c{n},900.5,30,{code}\n" for n, code in enumerate(codes))
    (tmp_path / "ads.csv").write_text("Campaign,Impr.,Clicks,Currency code\n" + rows, encoding="utf-8")
    text = new_client("ads", [tmp_path / "ads.csv"]).read_text(encoding="utf-8")
    assert line in text.splitlines() and "# Stages: impression 1,801, click 60" in text


GERMAN = """Zeitpunkt;Besucher-ID;Ereignis;Seite;Bestellnummer;Betrag;Fehlermeldung
01.10.2026 10:00:00;a;seitenaufruf;/;;;
01.10.2026 10:01:00;a;produktansicht;/produkt/1;;;
01.10.2026 10:02:00;a;warenkorb_hinzugefügt;/produkt/1;;;
01.10.2026 10:03:00;a;fehler;/kasse;;;Karte abgelehnt
01.10.2026 10:04:00;a;{sold};/danke;A1;80,00;
02.10.2026 10:00:00;b;seitenaufruf;/;;;
02.10.2026 10:04:00;b;{sold};/danke;A2;50,00;
05.10.2026 10:00:00;a;erstattung;/backend;A1;-80,00;
"""


@pytest.mark.parametrize(
    ("sold", "doubt"),
    [("bestellung", ""), ("abschluss_kasse", "CHECK: by its order numbers with amounts, not by its name; ")],
)
def test_a_german_log_is_read_by_its_words_and_its_orders_by_what_they_carry(audit_home, tmp_path, sold, doubt):
    path = tmp_path / "ereignisse.csv"
    path.write_text(GERMAN.format(sold=sold), encoding="utf-8")
    text = new_client("acme", [path]).read_text(encoding="utf-8")
    found = read_config("acme")
    assert (found.site, found.main_goal, found.goals["purchase"].event) == ("shop", "purchase", [sold])
    assert f"main_goal: purchase   # {doubt}2 sessions reach it" in text
    assert found.journey == ["product_view", "add_to_cart", "purchase"]
    assert (found.micro_conversions["error"].event, found.sources[0].columns["error"]) == (
        ["fehler"],
        ["Fehlermeldung"],
    )
    assert found.sources[0].page_events == ["seitenaufruf"]


def test_a_file_that_nobody_knew_is_named_where_only_orders_were_understood(audit_home, tmp_path):
    (tmp_path / "orders.csv").write_text("Name,Created at,Total\n1,2026-03-02,5\n", encoding="utf-8")
    (tmp_path / "views.csv").write_text("Moment,Besuch,Adresse\n2026-03-02,1,/\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        new_client("acme", [tmp_path / "orders.csv", tmp_path / "views.csv"])
    message = str(refused.value)
    assert "raw/views.csv: is of no kind that is known" in message, (
        "it holds the events, and was passed over in silence"
    )
    assert "Columns found: Moment, Besuch, Adresse." in message


ROMANCE = {
    "fr": (
        "Date et heure;Identifiant visiteur;Identifiant session;Événement;URL de la page;Appareil;N° commande;Montant;Message d'erreur",
        ["page vue", "produit vu", "ajout au panier", "début de commande", "achat"], ("Événement", "N° commande"),
    ),
    "it": (
        "Data e ora;ID visitatore;ID sessione;Evento;URL della pagina;Dispositivo;Numero ordine;Importo;Messaggio di errore",
        ["visualizzazione pagina", "prodotto visto", "aggiunto al carrello", "checkout iniziato", "acquisto"], ("Evento", "Numero ordine"),
    ),
    "es": (
        "Fecha y hora;ID visitante;ID sesión;Evento;URL de la página;Dispositivo;Número de pedido;Importe;Mensaje de error",
        ["vista de página", "producto visto", "añadido al carrito", "inicio de compra", "compra"], ("Evento", "Número de pedido"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", list(ROMANCE))
def test_a_log_in_another_language_is_read_by_its_words(audit_home, tmp_path, language):
    head, events, (event, order) = ROMANCE[language]
    rows = [f"2{n}/03/2026 10:0{n}:00;v1;s1;{name};/p/{n};Mobile;;;" for n, name in enumerate(events)]
    rows[-1] = rows[-1].removesuffix(";;;") + ";A-1;1 234,50;"
    (tmp_path / "log.csv").write_text("\n".join([head, *rows, ""]), encoding="cp1252")
    new_client("acme", [tmp_path / "log.csv"])
    found = read_config("acme")
    assert found.journey == ["product_view", "add_to_cart", "checkout", "purchase"]
    assert (found.goals["purchase"].event, found.goals["purchase"].value) == ([events[-1]], "revenue")
    columns = found.sources[0].columns
    assert (columns["event"], columns["order_id"], found.sources[0].page_events) == ([event], [order], [events[0]])
    assert {"time", "device_id", "source_session", "page_url", "device", "amount", "error"} <= set(columns)


VISITS = {
    "sitzungen.csv": "Sitzungs-ID;Besucher-ID;Kunden-ID;Beginn;Browser;Gerät\n"
    "s1;v1;k7;02.03.2026 10:00:00;Safari;Smartphone\ns2;v1;;03.03.2026 09:00:00;Safari;Smartphone\ns3;v2;;13.03.2026 09:00:00;Firefox;Desktop\n",
    "aufrufe.csv": "Sitzungs-ID;Zeitpunkt;Ereignis;Seite\ns1;02.03.2026 10:00:00;Seitenaufruf;/\n"
    "s1;02.03.2026 10:01:00;In den Warenkorb;/p/1\ns2;03.03.2026 09:00:00;Seitenaufruf;/\ns3;13.03.2026 09:00:00;Seitenaufruf;/\n",
    "bestellungen.csv": "Bestellnummer;Sitzungs-ID;Bestelldatum;Umsatz;Währung\nA1;s1;02.03.2026 10:02:00;59,90;EUR\n",
}  # fmt: skip


def test_visits_their_sessions_and_their_orders_in_three_files_are_read_together(audit_home, tmp_path):
    for name, text in VISITS.items():
        (tmp_path / name).write_text(text, encoding="cp1252")
    new_client("acme", [tmp_path])
    views, sold = read_config("acme").sources
    assert (views.files, views.join) == (["raw/aufrufe.csv", "raw/sitzungen.csv"], {"raw/sitzungen.csv": "Sitzungs-ID"})
    assert (sold.files, sold.join) == (["raw/bestellungen.csv", "raw/sitzungen.csv"], views.join)
    assert (sold.columns["event"], sold.columns["time"]) == (["=purchase"], ["Bestelldatum"])
    audit = open_audit("acme")
    visits = audit.frame("sessions").sort_values("start")
    assert visits[["visitor_id", "browser", "orders", "events"]].values.tolist() == [
        [visits.visitor_id.iloc[0], "Safari", 1, 3],
        [visits.visitor_id.iloc[0], "Safari", 0, 1],
        [visits.visitor_id.iloc[2], "Firefox", 0, 1],
    ]
    assert visits.visitor_id.nunique() == 2
    assert audit.headline["completions"] == 1


def test_three_tables_in_one_archive_are_to_be_unzipped(audit_home, tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, text in VISITS.items():
            archive.writestr(name, text)
    with pytest.raises(DataError, match="is an archive of several kinds of export") as refused:
        new_client("acme", [tmp_path / "export.zip"])
    assert "looked up by another file: sitzungen.csv" in str(refused.value)


def test_a_file_of_several_rows_a_visitor_is_not_looked_up(audit_home, tmp_path):
    (tmp_path / "log.csv").write_text(
        "time,event,visitor_id\n2026-03-02 10:00:00,view,v1\n2026-03-02 10:01:00,view,v2\n"
    )
    (tmp_path / "mails.csv").write_text("visitor_id,subject\nv1,Hello\nv1,Again\nv2,Hello\n")
    assert "# CHECK: not read, of no known kind: raw/mails.csv" in new_client("acme", [tmp_path]).read_text("utf-8")


def test_page_views_in_a_file_without_an_event_are_a_source_of_their_own(audit_home, tmp_path):
    (tmp_path / "pages.csv").write_text("id,anonymous_id,timestamp,url\n1,a,2026-03-02 10:00:00,https://x.example/\n")
    (tmp_path / "sold.csv").write_text(
        "id,anonymous_id,timestamp,event,context_page_url,order_id,total\n2,a,2026-03-02 10:01:00,order_completed,https://x.example/ok,A1,5\n"
    )
    new_client("acme", [tmp_path])
    assert [source.files for source in read_config("acme").sources] == [["raw/sold.csv"], ["raw/pages.csv"]]
    events = open_audit("acme").frame("events").sort_values("time")
    assert events[["event", "is_page", "page"]].values.tolist() == [
        ["page_view", True, "/"],
        ["order_completed", False, "/ok"],
    ]


def test_what_failed_is_negative_whatever_failed(audit_home, tmp_path):
    rows = [visit("/", "Payment Failed"), visit("/", "purchase", "2"), visit("/", "user_logged_in", "2")]
    new_client("acme", [export(tmp_path, rows)])
    found = read_config("acme").micro_conversions
    assert (found["payment_failed"].type, found["payment_failed"].event, found["login"].event) == (
        "negative",
        ["Payment Failed"],
        ["user_logged_in"],
    )


def test_what_a_user_agent_says_may_be_where_friction_lives(audit_home, tmp_path):
    agent = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"
    systems = ["Windows NT 10.0; Win64; x64", "X11; Linux x86_64"]
    rows = [f"2026-03-02 10:0{n}:00,view,v{n},{agent.format(system)}" for n, system in enumerate(systems * 3)]
    (tmp_path / "log.csv").write_text(
        "time,event,visitor_id,user_agent\n"
        + "\n".join(row.replace("KHTML, like", "KHTML like") for row in rows)
        + "\n"
    )
    new_client("acme", [tmp_path / "log.csv"])
    assert "os" in read_config("acme").suspects


@pytest.mark.parametrize(
    ("events", "site", "goal", "why"),
    [
        (["quote_form_submit", "phone_click"], "leads", "lead", ""),
        (["Subscription Cancelled", "Trial Begun", "Invoice Sent"], "subscription", "trial", ""),
        (["Subscription Cancelled", "Invoice Sent", "Menu Opened"], "subscription", "invoice_sent", "sounds like one"),
        (["demoBooked", "tab_opened"], "leads", "demobooked", "sounds like one"),
        (["unsubscribed", "thing_seen"], "content", "thing_seen", "rarest"),
    ],
)
def test_a_goal_of_an_unusual_name_is_what_was_done_and_never_what_ended(audit_home, tmp_path, events, site, goal, why):
    rows = [row for row in inputs.clean() if row["what"] == "page_view"]
    for n, event in enumerate(events):
        rows += [row | {"id": f"{event}{row['id']}", "what": event} for row in rows[: 2 * (n + 1)]]
    path = tmp_path / "log.csv"
    path.write_bytes(inputs.as_csv([{name: row[key] for name, key in _COLUMNS.items()} for row in rows]))
    text = new_client("acme", [path]).read_text(encoding="utf-8")
    assert f"\nsite: {site}" in text and f"\nmain_goal: {goal} " in text
    assert why in text.split("main_goal")[1].split("\n")[0]


_COLUMNS = {
    "event_id": "id",
    "timestamp": "at",
    "visitor_id": "who",
    "session_id": "session",
    "event": "what",
    "page_url": "where",
}


def test_a_crm_s_file_beside_the_log_means_leads(audit_home, tmp_path):
    rows = [row | {"what": "page_view"} for row in inputs.clean()] + [inputs.clean()[0] | {"id": "x", "what": "thing"}]
    named = [
        {name: row[key] for name, key in _COLUMNS.items()} for row in inputs.without(rows, "order", "worth", "money")
    ]
    (tmp_path / "log.csv").write_bytes(inputs.as_csv(named))
    assert "\nsite: content" in new_client("alone", [tmp_path / "log.csv"]).read_text(encoding="utf-8")
    (tmp_path / "crm.csv").write_text(
        "lead_id,stage,date,value\nL1,won,2026-03-03,100\nL2,lost,2026-03-04,\n", encoding="utf-8"
    )
    assert "\nsite: leads" in new_client("both", [tmp_path]).read_text(encoding="utf-8")
