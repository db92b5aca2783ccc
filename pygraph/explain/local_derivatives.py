"""The derivative of one operation alone, as expressions: what a step of the chain rule multiplies by."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..autodiff import jvp, vjp
from ..graph.construction import constant, make, outputs_of, var
from ..graph.graph import Graph
from ..graph.node import Node, Result
from ..graph.reference import Value, evaluate_nodes
from ..graph.rewriting import substitute
from ..ops.dtypes import is_float
from ..optimize import optimize
from .formulas import Formula, formula_of

Array = npt.NDArray[Any]

#: Characters of a derivative's formula; what is longer is said in words.
_LONGEST = 90


class Derivative(NamedTuple):
    """An expression of the derivative's parts.

    Attributes:
        expression: the derivative, or the product; None where it is zero whatever the values.
        operands, out, seeds: the variables that stand for the operands, the result, and what is multiplied with.
    """

    expression: Node | None
    operands: tuple[Node, ...]
    out: Node | None
    seeds: tuple[Node, ...]

    def value(self, operands: Sequence[Value], out: Value | None, seeds: Sequence[Array]) -> Array:
        """Its value at a point."""
        assert self.expression is not None
        env: dict[Node, Any] = {**dict(zip(self.operands, operands, strict=True))}
        env.update(zip(self.seeds, seeds, strict=True))
        if self.out is not None:
            env[self.out] = out
        value = evaluate_nodes([self.expression], env)[self.expression]
        assert isinstance(value, np.ndarray)
        return value

    def formula(self, operands: Sequence[Formula], out: Formula | None, seeds: Sequence[Formula]) -> Formula | None:
        """How it is written with these for its parts; None where that is too long to be read."""
        if self.expression is None:
            return None
        names = dict(zip(self.operands, operands, strict=True)) | dict(zip(self.seeds, seeds, strict=True))
        if self.out is not None and out is not None:
            names[self.out] = out
        return formula_of(self.expression, names, _LONGEST, dotted=True)


class LocalDerivatives:
    """The derivatives of operations, each made once for operands of some types."""

    def __init__(self) -> None:
        self._made: dict[tuple[Hashable, ...], Derivative] = {}

    def share(self, node: Node, at: int, reached: Sequence[bool]) -> Derivative:
        """What arrives at operand `at` of `node`: its cotangent, by those of the results that are `reached`."""
        return self._kept(node, at, ("share", *reached))

    def partial(self, node: Node, at: int) -> Derivative:
        """The derivative of an operation on single elements by operand `at`, which has the result's shape."""
        return self._kept(node, at, ("partial",))

    def written_partial(self, node: Node, at: int) -> Derivative:
        """The same of single numbers, in which no shapes stand that would have to be written."""
        return self._kept(node, at, ("partial",), scalar=True)

    def push(self, node: Node, at: int, result: int) -> Derivative:
        """The tangent of one result by that of operand `at`."""
        return self._kept(node, at, ("push", result))

    def _kept(self, node: Node, at: int, which: tuple[Hashable, ...], scalar: bool = False) -> Derivative:
        types = tuple(((), x.dtype) if scalar else (x.shape, x.dtype) for x in node.inputs)
        key = node.op, node.items, types, at, which
        if key not in self._made:
            self._made[key] = _derivative(node, types, at, which)
        return self._made[key]


def _derivative(node: Node, types: Sequence[Result], at: int, which: tuple[Hashable, ...]) -> Derivative:
    operands = tuple(var(f"operand{i}", shape, dtype) for i, (shape, dtype) in enumerate(types))
    alone = make(node.op, operands, node.attrs)
    results = [alone] if node.results is None else list(outputs_of(alone))
    kind, *details = which
    seeds: list[Node | None]
    if kind == "push":
        tangent = var("tangent", operands[at].shape, operands[at].dtype)
        (number,) = details
        assert isinstance(number, int)
        (found,) = jvp([results[number]], [operands[at]], [tangent])
        given: tuple[Node, ...] = (tangent,)
    elif kind == "partial":
        (found,) = vjp(results, [operands[at]], [constant(np.ones(alone.shape, alone.dtype))])
        given = ()
    else:
        seeds = [
            var(f"upstream{i}", x.shape, x.dtype) if reached and is_float(x.dtype) else None
            for i, (x, reached) in enumerate(zip(results, map(bool, details), strict=True))
        ]
        (found,) = vjp(results, [operands[at]], seeds)
        given = tuple(seed for seed in seeds if seed is not None)
    if found is None:
        return Derivative(None, operands, None, given)
    out = None
    if node.results is None:
        out = var("out", alone.shape, alone.dtype)
        (found,) = substitute([found], {alone: out})
    variables = [*operands, *given, *([] if out is None else [out])]
    (simple,) = optimize(Graph.from_parts(variables, [found])).outputs
    return Derivative(simple, operands, out, given)
