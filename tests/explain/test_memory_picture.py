"""The arena as a picture: nothing overlaps, what is kept says who reads it, and the page is whole."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import pygraph as pg
from pygraph.explain.profiling.memory_picture import MemoryPicture, rectangles


def net(x: Any, w: Any) -> Any:
    for _ in range(3):
        x = np.tanh(x @ w) + x
    return np.sum(x**2)


def looped(x: Any, w: Any) -> Any:
    last, sums = pg.scan(lambda c, t: (np.tanh(c @ w + t), np.sum(c)), x, np.ones((5, 8)))
    return np.sum(last) + np.sum(sums)


def memory(f: Any, *args: Any, **options: Any) -> MemoryPicture:
    found = pg.compile(pg.trace(f, *args), **options).memory()
    assert isinstance(found, MemoryPicture)
    return found


ARGUMENTS = np.ones((4, 8)), np.ones((8, 8))
CASES: dict[str, Any] = {
    "net": lambda: memory(net, *ARGUMENTS, wrt=["w"]),
    "forward alone": lambda: memory(net, *ARGUMENTS),
    "loops": lambda: memory(looped, np.ones(8), np.ones((8, 8)), wrt=["x", "w"]),
    "scalars": lambda: memory(lambda x: pg.sin(x) * x + pg.exp(x), 1.0, wrt=["x"]),
    "nothing": lambda: memory(lambda x: x, np.ones(3)),
}


@pytest.mark.parametrize("name", CASES)
def test_no_two_values_are_at_one_place_at_one_time(name: str) -> None:
    picture = CASES[name]()
    for body, values in enumerate(picture.values):
        found = rectangles(picture, body)
        assert len(found) == len(values)
        for one, other in combinations(found, 2):
            beside = one.x + one.width <= other.x + 1e-6 or other.x + other.width <= one.x + 1e-6
            above = one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
            assert beside or above, (one.value, other.value)
        for rectangle in found:
            assert 0.0 <= rectangle.y <= rectangle.y + rectangle.height <= 360.0 + 1e-6
            assert rectangle.x + rectangle.width <= 1000.0


def test_what_is_kept_says_what_reads_it() -> None:
    picture = CASES["net"]()
    kept = [value for value in picture.values[0] if value.read_by]
    assert kept == [value for value in picture.values[0] if value.kept and value.first >= 0]
    tanh = next(value for value in kept if value.text.startswith("tanh"))
    assert {segment for segment, _, _ in tanh.read_by} == {"reverse", "tangent"}
    line = tanh.read_by[0][2]
    assert line is not None
    assert line.code == "x = np.tanh(x @ w) + x"
    text = str(picture)
    assert f"kept for later segments: {sum(value.nbytes for value in kept)} bytes" in text
    assert "reverse: matmul" in text


def test_the_kept_bytes_are_those_of_the_statistics() -> None:
    exe = pg.compile(pg.trace(net, *ARGUMENTS), wrt=["w"])
    picture = exe.memory()
    assert isinstance(picture, MemoryPicture)
    assert sum(value.nbytes for value in picture.values[0] if value.read_by) == exe.stats.cached_bytes
    assert picture.peak_bytes == exe.stats.arena_bytes
    assert not any(value.read_by for value in CASES["forward alone"]().values[0])


def test_the_picture_is_whole(tmp_path: Path) -> None:
    picture = CASES["loops"]()
    text = picture.svg(tmp_path / "memory.svg")
    assert text == (tmp_path / "memory.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    titles = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == sum(map(len, picture.values))
    assert any("kept" in title and "read by reverse" in title for title in titles)
    said = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith("forward 0–") for text in said)
    assert sum("of a loop or branch" in text for text in said) == 3
    page = picture.to_html(tmp_path / "memory.html")
    assert page == (tmp_path / "memory.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)", page)
    assert picture._repr_svg_() == text
