"""The chart of a profile: calls of the user's functions as wide as the time of what they recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from ...graph.source import SourceLine
from ..drawing.drawn_parts import calls_of
from ..drawing.html_page import SIZE_STYLE, sized
from ..drawing.scene import CHARACTER, shortened
from ..drawing.svg_text import INK, style

_WIDTH, _ROW, _NARROW = 1000.0, 21.0, 0.5


@dataclass(slots=True)
class _Bar:
    """A segment, a call, a line or an instruction."""

    text: str
    said: str
    kind: str
    nanoseconds: float = 0.0
    inner: dict[object, _Bar] = field(default_factory=dict)

    def put(self, key: object, text: str, said: str, kind: str, nanoseconds: float) -> _Bar:
        found = self.inner.get(key)
        if found is None:
            found = self.inner[key] = _Bar(text, said, kind)
        found.nanoseconds += nanoseconds
        return found

    @property
    def height(self) -> int:
        return 1 + max((bar.height for bar in self.inner.values()), default=0)


def _tree(parts: Sequence[tuple[str, SourceLine | None, float, str]], name: str) -> _Bar:
    root = _Bar(name, name, "plain")
    paths = [calls_of(line, "") for _, line, _, _ in parts]
    shared = 0
    while all(len(path) > shared + 1 for path in paths) and len({path[shared] for path in paths}) == 1:
        shared += 1
    for (segment, line, taken, text), path in zip(parts, paths, strict=True):
        sweep = segment if segment != "forward" else (line.sweep if line is not None else "") or "forward"
        root.nanoseconds += taken
        bar = root.put(segment, segment, segment, segment, taken)
        for function, caller, _ in path[shared:]:
            where = f"{function}, called from {caller}" if caller is not None else function
            bar = bar.put((function, caller), function, where, sweep, taken)
        if line is not None:
            bar = bar.put((line.place, sweep), line.code or line.place, str(line), sweep, taken)
        bar.put((text, sweep), text, text, sweep, taken)
    return root


def chart(parts: Sequence[tuple[str, SourceLine | None, float, str]], name: str, table: str) -> str:
    """The chart, and the table below it, as a part of a page.

    Args:
        parts: segment, line, nanoseconds and instruction of all that was timed.
        name: of what was profiled.
        table: the profile as text.
    """
    root = _tree(parts, name)
    height = root.height * _ROW + 8
    bars = "\n".join(_bars(root, 4.0, 4.0, (_WIDTH - 8) / max(root.nanoseconds, 1e-9), root.nanoseconds))
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pygraph" width="{_WIDTH:g}" height="{height:g}" '
        f'viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-label="profile of {escape(name)}">'
        f'<rect class="paper" width="{_WIDTH:g}" height="{height:g}"/>\n{bars}\n</svg>'
    )
    return (
        f"<style>{style('pygraph')}{SIZE_STYLE}"
        f".pygraph-profile pre{{overflow-x:auto;font-size:12px;color:{INK['text'][0]}}}"
        f"@media (prefers-color-scheme:dark){{.pygraph-profile pre{{color:{INK['text'][1]}}}}}</style>\n"
        f'<div class="pygraph-profile">{sized(picture, _WIDTH, f"p{id(parts):x}")}\n<pre>{escape(table)}</pre></div>\n'
    )


def _bars(bar: _Bar, x: float, y: float, scale: float, whole: float) -> Iterator[str]:
    width = bar.nanoseconds * scale
    if width < _NARROW:
        return
    share = 100 * bar.nanoseconds / max(whole, 1e-9)
    letters = int((width - 8) / CHARACTER)
    text = shortened(bar.text, letters) if letters >= 3 else ""
    kind = bar.kind if bar.kind in ("forward", "reverse", "tangent") else "plain"
    said = escape(f"{bar.said}\n{bar.nanoseconds / 1e3:.4g} µs, {share:.1f}%")
    label = f'<text x="{x + 4:.1f}" y="{y + 14:.1f}">{escape(text)}</text>' if text else ""
    yield (
        f'<g><title>{said}</title><rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" '
        f'height="{_ROW - 2:g}" rx="2"/>{label}</g>'
    )
    for inner in bar.inner.values():
        yield from _bars(inner, x, y + _ROW, scale, whole)
        x += inner.nanoseconds * scale
