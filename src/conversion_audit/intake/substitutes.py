"""Values that may not stay as they are, and what stands for them."""

from __future__ import annotations

from collections.abc import Sequence

from conversion_audit.engine import Table, quoted


def substituted(table: Table, columns: Sequence[str], odd: Table) -> Table:
    """
    Return a table with what stands for the odd values of some columns.

    Parameters
    ----------
    table : Table
        Any table that has these columns.
    columns : sequence of str
        Columns of text in which the odd values are looked for.
    odd : Table
        ``value``, each once, and ``clean``: what stands for it; null: nothing does.

    Returns
    -------
    Table
        The same columns in the same order; the table itself where nothing is odd, so that a pass which asks for none of
        these columns need not read them.
    """
    if not columns or not len(odd):
        return table
    joins = " ".join(f"LEFT JOIN odd o{n} ON o{n}.value = r.{quoted(name)}" for n, name in enumerate(columns))
    clean = ", ".join(
        f"CASE WHEN o{n}.value IS NULL THEN r.{quoted(name)} ELSE o{n}.clean END AS {quoted(name)}"
        for n, name in enumerate(columns)
    )
    found = {"t": table, "odd": odd}
    return table.engine.view(f"SELECT r.* REPLACE ({clean}) FROM t r {joins}", found, name="substituted")
