"""Each rewrite rule: that it applies, that it keeps every bit, and that its unsafe neighbours are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bits import optimised

import pygraph as pg
from pygraph import ops
from pygraph.autodiff.given_derivatives import given
from pygraph.errors import IndexRangeError
from pygraph.graph import Graph, Node, constant, make, var, walk
from pygraph.graph.construction import convert
from pygraph.graph.uniform import full
from pygraph.ops.counting import iota
from pygraph.ops.row import TABLE
from pygraph.optimize import optimize
from pygraph.optimize.passes import PRODUCTS, SIMPLIFY

X, Y, Z = var("x", (3,)), var("y", (3,)), var("z", ())
M = var("m", (2, 3))
N, K = var("n", (3,), "int64"), var("k", (3,), "int32")
P, Q = var("p", (3,), "bool"), var("q", (3,), "bool")
F = var("f", (3,), "float32")
ALL = [X, Y, Z, M, N, K, P, Q, F]


def row(name: str, *operands: Node, **attrs: object) -> Node:
    return make(TABLE[name], operands, attrs)


def splat(value: object, dtype: str = "float64", shape: tuple[int, ...] = (3,)) -> Node:
    return full(value, shape, np.dtype(dtype))


def part(x: Node, starts: tuple[int, ...], steps: tuple[int, ...], shape: tuple[int, ...]) -> Node:
    return row("slice", x, starts=starts, steps=steps, shape=shape)


def spread(x: Node, shape: tuple[int, ...], starts: tuple[int, ...], steps: tuple[int, ...]) -> Node:
    return row("unslice", x, starts=starts, steps=steps, shape=shape)


class _Rule:
    """A derivative that is never asked for."""

    jvp = vjp = batch = None


RULE: Any = _Rule()
PLACES = (((0, 2), (1, 1), (1, 1)), ((1, 0), (1, 1), (1, 3)))
REWRITTEN = {
    "add -0": (X + (-0.0), X),
    "add 0 to integers": (N + 0, N),
    "add chain of integers": ((N + 3) + 4, N + 7),
    "add negative": (X + (-Y), X - Y),
    "add to negative": ((-X) + Y, Y - X),
    "subtract 0": (X - 0.0, X),
    "subtract from -0": (-0.0 - X, -X),
    "subtract from 0 in integers": (0 - N, -N),
    "subtract itself in integers": (N - N, splat(0, "int64")),
    "subtract negative": (X - (-Y), X + Y),
    "negative twice": (np.negative(-X), X),
    "negative of a multiple": (-(X * 3.0), X * -3.0),
    "negative of a quotient": (-(X / 3.0), X / -3.0),
    "negative of a constant over x": (-(3.0 / X), -3.0 / X),
    "multiply by 1": (X * 1.0, X),
    "multiply by -1": (X * -1.0, -X),
    "multiply by 1 in a larger shape": (X * splat(1.0, shape=(2, 3)), np.broadcast_to(X, (2, 3))),
    "multiply integers by 0": (N * 0, splat(0, "int64")),
    "multiply integers twice": ((N * 3) * 5, N * 15),
    "multiply by powers of two": ((X * 2.0) * -4.0, X * -8.0),
    "multiply negative by a constant": ((-X) * 3.0, X * -3.0),
    "multiply negatives": ((-X) * (-Y), X * Y),
    "multiply by itself": (X * X, X**2),
    "divide by 1": (X / 1.0, X),
    "divide by a power of two": (X / 4.0, X * 0.25),
    "divide negatives": ((-X) / (-Y), X / Y),
    "square of negative": ((-X) ** 2, X**2),
    "square of absolute": (abs(X) ** 2, X**2),
    "absolute of negative": (abs(-X), abs(X)),
    "absolute twice": (abs(abs(X)), abs(X)),
    "power 1": (row("power", X, splat(1.0)), X),
    "power 0": (row("power", X, splat(0.0)), splat(1.0)),
    "value with a derivative given for it": (given(RULE, [X], [np.sin(X)])[0], np.sin(X)),
    "maximum of one": (ops.maximum(X, X), X),
    "minimum of one": (ops.minimum(X, X), X),
    "and true": (row("logical_and", P, splat(True, "bool")), P),
    "and false": (row("logical_and", P, splat(False, "bool")), splat(False, "bool")),
    "or false": (row("logical_or", splat(False, "bool"), P), P),
    "or true": (row("logical_or", P, splat(True, "bool")), splat(True, "bool")),
    "xor true": (row("logical_xor", P, splat(True, "bool")), row("logical_not", P)),
    "xor false": (row("logical_xor", P, splat(False, "bool")), P),
    "and itself": (row("logical_and", P, P), P),
    "not twice": (row("logical_not", row("logical_not", P)), P),
    "not equal": (row("logical_not", row("equal", X, Y)), row("not_equal", X, Y)),
    "select true": (row("select", splat(True, "bool"), X, Y), X),
    "select false": (row("select", splat(False, "bool"), X, Z), np.broadcast_to(Z, (3,))),
    "select of equals": (row("select", P, X, X), X),
    "select by not": (row("select", row("logical_not", P), X, Y), row("select", P, Y, X)),
    "stop_gradient": (ops.stop_gradient(X), X),
    "convert to its own dtype": (row("convert", X, dtype=X.dtype), X),
    "convert and back": (convert(convert(F, X.dtype), F.dtype), F),
    "convert through a wider integer": (convert(convert(K, N.dtype), X.dtype), convert(K, X.dtype)),
    "convert bool through float": (convert(convert(P, X.dtype), N.dtype), convert(P, N.dtype)),
    "constants": (X * (constant(2.0) * 3.0 + 1.0), X * 7.0),
    "constants of arrays": (np.sqrt(constant([1.0, 2.0, 3.0])) + X, constant(np.sqrt([1.0, 2.0, 3.0])) + X),
    "broadcast operand": (np.broadcast_to(Z, (3,)) * X, Z * X),
    "one element of more axes": (np.reshape(Z, (1, 1)) * (M * constant([[3.0]])), Z * (M * 3.0)),
    "broadcast operands": (np.broadcast_to(Z, (3,)) * splat(2.0), np.broadcast_to(Z * 2.0, (3,))),
    "broadcast in a function": (np.sin(np.broadcast_to(X, (2, 3))), np.broadcast_to(np.sin(X), (2, 3))),
    "reshape to itself": (row("reshape", X, shape=(3,)), X),
    "reshape twice": (np.reshape(np.reshape(M, (6,)), (3, 2)), np.reshape(M, (3, 2))),
    "reshape of one element repeated": (np.reshape(np.broadcast_to(Z, (2, 3)), (6,)), np.broadcast_to(Z, (6,))),
    "transpose twice": (M.T.T, M),
    "transpose in order": (row("transpose", M, axes=(0, 1)), M),
    "transpose of a row": (np.reshape(X, (1, 3)).T, np.reshape(X, (3, 1))),
    "transpose of one element repeated": (np.broadcast_to(Z, (2, 3)).T, np.broadcast_to(Z, (3, 2))),
    "broadcast to itself": (row("broadcast_to", X, shape=(3,)), X),
    "broadcast twice": (np.broadcast_to(np.broadcast_to(X, (1, 3)), (2, 3)), np.broadcast_to(X, (2, 3))),
    "broadcast after new axes": (np.broadcast_to(np.reshape(X, (1, 3)), (2, 3)), np.broadcast_to(X, (2, 3))),
    "slice of all": (part(X, (0,), (1,), (3,)), X),
    "slice of slice": (
        part(part(M, (0, 2), (1, -1), (2, 3)), (1, 0), (1, 2), (1, 2)),
        part(M, (1, 2), (1, -2), (1, 2)),
    ),
    "slice of unslice": (part(spread(X, (9,), (1,), (3,)), (1,), (3,), (3,)), X),
    "slice of a piece": (part(np.concatenate([X, Y]), (4,), (1,), (2,)), part(Y, (1,), (1,), (2,))),
    "slice of a piece backwards": (part(np.concatenate([X, Y]), (2,), (-1,), (3,)), part(X, (2,), (-1,), (3,))),
    "slice of one element repeated": (part(np.broadcast_to(Z, (9,)), (1,), (2,), (3,)), np.broadcast_to(Z, (3,))),
    "slice of put": (part(row("put", M, Z, X, places=PLACES), (1, 0), (1, 1), (1, 3)), row("reshape", X, shape=(1, 3))),
    "put of all": (row("put", X, Y, places=(((0,), (1,), (3,)),)), Y),
    "unslice of all": (spread(X, (3,), (0,), (1,)), X),
    "unslice twice": (spread(spread(X, (7,), (1,), (2,)), (16,), (14,), (-2,)), spread(X, (16,), (12,), (-4,))),
    "concatenate one": (row("concatenate", X, axis=0), X),
    "concatenate nested": (np.concatenate([np.concatenate([X, Y]), X]), row("concatenate", X, Y, X, axis=0)),
    "concatenate empty": (row("concatenate", X, part(Y, (0,), (1,), (0,)), axis=0), X),
    "concatenate nothing but empty ones": (
        row("concatenate", part(X, (0,), (1,), (0,)), part(Y, (0,), (1,), (0,)), axis=0),
        part(X, (0,), (1,), (0,)),
    ),
    "sum of integers over nothing": (row("reduce_sum", N, axes=()), N),
    "product over nothing": (row("reduce_prod", X, axes=()), X),
    "maximum over size 1": (row("reduce_max", np.reshape(X, (3, 1)), axes=(1,)), X),
    "slice of counts": (part(iota(9, 4, 3), (7,), (-2,), (4,)), iota(4, 25, -6)),
    "counts converted": (convert(iota(3, 2)[:, None], F.dtype), iota(3, 2, 1, "float32")[:, None]),
    "counts shifted": ((7 - iota(3) * 2) + 1, iota(3, 8, -2)),
    "counts compared": (iota(3, 2**31 - 3)[:, None] < 7, iota(3, 2**31 - 3, 1, "int32")[:, None] < np.int32(7)),
    "counts compared with counts": (
        iota(3)[:, None] == iota(2),
        iota(3, dtype="int32")[:, None] == iota(2, dtype="int32"),
    ),
    "elements at counts": (row("take", M, iota(2, 2, -2), axis=1), part(M, (0, 2), (1, -2), (2, 2))),
    "counts as an index": (row("wrap_index", iota(2, 2, -2), size=3), iota(2, 2, -2)),
    "maximum of maxima": (
        row("reduce_max", row("reduce_max", M, axes=(0,)), axes=(0,)),
        row("reduce_max", M, axes=(0, 1)),
    ),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_rewritten(name: str) -> None:
    before, after = REWRITTEN[name]
    assert before is not after
    better = optimised(ALL, [before])
    wanted = Graph(ALL, [after])
    assert better == wanted, f"{better}\n{wanted}"


KEPT = {
    "a constant that C may round otherwise": np.sin(constant([1.0, 2.0])) + X[:2],
    "add 0": X + 0.0,
    "subtract -0": X - (-0.0),
    "subtract from 0": 0.0 - X,
    "subtract itself": X - X,
    "multiply by 0": X * 0.0,
    "divide by itself": X / X,
    "multiply by small powers of two": (X * 0.5) * 0.25,
    "multiply up and down": (X * 2.0) * 0.5,
    "multiply past the largest number": (X * 2.0**600) * 2.0**600,
    "divide by three": X / 3.0,
    "divide by a huge power of two": X / 2.0**1023,
    "negative of difference": -(X - Y),
    "difference of negative": (-X) - Y,
    "convert to narrower and back": convert(convert(X, F.dtype), X.dtype),
    "convert integers through float32": convert(convert(K, F.dtype), K.dtype),
    "convert float32 through float64 to integers": convert(convert(F, X.dtype), N.dtype),
    "logic of two": row("logical_and", P, Q),
    "not less": row("logical_not", row("less", X, Y)),
    "sum over nothing": row("reduce_sum", X, axes=()),
    "sums of sums": row("reduce_sum", row("reduce_sum", M, axes=(0,)), axes=(0,)),
    "transpose": M.T,
    "add chain": (X + 1.0) + 2.0,
    "slice across pieces": part(np.concatenate([X, Y]), (2,), (1,), (2,)),
    "slice of another place": part(spread(X, (9,), (1,), (3,)), (2,), (3,), (2,)),
    "reciprocal": 1.0 / X,
    "counts that wrap": row("wrap_index", iota(2, -1), size=3),
    "elements at counts that wrap": row("take", M, iota(2, -1), axis=1),
    "counts added": iota(3, 5) + iota(3, 5, 2),
    "counts in 32 bits": iota(3, 1, 1, "int32") * 2,
    "counts too large": iota(3, 2**56, 1) * 4,
    "counts compared beyond 32 bits": iota(3, 2**31 - 2) < 7,
    "counts compared with a number beyond": iota(3) < 2**31,
}


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    before = KEPT[name]
    assert optimised(ALL, [before]).outputs[0] is before


def test_no_rule_rewrites_a_node_with_operands_that_it_does_not_look_for() -> None:
    asked = 0
    for node in walk([x for pair in (*REWRITTEN.values(), *MATMULS.values()) for x in pair]):
        for rule_set in (SIMPLIFY, PRODUCTS):
            rules = rule_set.by_op.get(node.op)
            if rules is not None and not rules.may_rewrite(node):
                asked += len(rules.rules)
                assert [rule.__name__ for rule in rules.rules if rule(node) is not None] == []
    assert asked > 50


def test_every_rule_is_tested() -> None:
    """The cases above reach each rule at least once."""
    reached = set()

    def watched(rule):  # type: ignore[no-untyped-def]
        def call(node: Node) -> Node | None:
            found = rule(node)
            if found is not None:
                reached.add(rule.__name__)
            return found

        call.__name__ = rule.__name__
        return call

    rules = {
        rule.__name__ for rule_set in (SIMPLIFY, PRODUCTS) for found in rule_set.by_op.values() for rule in found.rules
    }
    saved = {id(found): found.rules for s in (SIMPLIFY, PRODUCTS) for found in s.by_op.values()}
    try:
        for rule_set in (SIMPLIFY, PRODUCTS):
            for found in rule_set.by_op.values():
                found.rules = [watched(rule) for rule in found.rules]
        for before, _ in REWRITTEN.values():
            optimize(Graph(ALL, [before]))
        for before, _ in MATMULS.values():
            optimize(Graph(MATRICES, [before]))
    finally:
        for rule_set in (SIMPLIFY, PRODUCTS):
            for found in rule_set.by_op.values():
                found.rules = saved[id(found)]
    assert reached == rules


A, B = var("a", (2, 3)), var("b", (4, 3))
C, D = var("c", (5, 2, 3)), var("d", (5, 4, 3))
V = var("v", (5, 3, 1))
MATRICES = [A, B, C, D, V]


def product(x: Node, y: Node, a: bool = False, b: bool = False) -> Node:
    return row("matmul", x, y, transpose_a=a, transpose_b=b)


MATMULS = {
    "second transposed": (product(A, B.T), product(A, B, b=True)),
    "first transposed": (product(A.T, A), product(A, A, a=True)),
    "flag and transposed": (product(A.T, B, a=True, b=True), product(A, B, b=True)),
    "batches": (product(C, row("transpose", D, axes=(0, 2, 1))), product(C, D, b=True)),
    "transposed result": (product(A, B, b=True).T, product(B, A, b=True)),
    "repeated": (
        product(C, np.broadcast_to(B, (5, 4, 3)), b=True),
        product(C.reshape(10, 3), B, b=True).reshape(5, 2, 4),
    ),
    "a shared operand": (product(C, B, b=True), product(C.reshape(10, 3), B, b=True).reshape(5, 2, 4)),
    "shared, with an axis of 1": (
        product(C, B.reshape(1, 4, 3), b=True),
        product(C.reshape(10, 3), B, b=True).reshape(5, 2, 4),
    ),
    "columns of a shared operand": (product(A, V), product(V.reshape(5, 3), A, b=True).reshape(5, 2, 1)),
    "stored columns": (product(C, V, a=False), product(C, V)),
    "two of many": (product(A, row("transpose", D, axes=(0, 2, 1))), product(A, D, b=True)),
    "a sum over the batch": (
        np.sum(product(C, D, b=True), axis=0),
        product(
            row("transpose", C, axes=(0, 2, 1)).reshape(15, 2),
            row("transpose", D, axes=(0, 2, 1)).reshape(15, 4),
            a=True,
        ),
    ),
    "a sum of stored products": (
        np.sum(product(C, D.reshape(5, 2, 6), a=True), axis=0),
        product(C.reshape(10, 3), D.reshape(10, 6), a=True),
    ),
}


@pytest.mark.parametrize("name", MATMULS)
def test_products(name: str) -> None:
    before, after = MATMULS[name]
    assert optimised(MATRICES, [before], finite=True) == Graph(MATRICES, [after])


@pytest.mark.parametrize(
    "before",
    [
        product(C, row("transpose", D, axes=(0, 2, 1)), b=False)[0],
        product(row("transpose", C, axes=(1, 2, 0)), var("e", (2, 5, 1))),
        product(np.broadcast_to(A, (5, 2, 3)), np.broadcast_to(B, (5, 4, 3)), b=True),
        product(var("e", (3, 2)), var("f", (4, 5, 3, 2)), a=True),
        product(var("e", (4, 5, 3, 2)), var("f", (1, 1, 3, 6)), a=True),
        product(var("e", (4, 1, 2, 3)), var("f", (5, 3, 6))),
        product(var("e", (0, 2, 3)), B, b=True),
        np.sum(product(var("e", (4, 5, 3, 2)), var("f", (4, 5, 3, 6)), a=True), axis=(0, 1)),
        np.sum(product(var("e", (4, 5, 3, 2)), var("f", (4, 5, 3, 6)), a=True), axis=0),
        np.sum(product(C, B, b=True), axis=0),
        np.sum(product(var("e", (5, 2, 0)), var("f", (5, 0, 6))), axis=0),
        product(var("e", (300, 900), "int64"), var("f", (2, 900, 4), "int64")),
    ],
    ids=lambda node: str([x.shape for x in Graph.from_parts([], [node]).free]),
)
def test_products_keep_their_values(before: Node) -> None:
    inputs = list(Graph.from_parts([], [before]).free)
    optimised(inputs, [before], finite=True)


def test_a_large_shared_operand_is_gone_through_once() -> None:
    shared = var("w", (4000, 88))
    better = optimize(Graph([shared, x := var("x", (28, 88, 3))], [product(shared, x)]))
    assert [node.shape for node in better.nodes if node.op.name == "matmul"] == [(84, 4000)]
    few = optimize(Graph([A, y := var("y", (28, 3, 3))], [product(A, y)]))
    assert [node.shape for node in few.nodes if node.op.name == "matmul"] == [(28, 2, 3)]


def test_the_gradient_of_a_shared_operand_holds_no_product_of_each_example() -> None:
    def loss(w: Any, x: Any) -> Any:
        return np.sum(np.tanh(w @ x))

    better = optimize(pg.trace(pg.grad(loss), np.ones((20, 8)), np.ones((28, 8, 3))))
    assert sorted(node.shape for node in better.nodes if node.op.name == "matmul") == [(20, 8), (28, 20, 3)]


def test_a_product_that_is_used_twice_is_not_computed_twice() -> None:
    x = product(A, B, b=True)
    better = optimised(MATRICES, [x.T, x], finite=True)
    assert [node.op.name for node in better.nodes].count("matmul") == 1


def test_large_constants_are_not_made() -> None:
    big = np.broadcast_to(constant(2.0), (1000, 1000)) * constant(3.0)
    x = var("x", (1000, 1000))
    better = optimize(Graph([x], [x + big, row("unslice", constant([1.0]), starts=(5,), steps=(1,), shape=(10**6,))]))
    for node in better.nodes:
        if node.op.name == "constant":
            assert node.attrs["value"].value.size == 1


def test_an_index_out_of_range_stays_an_error_of_the_run() -> None:
    taken = make(TABLE["take"], (constant([1.0, 2.0]), constant([5])), {"axis": 0})
    graph = optimize(Graph([X], [X + taken]))
    assert any(node.op.name in ("take", "wrap_index") for node in graph.nodes)
    from pygraph.graph.reference import evaluate_flat

    with pytest.raises(IndexRangeError):
        evaluate_flat(graph, [np.zeros(3)])


def test_rewritten_nodes_keep_the_line_of_the_original() -> None:
    before = X + (-np.sin(Y))
    after = optimize(Graph([X, Y], [before])).outputs[0]
    assert after.op.name == "subtract"
    assert after.line is not None
    assert "before = X + (-np.sin(Y))" in after.line.code
