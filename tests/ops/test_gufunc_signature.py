"""Signatures of kernels: parsed, bound to shapes, and their expressions the same in Python and C."""

from __future__ import annotations

import pytest

from pygraph.errors import ShapeError
from pygraph.ops.gufunc_signature import as_c, evaluated, parse


def test_shapes_follow() -> None:
    solve = parse("(m,m),(m,n)->(m,n)")
    assert solve.names == ("m", "n")
    bound = solve.bind([(2, 1, 3, 3), (4, 3, 5)], {})
    assert bound == ((2, 4), (3, 5))
    assert solve.results(bound) == [(2, 4, 3, 5)]
    both = parse("( ) -> (), (3, n)")
    assert both.results(both.bind([(7,)], {"n": 2})) == [(7,), (7, 3, 2)]
    assert solve.results(solve.bind([(0, 0), (0, 2)], {})) == [(0, 2)]


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        (((3, 4), (3, 5)), r"operand 0 of shape \(3, 4\), which is \(m,m\), has 4 where m is 3"),
        (((3, 3), (4, 5)), r"operand 1 of shape \(4, 5\), which is \(m,n\), has 4 where m is 3"),
        (((3, 3), (3,)), r"operand 1 of shape \(3,\) needs 2 axes \(m,n\)"),
        (((2, 3, 3), (4, 3, 1)), r"leading axes \(2,\) and \(4,\) do not broadcast"),
    ],
)
def test_shapes_that_do_not_fit(shapes: tuple[tuple[int, ...], ...], says: str) -> None:
    with pytest.raises(ShapeError, match=says):
        parse("(m,m),(m,n)->(m,n)").bind(shapes, {})


@pytest.mark.parametrize("text", ["", "(m)", "m->n", "(m)->(n)->(k)", "(m,)->(m)", "(m) (n)->(m)", "(m-1)->(m)"])
def test_what_is_no_signature(text: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        parse(text)


def test_expressions() -> None:
    assert evaluated("(m * m + n) * 8 - 1", {"m": 3, "n": 2}) == 87
    assert as_c("(m * m + n) * 8 - 1", ("m", "n")) == ("(((((double)s[0] * (double)s[0]) + (double)s[1]) * 8.0) - 1.0)")
    for text in ("k", "m / 2", "f(m)", "m ** 2", "m.n", "2.5"):
        with pytest.raises(ValueError, match="can stand here"):
            evaluated(text, {"m": 1})
        with pytest.raises(ValueError, match="can stand here"):
            as_c(text, ("m",))
