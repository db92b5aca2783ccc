"""Every row's sparsity rule: no derivative outside the pattern, and for rows that move elements none too many in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from dense import dense_jacobian
from helpers import apply_row, reference
from samples import Case, derivative_cases, rng_for, rows

from pygraph.autodiff import jacobian_sparsity
from pygraph.graph import Graph, Node, constant, var
from pygraph.ops.row import TABLE, Family, Op

Array = npt.NDArray[Any]
#: Rows whose pattern is exactly what can differ from zero, when the operands that carry nothing are constants.
MOVES = {name for name in rows() if TABLE[name].moves and not TABLE[name].casts}
EXACT = MOVES | {"reduce_sum", "reduce_prod", "scatter_add", "matmul", "multiply", "add", "scan"}


class Applied:
    """A row over variables for its floating operands; the others are variables too, or constants."""

    def __init__(self, case: Case, fixed: bool, known: int | None = None) -> None:
        nodes: list[Node] = []
        for i, x in enumerate(case.operands):
            held = i == known or (fixed and x.dtype.kind != "f")
            nodes.append(constant(x) if held else var(f"x{i}", x.shape, x.dtype))
        self.places = [i for i, node in enumerate(nodes) if node.op.name == "input"]
        self.inputs = [nodes[i] for i in self.places]
        self.arrays = [case.operands[i] for i in self.places]
        self.wrt = [node for node in self.inputs if node.dtype.kind == "f"]
        self.outputs = [y for y in apply_row(case.op, nodes, case.attrs) if y.dtype.kind == "f"]
        self.dense = dense_jacobian(self.outputs, self.wrt) if self.wrt else constant(np.zeros(0))

    def pattern(self) -> Array:
        return jacobian_sparsity(self.outputs, self.wrt).dense()

    def jacobian(self, arrays: list[Array]) -> Array:
        """The dense Jacobian at a point, by the reference."""
        (found,) = reference(Graph(self.inputs, [self.dense]), arrays)
        return found


def moved(rng: np.random.Generator, op: Op, applied: Applied) -> list[Array]:
    """Other operands from the same domains; indices stay."""
    found = []
    for i, x in zip(applied.places, applied.arrays, strict=True):
        if x.dtype.kind == "f" and op.samples is not None:  # a row that says what it takes may refuse other numbers
            x = x * rng.uniform(0.75, 1.25)
        elif x.dtype.kind == "f":
            low, high = op.domain[i] if op.domain else (-2.0, 2.0)
            x = rng.uniform(low, high, x.shape)
        elif x.dtype.kind == "b":
            x = rng.random(x.shape) < 0.5
        found.append(x)
    return found


@pytest.mark.parametrize("name", rows())
def test_every_row(name: str) -> None:
    """With operands that have no derivative, such as indices, as constants, and as variables."""
    op = TABLE[name]
    if "f" not in op.kinds:
        assert op.nondiff, f"row {name} takes no floating operands, so it has no derivative"
        return
    for case in derivative_cases(op):
        check(case, Applied(case, True), exact=name in EXACT)
        if any(x.dtype.kind != "f" for x in case.operands):
            check(case, Applied(case, False), exact=False)


@pytest.mark.parametrize("name", [name for name in rows() if not TABLE[name].nondiff])
def test_operands_that_are_known(name: str) -> None:
    """Each floating operand in turn is a constant, half of it zeros: what they cut off is left out, and no more.

    An elementwise row keeps all entries: which factors happen to be zero is no part of its structure.
    """
    op = TABLE[name]
    for case in derivative_cases(op):
        for k, x in enumerate(case.operands):
            if x.dtype.kind == "f":
                rng = rng_for("known", str(case), k)
                operands = list(case.operands)
                if op.samples is None:  # a row that says what it takes may refuse zeros
                    operands[k] = np.where(rng.random(x.shape) < 0.5, 0.0, x)
                known = Case(op, tuple(operands), case.attrs)
                check(known, Applied(known, True, k), exact=name in EXACT and name != "scan" and not op.partials)


def check(case: Case, applied: Applied, exact: bool) -> None:
    if not applied.wrt:
        return
    pattern = applied.pattern()
    if case.op.nondiff:
        assert not pattern.any(), f"{case}: a row without a derivative depends on its operands"
    rng = rng_for("structure", str(case))
    seen = np.zeros(pattern.shape, bool)
    for _ in range(3):
        found = applied.jacobian(moved(rng, case.op, applied))
        outside = (found != 0) & ~np.isnan(found) & ~pattern
        assert not outside.any(), f"{case}: a derivative of {found[outside][0]} outside the pattern"
        seen |= found != 0
    if exact:
        np.testing.assert_array_equal(pattern, seen, f"{case}: entries that are always zero")


def test_the_default_is_dense() -> None:
    """A row that no rule knows depends on all of its operands everywhere."""
    base = TABLE["reshape"]
    unknown = Op("unknown", Family.LINEAR, 1, "", shape=base.shape, reference=base.reference, transpose=base.transpose)
    x = var("x", (2, 3))
    (y,) = apply_row(unknown, [x * 1.0], {"shape": (3, 2)})
    assert jacobian_sparsity([y], [x]).dense().all()
    (half,) = apply_row(unknown, [np.reshape(x[0], (1, 3))], {"shape": (3, 1)})
    np.testing.assert_array_equal(jacobian_sparsity([half], [x]).dense(), [[1, 1, 1, 0, 0, 0]] * 3)
