"""`pg.compile` on functions: one Executable per signature, inlining among expressions, the cache."""

from __future__ import annotations

import copy
import cProfile
import gc
import pickle
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg


@pg.compile
def decorated(x: Any, y: Any = 2.0) -> Any:
    """x times y."""
    return x * y


def plain(x: Any) -> Any:
    return x * 3.0


class Pair(NamedTuple):
    first: Any
    second: Any


def test_it_presents_itself_as_the_function() -> None:
    assert decorated.__name__ == "decorated"
    assert decorated.__doc__ == "x times y."
    assert decorated.function(2.0) == 4.0
    assert repr(pg.compile(plain)) == "<compiled plain, 0 signatures>"


def test_it_is_traced_once_per_signature() -> None:
    traces = []

    @pg.compile
    def f(x: Any) -> Any:
        traces.append((x.shape, x.dtype.name))
        return x + 1.0

    for _ in range(3):
        assert f(1.0) == 2.0
        assert f(np.float64(1.0)) == 2.0
        assert f(np.array(1.0)) == 2.0
        np.testing.assert_array_equal(f(np.ones(2)), [2.0, 2.0])
        np.testing.assert_array_equal(f(np.ones(3)), [2.0, 2.0, 2.0])
        assert f(np.ones(2, "float32")).dtype == np.float32
        assert f(1) == 2.0
        assert f(True) == 2.0
    assert traces == [
        ((), "float64"),
        ((), "float64"),  # a Python float is weak, a NumPy scalar is not
        ((2,), "float64"),
        ((3,), "float64"),
        ((2,), "float32"),
        ((), "int64"),
        ((), "bool"),
    ]
    assert len(f.executables) == 7


def test_the_decorator_takes_arguments() -> None:
    @pg.compile(threads=1, check_finite=True)
    def f(x: Any) -> Any:
        return np.log(x)

    assert f(1.0) == 0.0
    with pytest.raises(pg.NonFiniteError, match="log"):
        f(0.0)
    assert f.executable(1.0).stats.threads == 1


def test_keywords_defaults_and_keyword_only_arguments() -> None:
    @pg.compile
    def f(a: Any, b: Any = 10.0, *rest: Any, scale: Any = 1.0, **more: Any) -> Any:
        return (a + b + sum(rest)) * scale + sum(more.values())

    assert f(1.0) == 11.0
    assert f(1.0, 2.0) == f(b=2.0, a=1.0) == f(1.0, b=2.0) == 3.0
    assert f(1.0, 2.0, 3.0, scale=2.0) == 12.0
    assert f(1.0, scale=2.0, extra=0.5) == 22.5
    with pytest.raises(pg.SignatureError, match="missing a required argument: 'a'"):
        f(b=1.0)


def test_containers_and_flat_arguments_of_the_same_leaves_are_told_apart() -> None:
    @pg.compile
    def f(x: Any, y: Any = 1.0) -> Any:
        return x[0] - x[1] if isinstance(x, tuple) else x * y

    a, b = np.array([5.0]), np.array([2.0])
    for _ in range(2):
        assert f(a, b) == 10.0
        assert f((a, b)) == 3.0
        assert f(a, b) == 10.0


def test_containers_in_and_out() -> None:
    @pg.compile
    def f(pair: Any) -> Any:
        return Pair(pair.second, {"sum": pair.first + pair.second})

    result = f(Pair(1.0, np.array([2.0])))
    assert type(result) is Pair
    np.testing.assert_array_equal(result.first, [2.0])
    np.testing.assert_array_equal(result.second["sum"], [3.0])


def test_among_expressions_it_inlines() -> None:
    x = pg.var("x", (2,))
    graph = pg.Graph([x], decorated(x, 3.0))
    np.testing.assert_array_equal(pg.compile(graph)(np.ones(2)), [3.0, 3.0])
    outer = pg.compile(lambda x: decorated(x) + decorated(x, y=x))
    assert outer(3.0) == 15.0


def test_closing_over_expressions_it_inlines_and_is_not_remembered() -> None:
    def outer(w: Any) -> Any:
        inner = pg.compile(lambda x: x * w)
        result = inner(2.0) + inner(np.float64(3.0))
        assert inner.executables == ()
        with pytest.raises(pg.SignatureError, match="depends on w of an enclosing trace"):
            inner.executable(2.0)
        return result

    assert pg.compile(outer)(10.0) == 50.0


def test_the_cache_is_bounded_and_drops_the_oldest() -> None:
    f = pg.compile(lambda x: x * 2.0, cache_size=3)
    for n in (1, 2, 3, 1, 4):
        np.testing.assert_array_equal(f(np.ones(n)), np.full(n, 2.0))
    assert [exe.graph.inputs[0].shape for exe in f.executables] == [(3,), (1,), (4,)]
    f.clear()
    assert f.executables == ()
    assert f(1.0) == 2.0


def test_switching_signatures_back_and_forth() -> None:
    f = pg.compile(lambda x: x.sum())
    for _ in range(20):
        for n in (1, 2000, 3000, 4):
            assert f(np.ones(n)) == n
    assert len(f.executables) == 4


def test_first_calls_from_many_threads() -> None:
    f = pg.compile(lambda x: np.sum(x * 2.0), cache_size=2)
    wrong: list[int] = []

    def work(k: int) -> None:
        for i in range(50):
            n = (i * k) % 5 + 1
            if f(np.ones(n)) != 2.0 * n:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(f.executables) <= 2


def test_arguments_that_can_not_be_traced() -> None:
    f = pg.compile(lambda x: x)
    for bad in ("text", object(), 1j, np.array(["a"]), np.ones(2, complex)):
        with pytest.raises(pg.DTypeError, match="argument"):
            f(bad)
    with pytest.raises(pg.SignatureError, match="fit"):
        f(2**70)


