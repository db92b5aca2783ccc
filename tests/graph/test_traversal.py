"""Walks over graphs and graphs rewritten: the order, where they end, and what stays the same object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pygraph.errors import ShapeError
from pygraph.graph import Node, attributed, constant, depends_on, make, rewrite, scan, substitute, var, walk
from pygraph.graph.rewriting import rebuilt
from pygraph.ops.row import lookup

SIN, COS, OUTPUT = lookup("sin"), lookup("cos"), lookup("output")


def test_operands_come_first_in_an_order_by_structure() -> None:
    x, y = var("x"), var("y")
    a, b = np.sin(x), np.cos(y)
    out = a + b * a
    assert walk([out]) == [x, a, y, b, b * a, out]
    assert walk([out, a, out]) == [x, a, y, b, b * a, out]
    assert walk([b, out]) == [y, b, x, a, b * a, out]
    assert walk([]) == []


def test_a_walk_ends_at_its_stops() -> None:
    x, y = var("x"), var("y")
    a, b = np.sin(x), np.cos(y)
    out = a + b * a
    assert walk([out], stops={a}) == [y, b, b * a, out]
    assert walk([out], stops={a: x, b: y}) == [b * a, out]
    assert walk([out, a], stops={out}) == [x, a]
    assert walk([out], stops={out}) == []


def test_a_walk_goes_where_it_is_told_and_asks_once_for_each_node() -> None:
    x, y = var("x"), var("y")
    a, b = np.sin(x), np.cos(y)
    out = a + b * a
    asked: list[Node] = []

    def last_first(node: Node) -> Sequence[Node]:
        asked.append(node)
        return node.inputs[::-1]

    assert walk([out], operands=last_first) == [x, a, y, b, b * a, out]
    assert asked == [out, b * a, a, x, b, y]
    assert walk([out], operands=lambda node: [a] if node is out else ()) == [a, out]


def test_a_walk_in_a_circle_ends() -> None:
    x, y = var("x"), var("y")
    a, b = np.sin(x), np.cos(y)
    after = {x: (b,), y: (a,)}
    order = walk([a, b], operands=lambda node: after.get(node, node.inputs))
    assert order == [y, b, x, a]


def test_substitute_shares_what_does_not_change() -> None:
    x, y, z = var("x", 3), var("y", 3), var("z", 3)
    kept, changed = np.exp(y), np.sin(x)
    out = kept + changed
    (result,) = substitute([out], {x: z})
    assert result is kept + np.sin(z)
    assert result.inputs[0] is kept
    assert result.line is not None
    assert out.line is not None
    assert result.line.number == out.line.number + 2 or result.line is out.line
    assert substitute([out], {}) == [out]
    assert substitute([x], {x: y}) == [y]
    assert substitute([np.sin(changed)], {changed: x}) == [changed]


def test_substitute_infers_types_again() -> None:
    x, wide, single = var("x", 3), var("x", (2, 3)), var("x", 3, "float32")
    assert substitute([np.sin(x) * x], {x: wide})[0].shape == (2, 3)
    assert substitute([np.sin(x)], {x: single})[0].dtype == np.float32
    with pytest.raises(ShapeError):
        substitute([x + var("y", 3)], {x: var("x", 4)})


def test_substitute_puts_other_loops_under_their_results() -> None:
    x, y = var("x"), var("y")
    results = scan(lambda c, _: (c * 0.5, c), x, None, 3)
    moved = substitute(list(results), {x: y})
    assert [node.op for node in moved] == [OUTPUT, OUTPUT]
    assert moved[0].inputs[0] is moved[1].inputs[0]
    assert moved[0].inputs[0].inputs == (y,)


def test_rewrite_visits_each_node_with_the_new_operands() -> None:
    x = var("x")
    a = np.sin(x)
    out = np.exp(a) + a
    visited: list[tuple[Node, tuple[Node, ...]]] = []

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | None:
        visited.append((node, inputs))
        return make(COS, inputs) if node.op is SIN else None

    b = np.cos(x)
    assert rewrite([out, a], visit) == [np.exp(b) + b, b]
    assert visited == [(x, ()), (a, (x,)), (np.exp(a), (b,)), (out, (np.exp(b), b))]


def test_rewrite_begins_with_what_is_done_and_adds_to_it() -> None:
    x, y = var("x"), var("y")
    a = np.sin(x)
    done = {a: y}
    assert rewrite([np.exp(a) * a], done=done) == [np.exp(y) * y]
    assert done == {a: y, np.exp(a): np.exp(y), np.exp(a) * a: np.exp(y) * y}
    visited: list[Node] = []
    assert rewrite([np.exp(a) * x], lambda node, inputs: visited.append(node), done) == [np.exp(y) * x]
    assert visited == [x, np.exp(a) * x]


def test_rewrite_leaves_what_is_not_in_its_order() -> None:
    x, y = var("x"), var("y")
    a = np.sin(x)
    out = np.exp(a)
    assert rewrite([out], lambda node, inputs: None, {x: y}, order=[out]) == [out]
    assert rewrite([out], done={x: y}, order=[a, out]) == [np.exp(np.sin(y))]


def test_rewrite_passes_over_what_is_done_in_its_order() -> None:
    x, y = var("x"), var("y")
    a = np.sin(x)
    out = np.exp(a)
    assert rewrite([out], done={x: y}, order=[x, a, out]) == [np.exp(np.sin(y))]
    visited: list[Node] = []
    assert rewrite([out], lambda node, inputs: visited.append(node), {a: y}, order=[x, a, out]) == [np.exp(y)]
    assert visited == [x, out]


@pytest.mark.parametrize("form", [list, dict])
def test_rewrite_takes_several_results_one_by_one(form: type) -> None:
    x, y, ys = var("x"), var("y"), var("ys", 3)
    carry, stacked = scan(lambda c, _: (np.sin(c), c), x, None, 3)
    visited: list[Node] = []

    def visit(node: Node, inputs: tuple[Node, ...]) -> list[Node] | dict[int, Node] | None:
        visited.append(node)
        if node.results is None:
            return None
        return [y, ys] if form is list else {0: y, 1: ys}

    assert rewrite([np.exp(carry), np.sum(stacked)], visit) == [np.exp(y), np.sum(ys)]
    assert not {carry, stacked}.intersection(visited)


def test_what_rewrite_makes_belongs_to_the_line_of_the_node_visited() -> None:
    x = var("x")
    first = np.sin(x + 0.125)
    second = np.sin(x + 0.25)
    with attributed(None):
        found = rewrite([first, second], lambda node, inputs: np.cos(*inputs) * 0.75 if node.op is SIN else None)
    for old, new in zip([first, second], found, strict=True):
        assert old.line is not None
        assert [node.line for node in (new, new.inputs[0])] == [old.line, old.line]


def test_rebuilt_is_the_node_itself_where_nothing_is_new() -> None:
    x, y = var("x"), var("y")
    a = x * y
    assert rebuilt(a, [x, y]) is a
    assert rebuilt(a, [y, x]) is y * x
    assert rebuilt(a, [constant(2.0), y]).inputs[1] is y


def test_depends_on() -> None:
    x, y = var("x"), var("y")
    a, b = np.sin(x), np.cos(y)
    out = a + b
    assert depends_on([out], [x]) == {x, a, out}
    assert depends_on([out], [a]) == {a, out}
    assert depends_on([b], [x]) == set()
