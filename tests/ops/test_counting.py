"""Counts: `iota` and what is made of it, against NumPy to the last bit, without constants, in every transformation."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.autodiff.known_values import Known
from pygraph.errors import ShapeError
from pygraph.graph import Graph, var
from pygraph.graph.reference import evaluate_flat
from pygraph.ops.counting import iota
from pygraph.runtime.call.executable import Executable

DTYPES = ("float64", "float32", "int64", "int32")
BOUNDS = [
    (5,),
    (0,),
    (-3,),
    (2, 9),
    (9, 2),
    (9, 2, -1),
    (9, 2, -3),
    (3, 3),
    (0.5, 5.2),
    (0.0, 1.0, 0.1),
    (1, 2, 0.3),
    (0, 1e6, 333.3),
    (-0.0, 3.0),
    (0.0, -3.0, -1.0),
    (1e16, 1e16 + 10, 1.0),
    (2**53, 2**53 + 7, 1.0),
    (2**24 - 2, 2**24 + 9),
    (1e-17, 3, 1.0),
    (-1e-17, 3, 1.0),
    (1, 1.0000001, 1e-7),
    (0, 5e-324, 5e-324),
    (2**60, 2**60 + 5),
    (-(2**60), -(2**60) + 7, 2),
    (2**31 - 2, 2**31 + 3),
    (0, 0.4, 0.25),
    (np.float32(0.1), np.float32(3), np.float32(0.7)),
    (0, 1, 0),
    (0, np.inf),
    (0, np.nan),
    (0.1, 2, np.inf),
]


def traced(make: Callable[[], Any]) -> Any:
    """What `make` gives as a function that is compiled."""
    return pg.compile(make, backend="vm")()


def bits(x: Any) -> tuple[Any, ...]:
    x = np.asarray(x)
    return x.dtype, x.shape, x.tobytes()


def result(make: Callable[[], Any]) -> Any:
    """The bits of what `make` gives, or the class of what it raises."""
    try:
        with np.errstate(all="ignore"):
            return bits(make())
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_arange_has_the_bits_of_numpy(bounds: tuple[Any, ...]) -> None:
    for dtype in (None, *DTYPES, "bool"):
        chosen = {} if dtype is None else {"dtype": dtype}
        wanted = result(lambda c=chosen: np.arange(*bounds, **c))  # type: ignore[misc]
        assert result(lambda c=chosen: traced(lambda: pg.arange(*bounds, **c))) == wanted, dtype  # type: ignore[misc]
        assert result(lambda c=chosen: pg.arange(*bounds, **c)) == wanted, dtype  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(20))
def test_random_progressions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start, stop = rng.normal(size=2) * 10.0 ** rng.integers(-3, 4)
    step = (stop - start) / rng.integers(1, 40) * rng.uniform(0.5, 1.5)
    whole = int(start * 10), int(stop * 10), int(rng.integers(1, 9)) * (1 if stop > start else -1)
    for bounds, dtype in product(((start, stop, step), whole), DTYPES):
        with np.errstate(all="ignore"):
            wanted = bits(np.arange(*bounds, dtype=dtype))
        assert bits(traced(lambda b=bounds, d=dtype: pg.arange(*b, dtype=d))) == wanted  # type: ignore[misc]


@pytest.mark.parametrize("dtype", [*DTYPES, "bool"])
def test_eye_equals_numpy(dtype: str) -> None:
    for n, m, k in product((0, 1, 2, 5), (None, 0, 1, 3), (-9, -2, -1, 0, 1, 2, 9)):
        found = traced(lambda n=n, m=m, k=k: pg.eye(n, m, k, dtype=dtype))  # type: ignore[misc]
        assert bits(found) == bits(np.eye(n, m, k, dtype=dtype)), (n, m, k)


def test_rows_and_columns_that_are_equal_are_the_identity() -> None:
    for n in (0, 1, 2, 7, 600):
        found = traced(lambda n=n: pg.arange(n)[:, None] == pg.arange(n))  # type: ignore[misc]
        assert bits(found) == bits(np.eye(n, dtype=bool))


def views(dtype: str) -> dict[str, Any]:
    """Counts seen through views, read by loops, and by what needs them in memory."""
    x, y = iota(24, 3, 2, dtype), iota(5, dtype=dtype)
    grid = np.reshape(x, (2, 3, 4))
    return {
        "whole": x,
        "backwards": x[::-1],
        "slice backwards": x[20:3:-3],
        "one": x[7],
        "one in an axis": x[7:8],
        "none": x[3:3],
        "empty": iota(0, dtype=dtype),
        "size one": iota(1, 4, dtype=dtype),
        "negative": iota(6, 2, -1, dtype),
        "transposed": np.transpose(grid, (2, 0, 1)),
        "parts of a grid": grid[::-1, 1:, ::2],
        "repeated": pg.broadcast_to(y, (3, 5)),
        "one repeated": pg.broadcast_to(y[2:3], (4, 6)),
        "column repeated": pg.broadcast_to(y[:, None], (5, 7)),
        "reshaped after a transpose": np.reshape(grid.T, (6, 4)),
        "sum": np.sum(grid, axis=1),
        "largest": np.max(x[::-2]),
        "joined": np.concatenate([y, x[:3], y[::-1]]),
        "twice itself": y + y,
        "table": y[:, None] * y - y[:, None],
        "taken": pg.take(x, iota(4, 20, -6)),
        "taken at counts out of order": pg.take(x, np.reshape(iota(6, -3), (2, 3))),
        "product": np.reshape(x, (4, 6)) @ np.reshape(x, (6, 4)) if dtype[0] == "f" else x[:0],
        "written": pg.broadcast_to(y[:1], (5,)).at[iota(2, 1, 2)].set(y[3:]),
        "chosen": pg.where(y > 2, y, -y),
        "compared": (y == y[::-1]) | (y < 1),
        "converted": pg.astype(x, "float32"),
        "steps of a loop": pg.scan(lambda c, k: (c + k + np.max(y), c * k), y[0], y)[1],
        "in a branch": pg.cond(y[1] > 0, lambda: y * y, lambda: y),
    }


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", DTYPES)
def test_views_in_the_vm(dtype: str) -> None:
    found = views(dtype)
    graph = Graph([], list(found.values()))
    wanted = evaluate_flat(graph, [])
    for options in ({}, {"fuse": False}, {"optimise": False}, {"check_finite": True}):
        exe = Executable(graph, backend="vm", **options)
        for name, value, right in zip(found, exe(), wanted, strict=True):
            assert bits(value) == bits(right), f"{name} with {options}"


@pytest.mark.sanitize
@pytest.mark.parametrize("shape", [(30, 20), (40, 70), (300, 300), (5000, 10), (7, 3, 400), (3, 600, 2), (50_000,)])
def test_loops_of_many_counts(shape: tuple[int, ...]) -> None:
    """Written down once or counted block by block, along some axes or all, in maps and reductions."""
    x = np.arange(np.prod(shape)).reshape(shape)[::-1] % 17
    lines = [(n, k, np.arange(n, dtype="int64").reshape(n, *[1] * (len(shape) - k - 1))) for k, n in enumerate(shape)]
    counts = [np.reshape(iota(n, 3, -2), line.shape) for n, _, line in lines]
    v = var("x", shape, "int64")
    whole = np.reshape(iota(x.size, -5, 3), shape)
    outputs = [v * whole, np.max(v - whole, axis=0), np.sum(v * counts[-1]), np.sum(whole)]
    wanted = [3 - 2 * line for _, _, line in lines]
    numbers = 3 * np.arange(x.size).reshape(shape) - 5
    results = [x * numbers, np.max(x - numbers, axis=0), np.sum(x * wanted[-1]), np.sum(numbers)]
    for count, line in zip(counts, wanted, strict=True):
        outputs += [v + count, np.min(v * count, axis=-1), v == count]
        results += [x + line, np.min(x * line, axis=-1), x == line]
    for number, (found, right) in enumerate(
        zip(Executable(Graph([v], outputs), backend="vm")(x), results, strict=True)
    ):
        assert bits(found) == bits(right), number


def test_no_constants() -> None:
    cases: dict[str, Callable[..., Any]] = {
        "a million": lambda: pg.arange(1_000_000),
        "a million floats": lambda: pg.arange(0.0, 1000.0, 0.001),
        "identity": lambda: pg.eye(1000),
        "one hot": lambda: pg.arange(50)[:, None] == pg.arange(40),
    }
    for name, make in cases.items():
        assert pg.compile(pg.trace(make), backend="vm").stats.constant_bytes <= 256, name


def test_bases_of_jacobians_take_no_constants() -> None:
    x = np.linspace(0.0, 1.0, 300)
    for mode in ("forward", "reverse"):
        f = pg.jacobian(lambda v: np.sin(v) * np.sum(v), mode=mode)
        exe = pg.compile(pg.trace(f, x), backend="vm")
        assert exe.stats.constant_bytes <= 256
        np.testing.assert_allclose(exe(x), np.diag(np.cos(x) * np.sum(x)) + np.sin(x)[:, None], rtol=1e-12)


def test_transformations() -> None:
    x = np.array([0.5, -1.0, 2.0])
    weights = lambda v: np.sum(v * pg.arange(3.0) ** 2)  # noqa: E731
    np.testing.assert_array_equal(pg.grad(weights)(x), [0.0, 1.0, 4.0])
    np.testing.assert_array_equal(pg.jvp(lambda v: pg.arange(3.0) * v, (x,), (x,))[1], np.arange(3.0) * x)
    pair = np.stack([x, -x])
    np.testing.assert_array_equal(pg.vmap(lambda v: v + pg.arange(3))(pair), pair + np.arange(3))
    np.testing.assert_array_equal(pg.hessian(lambda v: np.sum((v * pg.arange(3.0)) ** 2))(x), np.diag([0.0, 2.0, 8.0]))
    pattern = pg.sparsity(lambda v: v[pg.arange(2, -1, -2)] * pg.arange(2), x).toarray()
    np.testing.assert_array_equal(pattern, [[0, 0, 1], [1, 0, 0]])
    numbers = pg.fori_loop(0, 4, lambda k, total: total + pg.arange(3)[k % 3] * np.sum(pg.arange(5)), 0)
    assert int(numbers) == 10 * (0 + 1 + 2 + 0)


def test_a_body_counts_by_itself() -> None:
    """Counts that were there before are no operands of a loop or branch."""
    y = var("y", (5,))
    counts = iota(5, dtype="float64")
    (loop,) = {node.inputs[0] for node in [pg.scan(lambda c, _: (c * counts + np.flip(counts), None), y, None, 3)[0]]}
    assert loop.attrs["n_consts"] == 0
    branch = pg.cond(y[0] > 0.0, lambda v: v + counts[::-1], lambda v: v * counts, y).inputs[0]
    assert len(branch.inputs) == 2


def test_known_and_pickled() -> None:
    x = iota(4, 7, -2, "float32")
    assert Known([]).value(x + 1).tolist() == [8, 6, 4, 2]
    assert pickle.loads(pickle.dumps(x)) is x
    graph = pickle.loads(pickle.dumps(Graph([], x)))
    assert graph.outputs[0] is x


def test_refused() -> None:
    for options in ({"step": 0}, {"start": 2**58}, {"start": -5, "step": 2**57}):
        with pytest.raises(ShapeError, match="counts"):
            iota(3, **options)
    with pytest.raises(pg.DTypeError, match="complex"):
        pg.arange(3, dtype="complex128")
    with pytest.raises(ShapeError):
        iota(-1)
