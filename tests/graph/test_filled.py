"""Arrays that are filled: constructors, writes of every kind, captures, loops, transformations, errors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.filled import Filled
from pygraph.lower import lower
from pygraph.lower.decode import decode
from pygraph.lower.instructions import Call, Loop
from pygraph.optimize import optimize

X = np.array([0.5, -1.0, 2.0, 3.0, -0.25])

#: What can be filled, made with an argument of five elements.
MADE: dict[str, Callable[[Any], Any]] = {
    "zeros_like": lambda x: np.zeros_like(x),
    "ones_like": lambda x: np.ones_like(x),
    "empty_like": lambda x: np.empty_like(x) * 0.0 + np.empty_like(x),
    "full_like": lambda x: np.full_like(x, 2.5),
    "full_like of an expression": lambda x: np.full_like(x, x[0]),
    "copy": lambda x: np.copy(x),
    "a method": lambda x: x.copy(),
    "zeros": lambda x: np.zeros(5, like=x),
    "ones": lambda x: np.ones((5,), like=x),
    "full": lambda x: np.full(5, 1.5, like=x),
    "arange": lambda x: np.arange(5.0, like=x),
    "array": lambda x: np.array([x[0], 1.0, x[1], 2.0, x[2]], like=x),
    "array of an array": lambda x: np.array(x, like=x),
}
OURS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "pg.zeros": (lambda x: pg.zeros(5), lambda x: np.zeros(5)),
    "pg.ones": (lambda x: pg.ones(5), lambda x: np.ones(5)),
    "pg.empty": (lambda x: pg.empty(5), lambda x: np.zeros(5)),
    "pg.full": (lambda x: pg.full(5, x[1]), lambda x: np.full(5, x[1])),
    "pg.eye": (lambda x: pg.eye(5)[2], lambda x: np.eye(5)[2]),
    "pg.array": (lambda x: pg.array([x[0], 0.0, 1.0, x[1], 2.0]), lambda x: np.array([x[0], 0.0, 1.0, x[1], 2.0])),
    "pg.linspace": (lambda x: pg.linspace(0.0, 1.0, 5), lambda x: np.linspace(0.0, 1.0, 5)),
}


def test_constructors_give_arrays_that_can_be_filled() -> None:
    pairs = [(make, make) for name, make in MADE.items() if name != "empty_like"] + list(OURS.values())

    def fill(x: Any, make: Callable[[Any], Any]) -> Any:
        out = make(x)
        out[1] = x[2]
        out[-1] += 2.0
        out[2:4] *= x[3]
        return out

    found = pg.compile(lambda x: [fill(x, make) for make, _ in pairs])(X)
    for a, (_, make) in zip(found, pairs, strict=True):
        np.testing.assert_allclose(a, fill(X, make))
    pg.check_grads(lambda x: [fill(x, make) for make, _ in pairs], (X,), order=1)


def written(out: Any, x: Any, i: Any) -> None:
    """Writes of every kind into a matrix (5, 5)."""
    out[0] = x
    out[1, 2] = x[0] * x[1]
    out[:, 0] = 1.0
    out[3, ::2] = [x[1], 2.0, x[2]]
    out[np.array([1, 4, 1]), np.array([3, 3, 4])] = x[:3]
    out[i] = x * 2.0
    out[i, i - 1] += x[4]
    out[np.eye(5, dtype=bool)] -= x
    out[out > 3.5] = x[3]
    out[2:, 1:3][::-1, None, 0] = x[:3][:, None]
    out[..., 4] = np.sin(out[..., 4])
    out[4][1:3] = out[0][:2]
    out[-1:] = x[None]


def test_writes_of_every_kind() -> None:
    def f(x: Any, i: Any) -> Any:
        out = np.zeros((5, 5), like=x)
        written(out, x, i)
        return out

    wanted = np.zeros((5, 5))
    written(wanted, X, 2)
    np.testing.assert_allclose(pg.compile(f)(X, 2), wanted)
    pg.check_grads(f, (X, 2), order=1)


def test_dtypes_are_numpys() -> None:
    def f(x: Any, np: Any = np) -> Any:
        ints = np.zeros(4, "int64", like=x)
        ints[0], ints[1], ints[2] = 2.7, x[1], True
        ints[3] += 3
        flags = np.zeros(3, bool, like=x)
        flags[0], flags[1] = x[0], 1
        small = np.zeros(3, "float32", like=x)
        small[0] = x[0]
        small += 0.5
        small *= np.float32(3)
        return ints, flags, small

    for a, b in zip(pg.compile(f)(X), f(X), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    for update in (lambda out, x: out.__iadd__(x), lambda out, x: out.__itruediv__(2)):
        with pytest.raises(pg.DTypeError, match="does not fit in int64"):
            pg.trace(lambda x, update=update: update(np.zeros(5, "int64", like=x), x), X)


def test_numpy_writes_into_them() -> None:
    def f(x: Any) -> Any:
        out = np.zeros_like(x)
        np.add(x, 1.0, out=out)
        np.multiply(out[1:3], x[0], out=out[1:3])
        np.copyto(out[3:], x[:2])
        np.put_along_axis(out, np.array([4, 0]), x[:2], 0)
        np.maximum.at(out, [0, 0], [x[2], -7.0])
        np.subtract.at(out, [1, 1], [x[0], 0.5])
        table = np.ones((2, 3), like=x)
        np.put_along_axis(table, np.array([[1], [2]]), x[:2, None], 1)
        np.place(table, np.array([[True, False, True], [True, True, False]]), x[:3])
        return out, table

    for a, b in zip(pg.compile(f)(X), f(X), strict=True):
        np.testing.assert_allclose(a, b)


def test_elements_at_a_mask_that_is_computed_are_combined_and_put_back() -> None:
    def f(x: Any) -> Any:
        out = x.copy()
        out[out > 1.0] += 2.0 * x[0]
        out[x < 0.0] = np.exp(out[x < 0.0]) * 2.0 - out[x < 0.0]
        small = out < 0.6
        out[small] **= 2
        rows = np.ones((5, 2), like=x)
        rows[x > 0.0] *= -rows[0]
        roots = x.copy()
        roots[x > 0.0] = np.sqrt(roots[x > 0.0])  # no nan of the others reaches a derivative
        flags = np.zeros(5, bool, like=x)
        flags[x > 0.0] |= True
        return out, rows, roots, flags

    for a, b in zip(pg.compile(f)(X), f(X), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    pg.check_grads(lambda x: f(x)[:-1], (X,), order=2)

    def elsewhere(x: Any) -> Any:
        out = x.copy()
        out[x > 0.0] = out[x > 1.0]

    def reduced(x: Any) -> Any:
        return x.copy()[x > 0.0].sum()

    def added(x: Any) -> Any:
        return x.copy()[x > 0.0] + np.ones(3)

    def iterated(x: Any) -> Any:
        return list(x.copy()[x > 0.0])

    for g in (elsewhere, reduced, added, iterated):
        with pytest.raises(pg.UnsupportedError, match="is not known when recording"):
            pg.trace(g, X)


def test_methods_write_in_place() -> None:
    def f(x: Any) -> Any:
        ordered, placed, behind, same = x.copy(), x.copy(), x.copy(), x.copy()
        ordered.sort()
        placed.put([0, 2], [9.0, 8.0])
        behind[1:].sort()
        same.fill(2.0)
        return ordered, placed, behind, same

    for a, b in zip(pg.compile(f)(X), f(X), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("sort", "resize", "put", "fill"):
        with pytest.raises(AttributeError, match="works in place"):
            pg.trace(lambda x, name=name: getattr(x, name)(1), X)


def test_a_buffer_is_an_expression() -> None:
    def f(x: Any) -> Any:
        out = np.zeros_like(x)
        assert isinstance(out, pg.Node)
        assert isinstance(out[1:], pg.Node)
        assert type(out) is Filled
        assert type(out[0]) is type(x)
        assert (out.shape, out.dtype, out.ndim, out.size, len(out)) == ((5,), np.float64, 1, 5, 5)
        assert hash(out) == hash(out)


def test_containers_hold_the_array_itself() -> None:
    def f(x: Any) -> Any:
        out = np.zeros_like(x)
        held, values = {"a": out}, [out * 2.0, +out, out.astype(float), out.sum(axis=()), np.positive(out)]
        out[0] = x[1]
        own = [copy.copy(out), copy.deepcopy(out), out.copy()]
        out[0] += 1.0
        return held, values, own, out.at[1].set(9.0), out, np.stack([out, out * 2.0]), pg.sum(out)

    held, values, own, at, out, stacked, total = pg.compile(f)(X)
    assert held["a"][0] == out[0] == X[1] + 1.0
    assert all(not value.any() for value in values)
    assert [x[0] for x in own] == [X[1]] * 3
    assert at.tolist() == [0.0, 9.0, 0.0, 0.0, 0.0]
    np.testing.assert_array_equal(stacked, [out, out * 2.0])
    assert total == out.sum()


def test_what_is_given_or_captured_is_not_written() -> None:
    def argument(x: Any) -> Any:
        x[0] = 1.0

    def computed(x: Any) -> Any:
        y = x * 2.0
        y[1:] = 0.0

    def captured(x: Any) -> Any:
        out = np.zeros_like(x)

        def body(i: Any, total: Any) -> Any:
            out[i] = total
            return total

        return pg.fori_loop(0, 3, body, 1.0)

    def branch(x: Any) -> Any:
        out = np.zeros_like(x)
        return pg.cond(x[0] > 0, lambda: out.__setitem__(0, 1.0), lambda: None)

    def view(x: Any) -> Any:
        out = np.zeros_like(x)[1:]
        return pg.grad(lambda y: out.fill(y))(x[0])

    for f in (argument, computed):
        with pytest.raises(pg.UnsupportedError, match=r"write to a copy: x = x\.copy\(\)"):
            pg.trace(f, X)
    for f in (captured, branch, view):
        with pytest.raises(pg.UnsupportedError, match=r"outside of the function that writes it(.|\n)*carry it"):
            pg.trace(f, X)


def test_errors_of_numpy_end_in_our_text() -> None:
    def element(x: Any) -> Any:
        out = np.zeros(3)
        out[0] = x[0]

    def part(x: Any) -> Any:
        out = np.zeros(3)
        out[:2] = x[:2]

    def at(x: Any) -> Any:
        out = np.zeros(3)
        np.add.at(out, [0], x[:1])

    for f, text in ((element, "like="), (part, "like="), (at, "x.at")):
        with pytest.raises(pg.GraphError, match=text):
            pg.trace(f, X)


def test_shape_and_dtype_are_not_set() -> None:
    def shape(x: Any) -> None:
        x.shape = (5, 1)

    def dtype(x: Any) -> None:
        x.dtype = "float32"

    def of_a_buffer(x: Any) -> None:
        np.zeros_like(x).shape = (5, 1)

    for f, text in ((shape, r"x\.reshape\(shape\)"), (dtype, r"x\.astype\(dtype\)"), (of_a_buffer, "reshape")):
        with pytest.raises(AttributeError, match=text):
            pg.trace(f, X)
    x = pg.var("x", (5,))
    with pytest.raises(pg.UnsupportedError, match="cannot be set"):
        shape(x)
    assert (x * 1.0).shape == (5,)


def test_index_errors() -> None:
    def outside(x: Any) -> Any:
        out = np.zeros_like(x)
        out[5] = 1.0

    def shapes(x: Any) -> Any:
        out = np.zeros_like(x)
        out[1:3] = x

    with pytest.raises(pg.IndexRangeError, match="index 5 is out of range for axis 0 of size 5"):
        pg.trace(outside, X)
    with pytest.raises(pg.ShapeError):
        pg.trace(shapes, X)

    def at_run_time(x: Any, i: Any) -> Any:
        out = np.zeros_like(x)
        out[i] = 1.0
        return out

    with pytest.raises(IndexError):
        pg.compile(at_run_time)(X, 5)


def test_read_only_views_are_refused() -> None:
    def f(x: Any) -> Any:
        out = np.zeros_like(x)
        wide = np.broadcast_to(out, (2, 5))
        out[1] = x[0]
        seen = wide * 1.0
        with pytest.raises(pg.UnsupportedError, match="read-only"):
            wide[0] = 1.0
        return seen

    assert pg.compile(f)(X)[:, 1].tolist() == [0.5, 0.5]


# --- loops and transformations


def recurrence(x: Any, n: int, out: Any) -> Any:
    out[0] = x
    for i in range(1, n):
        out[i] = np.sin(out[i - 1]) + x
    return out


def test_writes_in_a_python_loop_are_stores() -> None:
    n = 500
    graph = optimize(pg.trace(lambda x: recurrence(x, n, np.zeros(n, like=x)), 0.3))
    assert sum(node.op.name == "put" for node in graph.nodes) == 1
    loops = [x for body in decode(lower(graph)) for s in body.segments for x in s if isinstance(x, Loop)]
    assert sum(int(np.prod(x.dims)) for x in loops) <= n
    f = pg.compile(lambda x: recurrence(x, n, np.zeros(n, like=x)))
    np.testing.assert_allclose(f(0.3), recurrence(0.3, n, np.zeros(n)))
    pg.check_grads(lambda x: np.sum(recurrence(x, 20, np.zeros(20, like=x)) ** 2), (0.3,), order=2)


def test_a_loop_that_reads_slices_updates_in_place() -> None:
    n = 60

    def f(x: Any) -> Any:
        out = np.zeros(n, like=x)
        for i in range(n):
            out[i] = x[i] + np.sum(out[:i]) * 0.1
        return out

    loops = [
        x
        for body in decode(lower(optimize(pg.trace(f, np.ones(n)))))
        for s in body.segments
        for x in s
        if isinstance(x, Loop)
    ]
    copies = [x for x in loops if int(np.prod(x.dims)) == n and not x.micros and not x.reduces]
    assert len(copies) <= 1
    wanted = np.zeros(n)
    for i in range(n):
        wanted[i] = 1.0 + wanted[:i].sum() * 0.1
    np.testing.assert_allclose(pg.compile(f)(np.ones(n)), wanted)


def test_the_gradient_of_rows_that_are_written_copies_nothing() -> None:
    n, m = 45, 100  # masks of so many elements are made at run time

    def f(x: Any) -> Any:
        out = np.zeros((n, m), like=x)
        for i in range(n):
            out[i] = x * i
            out[i, 1:] += np.sin(out[i - 1, :-1])
        return np.sum(out**2)

    graph = optimize(pg.trace(pg.grad(f), 0.3))
    loops = [x for body in decode(lower(graph)) for s in body.segments for x in s if isinstance(x, Loop)]
    assert sum(int(np.prod(x.dims)) for x in loops) < 24 * n * m, "each write goes over the whole array"


def test_a_buffer_that_is_carried_is_written_in_the_body() -> None:
    def loop(x: Any, n: int = 5) -> Any:
        def body(i: Any, out: Any) -> Any:
            out[i] = np.sin(x) * i + out[i - 1]
            own = np.zeros(2, like=x)
            own[0] = out[i]
            out[0] += own.sum()
            return out

        out = pg.fori_loop(1, n, body, np.zeros(n, like=x))
        out[-1] = x
        return out

    def scanned(x: Any) -> Any:
        def body(out: Any, i: Any) -> Any:
            out[i] = x * 2.0
            return out, out[i] + 1.0

        return pg.scan(body, np.zeros(4, like=x), np.arange(4))

    def until(x: Any) -> Any:
        def body(state: Any) -> Any:
            i, out = state
            out[i] = x + i
            return i + 1, out

        return pg.while_loop(lambda s: (s[0] < 3) & (s[1][2] == 0.0), body, (0, np.zeros(4, like=x)))[1]

    wanted = np.zeros(5)
    for i in range(1, 5):
        wanted[i] = np.sin(0.3) * i + wanted[i - 1]
        wanted[0] += wanted[i]
    wanted[-1] = 0.3
    np.testing.assert_allclose(pg.compile(loop)(0.3), wanted)
    total, ys = pg.compile(scanned)(0.3)
    assert total.tolist() == [0.6] * 4
    assert ys.tolist() == [1.6] * 4
    assert pg.compile(until)(0.5).tolist() == [0.5, 1.5, 2.5, 0.0]
    pg.check_grads(loop, (0.3,), order=2)
    pg.check_grads(lambda x: (scanned(x), until(x)), (0.3,), order=1)


def test_a_carried_buffer_stays_where_it_is() -> None:
    n = 200

    def f(x: Any) -> Any:
        def body(i: Any, out: Any) -> Any:
            out[i] = np.sin(out[i - 1]) + x
            return out

        return pg.fori_loop(1, n, body, np.zeros(n, like=x))

    bodies = decode(lower(optimize(pg.trace(f, 0.3))))
    steps = [x for body in bodies[1:] for segment in body.segments for x in segment]
    assert any(isinstance(x, Call) and x.updated for x in steps)
    assert not any(isinstance(x, Loop) and int(np.prod(x.dims)) >= n for x in steps)


def test_transformations_take_and_give_them() -> None:
    def f(x: Any) -> Any:
        out = np.zeros_like(x)
        out[1:] = x[:-1] ** 2
        out[0] = np.sum(out)
        return out

    wanted = np.array([np.sum(X[:-1] ** 2), *X[:-1] ** 2])
    np.testing.assert_allclose(pg.compile(f)(X), wanted)
    batch = np.stack([X, X * 2.0])
    np.testing.assert_allclose(pg.vmap(f)(batch), [f(X), f(X * 2.0)])
    np.testing.assert_allclose(pg.jacfwd(f)(X), pg.jacrev(f)(X))
    np.testing.assert_allclose(pg.sparse_jacobian(lambda x: f(x)[1:])(X).toarray(), np.diag(2.0 * X)[:-1], atol=1e-15)

    def nested(x: Any) -> Any:
        out = np.ones_like(x)
        out[2] = x[0]
        inner = pg.grad(lambda y: np.sum(f(y) * out))(out)
        out[3] = inner[0]
        value, tangent = pg.jvp(f, (out,), (out,))
        mapped = pg.vmap(lambda y: y * out[0])(out)
        taken = pg.cond(x[0] > 0.0, lambda y: y + out, lambda y: y, out)
        return out, value, tangent, mapped, taken, pg.checkpoint(f)(out), pg.stop_gradient(out)

    pg.check_grads(lambda x: nested(x)[:-1], (X,), order=1)


def test_wide_arrays_are_written_without_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    import pygraph.graph.buffer as buffers

    monkeypatch.setattr(buffers, "MOST_MARKED", 3)

    def f(x: Any) -> Any:
        out = np.zeros((5, 5), like=x)
        written(out, x, 2)
        return out

    wanted = np.zeros((5, 5))
    written(wanted, X, 2)
    np.testing.assert_allclose(pg.compile(f)(X), wanted)
