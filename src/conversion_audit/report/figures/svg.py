"""matplotlib's SVG, a third of the size: same picture, shorter numbers and names, no ids but those of glyphs."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_GLYPH = re.compile(r'<path id="([^"]+)" d="([^"]*)" transform="scale\(0\.015625\)"/>')
_BLANK = re.compile(r'<path id="[^"]+" transform="scale\([\d.]+\)"/>|<path d="[^"]*" style="fill: none"/>')
_USE = re.compile(r'<use xlink:href="#([^"]+)"(?: transform="translate\((-?[\d.]+) (-?[\d.]+)\)")?/>')
_PATH = re.compile(r' d="([^"]*)"')
_FILL = re.compile(r'style="fill: (#[0-9a-f]{6})"')
_RECTANGLE = re.compile(r"^M(\S+) (\S+)L(\S+) \2L\3 (\S+)L\1 \4z$")
_EMPTY = re.compile(r"<(g|defs)(/>|></\1>)")
_COARSER = 32  # of 6,400 units to the em: a fifteenth of a pixel at 13 px


def small_svg(svg: bytes) -> bytes:
    """Return the same picture in fewer bytes; the result is the same every time."""
    body = svg[svg.index(b"<svg") :].decode("utf-8")
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r">\s+<", "><", re.sub(r"[ \t]*\n[ \t]*", " ", body))
    glyphs: dict[str, str] = {}
    body = _GLYPH.sub(lambda found: _glyph(found, glyphs), body)
    body = _USE.sub(lambda found: _use(found, glyphs), body)
    body = _NUMBER.sub(_short_number, body)
    body = _PATH.sub(lambda found: f' d="{_short_path(found[1])}"', body)
    body = _FILL.sub(r'fill="\1"', _BLANK.sub("", body))
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    while _EMPTY.search(body):
        body = _EMPTY.sub("", body)
    return body.encode("utf-8")


def _glyph(found: re.Match[str], glyphs: dict[str, str]) -> str:
    name = glyphs.setdefault(found[1], f"g{len(glyphs)}")
    return f'<path id="{name}" d="{_outline(found[2])}" transform="scale(.5)"/>'


def _outline(path: str) -> str:
    """Return an outline of moves, lines and curves in whole numbers, each relative to the point before."""
    written, start, here, command = [], (0, 0), (0, 0), ""
    tokens = iter(re.findall(r"[MLQCz]|-?\d+(?:\.\d+)?", path))
    for token in tokens:
        if token == "z":
            written.append("z")
            here, command = start, ""
            continue
        points = [_point(tokens) for _ in range({"M": 1, "L": 1, "Q": 2, "C": 3}[token])]
        if token == "M":
            start = points[0]
            written.append(f"M{_pairs(points, (0, 0))}")
        elif token != "L" or points[0] != here:
            written.append(token.lower() if token.lower() != command else " ")
            written.append(_pairs(points, here))
        command, here = token.lower() if token != "M" else "", points[-1]
    return re.sub(r" (?=-)", "", "".join(written))


def _point(tokens: object) -> tuple[int, int]:
    x, y = (round(float(next(tokens)) / _COARSER) for _ in "xy")
    return x, y


def _pairs(points: list[tuple[int, int]], origin: tuple[int, int]) -> str:
    return " ".join(f"{x - origin[0]} {y - origin[1]}" for x, y in points)


def _use(found: re.Match[str], glyphs: dict[str, str]) -> str:
    name, places = glyphs.get(found[1], found[1]), zip("xy", found.groups()[1:], strict=True)
    place = "".join(f' {axis}="{float(value):.4g}"' for axis, value in places if value and float(value))
    return f'<use href="#{name}"{place}/>'


def _short_number(found: re.Match[str]) -> str:
    """Two decimals are a hundredth of a point; a scale below one needs its digits."""
    value = float(found[0])
    return f"{round(value, 2):g}" if abs(value) >= 1 else f"{value:.3g}"


def _short_path(path: str) -> str:
    short = re.sub(r" ?([A-Za-z]) ?", r"\1", path).strip()
    corners = _RECTANGLE.match(short)
    if corners is None:
        return short
    left, top, right, bottom = (float(corner) for corner in corners.groups())
    return f"M{left:g} {top:g}h{round(right - left, 2):g}v{round(bottom - top, 2):g}h{round(left - right, 2):g}z"
