"""Drawings of graphs: groups by calls, folding, geometry, colours of sweeps, and the formats they are written in."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import pygraph as pg
from pygraph.explain.drawing.drawn import Drawing
from pygraph.explain.drawing.drawn_parts import CHILDREN, Part
from pygraph.explain.drawing.scene import Scene, shortened, text_width


def dense(x: Any, w: Any, b: Any) -> Any:
    return np.tanh(x @ w + b)


def block(x: Any, p: Any) -> Any:
    hidden = dense(x, p["w"], p["b"])
    return x + dense(hidden, p["v"], p["b"])


def normalise(x: Any) -> Any:
    mean = np.mean(x, axis=1, keepdims=True)
    return (x - mean) / np.sqrt(np.mean((x - mean) ** 2, axis=1, keepdims=True) + 1e-5)


def net(x: Any, params: Any) -> Any:
    for p in params:
        x = normalise(block(x, p))
    return np.sum(x**2)


def parameters(blocks: int) -> Any:
    return [{"w": np.ones((8, 8)), "v": np.ones((8, 8)), "b": np.ones(8)} for _ in range(blocks)]


def flat(x: Any) -> Any:
    for _ in range(660):
        x = np.sin(x * 1.01) + x
    return x


def looped(x: Any, w: Any) -> Any:
    def step(carry: Any, t: Any) -> Any:
        return np.tanh(carry @ w + t), np.sum(carry)

    carry, sums = pg.scan(step, x, np.ones((10, 8)))
    return np.sum(pg.cond(sums[0] > 0.0, lambda a: a * 2.0, lambda a: np.sin(a), carry))


def drawn(f: Callable[..., Any], *args: Any, **options: Any) -> Drawing:
    drawing = pg.trace(f, *args).draw(**options)
    assert isinstance(drawing, Drawing)
    return drawing


GRAPHS: dict[str, Callable[[], Drawing]] = {
    "5 nodes": lambda: drawn(lambda w, x, y: (y - pg.sigmoid(w * x)) ** 2, 1.0, 1.0, 1.0),
    "no operation": lambda: drawn(lambda x: x, 1.0),
    "nothing": lambda: drawn(lambda: (), *()),
    "constants": lambda: drawn(lambda x: x + np.arange(3.0) * np.ones(3) + pg.arange(3), 1.0),
    "unused input": lambda: drawn(lambda x, y: x * 2.0, 1.0, 1.0),
    "many results": lambda: drawn(lambda x: [x * float(i) for i in range(50)], 1.0),
    "60 nodes": lambda: drawn(pg.grad(net, argnums=1), np.ones((4, 8)), parameters(1), room=80),
    "loops": lambda: drawn(pg.grad(looped, argnums=1), np.ones(8), np.ones((8, 8))),
    "60 nodes, folded": lambda: drawn(pg.grad(net, argnums=1), np.ones((4, 8)), parameters(1)),
    "one box": lambda: drawn(net, np.ones((4, 8)), parameters(2), room=1),
    "350 nodes": lambda: drawn(pg.grad(net, argnums=1), np.ones((4, 8)), parameters(6)),
    "1,000 nodes": lambda: drawn(pg.grad(net, argnums=1), np.ones((4, 8)), parameters(17)),
    "2,000 nodes in a row": lambda: drawn(flat, 1.0),
}


def faults(scene: Scene) -> list[str]:
    """What overlaps or is cut, by geometry alone."""
    found: list[str] = []
    boxes = [(b.x, b.y, b.x + b.width, b.y + b.height, b.text) for b in scene.boxes]
    for a, b in combinations(boxes, 2):
        if a[0] < b[2] + 4 and b[0] < a[2] + 4 and a[1] < b[3] + 4 and b[1] < a[3] + 4:
            found.append(f"{a[4]} and {b[4]} overlap")
    for box in scene.boxes:
        if max(text_width(box.text), text_width(box.pill)) > box.width - 8:
            found.append(f"the text {box.text!r} is cut")
        if box.x < 0 or box.y < 0 or box.x + box.width > scene.width or box.y + box.height > scene.height:
            found.append(f"{box.text} is outside")
    frames = [(f.x, f.y, f.x + f.width, f.y + f.height, f) for f in scene.frames]
    for one, other in combinations(frames, 2):
        apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
        if not (apart or _within(one, other) or _within(other, one)):
            found.append(f"the frames {one[4].text} and {other[4].text} cross")
    for left, top, right, bottom, frame in frames:
        inside = {id(leaf) for child in frame.part.children for leaf in _shown(child)}
        for box in scene.boxes:
            around = left <= box.x and top <= box.y and box.x + box.width <= right and box.y + box.height <= bottom
            if around is not (id(box.part) in inside):
                found.append(f"{box.text} is on the wrong side of the frame {frame.text}")
        if frame.text_x + text_width(frame.text) > right:
            found.append(f"the text of the frame {frame.text} is cut")
    for line in scene.lines:
        for (x, y), (u, v) in pairwise(line.points):
            for left, top, right, bottom, text in boxes:
                within = (
                    left + 1 < x + t * (u - x) < right - 1 and top + 1 < y + t * (v - y) < bottom - 1
                    for t in (step / 8 for step in range(9))
                )
                if any(within):
                    found.append(f"a line goes through {text}")
            for frame in scene.frames:
                across = x == u and frame.text_x < x < frame.text_x + text_width(frame.text)
                if across and min(y, v) < frame.y + 12 < max(y, v):
                    found.append(f"a line goes through the text of the frame {frame.text}")
    return found


def _within(inner: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
    left, top, right, bottom = (float(x) for x in inner[:4])
    return bool(left >= outer[0] and top >= outer[1] and right <= outer[2] and bottom <= outer[3])


def _shown(part: Part) -> list[Part]:
    if part.children and part.opened:
        return [leaf for child in part.children for leaf in _shown(child)]
    return [part]


@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_overlaps_and_nothing_is_cut(name: str) -> None:
    scene = GRAPHS[name]().scene
    assert faults(scene) == []
    assert len(scene.boxes) <= (80 if name == "60 nodes" else 61)


def test_faults_are_found() -> None:
    scene = GRAPHS["60 nodes"]().scene
    box = scene.boxes[0]
    for other in (box.__class__(box.part, box.x + 5, box.y + 5, 9.0, box.height, box.text, "", False),):
        scene.boxes.append(other)
    found = faults(scene)
    assert any("overlap" in fault for fault in found)
    assert any("is cut" in fault for fault in found)


def test_operations_are_in_the_calls_of_the_users_functions() -> None:
    drawing = GRAPHS["60 nodes"]()
    frames = {frame.text: frame for frame in drawing.scene.frames}
    assert {"net", "block", "dense", "normalise", "∂ net", "∂ dense"} <= set(frames)
    assert sum(frame.text == "dense" for frame in drawing.scene.frames) == 2  # one for each call
    outer, inner = frames["block"], frames["dense"]
    assert outer.x < inner.x
    assert outer.y < inner.y
    assert inner.y + inner.height < outer.y + outer.height


def test_the_sweeps_have_colours_of_their_own() -> None:
    drawing = GRAPHS["60 nodes"]()
    sweeps = {box.part.sweep for box in drawing.scene.boxes if not box.part.is_plain}
    assert sweeps == {"", "reverse"}
    assert drawing.scene.marks == ("forward", "reverse")
    text = drawing.svg()
    assert 'class="forward"' in text
    assert 'class="reverse"' in text
    tangent = drawn(lambda x, dx: pg.jvp(lambda x: np.sum(np.sin(x)), (x,), (dx,)), np.ones(3), np.ones(3))
    assert tangent.scene.marks == ("forward", "tangent")


def test_large_graphs_are_folded_and_each_fold_opens() -> None:
    drawing = GRAPHS["1,000 nodes"]()
    folded = [box for box in drawing.scene.boxes if box.part.children]
    assert folded
    assert all(f"{box.part.size} nodes" in box.pill for box in folded)
    shown = sum(box.part.size for box in drawing.scene.boxes)
    assert shown >= 900  # every node is behind some box
    page = drawing.to_html()
    targets = set(re.findall(r' id="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= targets
    for group in drawing._root.groups():
        assert len(group.children) <= CHILDREN + 1
    opened = pg.trace(net, np.ones((4, 8)), parameters(8)).draw(room=1, unfolded="dense")
    assert isinstance(opened, Drawing)
    assert sum("tanh" in box.text for box in opened.scene.boxes) == 16
    assert faults(opened.scene) == []


def test_many_independent_operations_stay_folded() -> None:
    drawing = drawn(lambda x: np.stack([np.sin(x * float(i)) for i in range(300)]), 1.0)
    assert faults(drawing.scene) == []
    assert drawing.scene.width < 6000
    folded = [box.part for box in drawing.scene.boxes if box.part.children]
    assert sum(part.size for part in folded) > 400
    across = [box.y for box in drawing.scene.boxes]
    assert max(map(across.count, across)) <= CHILDREN + 1


def test_bodies_are_drawn_inside_their_loop() -> None:
    drawing = GRAPHS["loops"]()
    scan = next(frame for frame in drawing.scene.frames if "scan(" in frame.text)
    inside = [box.text for box in drawing.scene.boxes if scan.x < box.x and box.x + box.width < scan.x + scan.width]
    assert any("tanh" in text for text in inside)
    assert any("branch(" in frame.text for frame in drawing.scene.frames)


def test_svg_is_whole_and_says_all() -> None:
    drawing = GRAPHS["5 nodes"]()
    root = ElementTree.fromstring(drawing.svg())
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if "sigmoid" in text] == ["%1 = sigmoid(%0)"]
    assert texts.count("scalar") == 7
    assert "prefers-color-scheme:dark" in drawing.svg()
    assert "test_drawing.py" in drawing.svg()  # the user's line is in the tooltip
    shapes = drawn(lambda x, w: x.astype("float32") @ w, np.ones((4, 8)), np.ones((8, 2), "float32"))
    assert {"4×8", "8×2 float32", "4×2 float32"} <= {box.pill for box in shapes.scene.boxes}


def test_texts_that_mean_something_in_svg_are_escaped() -> None:
    drawing = drawn(lambda x: (x < 3.0) & (x > 1.0), 1.0)
    ElementTree.fromstring(drawing.svg())
    assert "&lt;" in drawing.svg()


def test_files(tmp_path: Path) -> None:
    drawing = GRAPHS["60 nodes"]()
    assert drawing.svg(tmp_path / "a.svg") == (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert drawing.to_html(tmp_path / "a.html") == (tmp_path / "a.html").read_text(encoding="utf-8")
    assert drawing._repr_svg_() == drawing.svg()
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)", page)


def test_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    drawing = GRAPHS["5 nodes"]()
    for dark in (False, True):
        drawing.png(tmp_path / f"{dark}.png", dark=dark)
        assert (tmp_path / f"{dark}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (tmp_path / "True.png").read_bytes() != (tmp_path / "False.png").read_bytes()


def test_png_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(pg.UnsupportedError, match=r"pip install 'pygraph-ad\[plot\]'"):
        GRAPHS["5 nodes"]().png(tmp_path / "a.png")


def test_dot_has_every_node_once_and_every_edge() -> None:
    graph = pg.trace(pg.grad(net, argnums=1), np.ones((4, 8)), parameters(2))
    text = graph.draw().dot()
    names = re.findall(r"^\s*(n[0-9a-f]+) \[", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert text.count("{") == text.count("}")
    for begin, end in re.findall(r"(n[0-9a-f]+) -> (n[0-9a-f]+)", text):
        assert {begin, end} <= set(names)
    assert text.count(" -> ") > len(names)
    assert text.count('label="dense"') == 4


@pytest.mark.parametrize("room", [0, -3, True, 2.5, "all"])
def test_room_is_a_positive_number(room: Any) -> None:
    with pytest.raises(pg.SignatureError, match="room is"):
        pg.trace(np.sin, 1.0).draw(room=room)


def test_texts_are_shortened_to_what_fits() -> None:
    assert shortened("a" * 100, 10) == "a" * 9 + "…"
    assert text_width(shortened("数" * 100, 10)) <= text_width("a" * 10)
    assert shortened("x\n  y") == "x y"
