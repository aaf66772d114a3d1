"""How a shared table is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from conversion_audit.engine import Table

if TYPE_CHECKING:
    from conversion_audit.audit import Audit


@dataclass(frozen=True)
class Recipe:
    """
    How a shared table is made.

    Parameters
    ----------
    make : callable
        Audit -> table.
    needs : tuple of str
        Other shared tables it is made from.
    keys : tuple of str
        Keys of the config it depends on.
    of_period : bool
        It depends on the period and on `where`; else it is made of the whole export.
    """

    make: Callable[[Audit], Table | pd.DataFrame]
    needs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    of_period: bool = True