def test_an_error_while_tracing_is_the_functions_own_and_leaves_it_usable() -> None:
    @pg.compile
    def f(x: Any) -> Any:
        if x.shape == (2,):
            raise KeyError("mine")
        return x * 2.0

    with pytest.raises(KeyError, match="mine"):
        f(np.ones(2))
    np.testing.assert_array_equal(f(np.ones(3)), [2.0, 2.0, 2.0])
    with pytest.raises(KeyError, match="mine"):
        f(np.ones(2))


def test_as_a_method() -> None:
    class Model:
        @pg.compile
        def apply(x: Any) -> Any:
            return x * 2.0

        static = staticmethod(pg.compile(lambda x: x * 3.0))

    assert Model.apply(2.0) == 4.0
    assert Model.static(2.0) == 6.0


def test_pickling() -> None:
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    again = pickle.loads(pickle.dumps(pg.compile(plain, threads=1)))
    assert again(2.0) == 6.0
    assert again.executable(2.0).stats.threads == 1
    assert copy.deepcopy(decorated) is copy.copy(decorated) is decorated


def test_its_memory_goes_with_its_last_reference() -> None:
    gc.collect()
    gc.disable()
    try:
        f = pg.compile(lambda x: x * 2.0)
        f(np.ones(3))
        exe = f.executables[0]
        exe(np.ones(3))
        watched = weakref.ref(f), weakref.ref(exe)
        del f, exe
        assert [reference() for reference in watched] == [None, None]
    finally:
        gc.enable()


def test_static_fields_are_told_apart_by_type_and_bits() -> None:
    @dataclass
    class Scaled:
        w: Any
        n: Any = field(default=3, metadata={"static": True})

    times = pg.compile(lambda d: d.w * d.n)
    a = np.array([1, 2])
    for _ in range(2):
        for number in (2, 2.0, True, np.float32(2), np.int32(2)):
            assert times(Scaled(a, number)).dtype == (a * number).dtype
    inverse = pg.compile(lambda d: 1.0 / (d.w * d.n))
    for _ in range(2):
        assert inverse(Scaled(1.0, 0.0)) == np.inf
        assert inverse(Scaled(1.0, -0.0)) == -np.inf
    pairs = pg.compile(lambda d: d.w * d.n[0])
    assert [pairs(Scaled(a, (n,))).dtype.kind for n in (2, 2.0)] == ["i", "f"]
    nan = pg.compile(lambda d: d.w + d.n)
    nan(Scaled(1.0, float("nan")))
    nan(Scaled(1.0, float("nan")))
    assert len(nan.executables) == 1
    with pytest.raises(pg.SignatureError, match="static field"):
        times(Scaled(a, np.ones(2)))


def test_a_call_while_tracing_sees_what_has_become_an_expression() -> None:
    class Cell:
        w: Any = 2.0

        def step(self, h: Any) -> Any:
            return h * self.w

    cell = Cell()
    step = pg.compile(cell.step)

    def loss(w: Any) -> Any:
        cell.w = w
        return step(3.0) * w

    assert loss(2.0) == 12.0
    assert step(3.0) == 6.0  # by the written path
    assert pg.compile(loss)(4.0) == 48.0
    assert pg.grad(loss)(4.0) == 24.0


def _calls(work: Callable[[], Any]) -> int:
    """Python and C functions called by `work`: steadier than any clock."""
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def _compile_sum(n: int) -> Any:
    return pg.compile(lambda *a: sum(a))(*map(float, range(n)))


def _sweep_all(n: int) -> Any:
    inputs = [pg.var(f"x{i}") for i in range(n)]
    exe = pg.compile(pg.Graph(inputs, sum(inputs)), wrt=[f"x{i}" for i in range(n)])
    exe.forward(*map(float, range(n)))
    return exe.reverse()


def _many_results(n: int) -> Any:
    return pg.compile(lambda x: {f"y{i}": x * float(i) for i in range(n)})(1.5)


def _many_carries(n: int) -> Any:
    start = [float(i) for i in range(n)]
    return pg.compile(lambda c: pg.scan(lambda c, _: ([x + 1.0 for x in c], None), c, None, length=2)[0])(start)


@pytest.mark.parametrize("work", [_compile_sum, _sweep_all, _many_results, _many_carries])
def test_compiling_is_linear_in_arguments_and_results(work: Callable[[int], Any]) -> None:
    work(3)
    few, many = (_calls(lambda n=n: work(n)) for n in (150, 600))
    assert many <= 4.4 * few


def test_a_captured_array_is_held_once_and_goes_with_the_function() -> None:
    def compiled(a: Any) -> pg.CompiledFunction:
        f = pg.compile(lambda x: np.sum(a * x), backend="vm")
        assert f(2.0) == 2.0 * np.sum(a)
        return f

    compiled(np.ones(3))
    a = np.ones(1_000_000)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        f = compiled(a)
        held, peak = (size - before for size in tracemalloc.get_traced_memory())
        node = next(node for node in f.executables[0].graph.nodes if node.op.name == "constant" and node.shape)
        value = node.attrs["value"].value
        assert np.shares_memory(value, np.frombuffer(f.executables[0].program.constants, np.uint8))
        assert not value.flags.writeable
        a[0] = 5.0
        assert f(1.0) == 1_000_000.0
        assert held < 1.1 * a.nbytes
        assert peak < 2.2 * a.nbytes
        del f, node, value
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 0.1 * a.nbytes
    finally:
        tracemalloc.stop()
