"""Every figure of the lessons, as the examples compute them; and what all examples print."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import backpropagation, chain_rule, multivariate_chain_rule
from pygraph.examples.__main__ import listing
from pygraph.examples.catalogue import entries
from pygraph.examples.cells import load_cells


def test_the_cells() -> None:
    x, y = load_cells()
    assert x.shape == y.shape == (569,)
    assert (x[0], y[0]) == (1.001, 1.0)
    assert (x[1], y[1]) == (1.326, 1.0)
    assert y.sum() == 212


@pytest.mark.parametrize(
    ("name", "value", "digits"),
    [
        ("z", 1.001, 6),
        ("s", 0.7312551, 7),
        ("J", 0.0722238, 7),
        ("z_next", 1.01101, 6),
        ("s_next", 0.7332178, 7),
        ("J_next", 0.0711728, 7),
        ("dz/dw", 1.001, 6),
        ("ds/dw", 0.19672, 5),
        ("Δs/Δw", 0.19627, 5),
        ("dJ/dw", -0.10573, 5),
        ("ΔJ/Δw", -0.10510, 5),
    ],
)
def test_chain_rule_figures(name: str, value: float, digits: int) -> None:
    assert chain_rule.figures()[name] == pytest.approx(value, abs=0.51 * 10.0**-digits)


def test_chain_rule_is_the_product_of_its_parts() -> None:
    n = chain_rule.figures()
    assert n["dJ/ds"] * n["ds/dz"] * n["dz/dw"] == pytest.approx(n["dJ/dw"], rel=1e-14)


def test_backpropagation_of_the_first_row() -> None:
    explanation = backpropagation.explain_first_row()
    values = {step.name: float(step.value) for step in explanation.steps}
    assert values["z"] == pytest.approx(0.0020, abs=5e-5)
    assert values["yhat"] == pytest.approx(0.5005, abs=5e-5)
    expected = {"yhat": -0.9990, "z": -0.2497, "w": -0.2500, "b": -0.2497}
    for name, value in expected.items():
        assert float(explanation.totals[name]) == pytest.approx(value, abs=5e-5)


def test_backpropagation_goes_backwards_and_shares_the_upstream() -> None:
    explanation = backpropagation.explain_first_row()
    order = [edge.operand for edge in explanation.edges]
    assert order.index("yhat") < order.index("z") < order.index("b")
    assert order.index("z") < order.index("w")
    dz = explanation.totals["z"]
    (to_b,) = [edge for edge in explanation.edges if edge.operand == "b"]
    assert to_b.node == "z"
    assert to_b.upstream == dz
    for edge in explanation.edges:
        assert edge.local is not None
        assert float(edge.local * edge.upstream) == pytest.approx(float(edge.product), rel=1e-14)


@pytest.mark.parametrize(("use_first_x", "w", "b"), [(True, 2.0254726, -1.9745528), (False, 2.0479336, -1.9754037)])
def test_training(use_first_x: bool, w: float, b: float) -> None:
    trained = backpropagation.train(use_first_x)
    assert trained.w == pytest.approx(w, abs=1e-6)
    assert trained.b == pytest.approx(b, abs=1e-6)
    assert trained.losses.shape == (20,)
    if not use_first_x:
        assert (np.diff(trained.losses) < 0).all()


def test_training_equals_the_loop_in_python() -> None:
    x, y = load_cells()
    w, b = backpropagation.START
    for _ in range(backpropagation.EPOCHS):
        for xi, yi in zip(x.tolist(), y.tolist(), strict=True):
            s = 1.0 / (1.0 + np.exp(-(w * xi + b)))
            dz = -2.0 * (yi - s) * s * (1.0 - s)
            w, b = w - backpropagation.LEARNING_RATE * dz * xi, b - backpropagation.LEARNING_RATE * dz
    trained = backpropagation.train()
    assert (trained.w, trained.b) == pytest.approx((w, b), rel=1e-13)


def test_the_training_loops_end_where_the_lesson_does() -> None:
    x, y = load_cells()
    for loop in (backpropagation.loop_in_python, backpropagation.loop_in_c):
        assert loop(x, y, 20) == pytest.approx((2.0479336, -1.9754037), abs=1e-6)


def test_the_loop_of_pytorch_is_the_same_training() -> None:
    pytest.importorskip("torch")
    x, y = load_cells()
    expected = backpropagation.loop_in_c(x[:50], y[:50], 1)
    assert backpropagation.loop_of_pytorch(x[:50], y[:50], 1) == pytest.approx(expected, rel=1e-12)


def test_composition_and_single_variable_derivatives() -> None:
    m = multivariate_chain_rule
    for x in (-1.5, 0.0, 2.0, 5.0):
        assert m.cube(m.minus_three(x)) == (x - 3) ** 3
        assert m.minus_three(m.cube(x)) == x**3 - 3
        assert pg.grad(lambda x: (x - 2.0) ** 2)(x) == pytest.approx(2 * (x - 2))
        slope = pg.grad(lambda x: np.cos((x - 2.0) ** 3))(x)
        assert slope == pytest.approx(-3 * np.sin((x - 2) ** 3) * (x - 2) ** 2, rel=1e-13, abs=1e-15)


def test_sigmoid_program() -> None:
    explanation = pg.explain(multivariate_chain_rule.sigmoid_program, 1.0)
    assert [step.name for step in explanation.steps] == ["x", "a", "b", "c", "d"]
    product = 1.0
    for edge in explanation.edges:
        assert edge.local is not None
        product *= float(edge.local)
    assert product == pytest.approx(np.exp(-1.0) / (1 + np.exp(-1.0)) ** 2, rel=1e-14)
    assert float(explanation.totals["x"]) == pytest.approx(product, rel=1e-14)


@pytest.mark.parametrize("t", [-1.0, 0.0, 0.5, 2.0])
def test_curve_jacobians(t: float) -> None:
    n = multivariate_chain_rule.curve_jacobians(t)
    np.testing.assert_allclose(n["Df"], [[2 * t + t**5, t**4 + 5, t**3 + 10]], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(n["Dg"], [[1], [2 * t], [3 * t**2]], rtol=1e-14, atol=1e-14)
    for name in ("product", "forward", "reverse"):
        assert float(n[name].item()) == pytest.approx(12 * t + 6 * t**5 + 30 * t**2, rel=1e-13, abs=1e-13)


def test_directional_derivative_along_the_curve() -> None:
    t = 2.0
    point, direction = multivariate_chain_rule.curve(t), np.array([1.0, 2 * t, 3 * t**2])
    pushed, dotted = multivariate_chain_rule.directional(point, direction)
    assert pushed == dotted == 12 * t + 6 * t**5 + 30 * t**2


def test_softmax_jacobian() -> None:
    z = np.array([1.0, 2.0, 0.5])
    s = np.exp(z) / np.exp(z).sum()
    expected = np.diag(s) - np.outer(s, s)
    np.testing.assert_allclose(pg.jacrev(pg.softmax)(z), expected, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(pg.jacfwd(pg.softmax)(z), expected, rtol=1e-13, atol=1e-16)


#: The figures of the teaching texts, as the lessons print them.
FIGURES = {
    "chain_rule": (
        "569 cells; the first two are (1.001, 1) and (1.326, 1)",
        "1.00   1.00100   0.7312551   0.0722238",
        "1.01   1.01101   0.7332178   0.0711728",
        "· 1.001 = 0.19672",
        "finite difference       0.19627",
        "· 1.001 = -0.10573",
        "finite difference                 -0.10510",
        "dJ   dJ   dσ   dz",
    ),
    "backpropagation": (
        "z = 0.0020, ŷ = 0.5005, dJ/dŷ = -0.9990, dJ/dw = -0.2500, dJ/db = -0.2497",
        "dJ/dz = -0.2497 is computed once and used for both w and b",
        "20 epochs, learning rate 0.0001",
        "w = 2.0254726  b = -1.9745528  (in the text: 2.0255, -1.9746)",
        "w = 2.0479336  b = -1.9754037",
        "optimizer.zero_grad()",
    ),
    "two_layer_net": ("dJ/dW1  2 × 4", "dJ/db1      4", "dJ/dW2  4 × 1", "dJ/db2      1", "softmax, cross-entropy"),
    "multivariate_chain_rule": (
        "g∘f at 5: (x − 3)³ = 8     f∘g at 5: x³ − 3 = 122",
        "d(x − 2)²/dx at 5: 6",
        "-25.8221501 = −3 sin((x − 2)³)(x − 2)² = -25.8221501",
        "e^−x/(1 + e^−x)² = 0.1966119",
        "[36. 21. 18.]    [2t + t⁵, t⁴ + 5, t³ + 10]",
        "[ 1.  4. 12.]ᵀ       [1, 2t, 3t²]ᵀ",
        "forward mode 336; reverse mode 336; 12t + 6t⁵ + 30t² = 336",
        "one jvp gives 336, ∇f · v gives 336",
        "[ 0.1777594 -0.1453316 -0.0324279]",
        "d(x³)/dx at 2 = 12",
    ),
    "nested_functions": (
        "f1(5) = 1, and one unit more gives 3 more",
        "df2/du(1) · df1/du(5) = -2 · 3 = -6",
        "[square, sigmoid]",
        "1.00  0.7310586    0.3932239            0.3932239",
        "[sigmoid, square]",
        "1.00  0.5344466    0.2874697            0.2874697",
        "601 points from −3 to 3",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_a_lesson_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    importlib.import_module(f"pygraph.examples.{name}").main()
    printed = capsys.readouterr().out
    assert [line for line in FIGURES[name] if line not in printed] == []


def test_the_catalogue_lists_lessons_and_examples() -> None:
    listed = listing().splitlines()
    lessons = [line.split()[0] for line in listed[1:6]]
    assert lessons == list(FIGURES)
    for entry in entries():
        assert sum(line.startswith(f"  {entry.name} ") and entry.title in line for line in listed) == 1
        assert entry.title[-1] == "."
        assert len(entry.text) > 500 or not entry.lesson


@pytest.mark.parametrize(
    ("module", "lines"),
    [
        ("pygraph", ["weight    2.0000000 → 2.0479336", "bias     -2.0000000 → -1.9754037", "reverse mode 336"]),
        ("pygraph.examples", ["chain_rule ", "nested_functions ", "Newton's method"]),
        ("pygraph.examples.newton", ["200 terms, 50 variables", "5.7439763785", "a minimum"]),
        ("pygraph.examples.pendulum", ["-0.665083  -0.062798", "[-0.14292740  0.00703992]", "is 0.135335288"]),
        ("pygraph.examples.fixed_point", ["implicit function theorem", "0.495109247 -0.598061573", "dx*/db is 8 × 8"]),
        ("pygraph.examples.nested_optimisation", ["reverse mode              -0.006464924     0.059931582"]),
        ("pygraph.examples.rosenbrock", ["1,000 × 1,000 with 2,998", "3 tangents", "max |x − 1|"]),
    ],
)
def test_what_the_examples_print(module: str, lines: list[str]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-m", module]
    printed = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment).stdout
    for line in lines:
        assert line in printed
