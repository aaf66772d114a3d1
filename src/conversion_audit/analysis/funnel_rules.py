"""How a funnel counts: the options of one asking, as the queries need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rules:
    """How a funnel counts, as the queries need it."""

    rule: str
    later: int
    first: bool
    window: float | None
    step_window: float | None
    tolerance: float
    excluding: bool
    steps: int
    has_period: bool = True

    @property
    def unlimited(self) -> bool:
        """Nothing limits a chain, so the first entry is the best one."""
        return self.rule == "moment" and not (self.window or self.step_window or self.excluding)

    @property
    def keeps_every_state(self) -> bool:
        """A later event can reach further than an earlier one."""
        return self.rule == "strict" or self.step_window is not None

    @property
    def horizon(self) -> float | None:
        """Seconds after its entry in which a chain can still move; None without a limit."""
        limits = [self.window, self.step_window and self.step_window * (self.steps - 1)]
        return min((limit for limit in limits if limit), default=None)

    @property
    def parameters(self) -> dict[str, Any]:
        """The values that the statements take."""
        every = self.keeps_every_state or self.excluding or self.rule == "any_order"
        names = ("rule", "later", "first", "window", "step_window", "tolerance")
        in_order = self.rule in ("moment", "strict")
        return {name: getattr(self, name) for name in names} | {"every": every, "in_order": in_order}


def rules_of(
    order: str,
    entry: str,
    window: float | None,
    step_window: float | None,
    ties: str,
    tolerance: float,
    excluding: bool,
    steps: int,
) -> Rules:
    """Return the rules that the options of `funnel.reached` mean for this many steps."""
    rule = {"sequential": "moment"}.get(order, order)
    if rule == "moment" and tolerance > 0:
        rule = "apart" if ties == "adverse" else "near"
    later = int(ties == "adverse" and rule != "any_order")
    kept = tolerance if rule in ("near", "apart") else 0.0
    step_window = None if rule == "any_order" else step_window
    return Rules(rule, later, entry == "first", window, step_window, kept, excluding, steps)
