"""Every row's derivatives: against finite differences and each other, of both orders, in float32, and in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import apply_row, reference
from samples import FLOATS, Case, cases, derivative_cases, operand_dtypes, quick, rng_for, rows

from pygraph.autodiff import jvp, vjp
from pygraph.graph import Graph, Node, var
from pygraph.graph.tree import flatten
from pygraph.ops.row import TABLE

Array = npt.NDArray[Any]
ALL = rows()
STEP = 6e-6  # the cube root of eps: where truncation and rounding of a central difference balance
#: Rows whose value at float operands carries no derivative although the row is not `nondiff`.
DIFFERENTIABLE = [name for name in ALL if not TABLE[name].nondiff]


class Derivatives:
    """One application of a row over float variables, and graphs of its value, tangent and gradient.

    Attributes:
        floats: positions of the operands that carry a derivative.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.variables = [var(f"x{i}", x.shape, x.dtype) for i, x in enumerate(case.operands)]
        self.outputs = [y for y in apply_row(case.op, self.variables, case.attrs) if y.dtype.kind == "f"]
        self.floats = [i for i, x in enumerate(case.operands) if x.dtype.kind == "f"]
        op = case.op
        if op.linear_in is not None:
            self.floats = [i for i in self.floats if i in op.linear_in]
        elif op.partials:
            self.floats = [i for i in self.floats if op.partials[i] is not None]
        self.wrt = [self.variables[i] for i in self.floats]
        self.tangents = [var(f"t{i}", x.shape, x.dtype) for i, x in enumerate(self.wrt)]
        self.seeds = [var(f"v{i}", y.shape, y.dtype) for i, y in enumerate(self.outputs)]

    def graph(self, outputs: Sequence[Node | None], like: Sequence[Node], *extra: Node) -> Graph:
        """A graph over the variables, then `extra`; missing derivatives are zeros."""
        filled = [np.zeros(y.shape, y.dtype) if x is None else x for x, y in zip(outputs, like, strict=True)]
        return Graph([*self.variables, *extra], tuple(filled), name=self.case.op.name)

    def value(self) -> Graph:
        return self.graph(self.outputs, self.outputs)

    def tangent(self) -> Graph:
        return self.graph(jvp(self.outputs, self.wrt, self.tangents), self.outputs, *self.tangents)

    def gradient(self) -> Graph:
        return self.graph(vjp(self.outputs, self.wrt, self.seeds), self.wrt, *self.seeds)

    def moved(self, step: float, direction: Sequence[Array]) -> list[Array]:
        """The operands moved along a direction."""
        operands = list(self.case.operands)
        for i, t in zip(self.floats, direction, strict=True):
            operands[i] = operands[i] + step * t
        return operands


def random(rng: np.random.Generator, nodes: Sequence[Node]) -> list[Array]:
    return [rng.uniform(-1, 1, node.shape).astype(node.dtype) for node in nodes]


def inner(left: Sequence[Array], right: Sequence[Array]) -> float:
    return float(sum(np.sum(a.astype(np.float64) * b) for a, b in zip(left, right, strict=True)))


def size(left: Sequence[Array], right: Sequence[Array]) -> float:
    return float(sum(np.sum(np.abs(a.astype(np.float64) * b)) for a, b in zip(left, right, strict=True)))


