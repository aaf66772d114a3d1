"""Which column of a file is what: guessed from names, checked, and turned into one SELECT of texts."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversion_audit.engine import literal, quoted
from conversion_audit.errors import ConfigError, DataError, Problem, closest, listing
from conversion_audit.intake.files import InputFile
from conversion_audit.intake.sources import clock
from conversion_audit.intake.sources.casting import MAPPED
from conversion_audit.intake.sources.reading import TEXT, Shape

SYNONYMS = {
    "session": "source_session", "session_id": "source_session", "visitor_id": "device_id", "client_id": "device_id",
    "anonymous_id": "device_id", "page": "page_url", "url": "page_url", "title": "page_title", "revenue": "amount",
    "value": "amount", "name": "event", "price": "item_price", "quantity": "item_quantity", "category": "item_category",
    "transaction_id": "order_id", "date": "local_date",
}  # fmt: skip
"""Names that `columns` understands besides those of `tables.ROWS`."""

_HIDDEN = {"reject", "reject_column", "reject_value", "properties", "order_1", "order_2", "order_3"}
_USUAL = {
    "time": ("time", "timestamp", "ts", "event_time", "event_timestamp", "created_at", "created", "datetime", "date_time",
             "occurred_at", "received_at", "server_time", "event_date_time", "at", "when", "zeit", "zeitpunkt", "zeitstempel", "datum",
             "start", "started_at", "start_time", "session_start", "beginn", "startzeit",
             "viewed_at", "visited_at", "logged_at", "date_et_heure", "horodatage", "data_e_ora", "data_ora", "fecha_y_hora", "fecha_hora"),
    "event": ("event", "event_name", "action", "event_type", "type", "activity", "event_action", "ereignis", "aktion", "evenement", "evento", "activity_name", "action_name", "action_type", "interaction"),
    "device_id": ("device_id", "visitor_id", "client_id", "anonymous_id", "cookie_id", "distinct_id", "user_pseudo_id",
                  "fullvisitorid", "customer_id", "besucher", "besucher_id", "uid",
                  "identifiant_visiteur", "id_visiteur", "visiteur", "id_visitatore", "visitatore", "id_visitante", "visitante", "visitor", "cookie", "browser_id", "guest_id", "person_id", "profile_id", "tracking_id", "anon_id"),
    "user_id": ("user_id", "account_id", "member_id", "login_id", "customer", "kunde", "kundennummer", "kunden_id",
                "identifiant_client", "id_client", "id_cliente", "user", "customer_number", "customer_no"),
    "source_session": ("source_session", "session_id", "session", "visit_id", "user_session", "sitzung", "sitzungs_id",
                       "identifiant_session", "id_session", "id_sessione", "sessione", "id_sesion", "sesion", "sid"),
    "event_id": ("event_id", "message_id", "insert_id", "row_id", "uuid"),
    "page_url": ("page_url", "url", "page_location", "current_url", "page_address", "full_url", "context_page_url", "page", "page_path", "path", "location", "seite",
                 "url_de_la_page", "url_page", "url_della_pagina", "url_pagina", "pagina", "url_de_la_pagina", "page_uri", "event_url", "action_url", "uri", "webpage", "web_page", "screen_name"),
    "page_title": ("page_title", "title", "event_title", "action_title", "page_name", "context_page_title", "seitentitel", "titre_de_la_page", "titolo_pagina", "titulo_de_la_pagina"),
    "referrer": ("referrer", "referer", "page_referrer", "http_referer", "referring_url", "context_page_referrer", "initial_referrer", "referent"),
    "search_term": ("search_term", "search_query", "keyword_search", "site_search", "search", "search_keyword", "search_text", "suchbegriff"),
    "source": ("session_source", "source", "utm_source", "traffic_source", "quelle", "session_source_medium", "source_medium", "context_campaign_source", "sorgente", "fuente"),
    "medium": ("session_medium", "medium", "utm_medium", "context_campaign_medium", "mezzo", "medio"),
    "campaign": ("session_campaign", "session_campaign_name", "campaign", "utm_campaign", "campaign_name", "context_campaign_name", "kampagne", "campagne", "campagna", "campana"),
    "channel": ("session_default_channel_group", "session_default_channel_grouping", "session_channel", "channel", "channel_group",
                "default_channel_group", "channel_grouping", "kanal", "canal", "canale"),
    "platform": ("platform",),
    "app_version": ("app_version",),
    "device": ("device", "device_category", "device_type", "geraet", "gerät", "appareil", "dispositivo", "device_class", "form_factor"),
    "browser": ("browser", "browser_name", "navigateur", "navegador", "browser_family"),
    "os": ("os", "operating_system", "os_name", "betriebssystem", "systeme", "systeme_d_exploitation", "sistema_operativo", "os_family"),
    "country": ("country", "country_code", "mp_country_code", "land", "pays", "paese", "pais", "geo_country", "country_name", "ip_country"),
    "language": ("language", "locale", "sprache", "langue", "lingua", "idioma"),
    "user_agent": ("user_agent", "context_user_agent"),
    "order_id": ("order_id", "transaction_id", "order_number", "order_no", "bestellnummer", "bestell_id",
                 "n_commande", "numero_de_commande", "id_commande", "numero_ordine", "id_ordine", "numero_de_pedido", "id_pedido", "purchase_id", "invoice_id", "invoice_number", "invoice_no", "order_ref"),
    "amount": ("amount", "revenue", "value", "order_value", "total", "order_total", "order_amount", "purchase_revenue", "purchase_amount", "total_amount", "bestellwert", "umsatz", "betrag", "montant", "chiffre_d_affaires", "importo", "importe", "order_revenue", "total_revenue", "transaction_revenue", "total_price", "grand_total", "net_revenue", "gross_revenue"),
    "currency": ("currency", "currency_code", "waehrung", "währung", "devise", "valuta", "moneda"),
    "error": ("error", "error_message", "fehler", "fehlermeldung", "erreur", "message_d_erreur", "errore", "messaggio_di_errore", "mensaje_de_error"),
    "load_seconds": ("load_seconds", "page_load_seconds"),
    "item_id": ("item_id", "product_id", "sku", "aid", "artikelnummer", "article_id", "product_code", "product_sku", "stock_code", "variant_id"),
    "item_name": ("item_name", "product_name", "product", "produit", "prodotto", "producto"),
    "item_category": ("item_category", "product_category", "category_code"),
    "item_price": ("item_price", "price", "unit_price", "preis", "prix", "prezzo", "precio"),
    "item_quantity": ("item_quantity", "quantity", "qty", "menge", "quantite", "quantita", "cantidad"),
}  # fmt: skip


_WHO = {"device_id", "user_id", "source_session"}


@dataclass(frozen=True)
class Plan:
    """How raw rows become texts: the SELECT from ``raw``, the shape it needs, how delimited text gets that shape."""

    select: str
    shape: Shape
    from_text: Callable[[tuple[str, ...]], str]
    parameters: dict[str, str]
    is_many: bool


def plain(name: str) -> str:
    """Return a column name as it is compared: lower case, words joined by ``_``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^\w]+", "_", spaced).strip("_").lower()


