"""
The demo site that collects leads: Kestrel Ventilation plans air systems for schools, offices and hospitals.

21,000 sessions in the eight weeks from Monday 2 March 2026. Nothing is sold online: there are forms (quote, contact), telephone and
mail links, brochures to download, and pages to read; no orders, no items, no revenue. Visitors have a project (39 %), look around
(24 %), are clients with a question (25 %) or look for a job (11 %). Where `planted` speaks of orders, these are requests for a quote.

What is planted: `upload_field_safari`, a friction at the second page of the quote form, browser Safari, 35 %, always; two in three
of those stopped leave a form error. In the later period it is mended, and there is an incident, `quote_page_incident`: nobody on a
desktop finds the form's first field for twelve days (form_start, 45 %, 18 to 29 May).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from conversion_audit.demo.arrivals import arrive, crawl
from conversion_audit.demo.catalogue import Site, site
from conversion_audit.demo.people import draw, draw_rows
from conversion_audit.demo.story import Story, dwell, text, whole
from conversion_audit.demo.walk import Chances, Friction, depth, left_over, moved, wobble
from conversion_audit.demo.world import World

STEPS = ["solution_view", "quote_page", "form_start", "form_details", "lead"]
INTENTS = ("project", "research", "service", "careers")
UPLOAD = Friction(
    "upload_field_safari",
    "friction",
    "form_details",
    {"browser": "Safari"},
    0.35,
    "the field for floor plans refuses files; two in three of those stopped leave a form_error event",
)
HIDDEN = Friction(
    "quote_page_incident",
    "incident",
    "form_start",
    {"device": "desktop"},
    0.45,
    "a banner covers the first field of the quote form for twelve days; nothing is logged",
    first=21,
    last=32,
)
PLANS: dict[str | None, list[Friction]] = {None: [UPLOAD], "later": [HIDDEN]}
SOLUTIONS = ("schools", "offices", "hospitals", "hotels", "industry", "sports-halls")
STORIES = ("school-in-kiel", "clinic-in-graz", "office-in-basel", "hotel-in-lille")
ARTICLES = ("air-quality-basics", "noise-in-classrooms", "funding-2026", "maintenance-plan", "heat-recovery")
MANUALS = ("/service/manuals", "/service/spare-filters", "/service/fault-codes")
JOBS = ("service-engineer", "project-planner", "apprenticeship")
_INTENT_BY_CHANNEL = {
    "organic_search": (0.34, 0.31, 0.22, 0.13),
    "paid_search": (0.58, 0.30, 0.09, 0.03),
    "paid_social": (0.28, 0.50, 0.05, 0.17),
    "email": (0.40, 0.33, 0.24, 0.03),
    "direct": (0.33, 0.12, 0.40, 0.15),
    "referral": (0.36, 0.34, 0.10, 0.20),
}
_SILENT = (0.20, 0.26, 0.36, 0.38)
LANDINGS = ("home", "solution", "article", "about", "service", "manual", "contact", "jobs", "role")
_LANDING = np.array(
    [
        (0.42, 0.38, 0.14, 0.03, 0.01, 0.0, 0.02, 0.0, 0.0),
        (0.42, 0.38, 0.14, 0.03, 0.01, 0.0, 0.02, 0.0, 0.0),
        (0.33, 0.0, 0.0, 0.01, 0.40, 0.16, 0.10, 0.0, 0.0),
        (0.30, 0.0, 0.0, 0.08, 0.0, 0.0, 0.0, 0.42, 0.20),
    ]
)
SLOTS = [
    *("home", "about", "service", "manual", "jobs", "role", "apply", "article", "solution", "story", "solution_2"),
    *("brochure", "video", "quote", "details", "sent", "contact", "contact_sent"),
]
# Share of not silent sessions that open a page: project, research, service, careers.
_READS = {
    "about": (0.10, 0.08, 0.04, 0.30),
    "service": (0.04, 0.04, 0.85, 0.0),
    "manual": (0.02, 0.03, 0.55, 0.0),
    "jobs": (0.003, 0.003, 0.0, 0.94),
    "role": (0.0, 0.0, 0.0, 0.66),
    "apply": (0.0, 0.0, 0.0, 0.26),
    "article": (0.16, 0.34, 0.05, 0.02),
    "story": (0.30, 0.22, 0.02, 0.06),
    "solution_2": (0.35, 0.28, 0.0, 0.0),
    "brochure": (0.22, 0.16, 0.01, 0.0),
    "contact": (0.05, 0.02, 0.40, 0.02),
}
_PASS = {
    "solution_view": (0.90, 0.78, 0.08, 0.04),
    "quote_page": (0.40, 0.08, 0.02, 0.01),
    "form_start": 0.72,
    "form_details": 0.68,
    "lead": 0.84,
}
_PAGES = {
    "/": "Kestrel Ventilation",
    "/about": "Who we are",
    "/service": "Service for clients",
    "/service/manuals": "Manuals",
    "/service/spare-filters": "Spare filters",
    "/service/fault-codes": "Fault codes",
    "/jobs": "Working at Kestrel",
    "/jobs/apply": "Your application",
    "/brochures": "Brochures",
    "/quote": "Ask for a quote",
    "/quote/details": "Ask for a quote: your building",
    "/quote/sent": "Thank you for your request",
    "/contact": "Contact",
    "/contact/sent": "Message sent",
}


@cache
def leads_site() -> Site:
    """Return the pages of the site."""
    words = {f"/solutions/{name}": f"Ventilation for {name.replace('-', ' ')}" for name in SOLUTIONS}
    words |= {f"/case-studies/{name}": f"Case study: {name.replace('-', ' ')}" for name in STORIES}
    words |= {f"/knowledge/{name}": f"Knowledge: {name.replace('-', ' ')}" for name in ARTICLES}
    words |= {f"/jobs/{name}": f"Job: {name.replace('-', ' ')}" for name in JOBS}
    return site("www.kestrel-ventilation.example", _PAGES | words)


def world(rng: np.random.Generator, seed: int, who: pd.DataFrame, frictions: list[Friction]) -> World:
    """Return what each session came for, where it lands and how far it gets."""
    weights = np.array([_INTENT_BY_CHANNEL[name] for name in who["channel"]])
    intent = draw_rows(rng, weights * np.where(who["is_new"].to_numpy()[:, None], 1.0, (1.15, 0.8, 1.2, 0.9)))
    silent = rng.random(len(who)) < np.array(_SILENT)[intent]
    landing = draw_rows(rng, _LANDING[intent])
    shares = [np.array(share)[intent] if np.ndim(share) else np.full(len(who), share) for share in _PASS.values()]
    usual = moved(np.column_stack(shares), wobble(np.random.default_rng([seed, 4]), who, len(STEPS), 0.04))
    usual[silent, :2] = 0.0
    usual[landing == LANDINGS.index("solution"), 0] = 1.0
    never = np.zeros(len(who), dtype=bool)
    chances = Chances(usual, rng.random(usual.shape), never, never.astype(int))
    reached = depth(chances, left_over(who, chances, frictions, STEPS))
    return World(STEPS, INTENTS, who, intent, silent, landing, chances, reached)


def tell(rng: np.random.Generator, leads: World) -> tuple[Story, np.ndarray]:
    """Return the story of every session, and from which second on its visitor is logged in: never."""
    story = Story(len(leads.who), SLOTS, leads_site())
    _read(rng, leads, story)
    _ask(rng, leads, story)
    story.land(np.array([SLOTS.index(name) for name in LANDINGS])[leads.landing], "home")
    story.settle()
    arrive(rng, story, leads.who["is_new"].to_numpy(), {})
    _act(rng, leads, story)
    _fill_in(rng, leads, story)
    crawl(rng, leads, story)
    return story, np.full(len(leads.who), np.inf)


def _read(rng: np.random.Generator, leads: World, story: Story) -> None:
    size, page = len(leads.who), story.site.page
    solutions = page(*(f"/solutions/{name}" for name in SOLUTIONS))
    choices = {
        "article": page(*(f"/knowledge/{name}" for name in ARTICLES)),
        "story": page(*(f"/case-studies/{name}" for name in STORIES)),
        "role": page(*(f"/jobs/{name}" for name in JOBS)),
        "manual": page(*MANUALS),
        "apply": page("/jobs/apply"),
        "brochure": page("/brochures"),
        "solution_2": solutions,
    }
    for slot, shares in _READS.items():
        lands = leads.landing == (LANDINGS.index(slot) if slot in LANDINGS else -1)
        opens = ~leads.silent & (rng.random(size) < np.array(shares)[leads.intent])
        codes = choices[slot] if slot in choices else page(f"/{slot}")
        story.visit(slot, lands | opens, rng.choice(codes, size), dwell(rng, size, 60.0 if slot == "article" else 30.0))
    at_home = (leads.landing == 0) | (~leads.silent & (rng.random(size) < 0.15))
    story.visit("home", at_home, page("/")[0], dwell(rng, size, 15.0))
    story.visit("solution", leads.depth >= 1, solutions[draw(rng, [5, 4, 3, 2, 2, 1], size)], dwell(rng, size, 45.0))


def _ask(rng: np.random.Generator, leads: World, story: Story) -> None:
    size, codes = len(leads.who), story.site.codes
    story.visit("quote", leads.depth >= 2, codes["/quote"], dwell(rng, size, 45.0))
    story.visit("details", leads.depth >= 4, codes["/quote/details"], dwell(rng, size, 70.0))
    story.visit("sent", leads.depth >= 5, codes["/quote/sent"], dwell(rng, size, 15.0))
    sent = story.has("contact") & ~leads.silent & (rng.random(size) < 0.45)
    story.visit("contact_sent", sent, codes["/contact/sent"], dwell(rng, size, 10.0))


def _act(rng: np.random.Generator, leads: World, story: Story) -> None:
    """Telephone, mail, brochures, videos, newsletter, applications."""
    size = len(leads.who)

    def some(share: float) -> np.ndarray:
        return ~leads.silent & (rng.random(size) < share)

    phone = text("link_url", "tel:+494315550130") + text("outbound", "false")
    mail = text("link_url", "mailto:planning@kestrel-ventilation.example") + text("outbound", "false")
    for slot, share in (("contact", 0.22), ("quote", 0.08), ("solution", 0.03), ("service", 0.12)):
        story.happen("click", slot, some(share), 0.7, phone)
        story.happen("click", slot, some(share / 3), 0.8, mail)
    for slot, share, name in (
        ("brochure", 0.62, "overview"),
        ("solution", 0.07, "solution"),
        ("manual", 0.5, "manual"),
    ):
        file = text("file_name", f"/files/{name}.pdf") + text("file_extension", "pdf")
        story.happen("file_download", slot, some(share), 0.6, file)
    watches = some(0.12)
    for share, seconds in ((0.2, 0), (0.4, 30), (0.6, 60)):
        params = text("video_title", "A quiet classroom") + whole("video_current_time", seconds)
        story.happen("video_progress" if seconds else "video_start", "solution", watches, share, params)
        watches = watches & some(0.7)
    story.happen("newsletter_signup", "article", some(0.04), 0.9)
    story.happen("job_application", "apply", some(0.6), 0.9)


def _fill_in(rng: np.random.Generator, leads: World, story: Story) -> None:
    """Forms: the quote in two pages, the contact form, and what goes wrong in them."""
    size = len(leads.who)
    everyone = np.ones(size, dtype=bool)
    quote = text("form_id", "quote")
    story.happen("form_start", "quote", leads.depth >= 3, 0.3, quote)
    refused = leads.stopped("form_details") & UPLOAD.members(leads.who) & (rng.random(size) < 0.67)
    story.happen("form_error", "quote", refused, 0.8, quote + text("error_message", "This file cannot be read"))
    typing = text("error_message", "Please enter a valid postcode")
    story.happen("form_error", "quote", (leads.depth >= 3) & (rng.random(size) < 0.06), 0.6, quote + typing)
    story.happen("form_step", "details", everyone, params=quote + whole("step", 2), seq=4)
    story.happen("form_submit", "details", leads.depth >= 5, 0.95, quote)
    story.happen("generate_lead", "sent", everyone, params=quote, seq=4)
    contact = text("form_id", "contact")
    story.happen("form_start", "contact", story.has("contact_sent"), 0.3, contact)
    story.happen("form_submit", "contact", story.has("contact_sent"), 0.9, contact)
    story.happen("contact_submit", "contact_sent", everyone, params=contact, seq=4)
