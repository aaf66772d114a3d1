"""YAML read as text, with the line of every key: nothing is guessed, nothing is executed, nothing wins in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from conversion_audit.errors import ConfigError, Problem

MOST_BYTES = 1_000_000
Lines = dict[tuple[str | int, ...], int]


def read(path: Path, shown: str) -> tuple[dict[str, Any], Lines]:
    """
    Read a YAML mapping whose leaves all stay text.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        How messages call it.

    Returns
    -------
    data, lines : dict, dict
        Nested dicts, lists and texts; and path of keys -> line, from 1.

    Raises
    ------
    ConfigError
        For a file too large, broken YAML, tags, anchors, aliases, and keys that stand twice.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(Problem(f"larger than {MOST_BYTES // 1_000_000} MB", shown, why="No configuration is."))
    try:
        text = path.read_text(encoding="utf-8-sig")
        problems = [
            Problem(
                "anchors and aliases are not used here",
                f"{shown}:{event.start_mark.line + 1}",
                mend="Write the value out.",
            )
            for event in yaml.parse(text, Loader=yaml.SafeLoader)
            if getattr(event, "anchor", None)
        ]
        node = yaml.compose(text, Loader=yaml.BaseLoader) if not problems else None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem("is not UTF-8 text", shown, mend="Save it as UTF-8.")) from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{shown}:{mark.line + 1}" if mark else shown
        what = getattr(error, "problem", None) or "is not YAML"
        raise ConfigError(
            Problem(f"cannot be read as YAML: {what}", where, mend="Check indentation, quotes and colons.")
        ) from error
    lines: Lines = {}
    data = _plain(node, (), lines, problems, shown) if node is not None else {}
    if not problems and not isinstance(data, dict):
        problems.append(Problem("should be a list of 'key: value' lines", shown))
    if problems:
        raise ConfigError(*problems)
    return data, lines


def _plain(node: yaml.Node, path: tuple, lines: Lines, problems: list[Problem], shown: str) -> Any:
    lines[path] = node.start_mark.line + 1
    if (node.tag and not node.tag.startswith("tag:yaml.org,2002:")) or "python" in (node.tag or ""):
        problems.append(
            Problem(f"tag {node.tag!r} is not allowed", f"{shown}:{lines[path]}", mend="Write plain values.")
        )
        return None
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, n), lines, problems, shown) for n, child in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key_node, child in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.value)
        if key in found:
            line = key_node.start_mark.line + 1
            first = lines[(*path, key)]
            problems.append(
                Problem(f"key '{key}' stands twice, first in line {first}", f"{shown}:{line}", mend="Keep one of them.")
            )
            continue
        found[key] = _plain(child, (*path, key), lines, problems, shown)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return found
