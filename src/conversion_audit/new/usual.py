"""What shops and sites usually count, under the names the vendors give it."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Usual(NamedTuple):
    """
    One usual step or goal.

    Parameters
    ----------
    name, kind : str
        Its name in audit.yaml, and destination, time, action, negative or goal.
    en, de : str
        Its label.
    events : str
        Event names, separated by commas; compared without case, ``_``, ``-`` and space.
    part : str
        ``journey`` (in this order), ``signup`` and ``form`` (the same, of the kinds of site in `WAYS`), ``after`` or nothing.
    """

    name: str
    kind: str
    en: str
    de: str
    events: str
    part: str = ""


STEPS = (
    Usual("product_view", "destination", "Product page", "Produktseite",
          "view_item, product viewed, item viewed, viewed product, view product, product view, product detail viewed, view content, clicks, "
          "produktansicht, produkt angesehen, produktseite, artikelansicht, produit vu, vue produit, fiche produit, page produit, prodotto visto, "
          "visualizzazione prodotto, producto visto, vista de producto", "journey"),
    Usual("category_view", "destination", "Category page", "Kategorieseite", "view_item_list, product list viewed, category viewed, viewed category, kategorieansicht, kategorie angesehen"),
    Usual("product_click", "action", "Product chosen from a list", "Produkt aus einer Liste gewählt", "select_item, product clicked"),
    Usual("promotion_click", "action", "Promotion clicked", "Aktion angeklickt", "select_promotion, promotion clicked"),
    Usual("site_search", "action", "Site search", "Suche auf der Seite", "view_search_results, search, products searched, site search, searched site, searched, suche"),
    Usual("wishlist", "action", "Wish list", "Merkzettel", "add_to_wishlist, product added to wishlist, wishlist add, merkliste hinzugefügt, merkzettel hinzugefügt"),
    Usual("pricing_view", "destination", "Prices viewed", "Preise angesehen", "pricing viewed, viewed pricing, view pricing, pricing page viewed, viewed pricing page, "
          "plans viewed, viewed plans, preise angesehen, tarife angesehen", "signup"),
    Usual("plan_chosen", "action", "Plan chosen", "Tarif gewählt", "plan selected, selected plan, select_plan, plan chosen, choose_plan, tarif gewählt, abo gewählt", "signup"),
    Usual("signup_started", "action", "Sign-up begun", "Registrierung begonnen",
          "signup started, sign_up_started, started signup, started sign up, signup_start, sign_up_start, start_signup, begin_signup, begin_sign_up, signup begun, "
          "registration started, started registration, registrierung begonnen, registrierung gestartet", "signup"),
    Usual("add_to_cart", "action", "Added to cart", "In den Warenkorb", "add_to_cart, product added, added to cart, cart add, carts, added product, "
          "warenkorb hinzugefügt, in den warenkorb, in den warenkorb gelegt, artikel hinzugefügt, ajout au panier, ajouté au panier, "
          "aggiunta al carrello, aggiunto al carrello, añadido al carrito, añadir al carrito", "journey"),
    Usual("cart_view", "destination", "Cart viewed", "Warenkorb angesehen", "view_cart, cart viewed, viewed cart, warenkorb angesehen, warenkorb"),
    Usual("checkout", "action", "Checkout begun", "Kasse betreten",
          "begin_checkout, checkout started, started checkout, initiate checkout, checkout begun, checkout, "
          "kasse gestartet, kasse betreten, kasse, checkout gestartet, bestellvorgang gestartet, début de commande, commande commencée, "
          "passage en caisse, inizio checkout, checkout iniziato, inicio de compra, inicio del pago", "journey"),
    Usual("checkout_step_2", "action", "Checkout step 2", "Kasse, Schritt 2", "checkout_step_2"),
    Usual("checkout_step_3", "action", "Checkout step 3", "Kasse, Schritt 3", "checkout_step_3"),
    Usual("checkout_step_4", "action", "Checkout step 4", "Kasse, Schritt 4", "checkout_step_4"),
    Usual("shipping", "action", "Delivery details", "Lieferdaten", "add_shipping_info, shipping info entered, versandart gewählt, lieferadresse eingegeben, "
          "livraison choisie, mode de livraison, spedizione scelta, envío elegido", "journey"),
    Usual("payment", "action", "Payment details", "Zahlungsdaten", "add_payment_info, payment info entered, payment info added, payment details entered, payment method selected, payment method chosen, zahlung, zahlung gewählt, zahlungsart gewählt, "
          "paiement choisi, mode de paiement, pagamento scelto, metodo di pagamento, método de pago", "journey"),
    Usual("coupon", "action", "Coupon used", "Gutschein eingelöst", "coupon_apply, coupon applied, apply coupon, coupon entered, gutschein eingelöst, redeem_voucher, voucher redeemed"),
    Usual("form_started", "action", "Form started", "Formular begonnen", "form_start, form started, started form, formular begonnen, formular gestartet", "form"),
    Usual("video_started", "action", "Video started", "Video gestartet", "video_start, video started, video playback started, played video"),
    Usual("video_finished", "time", "Video watched to the end", "Video zu Ende gesehen", "video_complete, video completed, video playback completed"),
    Usual("download", "action", "File downloaded", "Datei heruntergeladen", "file_download, file downloaded, downloaded file"),
    Usual("scrolled", "time", "Scrolled", "Gescrollt", "scroll, scrolled"),
    Usual("shared", "action", "Shared", "Geteilt", "share, product shared, content shared"),
    Usual("newsletter", "action", "Newsletter", "Newsletter", "newsletter_signup, newsletter signup, newsletter subscribed, sign_up_news, subscribed to newsletter"),
    Usual("login", "action", "Logged in", "Angemeldet", "login, signed in, user signed in, logged in, user logged in, user login, angemeldet, eingeloggt, connexion, accesso, inicio de sesión"),
    Usual("contact_sent", "action", "Contact form sent", "Kontaktformular gesendet", "contact_submit, contact_sent, contact_form_submit, contact form submitted, kontaktformular gesendet, kontaktformular abgeschickt, "
          "formulaire contact envoyé, formulaire de contact envoyé"),
    Usual("chat", "action", "Chat started", "Chat begonnen", "chat_start, chat started, live chat started"),
    Usual("call", "action", "Phone number clicked", "Telefonnummer angeklickt", "click_phone, click_to_call, phone_call, call clicked"),
    Usual("store_found", "action", "Store found", "Filiale gefunden", "find_store, store_search, store_directions, click_directions"),
    Usual("return_filed", "action", "Return filed", "Rücksendung angemeldet", "return_request, return_created, rma_created, return_label, refund_requested, "
          "retoure angemeldet, rücksendung angemeldet, retour demandé, reso richiesto"),
    Usual("job_applied", "action", "Job application", "Bewerbung", "job_apply, job_application, application_submit"),
    Usual("order_tracking", "action", "Order tracked", "Sendung verfolgt", "track_order, order_status, order_status_view, tracking_click, track_shipment", "after"),
    Usual("review", "action", "Review written", "Bewertung geschrieben", "review, write_review, review_submit, product reviewed", "after"),
    Usual("remove_from_cart", "negative", "Removed from cart", "Aus dem Warenkorb entfernt", "remove_from_cart, product removed, removed from cart, warenkorb entfernt, aus dem warenkorb entfernt"),
    Usual("form_error", "negative", "Form error", "Fehler im Formular", "form_error, form error, validation_error, validation failed, form validation failed, form invalid, formularfehler"),
    Usual("payment_failed", "negative", "Payment failed", "Zahlung fehlgeschlagen", "payment failed, payment declined, payment error, payment rejected, card declined, "
          "transaction failed, checkout failed, checkout error, order failed, purchase failed, zahlung fehlgeschlagen, zahlung abgelehnt, karte abgelehnt, "
          "paiement refusé, pagamento rifiutato, pago rechazado"),
    Usual("error", "negative", "Error", "Fehler", "exception, app_exception, error, js_error, javascript_error, application crashed, fehler, fehlermeldung, erreur, errore"),
    Usual("cancelled", "negative", "Subscription cancelled", "Gekündigt", "subscription cancelled, subscription canceled, cancelled subscription, "
          "canceled subscription, cancel_subscription, churned, gekündigt, abo gekündigt"),
    Usual("rage_click", "negative", "Rage click", "Wutklick", "rage_click, $rageclick, rageclick"),
)  # fmt: skip

_SIGNED_UP = (
    "signup completed, sign_up_completed, completed signup, completed sign up, signup complete, signup_success, signup, user signed up, "
    "registration completed, completed registration, user registered, created account"
)

_SIGN_UP = Usual("sign_up", "goal", "Sign-up", "Registrierung", "sign_up, signed up, account created, complete_registration, registered, "
                 f"{_SIGNED_UP}, registriert, registrierung abgeschlossen, tutorial_complete")  # fmt: skip
GOALS = {
    "shop": (Usual("purchase", "goal", "Purchase", "Kauf",
                   "purchase, order completed, completed order, placed order, order placed, orders, order, ecommerce_purchase, "
                   "in_app_purchase, transaction, purchased, checkout completed, payment completed, purchase completed, completed purchase, "
                   "product purchased, item purchased, order created, order submitted, order confirmed, "
                   "bestellung, bestellung abgeschlossen, kauf, kauf abgeschlossen, gekauft, achat, commande validée, commande terminée, "
                   "acquisto, ordine completato, compra, pedido completado"),),
    "leads": (Usual("lead", "goal", "Lead", "Anfrage",
                    "generate_lead, qualify_lead, lead, lead submitted, form_submit, form submitted, quote_request, demo_request, contact_submit, contact_sent, "
                    "anfrage, anfrage gesendet, kontaktformular gesendet"),),
    "subscription": (Usual("subscription", "goal", "Subscription", "Abschluss",
                           "subscribe, subscription started, subscribed, subscription created, billed, abo abgeschlossen"),
                     Usual("trial", "goal", "Trial", "Testzugang", "start_trial, trial started, started trial, trial begun, testphase gestartet"),
                     _SIGN_UP),
    "app": (_SIGN_UP,),
    "content": (Usual("newsletter", "goal", "Newsletter", "Newsletter",
                      "newsletter_signup, newsletter subscribed, sign_up, subscribe, join_group, file_download, share, newsletter angemeldet, newsletter anmeldung"),),
}  # fmt: skip
"""Kind of site -> its usual main goals, the first that an export has."""

WAYS = {
    "leads": ("journey", "form"),
    "subscription": ("journey", "signup", "form"),
    "app": ("journey", "signup", "form"),
}
"""Kind of site -> the parts of its journey, where they are more than ``journey``."""

PAGE_VIEWS = (
    "page_view", "pageview", "page viewed", "viewed page", "view page", "page visit", "seitenaufruf", "seitenansicht", "seite aufgerufen",
    "paginaweergave", "page vue", "vue de page", "página vista", "vista de página", "visualizzazione pagina", "pagina vista",
)  # fmt: skip
"""Events that are a page view, where an export does not say."""

AUTOMATIC = {
    "page_view", "screen_view", "session_start", "first_visit", "first_open", "user_engagement", "scroll", "click", "event", "view",
    "pageview", *PAGE_VIEWS, "$pageview", "$autocapture", "$pageleave", "$identify", "visited site", "page", "web_vitals", "consent",
}  # fmt: skip
"""Events that mean nothing in themselves."""


_SETBACK = re.compile(
    r"cancel|churn|refund|unsubscri|opt ?out|delet|remov|logout|log ?out|sign ?out|expire|kuendig|storn|abgemeld|abbruch|"
    r"abandon|bounce|dismiss|close"
)
_DONE = re.compile(
    r"submit|sent|request|complet|success|activat|book|paid|convert|regist|sign ?up|subscri|order|purchas|apply|applied|abgeschickt|"
    r"gesendet|abgeschlossen|gebucht|bestellt|angefragt|bezahlt|envoy|inviat|enviad"
)
_ABOUT = {
    "leads": re.compile(
        r"quote|lead|demo|contact|callback|appointment|enquiry|inquiry|anfrage|angebot|kontakt|termin|rueckruf|devis|preventivo"
    ),
    "subscription": re.compile(r"subscri|trial|invoice|plan|billing|abo |abonnement|abbonamento|suscripci"),
}


def is_setback(event: str) -> bool:
    """Say whether an event's name tells of an end or a failure, which nobody aims at."""
    return bool(_SETBACK.search(plain(event)))