def _unaccented(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))


def guess(*files: InputFile) -> dict[str, list[str]]:
    """Return the usual columns that files have, by name: target -> [column]; fields of nested lists as ``list.field``."""
    names = tuple(dict.fromkeys(name for file in files for name in file.columns))
    known = {key: name for name in reversed(names) for key in (_unaccented(plain(name)), plain(name))}
    for name, inner in shapes([record for file in files for record in file.records], names).items():
        fields = inner[0] if isinstance(inner, list) else {}
        known |= {plain(field): f"{name}.{field}" for field in fields if plain(field) not in known}
    taken: set[str] = set()
    found: dict[str, list[str]] = {}
    for target, usual in _USUAL.items():
        keys = (*usual, *(name.replace("_", "") for name in usual))
        column = next((known[key] for key in keys if key in known and known[key] not in taken), None)
        if column:
            found[target] = [column]
            taken.add(column)
    if "id" in known and {"anonymous_id", "received_at"} <= set(known):  # the tables of Segment's warehouse
        found.setdefault("event_id", [known["id"]])
    both = clock.pair(known, found.get("time", [None])[0], files)
    # A day is enough of a time where rows name who came; totals by day and page name nobody.
    if "time" not in found | both and _WHO & set(found) and (day := clock.alone(known, files)):
        both = {"time": [day]}
    return found | both


