"""What rows say of the operands for which their values and derivatives are finite."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.autodiff.reverse import vjp
from pygraph.graph.construction import constant
from pygraph.graph.reference import evaluate_flat
from pygraph.ops import TABLE, Op

POINTS = (-2.5, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.5)
ATTRS: dict[str, list[dict[str, Any]]] = {"constant_power": [{"exponent": e} for e in (-2.0, -0.5, 0.5, 1.0, 2.5, 3.0)]}
ROWS = [
    op for op in TABLE.values() if op.pointwise and op.c is not None and "f" in op.kinds and op.arity and not op.casts
]
#: Conditions that are sufficient; the values are finite in other places too.
SUFFICIENT = ("betaln", "power", "log_gamma_draw", "log_gamma_slope", "log_gamma_bend", "truncated_normal", "polygamma")


def holds(condition: str, op: Op, at: tuple[float, ...], attrs: dict[str, Any]) -> bool:
    names = {"floor": np.floor, "abs": np.abs, **attrs, **dict(zip(op.parameters, map(np.float64, at), strict=True))}
    return bool(eval(condition, {"__builtins__": {}}, names)) if condition else True


def quick(rows: list[Op]) -> list[Any]:
    """Rows of draws take long, and are for the deep run."""
    return [pytest.param(op, marks=pytest.mark.deep) if op.price >= 100 else op for op in rows]


@pytest.mark.parametrize("op", quick(ROWS), ids=lambda op: op.name)
def test_a_value_is_finite_where_the_row_says(op: Op) -> None:
    assert op.arity is not None
    assert op.defined == "" or "f" in op.kinds
    for attrs in ATTRS.get(op.name, [{}]):
        for at in itertools.product(POINTS, repeat=op.arity):
            with np.errstate(all="ignore"):
                value = np.asarray(op.computed(*map(np.float64, at), **attrs))
            if value.dtype.kind != "f":
                return
            expected = holds(op.defined, op, at, attrs)
            if expected or op.name not in SUFFICIENT:
                assert np.isfinite(value) == expected, (at, attrs)


@pytest.mark.parametrize("op", quick([op for op in ROWS if op.partials and not op.nondiff]), ids=lambda op: op.name)
def test_a_derivative_is_finite_where_the_row_says(op: Op) -> None:
    assert op.arity is not None
    variables = [pg.var(name) for name in op.parameters]
    for attrs in ATTRS.get(op.name, [{}]):
        try:
            value = op(*variables, **attrs)
        except pg.DTypeError:  # a condition among its operands is bool
            return
        one = constant(1.0)
        slopes = [constant(0.0) if slope is None else slope for slope in vjp([value], variables, [one])]
        graph = pg.Graph(variables, slopes)
        for at in itertools.product(POINTS, repeat=op.arity):
            if holds(op.smooth or op.defined, op, at, attrs):
                found = evaluate_flat(graph, at)
                assert all(np.isfinite(slope) for slope in found), (at, attrs)
            elif op.smooth and holds(op.defined, op, at, attrs) and op.name not in ("power", "xlogy", "xlog1py"):
                assert not all(np.isfinite(slope) for slope in evaluate_flat(graph, at)), (at, attrs)
