"""Fusion: which operations share one instruction."""

from __future__ import annotations

import pytest
from programs import derived, instructions, opcodes, optimised

from pygraph.graph import Graph, var
from pygraph.lower import lower
from pygraph.lower.instructions import Instruction, Loop, Matmul
from pygraph.ops import arctan, cos, exp, log1p, matmul, mean, sigmoid, sin, softmax, sqrt, square, sum, tanh, transpose


def loop_counts(loop: Instruction) -> tuple[int, int, int, int]:
    """The number of loads, operations, stores and reductions of a LOOP."""
    assert isinstance(loop, Loop)
    return len(loop.loads), len(loop.micros), len(loop.stores), len(loop.reduces)


def test_softmax() -> None:
    """The largest element; the exponentials and their sum; the quotients."""
    x = var("x", (64, 10))
    program = optimised(Graph([x], softmax(x)))
    assert opcodes(program) == {"LOOP": 3}
    loops = [loop_counts(one) for one in instructions(program)]
    assert loops == [(1, 0, 0, 1), (2, 2, 1, 1), (2, 1, 1, 0)]
    assert program.fused_regions == 1


def test_a_chain_with_its_sum_is_one_loop() -> None:
    x = var("x", (1000,))
    y = x
    for f in (sin, cos, tanh, exp, sqrt, log1p, square, arctan):
        y = f(y)
    program = lower(Graph([x], (y, sum(y))))
    (loop,) = instructions(program)
    assert loop_counts(loop) == (1, 8, 1, 1)
    assert (program.micro_operations, program.fused_regions, program.arena_bytes) == (9, 1, 0)
    single = lower(Graph([x], (y, sum(y))), fuse=False)
    assert opcodes(single) == {"LOOP": 9}
    assert single.fused_regions == 0


def test_a_scalar_graph_is_one_instruction() -> None:
    x, y = var("x"), var("y")
    z = x
    for _ in range(50):
        z = sin(z) * y + x
    program = lower(Graph([x, y], (z, exp(z))))
    assert opcodes(program) == {"SCALAR": 1}
    assert program.micro_operations == 151


def test_the_gradient_of_a_scalar_graph_is_one_instruction_each() -> None:
    x, y = var("x"), var("y")
    whole, segments, groups = derived(Graph([x, y], sin(x * y) + exp(x)))
    assert opcodes(lower(whole, segments, groups)) == {"SCALAR": 3}


def test_bias_and_activation_follow_a_product_in_one_loop() -> None:
    x, w, b = var("x", (30, 4)), var("w", (4, 5)), var("b", (5,))
    program = optimised(Graph([x, w, b], tanh(matmul(x, w) + b)))
    assert opcodes(program) == {"MATMUL": 1, "LOOP": 1}


def test_transposes_are_flags_of_the_product() -> None:
    x, w = var("x", (30, 4)), var("w", (30, 5))
    program = optimised(Graph([x, w], matmul(transpose(x), w)))
    (product,) = instructions(program)
    assert isinstance(product, Matmul)
    assert (product.transpose_a, product.transpose_b) == (True, False)


def test_several_reductions_share_a_loop() -> None:
    x = var("x", (100,))
    program = optimised(Graph([x], (sum(x), sum(x * x), sum(sigmoid(x)))))
    assert opcodes(program) == {"LOOP": 1}
    assert loop_counts(instructions(program)[0])[3] == 3


def test_views_are_read_in_place() -> None:
    x = var("x", (30, 40))
    program = lower(Graph([x], exp(transpose(x)[::-1, 2:20])))
    assert opcodes(program) == {"LOOP": 1}
    assert program.arena_bytes == 0


def test_a_view_of_what_a_loop_computes_waits_for_it() -> None:
    """Elements read in another order are read after the loop that writes them."""
    x = var("x", (4, 4))
    y = exp(x)
    assert opcodes(lower(Graph([x], y + transpose(y)))) == {"LOOP": 2}
    square_of = transpose(y)
    assert opcodes(lower(Graph([x], matmul(square_of[::-1], y)))) == {"LOOP": 2, "MATMUL": 1}


def test_a_reduced_value_is_read_after_its_loop() -> None:
    x = var("x", (64, 10))
    assert opcodes(lower(Graph([x], x - mean(x)))) == {"LOOP": 2, "SCALAR": 1}


@pytest.mark.parametrize("size", [10, 100_000])
def test_unrelated_large_loops_stay_apart(size: int) -> None:
    x, y = var("x", (size,)), var("y", (size,))
    program = lower(Graph([x, y], (exp(x), sin(y))))
    assert opcodes(program) == {"LOOP": 1 if size == 10 else 2}


def test_long_chains_are_cut() -> None:
    """A loop has at most 512 operations and 256 loads: a Program allows it 1024 registers."""
    x = y = var("x", (1000,))
    for _ in range(1200):
        y = tanh(y)
    found = [loop_counts(one)[1] for one in instructions(lower(Graph([x], y)))]
    assert found == [512, 512, 176]
    many = var("many", (600, 10))
    total = tanh(many[0])
    for row in range(1, 600):
        total = total + tanh(many[row])
    counts = [loop_counts(one) for one in instructions(lower(Graph([many], total)))]
    assert len(counts) == 3
    assert max(loads for loads, *_ in counts) <= 256 + 2


def test_a_full_loop_goes_on_in_one_other() -> None:
    """What would join a full loop joins the one after it, whatever of its results it reads."""
    x = var("x", (100_000,))
    first = [x]
    for _ in range(511):
        first.append(tanh(first[-1]))
    total = first[-1]
    for at in range(0, 511, 7):
        total = total + first[at] * first[at + 1]
    counts = [loop_counts(one) for one in instructions(lower(Graph([x], total)))]
    assert len(counts) == 2
