"""Which shared tables a figure or table of a chapter was made from, read from the chapter's own code."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence


def tables_behind(cells: Sequence[str], name: str, known: Collection[str]) -> list[str]:
    """
    Return the shared tables behind what a chapter shows under a name.

    Parameters
    ----------
    cells : sequence of str
        Code of the chapter, in order.
    name : str
        As in ``show(..., name="funnel")``.
    known : collection of str
        Names of shared tables.

    Returns
    -------
    list of str
        The table of that very name, where there is one; else those that the code asks for on the way to it. Empty
        where the code does not say.

    Examples
    --------
    >>> tables_behind(['steps = audit.frame("funnel")', 'show(steps.head(), name="first")'], "first", {"funnel"})
    ['funnel']
    """
    if name in known:
        return [name]
    trees = [ast.parse(cell) for cell in cells]
    assigned = dict(pair for tree in trees for pair in _assigned(tree))
    shown = next((one for tree in trees for one in _calls(tree) if _named(one) == name), None)
    if shown is None:
        return []
    asked = [*shown.args, *(word.value for word in shown.keywords if word.arg == "table")]
    found: list[str] = []
    for one in asked:
        found += _followed(one, assigned, known, frozenset())
    return list(dict.fromkeys(found))


def _assigned(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)


def _pairs(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple):
        parts = value.elts if isinstance(value, ast.Tuple) else None
        if isinstance(value, ast.GeneratorExp) and isinstance(value.generators[0].iter, ast.Tuple):
            parts = value.generators[0].iter.elts  # (audit.frame(n) for n in ("a", "b"))
        for n, one in enumerate(target.elts):
            yield from _pairs(one, parts[n] if parts and len(parts) == len(target.elts) else value)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "show":
            yield node


def _named(call: ast.Call) -> str | None:
    for word in call.keywords:
        if word.arg == "name" and isinstance(word.value, ast.Constant):
            return str(word.value.value)
    return None


def _followed(
    node: ast.AST, assigned: Mapping[str, ast.AST], known: Collection[str], seen: frozenset[str]
) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and one.value in known:
            yield str(one.value)
        elif isinstance(one, ast.Name) and one.id in assigned and one.id not in seen:
            yield from _followed(assigned[one.id], assigned, known, seen | {one.id})
