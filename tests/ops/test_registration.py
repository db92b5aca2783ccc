"""Registering rows: what is refused, and a made-up op that runs and differentiates from its definition alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers import reference, run_flat

import pygraph as pg
from pygraph import ops
from pygraph.autodiff import jvp, vjp
from pygraph.graph import Graph, scan, var
from pygraph.graph.tree import flatten
from pygraph.ops.common import pointwise_shape, same_shape
from pygraph.ops.elementwise import elementwise_op
from pygraph.ops.row import TABLE, Family, Op, RegistrationError, lookup, register


@pytest.fixture
def made_up() -> Iterator[Op]:
    """An op with nothing but a definition, removed from the table afterwards."""
    name = f"made_up_{uuid.uuid4().hex}"
    op = elementwise_op(name, 2, lambda x, y: ops.exp(-(x * x)) * y + ops.sin(y))
    yield op
    del TABLE[name]


@pytest.fixture
def table() -> Iterator[dict[str, Op]]:
    """The table, put back as it was."""
    before = dict(TABLE)
    yield TABLE
    TABLE.clear()
    TABLE.update(before)


def value(x: Any, y: Any) -> Any:
    return np.exp(-(x * x)) * y + np.sin(y)


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    return -2 * x * np.exp(-(x * x)) * y, np.exp(-(x * x)) + np.cos(y)


@pytest.mark.parametrize("shapes", [((), ()), ((70,), (70,)), ((3, 1), (4,))], ids=str)
def test_a_made_up_op(made_up: Op, shapes: Any) -> None:
    """Value, gradient, tangent and second derivative, in C and by the reference."""
    from pygraph.runtime.call.executable import Executable

    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.3, 2.0, shape) for shape in shapes]
    x, y = (var(name, shape) for name, shape in zip("xy", shapes, strict=True))
    graph = Graph([x, y], made_up(x, y))
    for run in (reference, run_flat):
        np.testing.assert_allclose(run(graph, arrays)[0], value(*arrays), rtol=1e-14)
    exe = Executable(Graph([x, y], ops.sum(made_up(x, y))), wrt=["x", "y"])
    np.testing.assert_allclose(exe.forward(*arrays), value(*arrays).sum(), rtol=1e-13)
    whole = np.broadcast_arrays(*arrays)
    dx, dy = slopes(*whole)
    for found, wanted, shape in zip(exe.reverse(), (dx, dy), shapes, strict=True):
        lead = tuple(range(wanted.ndim - len(shape)))
        narrow = tuple(k for k, n in enumerate((1,) * len(lead) + shape) if n == 1 and k not in lead)
        np.testing.assert_allclose(found, wanted.sum(axis=lead + narrow).reshape(shape), rtol=1e-12)
    np.testing.assert_allclose(exe.jvp(*(np.ones(shape) for shape in shapes)), (dx + dy).sum(), rtol=1e-12)
    (gradient,) = vjp([made_up(x, y)], [x], [ops.comparison.ones_like(made_up(x, y))])
    assert gradient is not None
    (second,) = jvp([gradient], [x], [ops.comparison.ones_like(x)])
    wanted = (4 * whole[0] ** 2 - 2) * np.exp(-(whole[0] ** 2)) * whole[1]
    found = run_flat(Graph([x, y], ops.broadcast_to(second, x.shape)), arrays)[0]
    while wanted.ndim > len(shapes[0]):
        wanted = wanted.sum(axis=0)
    if shapes[0] and shapes[0][-1] == 1:
        wanted = wanted.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(found, wanted, rtol=1e-11)


def test_a_made_up_op_in_a_loop(made_up: Op) -> None:
    x = var("x", (5,))
    last, _ = scan(lambda c, x: (made_up(c, x), None), 0.5, x)
    data = np.linspace(0.1, 1.0, 5)
    carry = 0.5
    for item in data:
        carry = value(carry, item)
    np.testing.assert_allclose(run_flat(Graph([x], last), [data])[0], carry, rtol=1e-13)


def test_a_made_up_op_of_a_made_up_op(made_up: Op, table: dict[str, Op]) -> None:
    outer = elementwise_op("made_up_outer", 1, lambda x: made_up(x, 2.0 * x))
    x = var("x", (4,))
    data = np.linspace(0.1, 1.0, 4)
    assert lookup("made_up_outer") is outer
    np.testing.assert_allclose(run_flat(Graph([x], outer(x)), [data])[0], value(data, 2 * data), rtol=1e-13)
    np.testing.assert_allclose(outer(data), value(data, 2 * data), rtol=1e-14)


def test_a_made_up_op_in_float32(made_up: Op) -> None:
    x = var("x", (4,), "float32")
    graph = Graph([x], made_up(x, 0.5))
    assert graph.outputs[0].dtype == np.float32
    data = np.linspace(0.1, 1.0, 4, dtype=np.float32)
    np.testing.assert_allclose(run_flat(graph, [data])[0], value(data, np.float32(0.5)), rtol=1e-6)


@pytest.mark.parametrize(
    "define",
    [lambda x, y: 2.0, lambda x, y: np.float64(0.5), lambda x, y: x * 3.0, lambda x, y: ops.exp(y)],
    ids=["number", "scalar of NumPy", "first", "second"],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_definition_that_does_not_use_all_operands(define: Any, dtype: str, table: dict[str, Op]) -> None:
    """The result has the shape and the dtype of the operation, whatever the definition gives."""
    op = elementwise_op("made_up_partly_used", 2, define)
    x, y = np.asarray(1.5, dtype), np.arange(3.0).astype(dtype)
    wanted = np.broadcast_to(np.asarray(define(x, y), dtype), (3,))

    def f(x: Any, y: Any) -> Any:
        return np.sum(op(x, y) * y)

    for found in (op(x, y), pg.compile(op)(x, y), pg.vmap(op, (None, 0))(x, y)):
        assert (found.shape, found.dtype) == ((3,), dtype)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    pg.check_grads(f, (x.astype(float), y.astype(float)), order=2)
    assert pg.grad(f, argnums=(0, 1))(x, y)[1].dtype == dtype


def test_partials_override_the_definition(table: dict[str, Op]) -> None:
    """A row may give its own derivative for a definition: here one that is clipped."""
    from pygraph.runtime.call.executable import Executable

    op = elementwise_op("made_up_clipped", 1, lambda x: x * x, partials=[lambda out, x: ops.minimum(2.0 * x, 1.0)])
    x = var("x", (3,))
    exe = Executable(Graph([x], op(x)), wrt=["x"])
    exe.forward(np.array([0.1, 1.0, 3.0]))
    np.testing.assert_allclose(exe.reverse(np.ones(3))[0], [0.2, 1.0, 1.0])
    assert flatten(exe.jvp(np.ones(3)))[0][0].tolist() == pytest.approx([0.2, 1.0, 1.0])


def _row(**changes: Any) -> Op:
    complete: dict[str, Any] = {
        "name": "made_up_row",
        "family": Family.ELEMENTWISE,
        "arity": 1,
        "doc": "A row.",
        "shape": pointwise_shape,
        "reference": np.sin,
        "partials": (lambda out, x: 1,),
        "c": "a",
        "domain": ((0.0, 1.0),),
    }
    return Op(**{**complete, **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": "tanh"}, "op 'tanh': it is registered already"),
        ({"reference": None}, "lacks reference"),
        ({"shape": None}, "lacks shape"),
        ({"partials": ()}, "lacks a partial for each operand"),
        ({"domain": ()}, "lacks a sampling domain for each operand"),
        ({"define": lambda x: x}, "gives both a C expression and a definition"),
        ({"family": Family.LINEAR, "c": None}, "lacks transpose"),
        ({"family": Family.BILINEAR, "c": None, "arity": 2}, "lacks transpose"),
        ({"family": Family.CUSTOM, "c": None}, "lacks jvp and vjp"),
        ({"family": Family.CUSTOM, "c": None, "jvp": lambda node, ts: None}, "lacks jvp and vjp"),
        ({"family": Family.LINEAR, "c": None, "transpose": lambda ct, node, i: ct}, "lacks batch"),
        ({"reference": None, "shape": None, "partials": ()}, "lacks reference, shape, a partial for each operand"),
    ],
)
def test_incomplete_rows_are_refused(changes: dict[str, Any], text: str, table: dict[str, Op]) -> None:
    before = dict(table)
    with pytest.raises(RegistrationError) as caught:
        register(_row(**changes))
    assert text in str(caught.value)
    assert repr(changes.get("name", "made_up_row")) in str(caught.value)
    assert table == before, "a refused row must not stay in the table"


def test_a_row_without_derivative_says_so(table: dict[str, Op]) -> None:
    with pytest.raises(RegistrationError, match="or say nondiff=True"):
        register(_row(partials=()))
    assert register(_row(partials=(), nondiff=True)) is lookup("made_up_row")
    structure = _row(
        name="made_up_structure",
        family=Family.LINEAR,
        c=None,
        shape=same_shape,
        nondiff=True,
        batch=lambda node, xs, batched, size: xs[0],
    )
    assert register(structure).name


def test_the_name_is_taken_only_once(made_up: Op) -> None:
    with pytest.raises(RegistrationError, match="registered already"):
        elementwise_op(made_up.name, 1, lambda x: x)