def is_done(event: str) -> bool:
    """Say whether an event's name tells that something was sent, booked, paid or begun for good."""
    return bool(_DONE.search(plain(event)))


def site_of(event: str) -> str | None:
    """Return the kind of site on which an event of such a name is the goal."""
    return next((site for site, words in _ABOUT.items() if words.search(plain(event))), None)


_HEADINGS = {
    "product_view": "product, viewed, produkt gesehen, produkte gesehen",
    "add_to_cart": "cart, basket, in cart, warenkorb",
    "purchase": "bought, converted, conversion, bestellt",
    "lead": "leads, enquiry, converted, conversion",
    "subscription": "converted, conversion",
}
"""Of tables with one row a session, beside the names of events."""

_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(event: str) -> str:
    """Return an event name as names are compared: ``Product_Viewed`` is ``product viewed``, ``gewählt`` is ``gewaehlt``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", event)
    spelled = unicodedata.normalize("NFKD", re.sub(r"[\s_\-.]+", " ", spaced).strip().lower().translate(_SPELLED))
    return "".join(char for char in spelled if not unicodedata.combining(char))


def headings(usual: Usual) -> list[str]:
    """Return how a column is headed that says whether a session came to a step, as names are compared."""
    names = f"{usual.events}, {usual.name}, {usual.en}, {usual.de}, {_HEADINGS.get(usual.name, '')}"
    return [plain(name) for name in names.split(",") if name.strip()]


def found(usual: Usual, events: dict[str, int]) -> list[str]:
    """
    Return the export's own names for a usual step, in the order they are usually meant; `events` is name -> sessions.

    Where none is usual as it stands, a usual name of two words or more may end one: ``quote_form_submit``.
    """
    by_plain: dict[str, list[str]] = {}
    for event in events:
        by_plain.setdefault(plain(event), []).append(event)
    wanted = [plain(name) for name in usual.events.split(",")]
    exact = list(dict.fromkeys(event for name in wanted for event in by_plain.get(name, ())))
    endings = tuple(f" {name}" for name in map(str.strip, wanted) if " " in name)
    return exact or [event for event in events if plain(event).endswith(endings) and not is_setback(event)]
