"""The derivative of one operation alone, as expressions: what a step of the chain rule multiplies by."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..autodiff import rules as _rules  # noqa: F401  (branches and loops have rules of their own)
from ..autodiff.forward import pushed
from ..autodiff.masks import Derivative as DerivativeOf, Masked, conjunction, settled
from ..autodiff.reverse import pulled
from ..graph.construction import constant, make, outputs_of, var
from ..graph.graph import Graph
from ..graph.node import Node, Result
from ..graph.reference import Value, evaluate_nodes
from ..graph.rewriting import substitute
from ..ops.dtypes import is_float
from ..optimize import optimize
from .formulas import Formula, formula_of
from .stacks import as_array

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

#: Characters of a derivative's formula; what is longer is said in words.
_LONGEST = 90


class Derivative(NamedTuple):
    """An expression of the derivative's parts.

    Attributes:
        expression: the derivative, or the product; None where it is zero whatever the values.
        mask: where it may differ from zero, an expression that broadcasts with it; None: everywhere. As in `masks`,
            what is zero by structure stays zero, also in a product with a partial derivative that is infinite.
        operands, out: the variables that stand for the operands and the result.
        seeds, masks: those for what is multiplied with, and for where that may differ from zero, if anything is known.
    """

    expression: Node | None
    mask: Node | None
    operands: tuple[Node, ...]
    out: Node | None
    seeds: tuple[Node, ...]
    masks: tuple[Node | None, ...]

    def value(
        self,
        operands: Sequence[Value],
        out: Value | None,
        seeds: Sequence[Value] = (),
        masks: Sequence[Mask | None] = (),
    ) -> tuple[Array, Mask | None]:
        """Its value at a point, and its mask."""
        assert self.expression is not None
        env: dict[Node, Any] = {**dict(zip(self.operands, operands, strict=True))}
        env.update(zip(self.seeds, seeds, strict=True))
        env.update((x, mask) for x, mask in zip(self.masks, masks, strict=True) if x is not None)
        if self.out is not None:
            env[self.out] = out
        evaluate_nodes([self.expression, *([] if self.mask is None else [self.mask])], env)
        value = as_array(env[self.expression], self.expression)
        return value, None if self.mask is None else np.broadcast_to(env[self.mask], value.shape)

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

    def share(self, node: Node, at: int, reached: Sequence[bool], masked: Sequence[bool]) -> Derivative:
        """What arrives at operand `at` of `node`: its cotangent, by those of the results that are `reached`.

        Of those that are `masked` it is known where they may differ from zero.
        """
        return self._kept(node, at, ("share", tuple(reached), tuple(masked)))

    def partial(self, node: Node, at: int) -> Derivative:
        """The derivative of an operation on single elements by operand `at`, which has the result's shape."""
        return self._kept(node, at, ("partial",))

    def written_partial(self, node: Node, at: int) -> Derivative:
        """The same of single numbers, in which no shapes stand that would have to be written."""
        return self._kept(node, at, ("partial",), scalar=True)

    def push(self, node: Node, at: int, result: int, masked: bool) -> Derivative:
        """The tangent of one result by that of operand `at`, of which it may be known where it differs from zero."""
        return self._kept(node, at, ("push", result, masked))

    def _kept(self, node: Node, at: int, which: tuple[Hashable, ...], scalar: bool = False) -> Derivative:
        types = tuple(((), x.dtype) if scalar else (x.shape, x.dtype) for x in node.inputs)
        key = node.op, node.items, types, at, which
        if key not in self._made:
            self._made[key] = _derivative(node, types, at, which)
        return self._made[key]


def _derivative(node: Node, types: Sequence[Result], at: int, which: tuple[Any, ...]) -> Derivative:
    operands = tuple(var(f"operand{i}", shape, dtype) for i, (shape, dtype) in enumerate(types))
    alone = make(node.op, operands, node.attrs)
    results = [alone] if node.results is None else list(outputs_of(alone))
    kind, *details = which
    seeds: list[Node | None] = []
    masks: list[Node | None] = []
    found: DerivativeOf | None
    if kind == "push":
        number, masked = details
        given = _given("tangent", operands[at], bool(masked), seeds, masks)
        (found,) = pushed([results[int(number)]], [operands[at]], [given])
    elif kind == "partial":
        (found,) = pulled(results, [operands[at]], [constant(np.ones(alone.shape, alone.dtype))])
    else:
        reached, masked = details
        wanted = zip(results, reached, masked, strict=True)
        cotangents = [
            _given(f"upstream{i}", x, bool(hidden), seeds, masks) if seen and is_float(x.dtype) else None
            for i, (x, seen, hidden) in enumerate(wanted)
        ]
        (found,) = pulled(results, [operands[at]], cotangents)
    given_seeds = tuple(x for x in seeds if x is not None)
    if found is None:
        return Derivative(None, None, operands, None, given_seeds, tuple(masks))
    mask = conjunction(found.masks) if isinstance(found, Masked) else True
    expressions = [settled(found), *([mask] if isinstance(mask, Node) else [])]
    out = None
    if node.results is None:
        out = var("out", alone.shape, alone.dtype)
        expressions = substitute(expressions, {alone: out})
    variables = [*operands, *given_seeds, *(x for x in masks if x is not None), *([] if out is None else [out])]
    value, *where = optimize(Graph.from_parts(variables, expressions)).outputs
    return Derivative(value, where[0] if where else None, operands, out, given_seeds, tuple(masks))


def _given(name: str, like: Node, masked: bool, seeds: list[Node | None], masks: list[Node | None]) -> DerivativeOf:
    """A variable for a derivative of the type of `like`, which is put into `seeds`, with one for its mask."""
    seed = var(name, like.shape, like.dtype)
    seeds.append(seed)
    masks.append(var(f"{name} mask", like.shape, "bool") if masked else None)
    mask = masks[-1]
    return seed if mask is None else Masked(seed, (), (mask,))
