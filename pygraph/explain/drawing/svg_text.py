"""A scene as SVG: one file with its colours for light and dark, and no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from itertools import pairwise

from .drawn_parts import Part
from .scene import FONT, Box, Frame, Line, Scene, type_label

#: Colours that people with a deficient colour vision tell apart (M. Okabe and K. Ito, "Color Universal Design", 2008),
#: for light and for dark: stroke and fill of each sweep.
COLOURS = {
    "forward": ("#0072b2", "#e6f1f8", "#56b4e9", "#16303f"),
    "reverse": ("#c04f00", "#fdeee2", "#f0a35e", "#3f2814"),
    "tangent": ("#00795a", "#e3f4ee", "#3fc39a", "#123329"),
}
INK = {"text": ("#1b1f24", "#e6edf3"), "soft": ("#57606a", "#9aa4af"), "paper": ("#ffffff", "#0d1117")}
FRAME = {"fill": ("#f6f8fa", "#151b23"), "stroke": ("#c3cad1", "#3d444d")}


def style(scope: str) -> str:
    """The rules for what is drawn, for elements in the class `scope`."""

    def rules(dark: int) -> str:
        ink = {name: pair[dark] for name, pair in INK.items()}
        found = [
            f".{scope} text{{fill:{ink['text']}}}",
            f".{scope} .soft{{fill:{ink['soft']}}}",
            f".{scope} .paper{{fill:{ink['paper']}}}",
            f".{scope} .frame{{fill:{FRAME['fill'][dark]};stroke:{FRAME['stroke'][dark]}}}",
            f".{scope} .plain{{fill:{ink['paper']};stroke:{ink['soft']}}}",
        ]
        for name, colours in COLOURS.items():
            stroke, fill = colours[2 * dark : 2 * dark + 2]
            found.append(f".{scope} .{name}{{fill:{fill};stroke:{stroke}}}")
            found.append(f".{scope} .edge-{name}{{stroke:{stroke};fill:none}}.{scope} .tip-{name}{{fill:{stroke}}}")
        return "".join(found)

    font = f"font:{FONT:g}px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"
    return (
        f".{scope} text{{{font}}}.{scope} .bold{{font-weight:600}}{rules(0)}"
        f"@media (prefers-color-scheme:dark){{{rules(1)}}}"
    )


def svg(
    scene: Scene, scope: str = "pygraph", link: Callable[[Part], str | None] = lambda part: None, styled: bool = True
) -> str:
    """The text of an SVG.

    Args:
        scene: what is drawn.
        scope: a class that its styles belong to, so that they change nothing else on a page.
        link: where a folded group leads to, if anywhere.
        styled: it has its styles with it.
    """
    width, height = _n(scene.width), _n(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(scene.title or "graph")}">',
        f"<style>{style(scope)}</style>" if styled else "",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    lines += map(_frame, scene.frames)
    lines += map(_line, scene.lines)
    lines += map(_frame_text, scene.frames)
    lines += (_box(box, link(box.part)) for box in scene.boxes)
    lines += _legend(scene)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _n(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    said = f' class="{kind}"' if kind else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{said}>{escape(text)}</text>'


def tooltip(part: Part) -> str:
    """What is said of a part where the pointer rests on it."""
    said = [part.label]
    if part.node is not None:
        said.append(type_label(part.node) if part.node.results is not None else part.node.type_text)
    if part.children:
        said.append(f"{part.size} nodes")
    if part.line is not None:
        said.append(str(part.line))
    return "\n".join(said)


def _frame(frame: Frame) -> str:
    kind = f"frame {frame.part.sweep}".rstrip() if frame.part.node is None else "frame"
    place = f'x="{_n(frame.x)}" y="{_n(frame.y)}" width="{_n(frame.width)}" height="{_n(frame.height)}"'
    fill = ' fill-opacity="0.35"' if frame.part.sweep else ""
    return f'<rect class="{kind}" {place} rx="8"{fill}><title>{escape(tooltip(frame.part))}</title></rect>'


def _frame_text(frame: Frame) -> str:
    return _text(frame.text_x, frame.y + 16, frame.text, "soft bold", "start")


def _box(box: Box, link: str | None) -> str:
    part = box.part
    plain = part.is_plain
    kind = "plain" if plain else part.sweep or "forward"
    # Rounded ends are inputs and results, square corners what derivatives compute, two outlines a folded group.
    radius = 12 if plain else 2 if part.sweep else 6
    place = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    found = [f"<g><title>{escape(tooltip(part))}</title>"]
    if part.children:
        shifted = f'x="{_n(box.x + 3)}" y="{_n(box.y + 3)}" width="{_n(box.width)}" height="{_n(box.height)}"'
        found.append(f'<rect class="{kind}" {shifted} rx="{radius}"/>')
    wide = ' stroke-width="2.5"' if box.kept else ""
    found.append(f'<rect class="{kind}" {place} rx="{radius}"{wide}/>')
    middle = box.x + box.width / 2
    found.append(_text(middle, box.y + 17, box.text, "bold" if part.children else ""))
    if box.pill:
        found.append(_text(middle, box.y + box.height - 5, box.pill, "soft"))
    found.append("</g>")
    text = "".join(found)
    return f'<a href="{escape(link)}">{text}</a>' if link else text


def _line(line: Line) -> str:
    kind = line.source.sweep or "forward"
    points = list(line.points)
    tip = ""
    if line.arrow:
        x, y = points[-1]
        points[-1] = (x, y - 5)
        tip = f'<path class="tip-{kind}" d="M{_n(x - 3.5)} {_n(y - 7)}L{_n(x + 3.5)} {_n(y - 7)}L{_n(x)} {_n(y)}Z"/>'
    return f'<path class="edge-{kind}" stroke-width="1.2" d="{path_data(points)}"/>{tip}'


def path_data(points: list[tuple[float, float]]) -> str:
    """A line through corners, as curves that are vertical at each."""
    found = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (x, y), (u, v) in pairwise(points):
        if x == u or y == v:
            found.append(f"L{_n(u)} {_n(v)}")
        else:
            middle = _n((y + v) / 2)
            found.append(f"C{_n(x)} {middle} {_n(u)} {middle} {_n(u)} {_n(v)}")
    return "".join(found)


def _legend(scene: Scene) -> Iterator[str]:
    y = 14.0
    if scene.title:
        yield _text(14, y + 6, scene.title, "bold", "start")
        y += 26
    for mark, x in scene.legend():
        kind = mark if mark in COLOURS else "plain"
        if mark == "folded":
            yield f'<rect class="plain" x="{_n(x + 3)}" y="{_n(y - 2)}" width="14" height="11" rx="3"/>'
        wide = ' stroke-width="2.5"' if mark == "kept" else ""
        radius = 1 if mark in ("reverse", "tangent") else 3
        yield f'<rect class="{kind}" x="{_n(x)}" y="{_n(y - 5)}" width="14" height="11" rx="{radius}"{wide}/>'
        yield _text(x + 22, y + 5, mark, "soft", "start")
