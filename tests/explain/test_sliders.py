"""Sliders of a page in a headless Chromium: all numbers that they compute again are those of a new explanation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explain.chromium import Chromium, chromium
from explain.test_explained_numbers import INNER_DERIVATIVES, growth, recurrence
from explain.test_page import READ, number, shown

import pygraph as pg
from pygraph.explain import Explanation

__all__ = ["chromium"]  # the fixture

COMPUTED = """(() => VIEWS.map((view) => {
  if (view.live === undefined) return view.no_sliders;
  const owner = VIEWS[view.live], v = new Float64Array(owner.count), s = [];
  owner.sliders.forEach(([, place, value]) => (v[place] = value));
  PROGRAMS[owner.program](v, s, () => {});
  const read = (places) => places && (Array.isArray(places) ? places.map((i) => v[i]) : s[places.s].flat()).map(String);
  return { steps: view.steps.map((x) => [read(x.at.value), read(x.at.tangent)]),
    edges: view.edges.map((x) => ["upstream", "local", "product", "total"].map((name) => read(x.at[name]))) };
}))()"""


def move(browser: Chromium, sliders: dict[str, float]) -> list[float]:
    """Move sliders; where all of them are then."""
    for name, value in sliders.items():
        browser.run(
            f"(() => {{ const x = document.querySelector('input[aria-label=\"{name}\"]'); x.value = {value};"
            "x.dispatchEvent(new Event('input')); })()"
        )
    found: list[float] = browser.run(
        "new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))"
        ".then(() => VIEWS[0].sliders.map((x) => x[2]))"
    )
    return found


def check_program(browser: Chromium, expected: Explanation) -> None:
    """The program of the page computes all numbers of an explanation, and of the bodies in it."""
    views = browser.run(COMPUTED)
    for view, explanation in zip(views, [expected, *expected.inner()], strict=True):
        assert not isinstance(view, str), view
        for step, (values, tangents) in zip(explanation.steps, view["steps"], strict=True):
            same(values, step.value)
            if tangents is not None and step.tangent is not None:
                same(tangents, step.tangent)
        for edge, (upstream, local, product, total) in zip(explanation.edges, view["edges"], strict=True):
            same(upstream, edge.upstream)
            same(product, edge.product)
            same(total, edge.accumulated)
            if edge.local is not None:
                same(local, edge.local)


def same(texts: list[str], value: Any) -> None:
    np.testing.assert_allclose([float(x) for x in texts], value.ravel(), rtol=1e-11, atol=1e-13)


def test_sliders_compute_through_loops_branches_and_what_is_zero_by_structure(
    chromium: Chromium, tmp_path: Path
) -> None:
    def f(w: Any, x: Any) -> Any:
        last = recurrence(w, x)
        side = pg.cond(last > 0.5, lambda c: c**3, lambda c: np.sin(c) * 2.0, last)
        return side + np.sum(np.where(x > 0.0, np.log(x), x))

    shown(chromium, tmp_path, pg.explain(f, np.array([0.3, -0.2]), np.array([0.5, 2.0, 0.0])))
    with np.errstate(all="ignore"):
        check_program(chromium, pg.explain(f, np.array([0.3, -0.2]), np.array([0.5, 2.0, 0.0])))
        inputs = move(chromium, {"w[0]": 0.9, "x[0]": -1.0})
        expected = pg.explain(f, np.array(inputs[:2]), np.array(inputs[2:]))
        check_program(chromium, expected)
    chromium.click("button.body")  # the body is computed again as well, and its sliders are those outside
    inner = next(expected.inner())
    rows = {row[0]: row[-1] for row in chromium.run(READ)["forward"]}
    scalars = [step for step in inner.steps if not step.value.ndim]
    assert [number(rows[x.name]) for x in scalars] == pytest.approx([float(x.value) for x in scalars], rel=1e-6)
    before = rows["h"]
    move(chromium, {"w[0]": 0.1})
    assert {row[0]: row[-1] for row in chromium.run(READ)["forward"]}["h"] != before
    assert chromium.errors == []


def test_sliders_compute_what_explain_computes(chromium: Chromium, tmp_path: Path) -> None:
    def f(v: Any, k: Any) -> Any:
        p = pg.softmax(v * k)
        h = np.maximum(v, 0.5) @ np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])
        return np.max(p) + np.sum(h**2) * pg.sigmoid(k) + np.prod(v[::-1]) + np.where(k > 1, k, np.sin(k))

    shown(chromium, tmp_path, pg.explain(f, np.array([0.2, 1.5, -0.3]), 0.7))
    inputs = move(chromium, {"v[0]": 0.9, "v[2]": -0.8, "k": 1.6})
    assert inputs == pytest.approx([0.9, 1.5, -0.8, 1.6])
    expected = pg.explain(f, np.array(inputs[:3]), inputs[3])
    check_program(chromium, expected)
    rows = chromium.run(READ)
    assert number(rows["forward"][-1][-1]) == pytest.approx(float(expected.steps[-1].value), rel=1e-6)
    assert number(rows["gradient"][1][-1]) == pytest.approx(float(expected.totals["k"]), rel=1e-6)
    before = rows["forward"][-1][-1]
    chromium.run("document.querySelector('input[aria-label=\"k\"]').focus()")
    chromium.press("ArrowRight", 3)
    move(chromium, {})
    assert chromium.run(READ)["forward"][-1][-1] != before
    assert chromium.errors == []


def fixed_steps(x: Any, n: Any) -> Any:
    return pg.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, np.sin(c[1]) * x), (0, x))[1]


def indexed(x: Any, i: Any) -> Any:
    return pg.fori_loop(0, 3, lambda k, c: c * x[k] + np.sin(c), x[i])


def masked(xs: Any) -> Any:
    return np.sum(np.where(xs > 0.0, pg.scan(lambda c, x: (c, np.sqrt(x)), 0.0, xs)[1], 0.0))


def powers(x: Any) -> Any:
    return pg.cond(x > 0.0, lambda x: x**3, lambda x: -np.sin(x) * 2.0, x) * 2.0


def products(w: Any, x: Any) -> Any:
    return np.sum(np.tanh(w @ x) ** 2)


def integers(n: Any, x: Any) -> Any:
    return np.where(n % 3 == 1, x * (n // 2), np.abs(n - 7) * x**2) + np.maximum(n, 2) * x


def functions(x: Any, n: Any) -> Any:
    y = np.sum(pg.gelu(x) + pg.erf(x) * pg.softplus(x) + np.logaddexp(x, 0.3) - pg.erfc(x) + np.exp2(x))
    return y + np.sum(np.round(x * 2.0) + x % 0.7 + x // 0.4) + pg.gammaln(np.abs(x[0]) + 1.0) * n


def ordered(x: Any) -> Any:
    return np.sum(np.sort(x) * np.arange(3.0)) + x[np.argmax(x)] * np.median(x) - np.take(x, np.argmin(x)) ** 2


#: A function, a point, where the sliders are moved, the step that is shown, and whether it is deep.
MOVED: dict[str, tuple[Any, tuple[Any, ...], tuple[Any, ...], int, bool]] = {
    "while_loop": (growth, (2.0, 1.1), (1.5, 1.2), -1, False),
    "a step of a while_loop": (growth, (2.0, 1.1), (1.5, 1.2), 1, True),
    "a loop of other steps": (fixed_steps, (0.7, 3), (0.9, 5), -1, True),
    "a step of a scan": (
        recurrence,
        (np.array([0.3, -0.2]), np.ones(3)),
        (np.array([0.9, 0.1]), np.arange(3.0)),
        0,
        True,
    ),
    "an index": (indexed, (np.array([0.1, 0.2, 0.3]), 1), (np.array([0.5, 0.2, 0.3]), -1), 1, True),
    "zeros by structure": (masked, (np.array([0.0, 4.0]),), (np.array([1.0, 0.0]),), 0, True),
    "a branch": (powers, (2.0,), (1.0,), -1, True),
    "matrices": (products, (np.ones((6, 8)), np.arange(8.0)), (np.full((6, 8), 0.2), np.arange(8.0) / 9.0), -1, True),
    "integers": (integers, (4, 0.5), (5, 0.7), -1, True),
    "functions": (functions, (np.array([0.3, -1.2]), 2), (np.array([2.5, 0.1]), 3), -1, False),
    "order": (ordered, (np.array([0.3, 0.1, 0.2]),), (np.array([0.1, 0.5, -0.2]),), -1, False),
    **{name: (f, (2.0,), (1.9,), -1, name != "reverse over reverse") for name, f in INNER_DERIVATIVES.items()},
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        pytest.param(name, mode, marks=[pytest.mark.deep] if MOVED[name][-1] or mode == "forward" else [])
        for name in MOVED
        for mode in ("reverse", "forward")
    ],
)
def test_all_numbers_are_computed_again(chromium: Chromium, tmp_path: Path, name: str, mode: str) -> None:
    f, point, moved, step, _ = MOVED[name]
    floating = tuple(i for i, x in enumerate(point) if np.asarray(x).dtype.kind == "f")
    options: Any = {"mode": mode, "step": step, **({"argnum": floating} if mode == "forward" else {})}
    with np.errstate(all="ignore"):
        found, after = pg.explain(f, *point, **options), pg.explain(f, *moved, **options)
    shown(chromium, tmp_path, found)
    check_program(chromium, found)
    numbers = json.dumps([float(x) for arg in moved for x in np.ravel(arg)])
    chromium.run(f"{numbers}.forEach((x, i) => (VIEWS[0].sliders[i][2] = x))")
    check_program(chromium, after)
    assert chromium.errors == []


def test_integers_have_sliders_of_integers(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(fixed_steps, 0.7, 3))
    chromium.run("document.querySelector('input[aria-label=\"n\"]').focus()")
    chromium.press("ArrowRight", 2)
    assert move(chromium, {}) == [0.7, 5.0]
    chromium.click("button.body")
    assert "Step 4 of 5 (0 to 4)" in chromium.run("document.querySelector('.said').textContent")
    move(chromium, {"n": -1})
    assert "takes no step at these numbers" in chromium.run("document.querySelector('.said').textContent")
    assert chromium.errors == []


def test_a_loop_that_does_not_end_is_said_to_be_long(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(lambda x: pg.while_loop(lambda c: c < 30.0, lambda c: c * c, x), 2.0))
    move(chromium, {"x": 0.5})
    assert "more than 200000 steps" in chromium.run("document.querySelector('.failed').textContent")
    move(chromium, {"x": 3.0})
    assert chromium.run("document.querySelector('.failed').textContent") == ""
    assert number(chromium.run(READ)["forward"][-1][-1]) == 81.0
    assert chromium.errors == []


def test_what_has_no_code_is_said(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(lambda x: np.sum(np.cumprod(x)), np.array([0.5, 2.0])))
    assert "No sliders: the page has no code for cumprod" in chromium.run("document.body.innerText")


def test_many_numbers_are_folded_by_their_arrays(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(products, np.ones((6, 8)), np.arange(8.0) / 8.0), width=400)
    assert chromium.run("[...document.querySelectorAll('.sliders summary')].map((x) => x.innerText)") == [
        "w 48 numbers",
        "x 8 numbers",
    ]
    chromium.run("document.querySelector('details').open = true")
    move(chromium, {"w[2,3]": 0.0})
    assert chromium.run("document.documentElement.scrollWidth") <= 400
    assert chromium.errors == []
