"""A drawing: of a graph, or of an Executable with its derivatives; as SVG, PNG, DOT and a page that opens its folds."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from html import escape

from ...errors import SignatureError, shown
from ...graph.graph import Graph
from ...graph.node import Node
from .dot_text import dot
from .drawn_parts import Part, parts_of, unfold
from .html_page import SIZE_STYLE, page, sized, written
from .png_image import write_png
from .scene import Scene, scene_of
from .svg_text import INK, style, svg


class Drawing:
    """A graph in layers, its operations in frames for the user's functions, which are folded where there is no room.

    Forward, reverse and tangent have colours and forms of their own; what the forward segment of an Executable keeps
    for the others is marked. The lower part of a box says the shape of what leaves it, and the dtype where that is not
    float64. It follows the colours that the reader's system prefers, light or dark.

    Attributes:
        scene: where everything is.

    Example:
        >>> drawing = pg.trace(lambda x: np.sum(np.sin(x)), np.ones(3)).draw()
        >>> drawing.svg()[:4], drawing.dot()[:7]
        ('<svg', 'digraph')
    """

    def __init__(self, root: Part, room: int, unfolded: Iterable[str], kept: Collection[Node]) -> None:
        self._root, self._room, self._kept = root, room, kept
        unfold(root, room, unfolded)
        self.scene: Scene = scene_of(root, kept, _title(root))

    def svg(self, path: str | os.PathLike[str] | None = None) -> str:
        """The drawing as SVG, which is also written to `path` where that is given."""
        return written(svg(self.scene), path)

    def png(self, path: str | os.PathLike[str], dark: bool = False) -> None:
        """Write the drawing as a PNG image, in light colours unless `dark` asks for others.

        Raises:
            UnsupportedError: matplotlib is not installed (the extra `plot`), which puts the same boxes and lines on
                pixels; no browser and no library of the system is needed.
        """
        write_png(self.scene, path, dark)

    def dot(self) -> str:
        """All nodes, with nothing folded, in the language of Graphviz."""
        return dot(self._root)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """A page with the drawing, and below it one of each folded group, to which its box leads.

        The page needs neither scripts nor a network; it is also written to `path` where that is given.
        """
        return written(page(self._root.label, self._repr_html_()), path)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        prefix = f"g{id(self):x}"
        found = [
            f"<style>.pygraph-drawing{{font:13px system-ui,sans-serif}}{SIZE_STYLE}"
            f".pygraph-drawing h3{{font-size:13px;margin:14px 0 4px;color:{INK['text'][0]}}}"
            f"@media (prefers-color-scheme:dark){{.pygraph-drawing h3{{color:{INK['text'][1]}}}}}"
            f"{style('pygraph')}</style>"
        ]
        found += self._sections(prefix)
        return "\n".join(found)

    def _sections(self, prefix: str) -> Iterator[str]:
        """The drawing, then those of what is folded in it, and so on."""

        def link(part: Part) -> str | None:
            return f"#{prefix}-{part.number}" if part.children else None

        def picture(scene: Scene, number: int) -> str:
            return sized(svg(scene, link=link, styled=False), scene.width, f"{prefix}-{number}")

        yield f'<div class="pygraph-drawing" id="{prefix}-0">{picture(self.scene, 0)}</div>'
        waiting = [box.part for box in self.scene.boxes if box.part.children]
        for part in waiting:
            unfold(part, self._room)
            scene = scene_of(part, self._kept)
            part.opened = False
            waiting += [box.part for box in scene.boxes if box.part.children]
            back = f'<a href="#{prefix}-0">back</a>'
            line = f" · {escape(str(part.line))}" if part.line is not None else ""
            yield (
                f'<div class="pygraph-drawing" id="{prefix}-{part.number}"><h3>{escape(part.label)}{line} · {back}'
                f"</h3>{picture(scene, part.number)}</div>"
            )
        unfold(self._root, self._room)


def drawing_of(
    graph: Graph,
    room: int,
    unfolded: str | Iterable[str],
    sweeps: Mapping[Node, str] | None = None,
    returns: Sequence[str] = (),
    kept: Collection[Node] = (),
) -> Drawing:
    """The drawing of a graph; `sweeps`, `returns` and `kept` as an Executable knows them."""
    given: object = room
    if not isinstance(given, int) or given is True or given < 1:
        problem, advice = f"room is {shown(given)}", "give the number of boxes that may be seen at once"
        raise SignatureError(problem, advice, stage="drawing", subject=graph.name)
    names = (unfolded,) if isinstance(unfolded, str) else tuple(unfolded)
    return Drawing(parts_of(graph, sweeps, returns), room, names, kept)


def _title(root: Part) -> str:
    shown_ = sum(1 for _ in _visible(root))
    size = root.size
    return f"{root.label}: {size} nodes" + (f", {shown_} boxes" if shown_ < size else "")


def _visible(group: Part) -> Iterator[Part]:
    for child in group.children:
        if child.children and child.opened:
            yield from _visible(child)
        else:
            yield child