def typed_names(columns: Mapping[str, list[str]], where: str = "sources: columns") -> dict[str, list[str]]:
    """Return a mapping with synonyms replaced, or raise ConfigError for targets that rows do not have."""
    targets = [*(name for name in MAPPED if name not in _HIDDEN), clock.TIME_OF_DAY]
    found, problems = {}, []
    for name, sources in columns.items():
        target = name if name in targets else SYNONYMS.get(name)
        if target is None:
            what = f"rows have no {name!r}{closest(name, [*targets, *SYNONYMS])}"
            problems.append(Problem(what, where, mend=f"Known: {', '.join(targets)}"))
        else:
            found[target] = list(sources)
    if problems:
        raise ConfigError(*problems)
    return found


def is_there(name: str, columns: Iterable[str]) -> bool:
    """Return whether a mapped name is a constant, a column, or a field of one."""
    return name.startswith("=") or name in columns or name.split(".", 1)[0] in columns


def absent(
    columns: Mapping[str, Sequence[str]], everywhere: Sequence[str], files: Sequence[InputFile], mend: str
) -> list[Problem]:
    """Return a problem for each target that is mapped to columns (the first is named) of which none is there."""
    where, why = listing([file.name for file in files], 3), f"Columns found: {listing(everywhere, 20)}."
    return [
        Problem(f"no column {names[0]!r} for {target!r}{closest(names[0], everywhere)}", where, why=why, mend=mend)
        for target, names in columns.items()
        if names and not any(is_there(name, everywhere) for name in names)
    ]


