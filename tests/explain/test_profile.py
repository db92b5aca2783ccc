"""Profiles: every instruction with its runs, bytes and operations, in both tiers; the table and the chart."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import needs_compiler

import pygraph as pg
from pygraph.explain.profiling.instruction_work import Work
from pygraph.explain.profiling.machine import Machine
from pygraph.explain.profiling.profile import Profile, _bound
from pygraph.lower.program import Segment
from pygraph.runtime.call.timing import timings


def dense(x: Any, w: Any) -> Any:
    return np.tanh(x @ w)


def loss(x: Any, w: Any) -> Any:
    h = dense(x, w)

    def step(carry: Any, row: Any) -> Any:
        return carry * 0.5 + row, None

    last, _ = pg.scan(step, pg.zeros(8), h)
    return np.sum(last**2) + np.sum(np.sort(h[0]))


X, W = np.ones((6, 4)), np.full((4, 8), 0.1)


@pytest.fixture(scope="module")
def exe() -> Any:
    return pg.compile(pg.trace(loss, X, W), wrt=["w"], threads=1)


@pytest.fixture(scope="module")
def profile(exe: Any) -> Profile:
    found = exe.profile(X, W, tier="vm", seconds=0.02)
    assert isinstance(found, Profile)
    return found


def test_every_instruction_that_runs_has_a_row(exe: Any, profile: Profile) -> None:
    segments = [row.segment for row in profile.rows]
    assert segments == sorted(segments)  # forward, then reverse, then the tangents
    assert set(segments) == {"forward", "reverse", "tangent"} == set(profile.nanoseconds)
    for segment in ("forward", "reverse", "tangent"):
        rows = [row for row in profile.rows if row.segment == segment]
        assert len({row.number for row in rows}) == len(rows)
        assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert len(profile.rows) == exe.stats.instructions
    assert all(row.nanoseconds >= 0.0 and 0.0 <= row.explained <= 1.0 for row in profile.rows)


@pytest.mark.sanitize
def test_bodies_run_as_often_as_their_loop_has_steps(profile: Profile) -> None:
    scans = [row for row in profile.rows if row.text.startswith("scan")]
    assert [row.text for row in scans] == ["scan, 6 steps"] * 3
    inner = [row for row in profile.rows if row.number[0] > 0]
    assert inner
    assert {row.runs for row in inner} == {6}
    assert {row.runs for row in profile.rows if row.number[0] == 0} == {1}


def test_bytes_and_operations_are_those_of_the_shapes(profile: Profile) -> None:
    (product,) = [row for row in profile.rows if row.segment == "forward" and row.text.startswith("product")]
    assert product.text == "product 6×4 · 4×8"
    assert product.flops == 2 * 6 * 4 * 8
    assert product.nbytes == 8 * (6 * 4 + 4 * 8 + 6 * 8)
    tanh = next(row for row in profile.rows if "tanh" in row.text)
    assert tanh.flops >= 6 * 8
    assert tanh.nbytes >= 2 * 8 * 6 * 8
    assert any("sort" in row.text for row in profile.rows)


def test_rows_have_the_users_lines(profile: Profile) -> None:
    for row in profile.rows:
        assert sum(part for _, part in row.lines) == pytest.approx(1.0)
    product = next(row for row in profile.rows if row.text.startswith("product"))
    assert product.line is not None
    assert product.line.code == "return np.tanh(x @ w)"
    assert [call.function for call in product.line.calls][-2:] == ["loss", "dense"]


def test_the_table_fits_100_columns_and_says_what_bounds(profile: Profile) -> None:
    lines = str(profile).splitlines()
    assert max(map(len, lines)) <= 100
    assert "forward:" in lines
    assert "reverse:" in lines
    assert "tangent:" in lines
    table = "\n".join(lines)
    assert re.search(r"(memory|arithmetic|dispatch) \d+%", table)
    assert "GB/s from memory" in table
    assert "test_profile.py" in table


def test_the_chart_is_by_the_users_functions(profile: Profile, tmp_path: Path) -> None:
    page = profile.to_html(tmp_path / "profile.html")
    assert page == (tmp_path / "profile.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "dense, called from" in page
    assert "prefers-color-scheme:dark" in page
    bars = [
        tuple(map(float, found)) for found in re.findall(r'<rect class="\w+" x="(\S+)" y="(\S+)" width="(\S+)"', page)
    ]
    root = bars[0]
    assert root[2] == pytest.approx(992.0)
    by_row: dict[float, list[tuple[float, float]]] = {}
    for x, y, width in bars:
        by_row.setdefault(y, []).append((x, width))
    for row in by_row.values():
        row.sort()
        for (x, width), (after, _) in pairwise(row):
            assert x + width <= after + 0.2
    assert sum(width for _, width in by_row[25.0]) == pytest.approx(992.0, abs=0.5)  # the segments


def test_what_is_profiled_is_unchanged(exe: Any, profile: Profile) -> None:
    before = exe(X, W)
    exe.forward(X, W)
    kept = exe.reverse()
    exe.profile(2.0 * X, W, tier="vm", seconds=0.005)
    assert exe(X, W) == before
    np.testing.assert_array_equal(exe.reverse()[0], kept[0])  # what forward kept is still there


def test_what_is_not_understood_is_refused(exe: Any) -> None:
    with pytest.raises(pg.SignatureError, match="tier is 'gpu'"):
        exe.profile(X, W, tier="gpu")
    with pytest.raises(pg.SignatureError, match="seconds is -1"):
        exe.profile(X, W, seconds=-1)
    with pytest.raises(pg.SignatureError):
        exe.profile(X)


def test_an_error_of_a_run_is_that_of_a_call() -> None:
    exe = pg.compile(pg.trace(lambda x, i: x[i], np.ones(3), np.int64(0)))
    with pytest.raises(pg.IndexRangeError):
        exe.profile(np.ones(3), np.int64(7), tier="vm", seconds=0.001)


def test_a_program_without_instructions() -> None:
    exe = pg.compile(pg.trace(lambda x: (), 1.0))
    profile = exe.profile(1.0, tier="vm", seconds=0.001)
    assert isinstance(profile, Profile)
    assert profile.rows == ()
    assert "profile of" in str(profile)
    assert "<svg" in profile.to_html()


MACHINE = Machine(((1 << 14, 40.0), (1 << 26, 10.0)), 0.3, 4.0, 40.0, 100.0, 30.0)


@pytest.mark.parametrize(
    ("work", "native", "bound"),
    [
        (Work("loop", 10**9, 10.0**8, 10.0**8, 1, False, False, ()), False, "memory"),
        (Work("loop", 10**6, 10.0**8, 10.0**9, 1, False, False, ()), False, "arithmetic"),
        (Work("loop", 64, 8.0, 8.0, 1, False, False, ()), False, "dispatch"),
        (Work("scalar: add (50)", 0, 50.0, 50.0, 60, False, False, ()), False, "dispatch"),
        (Work("scalar: add (50)", 0, 50.0, 50.0, 60, False, False, ()), True, "arithmetic"),
        (Work("product", 10**6, 10.0**9, 0.0, 1, True, False, ()), False, "arithmetic"),
        (Work("product", 96, 16.0, 0.0, 1, True, False, ()), False, "dispatch"),
    ],
)
def test_what_bounds_an_instruction(work: Work, native: bool, bound: str) -> None:
    assert _bound(work, 1e6, 1, 0, MACHINE, native)[0] == bound


@needs_compiler
def test_native_code_is_timed_instruction_by_instruction() -> None:
    def chosen(x: Any) -> Any:
        x = pg.fori_loop(0, 5, lambda i, y: y * 0.5 + i, x)
        return pg.cond(x > 0.0, lambda y: y + 1.0, lambda y: y * 2.0, x)

    program = pg.compile(pg.trace(chosen, 1.0), backend="vm").program
    inputs: dict[Segment, Any] = {Segment.FORWARD: [np.ones(())]}
    (vm,) = timings(program, "chosen", inputs, 1, False, 0.004, plain=False)
    (native,) = timings(program, "chosen", inputs, 1, True, 0.004, plain=False)
    np.testing.assert_array_equal(vm.counts, native.counts)
    assert vm.counts.max() == 5
    assert (vm.counts == 0).any()  # of the branch that was not taken
    assert (native.nanoseconds[native.counts == 0] == 0.0).all()


@needs_compiler
@pytest.mark.deep
def test_profile_in_native_code(exe: Any, profile: Profile) -> None:
    native = exe.profile(X, W, tier="native", seconds=0.05)
    assert isinstance(native, Profile)
    assert [row.number for row in native.rows] == [row.number for row in profile.rows]
    assert [row.text for row in native.rows] == [row.text for row in profile.rows]
    assert native.tier == "native"
    assert "native" in str(native).splitlines()[0]


def test_drawing_of_what_runs(exe: Any) -> None:
    drawing = exe.draw()
    assert drawing.scene.marks[:3] == ("forward", "reverse", "tangent")
    assert "kept" in drawing.scene.marks
    kept = {box.text for box in drawing.scene.boxes if box.kept}
    assert any("tanh" in text for text in kept)  # the reverse sweep reads it
    returns = {box.text for box in drawing.scene.boxes if box.part.kind == "return"}
    assert {"return forward", "return reverse", "return tangent"} <= returns
    plain: Any = pg.compile(pg.trace(loss, X, W)).draw()
    assert "kept" not in plain.scene.marks
