"""Where the parts of a drawing are: boxes, frames around opened groups, and lines, in points from the upper left."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ...graph.node import Node
from ..layout import layered
from .drawn_parts import Part

#: Of the monospaced font that texts are set in: its size and the width of a character.
FONT = 12.0
CHARACTER = 7.3
#: The most characters of a text in a box; the rest is in its tooltip.
LETTERS = 34

_BOX, _PILL, _SIDE = 26.0, 15.0, 10.0
_PAD, _HEADER = 14.0, 24.0
_GAP, _LAYER = 22.0, 34.0
_LEGEND = 26.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """An operation, an input or a folded group: `x`, `y` is its upper left corner; `pill` says what leaves it.

    Attributes:
        text: in its upper part.
        kept: later segments read its value.
        lines: how far its lower part begins below `y`.
    """

    part: Part
    x: float
    y: float
    width: float
    height: float
    text: str
    pill: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """An opened group; its text begins at `text_x`."""

    part: Part
    x: float
    y: float
    width: float
    height: float
    text: str
    text_x: float


@dataclass(frozen=True, slots=True)
class Line:
    """A part of an edge within one group: it begins and ends vertically; `arrow`: it ends at a box."""

    points: tuple[Point, ...]
    source: Part
    arrow: bool


@dataclass(slots=True)
class Scene:
    """A whole drawing.

    Attributes:
        title: above it.
        marks: what the legend explains, in its order: "forward", "reverse", "tangent", "folded", "kept".
    """

    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    title: str = ""
    marks: tuple[str, ...] = ()

    def legend(self) -> Iterator[tuple[str, float]]:
        """What the legend explains, and where it begins."""
        x = _PAD
        for mark in self.marks:
            yield mark, x
            x += 34 + text_width(mark)

    def moved(self, x: float, y: float) -> Scene:
        """The same elsewhere."""
        return Scene(
            self.width,
            self.height,
            [Box(b.part, b.x + x, b.y + y, b.width, b.height, b.text, b.pill, b.kept) for b in self.boxes],
            [Frame(f.part, f.x + x, f.y + y, f.width, f.height, f.text, f.text_x + x) for f in self.frames],
            [Line(tuple((u + x, v + y) for u, v in e.points), e.source, e.arrow) for e in self.lines],
        )


def text_width(text: str) -> float:
    """How wide a text is in the font; wide characters of East Asia take two places."""
    return CHARACTER * sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shortened(text: str, letters: int = LETTERS) -> str:
    """As much of a text as fits."""
    text = " ".join(text.split())
    while text_width(text) > letters * CHARACTER:
        text = text[: max(len(text) * letters * CHARACTER / text_width(text), 1).__floor__() - 1].rstrip() + "…"
    return text


def type_label(node: Node) -> str:
    """The type of a value on its edge: `100×3`, `scalar int64`."""
    if node.results is not None:
        return f"{len(node.results)} results"
    sizes = "×".join(map(str, node.shape)) or "scalar"
    return sizes if node.dtype.name == "float64" else f"{sizes} {node.dtype.name}"


def scene_of(root: Part, kept: Collection[Node] = (), title: str = "") -> Scene:
    """The drawing of a group whose parts are opened as `unfold` left them."""
    level = _Level(root, kept)
    inner = level.laid()[0]
    marks = _marks(inner)
    legend = sum(text_width(mark) + 34 for mark in marks)
    top = _LEGEND * bool(title) + _LEGEND * bool(marks)
    width = max(inner.width, text_width(title), legend) + 2 * _PAD
    scene = inner.moved((width - inner.width) / 2, top + _PAD)
    scene.width, scene.height = width, inner.height + top + 2 * _PAD
    scene.title, scene.marks = title, marks
    return scene


def _marks(scene: Scene) -> tuple[str, ...]:
    parts = [box.part for box in scene.boxes]
    found = {part.sweep or "forward" for part in parts if not part.is_plain}
    marks: list[str] = [sweep for sweep in ("forward", "reverse", "tangent") if sweep in found]
    marks = marks if len(marks) > 1 else []
    marks += ["folded"] if any(part.children for part in parts) else []
    marks += ["kept"] if any(box.kept for box in scene.boxes) else []
    return tuple(marks)


class _Ports:
    """Where edges of a group come in and go out, by the part that they begin at: how far right of its left side."""

    def __init__(self) -> None:
        self.entering: dict[Part, float] = {}
        self.leaving: dict[Part, float] = {}


class _Level:
    """An opened group, or the body of a loop."""

    def __init__(self, group: Part, kept: Collection[Node]) -> None:
        self.group = group
        self.kept = kept
        self.around: dict[Part, Part] = {}
        self.edges: dict[Part, dict[tuple[Part | str, Part | str, Part], None]] = {}
        self._collect(group)
        seen = {leaf.node: part for part in self._seen(group) for leaf in part.leaves() if leaf.node is not None}
        for part in self._seen(group):
            for leaf in part.leaves():
                for operand in leaf.operands:
                    source = seen.get(operand)
                    if source is not None and source is not part:
                        self._connect(source, part)

    def _collect(self, group: Part) -> None:
        self.edges[group] = {}
        for child in group.children:
            self.around[child] = group
            if child.opened and child.node is None:
                self._collect(child)

    def _seen(self, group: Part) -> Iterable[Part]:
        for child in group.children:
            if child.opened and child.node is None:
                yield from self._seen(child)
            else:
                yield child

    def _chain(self, part: Part) -> list[Part]:
        found = [part]
        while part in self.around:
            part = self.around[part]
            found.append(part)
        return found

    def _connect(self, source: Part, target: Part) -> None:
        up, down = self._chain(source), self._chain(target)
        while len(up) > 1 and len(down) > 1 and up[-2] is down[-2]:
            up.pop()
            down.pop()
        for child, group in pairwise(up[:-1]):
            self.edges[group][child, "out", source] = None
        self.edges[up[-1]][up[-2], down[-2], source] = None
        for child, group in pairwise(down[:-1]):
            self.edges[group]["in", child, source] = None

    def laid(self, group: Part | None = None) -> tuple[Scene, _Ports]:
        """The inside of a group, and where its edges come in and go out."""
        group = self.group if group is None else group
        scenes: dict[Part, Scene] = {}
        ports: dict[Part, _Ports] = {}
        for child in group.children:
            if child.opened and child.node is None:
                inner, through = self.laid(child)
                scenes[child], ports[child] = _framed(child, inner, through)
            elif child.opened:
                scenes[child] = _framed(child, _Level(child, self.kept).laid()[0], _Ports(), _pill(child, self.kept))[0]
            else:
                scenes[child] = _boxed(child, self.kept)

        edges = list(self.edges[group])
        entering = dict.fromkeys(source for begin, _, source in edges if begin == "in")
        leaving = dict.fromkeys(source for _, end, source in edges if end == "out")
        items: list[tuple[str, Part]] = [
            *(("", child) for child in group.children),
            *(("in", source) for source in entering),
            *(("out", source) for source in leaving),
        ]
        number = {item: i for i, item in enumerate(items)}
        sizes = [(scenes[part].width, scenes[part].height) if not kind else (2.0, 0.0) for kind, part in items]

        def place(end: Part | str, source: Part, leaves: bool) -> tuple[int, float]:
            if isinstance(end, str):
                return number[end, source], 0.0
            if end in ports:
                x = (ports[end].leaving if leaves else ports[end].entering)[source]
                return number["", end], x - scenes[end].width / 2
            return number["", end], 0.0

        ends = [(place(begin, source, True), place(end, source, False)) for begin, end, source in edges]
        layout = layered(
            sizes,
            [(begin[0], end[0]) for begin, end in ends],
            gap=_GAP,
            layer_gap=_LAYER,
            ports=[(begin[1], end[1]) for begin, end in ends],
            first=[number["in", source] for source in entering],
            last=[number["out", source] for source in leaving],
        )
        scene = Scene(layout.width, layout.height)
        for child in group.children:
            x, y = layout.centres[number["", child]]
            inner = scenes[child].moved(x - scenes[child].width / 2, y - scenes[child].height / 2)
            scene.boxes += inner.boxes
            scene.frames += inner.frames
            scene.lines += inner.lines
        for (begin, end, source), route in zip(edges, layout.routes, strict=True):
            if begin == "in":  # from the upper edge of the frame, and to the lower one
                route = [(route[0][0], -_HEADER), *route]
            if end == "out":
                route = [*route, (route[-1][0], layout.height + _PAD)]
            scene.lines.append(Line(tuple(route), source, not isinstance(end, str) and end not in ports))
        through = _Ports()
        through.entering = {source: layout.centres[number["in", source]][0] for source in entering}
        through.leaving = {source: layout.centres[number["out", source]][0] for source in leaving}
        return scene, through


def _pill(part: Part, kept: Collection[Node]) -> tuple[str, bool]:
    """What leaves a part, and whether later segments read some of it."""
    nodes = [leaf.node for leaf in part.leaves() if leaf.node is not None]
    count = sum(node in kept for node in nodes)
    said = ""
    if part.node is not None:
        said = type_label(part.node)
        return (f"{said} · kept" if count else said), bool(count)
    if count:
        said = f"{count} kept"
    return said, bool(count)


def _boxed(part: Part, kept: Collection[Node]) -> Scene:
    """A box by itself."""
    text = shortened(part.label)
    pill, is_kept = _pill(part, kept)
    if part.children:
        pill = " · ".join(text for text in (f"{part.size} nodes", pill) if text)
    width = max(text_width(text), text_width(pill)) + 2 * _SIDE
    height = _BOX + (_PILL if pill else 0.0)
    box = Box(part, 0.0, 0.0, max(width, 36.0), height, text, pill, is_kept)
    return Scene(box.width, box.height, [box])


def _framed(group: Part, inner: Scene, through: _Ports, pill: tuple[str, bool] = ("", False)) -> tuple[Scene, _Ports]:
    """A frame around the inside of a group, with its text where no edge comes in."""
    label = group.label + (f"  {pill[0]}" if pill[0] else "")
    width = max(inner.width, 60.0) + 2 * _PAD
    shift = (width - inner.width) / 2
    entering = sorted(x + shift for x in through.entering.values())
    need = text_width(shortened(label)) + 12
    spaces = list(zip([4.0, *(x + 8 for x in entering)], [*(x - 8 for x in entering), width - 4], strict=True))
    space = next((space for space in spaces if space[1] - space[0] >= need), None)
    if space is None:
        space = max(spaces, key=lambda found: found[1] - found[0])
        if space[1] - space[0] < min(need, 180.0):  # room for it is made at the right
            space = (spaces[-1][0], spaces[-1][0] + min(need, 180.0))
            width = max(width, space[1] + 4)
    text = shortened(label, int((space[1] - space[0] - 10) / CHARACTER)) if need > space[1] - space[0] else label
    text = shortened(text)
    height = inner.height + _HEADER + _PAD
    moved = inner.moved(shift, _HEADER)
    scene = Scene(width, height, moved.boxes, [Frame(group, 0, 0, width, height, text, space[0] + 6), *moved.frames])
    ports = _Ports()
    ports.entering = {source: x + shift for source, x in through.entering.items()}
    ports.leaving = {source: x + shift for source, x in through.leaving.items()}
    scene.lines = moved.lines
    return scene, ports
