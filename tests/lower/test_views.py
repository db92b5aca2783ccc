"""Views: the strides that lowering finds for chains of views show the elements that NumPy shows."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from helpers import reference

import pygraph as pg
from pygraph.graph import Graph, Node, make, var
from pygraph.lower.views import Access, Views
from pygraph.ops.row import lookup
from pygraph.ops.strides import broadcast_strides, reshape_strides, row_major

SHAPES = ((), (1,), (6,), (3, 4), (2, 3, 4), (4, 1, 3), (0, 3), (2, 2, 2, 3))


def shown(access: Access, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements that an access reads, found one by one."""
    flat = base.reshape(-1)
    result = np.empty(access.shape, base.dtype)
    for index in np.ndindex(*access.shape):
        at = access.offset + sum(i * s for i, s in zip(index, access.strides, strict=True))
        assert 0 <= at < flat.size, f"{access} leaves its base at {index}"
        result[index] = flat[at]
    return result


def random_view(rng: np.random.Generator, x: Node) -> Node:
    """A random reshape, transpose, broadcast or slice of x."""
    shape = x.shape
    match int(rng.integers(4)):
        case 0:
            sizes = [n for n in (1, 2, 3, 4, 6, 12) if prod(shape) % n == 0]
            n = int(rng.choice(sizes))
            wanted = (n, prod(shape) // n) if rng.random() < 0.7 else (prod(shape) // n, 1, n)
            return make(lookup("reshape"), (x,), {"shape": wanted})
        case 1:
            return make(lookup("transpose"), (x,), {"axes": tuple(int(a) for a in rng.permutation(len(shape)))})
        case 2:
            if len(shape) > 4:
                return x
            return make(lookup("broadcast_to"), (x,), {"shape": (2, *(3 if n == 1 else n for n in shape))})
    starts, steps, part = [], [], []
    for n in shape:
        step = int(rng.choice([1, 2, -1, -3]))
        count = int(rng.integers(1, -(-n // abs(step)) + 1)) if n else 0
        low = int(rng.integers(0, n - (count - 1) * abs(step))) if count else 0
        starts.append(low if step > 0 else low + (count - 1) * -step)
        steps.append(step)
        part.append(count)
    return make(lookup("slice"), (x,), {"starts": tuple(starts), "steps": tuple(steps), "shape": tuple(part)})


@pytest.mark.parametrize("seed", range(60))
def test_chains_of_views(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = var("x", SHAPES[seed % len(SHAPES)])
    data = np.arange(float(prod(x.shape))).reshape(x.shape)
    node = x
    views = Views()
    for _ in range(6):
        node = random_view(rng, node)
        if prod(node.shape) > 5000:
            break
        access = views.resolve(node)
        base = reference(Graph([x], access.base), [data])[0]
        assert np.array_equal(shown(access, base), reference(Graph([x], node), [data])[0])
        assert access.base is x or access.base.op is lookup("reshape"), "only a reshape may need a copy"
        if prod(node.shape):
            places = shown(access, np.arange(base.size)).reshape(-1)
            in_order = np.array_equal(places, access.offset + np.arange(prod(node.shape)))
            assert access.contiguous == in_order


@pytest.mark.parametrize("seed", range(60))
def test_reshape_copies_only_where_numpy_does(seed: int) -> None:
    """Strides exist exactly where NumPy reshapes without a copy."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.choice([1, 2, 3, 4], int(rng.integers(1, 4))))
    array = np.zeros(shape).transpose(rng.permutation(len(shape)))
    array = array[tuple(slice(None, None, int(rng.choice([1, -1, 2]))) for _ in array.shape)]
    size = array.size
    for first in (n for n in (1, 2, 3, 4, 6, 8, 12) if size % n == 0):
        for wanted in ((first, size // first), (first, 1, size // first), (size,)):
            strides = reshape_strides(array.shape, [s // 8 for s in array.strides], wanted)
            shared = np.shares_memory(array.reshape(wanted), array)
            assert (strides is not None) == shared, f"{array.shape} strides {array.strides} to {wanted}"
            if strides is not None:
                theirs = array.reshape(wanted).strides
                assert all(n == 1 or s * 8 == t for n, s, t in zip(wanted, strides, theirs, strict=True))


def test_known_again_after_a_copy() -> None:
    x = var("x", (3, 4))
    turned = make(lookup("transpose"), (x,), {"axes": (1, 0)})
    flat = make(lookup("reshape"), (turned,), {"shape": (12,)})
    views = Views()
    assert views.resolve(turned) == Access(x, 0, (4, 3), (1, 4))
    assert views.resolve(flat).base is flat, "strides cannot express it"
    views.materialise(turned)
    views.forget(flat)
    assert views.resolve(flat) == Access(turned, 0, (12,), (1,))


def test_a_branch_reads_a_part_of_a_copied_view() -> None:
    def f(x: Any, v: Any) -> Any:
        return pg.cond(v[0] > 0, lambda s: v * s, lambda s: v, np.ravel(x.T)[5:7])

    np.testing.assert_array_equal(pg.compile(f)(np.arange(9.0).reshape(3, 3), np.ones(2)), [7.0, 2.0])


def test_broadcast_strides() -> None:
    x = var("x", (3, 1))
    assert broadcast_strides(Access(x, 0, (3, 1), (1, 1)), (2, 3, 4)) == (0, 1, 0)
    assert row_major((2, 3, 4)) == (12, 4, 1)
    assert row_major(()) == ()
