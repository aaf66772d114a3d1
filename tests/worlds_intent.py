"""Generated shops whose visitors' purposes are known here, and to no analysis: marks, sessions, and the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

STEPS = ["product_view", "add_to_cart", "checkout", "purchase"]
GOAL = "purchase"
INTENTS = {"returns": "cannot", "support": "cannot", "careers": "cannot", "account": "unclear"}
PAGES = {
    "returns": ["/returns", "/account/orders", "/returns/label"],
    "support": ["/help", "/contact", "/help/sizes"],
    "careers": ["/jobs", "/jobs/warehouse", "/jobs/office"],
}
TASKS = {"returns": "return_start", "support": "chat_start", "careers": "job_view"}
SUCCESS = {"returns": "return_filed", "support": "contact_sent", "careers": "applied"}
CHANNELS = ["Organic Search", "Paid Search", "Direct", "Email"]
TYPES = {"/p": "product", "/c": "category", "/search": "search"}


@dataclass(frozen=True, eq=False)
class World:
    """What is planted. Shares are of sessions; `silent` is the share that leaves a landing without further evidence."""

    sessions: int = 40_000
    purposes: dict[str, float] = field(
        default_factory=lambda: {"purchase": 0.55, "research": 0.27, "returns": 0.07, "support": 0.07, "careers": 0.04}
    )
    shop_landing: tuple[float, ...] = (0.35, 0.30, 0.35)  # product, category or search, home
    service_landing: float = 0.55
    silent_shoppers: float = 0.12
    silent_others: float = 0.36
    silent_at_home: float = 0.0  # of shoppers on the home page, beyond the above
    shoppers_on_help: float = 0.0  # of shoppers who land on /help
    shopper_reads_service: float = 0.03
    other_browses: float = 0.06
    other_only_browses: float = 0.05
    others_on_shelf: float = 0.005
    order_rate: dict[str, float] = field(default_factory=lambda: {"purchase": 0.08, "research": 0.01})


ORDINARY = World()
HALF = World(
    purposes={"purchase": 0.3, "research": 0.2, "returns": 0.2, "support": 0.2, "careers": 0.1},
    silent_shoppers=0.1,
    silent_others=0.3,
)
EVERYONE = World(purposes={"purchase": 0.6, "research": 0.4}, shopper_reads_service=0.0)
SILENT_HOME = World(silent_at_home=0.3)
SHOPPERS_ON_HELP = World(shoppers_on_help=0.2)


def shop(world: World, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """
    Return marks, sessions and the truth (session_id, purpose, can_buy) of one generated shop.

    About four sessions in ten belong to visitors who come more than once; purposes are drawn anew each time.
    """
    rng = np.random.default_rng(seed)
    names = list(world.purposes)
    purposes = rng.choice(
        names, world.sessions, p=np.array(list(world.purposes.values())) / sum(world.purposes.values())
    )
    visitors = rng.integers(0, int(world.sessions * 0.7), world.sessions)
    channels = rng.choice(len(CHANNELS), world.sessions, p=[0.45, 0.2, 0.25, 0.1])
    tilt = rng.random(world.sessions)
    marks: list[tuple] = []
    sessions: list[tuple] = []
    for number, purpose in enumerate(purposes):
        # Shoppers come by advertising more often, others by typing the address.
        channel = channels[number]
        if purpose in PAGES and tilt[number] < 0.3:
            channel = 2
        rows, landing, kind = _visit(world, purpose, rng)
        session = f"s{number:06d}"
        marks += [(session, f"d:{visitors[number]}", place + 1, name, detail) for place, name, detail in rows]
        ordered = any(name == GOAL for _, name, _ in rows)
        sessions.append((session, f"d:{visitors[number]}", CHANNELS[channel], landing, kind, len(rows), ordered))
    truth = pd.DataFrame({"session_id": [s[0] for s in sessions], "purpose": purposes})
    return _marks(marks), _sessions(sessions, rng), truth.assign(can_buy=~truth.purpose.isin(list(PAGES)))


def _visit(world: World, purpose: str, rng: np.random.Generator) -> tuple[list[tuple], str, str | None]:
    if purpose in PAGES:
        return _service_visit(world, purpose, rng)
    return _shop_visit(world, purpose, rng)


def _service_visit(world: World, purpose: str, rng: np.random.Generator) -> tuple[list[tuple], str, str | None]:
    pages = PAGES[purpose]
    lands = rng.random() < world.service_landing
    landing = pages[rng.integers(len(pages))] if lands else "/"
    if rng.random() < world.others_on_shelf:
        return [(0, "evidence:shop:2", "/c/0")], "/c/0", "category"
    rows = [(0, f"evidence:{purpose}:3", landing)] if lands else []
    place = 1
    if rng.random() < world.silent_others:
        return rows, landing, None
    if rng.random() < world.other_only_browses:
        return [*rows, (place, "evidence:shop:2", "/c/sale")], landing, None
    later = [page for page in pages if page != landing]
    for page in rng.permutation(later)[: 1 + rng.integers(2)]:
        rows.append((place, f"evidence:{purpose}:2", str(page)))
        place += 1
    if rng.random() < 0.5:
        rows.append((place, f"evidence:{purpose}:3", TASKS[purpose]))
        if rng.random() < 0.7:
            rows.append((place + 1, SUCCESS[purpose], SUCCESS[purpose]))
        place += 2
    if rng.random() < world.other_browses:
        rows.append((place, "evidence:shop:2", "/c/sale"))
        if rng.random() < 0.3:
            rows.append((place + 1, "product_view", "/p/9"))
    return rows, landing, None


def _shop_visit(world: World, purpose: str, rng: np.random.Generator) -> tuple[list[tuple], str, str | None]:
    draw, silent = rng.random(), world.silent_shoppers
    rows: list[tuple] = []
    product, shelf, _ = np.cumsum(world.shop_landing)
    if rng.random() < world.shoppers_on_help:
        landing, kind = "/help", None
        rows.append((0, "evidence:support:3", "/help"))
    elif draw < product:
        landing, kind, silent = f"/p/{rng.integers(9)}", "product", 0.0
        rows.append((0, "evidence:shop:3", landing))
    elif draw < shelf:
        landing, kind = (f"/c/{rng.integers(5)}", "category") if rng.random() < 0.7 else ("/search", "search")
        rows.append((0, "evidence:shop:2", landing))
    else:
        landing, kind = "/", None
        silent = silent + world.silent_at_home
    if rng.random() < silent:
        return rows, landing, kind
    return rows + _shopping(world, purpose, landing, rng), landing, kind


def _shopping(world: World, purpose: str, landing: str, rng: np.random.Generator) -> list[tuple]:
    rows, place = [], 1
    if landing != "/help" and rng.random() < world.shopper_reads_service:
        rows.append((place, "evidence:support:2", "/help/sizes"))
        place += 1
    if not landing.startswith("/p/") and rng.random() < 0.6:
        rows.append((place, "evidence:shop:2", "/c/other"))
        place += 1
        if rng.random() < 0.15:
            return rows
    rows += [(place, "product_view", "/p/1"), (place, "evidence:shop:3", "/p/1")]
    if rng.random() < world.order_rate[purpose]:
        later = ["add_to_cart", "checkout", GOAL]
    else:
        later = ["add_to_cart"] if rng.random() < 0.1 else []
    return rows + [(place + 1 + n, name, name) for n, name in enumerate(later)]


def _marks(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["session_id", "visitor_id", "event_number", "name", "detail"])
    return frame.assign(
        moment=frame.event_number,
        visitor_event_number=frame.event_number,
        visitor_moment=frame.event_number,
        time=pd.Timestamp("2026-03-02") + pd.to_timedelta(frame.event_number * 20, unit="s"),
    )


def _sessions(rows: list[tuple], rng: np.random.Generator) -> pd.DataFrame:
    columns = ["session_id", "visitor_id", "channel", "landing_page", "landing_page_type", "marks", "ordered"]
    frame = pd.DataFrame(rows, columns=columns).sort_values("session_id")
    days = rng.integers(0, 56, len(frame))
    start = pd.Timestamp("2026-03-02 08:00") + pd.to_timedelta(days, unit="D")
    return frame.assign(
        device_id=frame.visitor_id.str.slice(2),
        source_session=frame.session_id,
        start=start,
        date=start.normalize(),
        hour=8,
        device=rng.choice(["desktop", "mobile"], len(frame)),
        country="Germany",
        seconds=frame.marks * 20.0,
        pages=frame.marks + 1,
        events=frame.marks + 1,
        visit_number=frame.groupby("visitor_id").cumcount() + 1,
        orders=frame.ordered.astype(int),
        revenue=frame.ordered * 50.0,
        set_aside=None,
        is_new=frame.groupby("visitor_id").cumcount() == 0,
    )
