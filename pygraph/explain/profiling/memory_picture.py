"""The arena over time as a picture: each value a rectangle, as high as its bytes and as wide as the steps it lasts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from ...lower.memory_plan import MemoryPlan, PlannedValue, largest
from ...lower.program import Segment
from ..drawing.html_page import SIZE_STYLE, page, sized, written
from ..drawing.scene import CHARACTER, shortened
from ..drawing.svg_text import INK, style
from ..number_text import bytes_text

_WIDTH, _HEIGHT, _LEFT, _TOP = 1000.0, 360.0, 84.0, 46.0
#: The most values that are drawn, the largest of them, and the most bodies.
_MOST, _BODIES = 2000, 8
#: The most values that the table of a page has for each body.
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class MemoryPicture(MemoryPlan):
    """A memory plan that is drawn.

    Attributes:
        name: of the graph.
    """

    name: str = ""

    def __str__(self) -> str:
        return MemoryPlan.__str__(self)

    @property
    def peak_bytes(self) -> int:
        """The memory that a call needs, besides its inputs and outputs: the whole arena of the function itself."""
        return self.arena_bytes[0]

    def svg(self, path: str | os.PathLike[str] | None = None) -> str:
        """The picture as SVG, which is also written to `path` where that is given."""
        return written(_svg(self), path)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """A page with the picture and the table, without scripts and network; also written to `path` where given."""
        return written(page(f"memory of {self.name}", self._repr_html_()), path)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return (
            f"<style>{SIZE_STYLE}.pygraph-memory pre{{overflow-x:auto;font-size:12px;color:{INK['text'][0]}}}"
            f"@media (prefers-color-scheme:dark){{.pygraph-memory pre{{color:{INK['text'][1]}}}}}</style>"
            f'<div class="pygraph-memory">{sized(self.svg(), _WIDTH, f"m{id(self):x}")}'
            f"<pre>{escape(self.table(_LISTED))}</pre></div>\n"
        )


def pictured(plan: MemoryPlan, name: str) -> MemoryPicture:
    """The plan with its picture."""
    return MemoryPicture(plan.arena_bytes, plan.values, plan.steps, name)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A value in the picture: `x`, `y` is its upper left corner, and offsets grow upwards."""

    value: PlannedValue
    kind: str
    x: float
    y: float
    width: float
    height: float


def rectangles(plan: MemoryPlan, body: int) -> list[Rectangle]:
    """The values of a body in an area of `_WIDTH` by `_HEIGHT`; what is kept lasts to the end.

    A value lasts from the middle of the step that makes it to the middle of the last one that reads it: the result of
    that may lie where it lay.
    """
    segments, whole = plan.steps[body], max(plan.arena_bytes[body], 1)
    steps = max(sum(segments), 1)
    across, up = (_WIDTH - _LEFT - 14) / steps, _HEIGHT / whole
    found = []
    for value in largest(plan.values[body], _MOST):
        first = value.first + 0.5 if value.first >= 0 else 0.0
        last = float(steps) if value.kept else value.last + (0.5 if value.last > value.first else 1.0)
        at = next((i for i in range(len(segments)) if first < sum(segments[: i + 1])), 0)
        kind = "plain" if value.first < 0 else ("forward", "reverse", "tangent")[at]
        x, width = _LEFT + first * across, (last - first) * across
        found.append(Rectangle(value, kind, x, _HEIGHT - (value.offset + value.nbytes) * up, width, value.nbytes * up))
    return found


def _svg(plan: MemoryPicture) -> str:
    bodies = [number for number, values in enumerate(plan.values) if number == 0 or values][:_BODIES]
    height = len(bodies) * (_HEIGHT + _TOP + 34)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pygraph" width="{_WIDTH:g}" height="{height:g}" '
        f'viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-label="memory of {escape(plan.name)}">',
        f"<style>{style('pygraph')}</style>",
        f'<rect class="paper" width="{_WIDTH:g}" height="{height:g}"/>',
    ]
    for row, number in enumerate(bodies):
        lines.append(f'<g transform="translate(0 {row * (_HEIGHT + _TOP + 34) + _TOP:g})">')
        lines += _body(plan, number)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def _body(plan: MemoryPicture, number: int) -> Iterator[str]:
    values, arena, segments = plan.values[number], plan.arena_bytes[number], plan.steps[number]
    kept = sum(value.nbytes for value in values if value.read_by)
    title = f"memory of {plan.name}: {bytes_text(arena)}" + (
        f", {bytes_text(kept)} kept for later segments" if kept else ""
    )
    if number:
        title = f"body {number}, of a loop or branch: {bytes_text(arena)} within the workspace of what runs it"
    yield _text(_LEFT, -28, title, "bold")
    yield f'<rect class="frame" x="{_LEFT:g}" y="0" width="{_WIDTH - _LEFT - 14:g}" height="{_HEIGHT:g}"/>'
    for share in (0.0, 0.5, 1.0):
        yield _text(_LEFT - 6, min(_HEIGHT * (1 - share) + 4, _HEIGHT), bytes_text(round(arena * share)), "soft", "end")
    for rectangle in rectangles(plan, number):
        yield _rectangle(rectangle)
    steps, at = max(sum(segments), 1), 0
    for i, count in enumerate(segments):
        x = _LEFT + at / steps * (_WIDTH - _LEFT - 14)
        if i:
            yield f'<path class="edge-forward" stroke-dasharray="4 3" d="M{x:.1f} 0V{_HEIGHT:g}"/>'
        name = Segment(i).name.lower() if number == 0 and len(segments) > 1 else "steps"
        room = int(count / steps * (_WIDTH - _LEFT - 14) / CHARACTER)
        label = f"{name} {at}–{at + count - 1}" if count else ""
        if label and room >= 8:
            yield _text(x + 2, _HEIGHT + 16, shortened(label, room), "soft")
        at += count
    left = len(values) - _MOST
    if left > 0:
        yield _text(_LEFT, -10, f"{left} smaller values are not drawn", "soft")


def _rectangle(found: Rectangle) -> str:
    value = found.value
    said = f"{value.text}\n{bytes_text(value.nbytes)} at {value.offset}"
    said += f"\nsteps {value.first} to {'the end: kept' if value.kept else value.last}"
    if value.line is not None:
        said += f"\n{value.line}"
    for segment, text, line in value.read_by:
        said += f"\nread by {segment}: {text}" + (f", {line}" if line is not None else "")
    stroke = min(2.5 if value.read_by else 1.0, 0.2 * max(found.height, 0.6))  # of thin ones the fill is seen
    wide = f' stroke-width="{stroke:.2g}"'
    letters = int((found.width - 8) / CHARACTER)
    label = ""
    if found.height >= 15 and letters >= 3:
        text = shortened(f"{value.text} · kept" if value.read_by else value.text, letters)
        label = f'<text x="{found.x + 4:.1f}" y="{found.y + found.height / 2 + 4:.1f}">{escape(text)}</text>'
    return (
        f'<g><title>{escape(said)}</title><rect class="{found.kind}" x="{found.x:.1f}" y="{found.y:.2f}" '
        f'width="{max(found.width, 0.6):.2f}" height="{max(found.height, 0.6):.2f}"{wide}/>{label}</g>'
    )


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