def shapes(records: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Shape:
    """Return the shape of each column as far as the first records show it."""
    return {name: _shape([record.get(name) for record in records]) for name in columns}


def _shape(values: list[Any]) -> Any:
    objects = [value for value in values if isinstance(value, Mapping)]
    if objects:
        keys = dict.fromkeys(key for value in objects for key in value)
        return {key: _shape([value.get(key) for value in objects]) for key in keys}
    inner = [element for value in values if isinstance(value, list) for element in value]
    return [_shape(inner)] if any(isinstance(element, Mapping) for element in inner) else TEXT


def plan(columns: dict[str, list[str]], steps: dict[str, str], files: list[InputFile], extra: tuple[str, ...]) -> Plan:
    """
    Return how the rows of some files become one table of texts.

    Parameters
    ----------
    columns : dict
        Target -> columns of the files.
    steps : dict
        Event -> column, for tables of one row a session.
    files : list of InputFile
        The files; what one has and another lacks is missing there.
    extra : tuple of str
        Columns that a join adds.

    Raises
    ------
    DataError
        For fields that no object of a column has.
    """
    names = tuple(dict.fromkeys(name for file in files for name in file.columns))
    full = shapes([record for file in files for record in file.records], names)
    if problems := _without_field(columns, full, extra, files):
        raise DataError(*problems)
    used = {name.split(".", 1)[0] for several in columns.values() for name in several if name not in names}
    shape = {name: (inner if name in used else TEXT) for name, inner in full.items()}
    # What happens in a session are its start and its steps: its row is no event of another name.
    parts, parameters, lists = _parts({"event": [], **columns} if steps else columns, shape, extra)
    if steps:
        parts = [part for part in parts if not part.endswith(' AS "event"')]
        parameters.pop("constant_event", None)
    taken = {name for several in columns.values() for name in several} | set(steps.values()) | used
    parts.append(f"{_properties([name for name in (*names, *extra) if name not in taken])} AS properties")
    source = "raw"
    for name in lists:
        # An empty list is a row without anything in it: counted, and then quarantined.
        filled = f"CASE WHEN len({quoted(name)}) > 0 THEN {quoted(name)} ELSE [NULL] END"
        source = f"(SELECT *, unnest({filled}) AS {quoted('one ' + name)} FROM {source})"
    # Where one line gives several rows, their place among them tells them apart.
    line = "NULL AS __line" if lists or steps else "__line"
    select = f"SELECT __file, {line}, {', '.join(parts)} FROM {source}"
    if steps:
        select = _by_steps(select, steps, source)
    return Plan(select, shape, _filled(shape), parameters, bool(lists or steps))


def _without_field(
    columns: dict[str, list[str]], shape: Shape, extra: tuple[str, ...], files: list[InputFile]
) -> list[Problem]:
    """A problem for each mapped ``column.field`` of which the column's objects know nothing."""
    where, mend = listing([file.name for file in files], 3), "Correct `columns` of this source in audit.yaml."
    problems = []
    for target, names in columns.items():
        for name in names:
            top, *path = name.split(".")
            if name.startswith("=") or name in shape or name in extra or top not in shape:
                continue
            inner = shape[top][0] if isinstance(shape[top], list) else shape[top]
            for field in path:
                fields = list(inner) if isinstance(inner, dict) else []
                inner = inner[field] if field in fields else None
            if inner is None:
                what = f"no field {name!r} for {target!r}{closest(path[-1], fields)}"
                why = f"Fields found there: {listing(fields, 20) or 'none, it holds no objects'}."
                problems.append(Problem(what, where, why=why, mend=mend))
    return problems


def _parts(
    columns: dict[str, list[str]], shape: Shape, extra: tuple[str, ...]
) -> tuple[list[str], dict[str, str], list[str]]:
    parts, parameters, lists = [], {}, []
    for target, names in columns.items():
        texts = []
        for name in names:
            if name.startswith("="):
                parameters[f"constant_{target}"] = name[1:]
                texts.append(f"$constant_{target}")
            elif name in shape or name in extra:
                texts.append(f"nullif(trim(CAST({quoted(name)} AS VARCHAR)), '')")
            elif (top := name.split(".", 1)[0]) in shape:
                is_list = isinstance(shape[top], list)
                lists += [top] if is_list and top not in lists else []
                path = [("one " + top) if is_list else top, *name.split(".")[1:]]
                texts.append(f"nullif(trim(CAST({'.'.join(map(quoted, path))} AS VARCHAR)), '')")
        parts.append(f"coalesce({', '.join(texts)}, NULL) AS {quoted(target)}")
    if "source_session" in columns and not {"device_id", "user_id"} & set(columns):
        # Where nothing names the visitor, each session is its own; a bare 0 or 1 would not pass for an id.
        session = parts[list(columns).index("source_session")].removesuffix(' AS "source_session"')
        parts.append(f"'session ' || known({session}) AS device_id")
    if "event" not in columns and "page_url" in columns:
        parts.append("'page_view' AS event")
    return clock.together(parts), parameters, lists


def _properties(names: list[str]) -> str:
    """An object of the columns that nothing else uses; empty ones are left out."""
    if not names:
        return "'{}'"
    pairs = [
        f"{literal(json.dumps(name) + ':')} || to_json(nullif(CAST({quoted(name)} AS VARCHAR), ''))" for name in names
    ]
    return f"'{{' || array_to_string([{', '.join(pairs)}], ',') || '}}'"


def _by_steps(select: str, steps: dict[str, str], source: str) -> str:
    """One row a session -> its start, and each step whose column is filled."""
    moments = ["{'event': 'session_start', 'at': CAST(NULL AS VARCHAR), 'place': 0}"]
    for place, (event, column) in enumerate(steps.items(), 1):
        text = f"trim(CAST({quoted(column)} AS VARCHAR))"
        is_flag = f"regexp_full_match(lower({text}), '\\d{{1,6}}([.,]\\d+)?|true|t|yes|y|ja|x')"
        is_empty = f"coalesce(lower({text}) IN ('', '0', '0.0', 'false', 'f', 'no', 'n', 'nein', 'null', 'none', 'nan', 'nat'), TRUE)"
        moment = f"{{'event': {literal(event)}, 'at': CASE WHEN NOT {is_flag} THEN {text} END, 'place': {place}}}"
        moments.append(f"CASE WHEN NOT {is_empty} THEN {moment} END")
    happened = f"list_filter([{', '.join(moments)}], lambda one: one IS NOT NULL)"
    widened = f"(SELECT *, unnest({happened}) AS happened FROM {source})"
    inner = select.replace(f" FROM {source}", f", happened FROM {widened}")
    return (
        'SELECT * EXCLUDE (happened, "time"), happened.event AS event, CAST(happened.place AS VARCHAR) AS order_1, '
        f'coalesce(happened.at, "time") AS "time" FROM ({inner}) sessions'
    )


def _filled(shape: Shape) -> Callable[[tuple[str, ...]], str]:
    def from_text(columns: tuple[str, ...]) -> str:
        given = [quoted(name) if name in columns else f"CAST(NULL AS VARCHAR) AS {quoted(name)}" for name in shape]
        return f"SELECT {', '.join(given)}, __file, __line FROM text"

    return from_text
