"""A scene as a PNG image, drawn with matplotlib from the same boxes and lines as the SVG."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

from ...errors import UnsupportedError
from .scene import FONT, Scene
from .svg_text import COLOURS, FRAME, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Dots for a point of the drawing; less where the image would have more than `_MOST` on a side.
_SCALE = 2.0
_MOST = 16_000


def write_png(scene: Scene, path: str | os.PathLike[str], dark: bool) -> None:
    """Write the image.

    Raises:
        UnsupportedError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        advice = "install the extra: pip install 'pygraph-ad[plot]'; .svg(path) needs nothing"
        raise UnsupportedError("matplotlib is not installed", advice, stage="drawing", subject="png") from error
    scale = min(_SCALE, _MOST / max(scene.width, scene.height))
    inch = 72.0
    figure = Figure((scene.width / inch, scene.height / inch), dpi=inch * scale, facecolor=INK["paper"][dark])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0.0, scene.width)
    axes.set_ylim(scene.height, 0.0)
    _draw(axes, scene, dark)
    figure.savefig(path, format="png")


def _draw(axes: Axes, scene: Scene, dark: bool) -> None:
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path

    def ink(name: str) -> str:
        return INK[name][dark]

    def sweep(name: str) -> tuple[str, str]:
        stroke, fill = COLOURS[name][2 * dark : 2 * dark + 2]
        return stroke, fill

    def rectangle(
        x: float, y: float, width: float, height: float, radius: float, line: float, fill: str, stroke: str
    ) -> None:
        style = f"round,pad=0,rounding_size={radius}"
        box = FancyBboxPatch((x, y), width, height, style, fc=fill, ec=stroke, lw=line, zorder=2)
        axes.add_patch(box)

    def text(x: float, y: float, said: str, name: str, anchor: str, weight: str) -> None:
        # `$` would begin a formula
        axes.text(
            *(x, y, said.replace("$", r"\$")),
            ha=anchor,
            va="baseline",
            fontsize=FONT,
            family="DejaVu Sans Mono",
            color=ink(name),
            weight=weight,
            zorder=3,
        )

    for frame in scene.frames:
        stroke = sweep(frame.part.sweep)[0] if frame.part.sweep else FRAME["stroke"][dark]
        rectangle(frame.x, frame.y, frame.width, frame.height, 8, 1, FRAME["fill"][dark], stroke)
        text(frame.text_x, frame.y + 16, frame.text, "soft", "left", "bold")
    for line in scene.lines:
        stroke = sweep(line.source.sweep or "forward")[0]
        corners, codes = [line.points[0]], [Path.MOVETO]
        for (x, y), (u, v) in pairwise(line.points):
            if x == u or y == v:
                corners.append((u, v))
                codes.append(Path.LINETO)
            else:
                corners += [(x, (y + v) / 2), (u, (y + v) / 2), (u, v)]
                codes += [Path.CURVE4] * 3
        axes.add_patch(PathPatch(Path(corners, codes), fc="none", ec=stroke, lw=1.2, zorder=2.5))
        if line.arrow:
            x, y = line.points[-1]
            tip = Path([(x - 3.5, y - 7), (x + 3.5, y - 7), (x, y)], closed=False)
            axes.add_patch(PathPatch(tip, fc=stroke, ec="none", zorder=2.6))
    for box in scene.boxes:
        plain = box.part.is_plain
        stroke, fill = (ink("soft"), ink("paper")) if plain else sweep(box.part.sweep or "forward")
        radius, wide = (12 if plain else 2 if box.part.sweep else 6), (2.5 if box.kept else 1.0)
        if box.part.children:
            rectangle(box.x + 3, box.y + 3, box.width, box.height, radius, 1, fill, stroke)
        rectangle(box.x, box.y, box.width, box.height, radius, wide, fill, stroke)
        middle = box.x + box.width / 2
        text(middle, box.y + 17, box.text, "text", "center", "bold" if box.part.children else "normal")
        if box.pill:
            text(middle, box.y + box.height - 5, box.pill, "soft", "center", "normal")
    x, y = 14.0, 14.0
    if scene.title:
        text(x, y + 6, scene.title, "text", "left", "bold")
        y += 26
    for mark, at in scene.legend():
        stroke, fill = sweep(mark) if mark in COLOURS else (ink("soft"), ink("paper"))
        if mark == "folded":
            rectangle(at + 3, y - 2, 14, 11, 3, 1, fill, stroke)
        radius = 1 if mark in ("reverse", "tangent") else 3
        rectangle(at, y - 5, 14, 11, radius, 2.5 if mark == "kept" else 1, fill, stroke)
        text(at + 22, y + 5, mark, "soft", "left", "normal")
