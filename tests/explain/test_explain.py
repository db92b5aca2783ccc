"""The chain rule as a table: names, local and upstream derivatives, products, both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg


def neuron(w: Any, x: Any) -> Any:
    z = np.sum(w * x)
    out = np.tanh(z)
    return out  # noqa: RET504  (names the node)


def test_totals_are_the_gradient() -> None:
    w, x = np.array([0.3, -0.2, 0.5]), np.array([1.0, 2.0, -1.0])
    explanation = pg.explain(neuron, w, x)
    for name, gradient in zip("wx", pg.grad(neuron, argnums=(0, 1))(w, x), strict=True):
        np.testing.assert_allclose(explanation.totals[name], gradient, rtol=1e-14)


def test_a_node_used_twice_sums_its_products() -> None:
    explanation = pg.explain(lambda x: x * x + np.sin(x), 0.7)
    uses = [edge for edge in explanation.edges if edge.operand == "x"]
    assert len(uses) == 3
    assert float(sum(edge.product for edge in uses)) == pytest.approx(1.4 + np.cos(0.7))


def test_the_derivative_of_a_matrix_product_is_not_elementwise() -> None:
    explanation = pg.explain(lambda a, b: np.sum(a @ b), np.ones((2, 3)), np.ones((3, 2)))
    (edge,) = [e for e in explanation.edges if e.operand == "a"]
    assert edge.local is None
    np.testing.assert_array_equal(edge.product, np.full((2, 3), 2.0))
    assert edge.rule == "df/d(a @ b) · bᵀ"


def test_forward_mode_shows_tangents() -> None:
    explanation = pg.explain(lambda x: np.stack([x, x**2, x**3]), 2.0, mode="forward")
    np.testing.assert_array_equal(explanation.totals[explanation.output], [1.0, 4.0, 12.0])
    table = str(explanation)
    assert "tangent" in table
    assert "12" in table


def test_forward_mode_follows_one_argument() -> None:
    explanation = pg.explain(lambda x, y: x * y, 2.0, 3.0, mode="forward", argnum=1)
    assert float(explanation.totals[explanation.output]) == 2.0
    assert "x" not in explanation.totals


def test_the_table() -> None:
    def loss(w: Any) -> Any:
        z = 3.0 * w
        J = z**2
        return J  # noqa: RET504  (names the node)

    assert str(pg.explain(loss, 2.0)) == (
        "node  formula  value\n"
        "----  -------  -----\n"
        "w              2\n"
        "z     3 * w    6\n"
        "J     z ** 2   36\n"
        "\n"
        "upstream    × local             = product  added up\n"
        "----------  ------------------  ---------  ----------\n"
        "dJ/dJ = 1   dJ/dz = 2 * z = 12  12         dJ/dz = 12\n"
        "dJ/dz = 12  dz/dw = 3           36         dJ/dw = 36\n"
        "\n"
        "gradient  sum of products\n"
        "--------  ---------------\n"
        "dJ/dw     36"
    )


def test_large_arrays_are_abbreviated() -> None:
    assert "float64[10, 10], norm 20" in str(pg.explain(lambda x: np.sum(x * x), np.ones((10, 10))))


def test_what_cannot_be_explained() -> None:
    with pytest.raises(pg.ShapeError, match="one floating scalar"):
        pg.explain(lambda x: x * 2.0, np.ones(3))
    with pytest.raises(pg.SignatureError, match="mode is"):
        pg.explain(lambda x: x, 1.0, mode="sideways")
    with pytest.raises(pg.SignatureError, match="step is"):
        pg.explain(lambda x: x, 1.0, step=1.5)  # type: ignore[arg-type]
    with pytest.raises(pg.DTypeError, match="nothing floating"):
        pg.explain(lambda x: x > 0, 1.0)
    with pytest.raises(pg.ShapeError, match=r"the seed of output 0 has shape \(2,\), not \(3,\)"):
        pg.explain(lambda x: x * 2.0, np.ones(3), seed=np.ones(2))
    with pytest.raises(pg.SignatureError, match="of the form"):
        pg.explain(lambda x: (x, x), 1.0, seed=1.0)
    with pytest.raises(pg.SignatureError, match="argnum is 2 for 1 arguments"):
        pg.explain(lambda x: x, 1.0, mode="forward", argnum=2)
    with pytest.raises(pg.DTypeError, match="not floating, and has no tangent"):
        pg.explain(lambda n, x: n * x, 2, 1.0, mode="forward")
    with pytest.raises(pg.SignatureError, match="2 tangents for 1 arguments"):
        pg.explain(lambda x: x, 1.0, mode="forward", argnum=(0,), seed=(1.0, 2.0))


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("point", [2.0, np.float32(2.0), np.array(2.0)], ids=["number", "float32", "0-d"])
def test_a_scalar_used_twice(point: Any, mode: str) -> None:
    for f in (
        lambda x: (x + 1.0) * (x + 1.0),
        lambda x: (x * 3.0) ** 2 + x * 3.0,
        lambda x: np.exp(x) / (x + np.exp(x)),
    ):
        explanation = pg.explain(f, point, mode=mode)
        total = explanation.totals["x" if mode == "reverse" else explanation.output]
        np.testing.assert_allclose(total, pg.grad(f)(point), rtol=1e-6)
        assert all(isinstance(value, np.ndarray) for value in explanation.totals.values())
        assert str(explanation)


def test_counts_are_shown_as_constants_are() -> None:
    found = pg.explain(lambda x: np.sum(x * pg.arange(3.0)[::-1]), np.ones(3))
    assert [step.formula for step in found.steps] == ["", "x * counts[3]", "sum(x * counts[3])"]
    assert {edge.operand for edge in found.edges} == {"x", "x * counts[3]"}