def assert_near(found: Sequence[Array], wanted: Sequence[Array], tolerance: float, what: str) -> None:
    for a, b in zip(found, wanted, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{what}: {a.dtype}{a.shape}, expected {b.dtype}{b.shape}"
        scale = 1.0 + np.max(np.abs(b), initial=0.0)
        worst = np.max(np.abs(a - b), initial=0.0) / scale
        assert worst <= tolerance, f"{what}: relative error {worst:.2g}, {tolerance:.2g} allowed"


def central(graph: Graph, plus: Sequence[Array], minus: Sequence[Array]) -> list[Array]:
    """The central difference of a graph's outputs between two points 2 STEP apart."""
    pairs = zip(reference(graph, plus), reference(graph, minus), strict=True)
    return [np.asarray((a - b) / (2 * STEP)) for a, b in pairs]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_order(name: str) -> None:
    """JVP against finite differences, and VJP against JVP through ⟨v, J·t⟩ = ⟨Jᵀ·v, t⟩, by the reference."""
    count = 0
    for case in derivative_cases(TABLE[name]):
        d = Derivatives(case)
        rng = rng_for("first order", str(case))
        tangent, gradient = d.tangent(), d.gradient()
        for _ in range(2):
            t, v = random(rng, d.wrt), random(rng, d.outputs)
            moved = reference(tangent, [*case.operands, *t])
            wanted = central(d.value(), d.moved(STEP, t), d.moved(-STEP, t))
            assert_near(moved, wanted, 2e-8, f"{case}: jvp")
            back = reference(gradient, [*case.operands, *v])
            for x, g in zip(d.wrt, back, strict=True):
                assert (g.shape, g.dtype) == (x.shape, x.dtype), f"{case}: gradient of type {g.dtype}{g.shape}"
            slack = 1e-12 * (size(v, moved) + size(back, t)) + 1e-300
            assert abs(inner(v, moved) - inner(back, t)) <= slack, f"{case}: the adjoint identity fails"
            count += 1
    assert count, f"row {name} has no case with float operands, but says that it is differentiable"


@pytest.mark.parametrize("name", quick(DIFFERENTIABLE))
def test_second_order(name: str) -> None:
    """The derivative of the gradient, in both modes, against finite differences of the gradient."""
    for case in derivative_cases(TABLE[name]):
        d = Derivatives(case)
        rng = rng_for("second order", str(case))
        t, v, u = random(rng, d.wrt), random(rng, d.outputs), random(rng, d.wrt)
        gradients = vjp(d.outputs, d.wrt, d.seeds)
        taken = [g for g in gradients if g is not None]
        like = [x for x, g in zip(d.wrt, gradients, strict=True) if g is not None]
        graph = d.graph(gradients, d.wrt, *d.seeds)
        wanted = central(graph, [*d.moved(STEP, t), *v], [*d.moved(-STEP, t), *v])
        wanted = [w for w, g in zip(wanted, gradients, strict=True) if g is not None]
        forward = d.graph(jvp(taken, d.wrt, d.tangents), like, *d.seeds, *d.tangents)
        found = reference(forward, [*case.operands, *v, *t])
        assert_near(found, wanted, 1e-7, f"{case}: jvp of vjp")
        seeds = [var(f"u{i}", x.shape, x.dtype) for i, x in enumerate(like)]
        u = [x for x, g in zip(u, gradients, strict=True) if g is not None]
        reverse = d.graph(vjp(taken, d.wrt, seeds), d.wrt, *d.seeds, *seeds)
        back = reference(reverse, [*case.operands, *v, *u])
        slack = 1e-11 * (size(u, found) + size(back, t)) + 1e-300
        assert abs(inner(u, found) - inner(back, t)) <= slack, f"{case}: the second-order adjoint identity fails"


@pytest.mark.sanitize
@pytest.mark.parametrize("name", quick(DIFFERENTIABLE))
def test_segments_in_c(name: str) -> None:
    """`forward`, `reverse` and `jvp` of an Executable equal the reference's value, gradient and tangent."""
    from pygraph.runtime.call.executable import Executable

    for case in derivative_cases(TABLE[name]):
        d = Derivatives(case)
        rng = rng_for("in c", str(case))
        exe = Executable(d.value(), wrt=d.wrt)
        value = flatten(exe.forward(*case.operands))[0]
        assert_near([np.asarray(x) for x in value], reference(d.value(), case.operands), 1e-13, f"{case}: forward")
        for _ in range(2):
            t, v = random(rng, d.wrt), random(rng, d.outputs)
            back = [np.asarray(x) for x in exe.reverse(tuple(v))]
            assert_near(back, reference(d.gradient(), [*case.operands, *v]), 1e-12, f"{case}: reverse")
            moved = [np.asarray(x) for x in flatten(exe.jvp(*t))[0]]
            assert_near(moved, reference(d.tangent(), [*case.operands, *t]), 1e-12, f"{case}: jvp")


@pytest.mark.parametrize("name", quick(DIFFERENTIABLE))
def test_float32_derivatives(name: str) -> None:
    """A float32 graph has float32 derivatives, near those of the same numbers in float64."""
    for case in derivative_cases(TABLE[name]):
        narrow = tuple(x.astype(np.float32) if x.dtype.kind == "f" else x for x in case.operands)
        attrs = dict(case.attrs)
        if name == "convert":
            attrs["dtype"] = np.dtype("float32")
        if name in ("scan", "branch", "while_loop"):
            continue  # its body is typed: test_scan_in_float32 below
        wide = tuple(x.astype(np.float64) if x.dtype.kind == "f" else x for x in narrow)
        d, exact = Derivatives(Case(case.op, narrow, attrs)), Derivatives(Case(case.op, wide, case.attrs))
        rng = rng_for("float32", str(case))
        t, v = random(rng, d.wrt), random(rng, d.outputs)
        for kind, extra in (("tangent", t), ("gradient", v)):
            found = reference(getattr(d, kind)(), [*narrow, *extra])
            wanted = reference(getattr(exact, kind)(), [*wide, *(x.astype(np.float64) for x in extra)])
            assert all(x.dtype == np.float32 for x in found), f"{case}: {kind} of dtype {[x.dtype for x in found]}"
            assert_near([x.astype(np.float64) for x in found], wanted, 3e-5, f"{case}: {kind} in float32")


def test_scan_in_float32() -> None:
    from samples import structure_cases

    for case in structure_cases(TABLE["scan"], np.dtype("float32")):
        d = Derivatives(case)
        rng = rng_for("scan in float32", str(case))
        t, v = random(rng, d.wrt), random(rng, d.outputs)
        moved, back = reference(d.tangent(), [*case.operands, *t]), reference(d.gradient(), [*case.operands, *v])
        assert all(x.dtype == np.float32 for x in (*moved, *back))
        assert abs(inner(v, moved) - inner(back, t)) <= 1e-5 * (1.0 + size(v, moved) + size(back, t))


@pytest.mark.parametrize("name", [name for name in ALL if TABLE[name].nondiff])
def test_nondifferentiable_rows_give_zero(name: str) -> None:
    """A row without derivative stops both modes, wherever a float result depends on a float operand."""
    op = TABLE[name]
    assert op.family.name == "ELEMENTWISE", f"row {name}: a row without a derivative"
    for dtype in FLOATS:
        if "f" not in op.kinds:
            assert all(d.kind != "f" for d in operand_dtypes(op, np.dtype("bool")))
            continue
        case = next(cases(op, dtype))
        variables = [var(f"x{i}", x.shape, x.dtype) for i, x in enumerate(case.operands)]
        (out,) = apply_row(op, variables, case.attrs)
        tangents = [var(f"t{i}", x.shape, x.dtype) for i, x in enumerate(variables)]
        assert jvp([out], variables, tangents) == [None]
        seed = var("v", out.shape, out.dtype)
        assert vjp([out], variables, [seed]) == [None] * len(variables)
