"""Derivatives that are given for a value, in place of those that its expression has; and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..graph.build import depends_on, make, outputs_of, substitute, var
from ..graph.node import Node, Result
from ..ops.row import lookup
from ..ops.shaping import in_batch
from .batching import batch
from .reverse import vjp

GIVEN = lookup("given_derivative")
REDUCE_SUM = lookup("reduce_sum")


class Rule(Protocol):
    """The derivative of some values, which are functions of primals; flat, on expressions."""

    def jvp(self, primals: Sequence[Node], tangents: Sequence[Node | None]) -> list[Node | None]:
        """The tangent of each value, None for zero."""

    def vjp(self, primals: Sequence[Node], cotangents: Sequence[Node | None]) -> list[Node | None]:
        """The cotangent of each primal, None for zero."""

    def batch(
        self, node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
    ) -> tuple[list[Node], list[bool]]:
        """The rule of the row for a batch; see `Op.batch`."""


def given(rule: Rule, primals: Sequence[Node], values: Sequence[Node]) -> list[Node]:
    """`values`, with the derivative with respect to `primals` that `rule` gives, and no other."""
    node = make(GIVEN, (*primals, *values), {"rule": rule, "n_primals": len(primals)})
    return list(outputs_of(node))


def transposed(
    rule: Rule, primals: Sequence[Node], cotangents: Sequence[Node | None], floating: Sequence[bool]
) -> list[Node | None] | None:
    """The cotangents of `primals` by the transpose of `rule.jvp`; None where that is not linear in its tangents."""
    tangents = [
        var(f"t{i}", x.shape, x.dtype) if flag else None
        for i, (x, flag) in enumerate(zip(primals, floating, strict=True))
    ]
    slots = [t for t in tangents if t is not None]
    pushed = rule.jvp(primals, tangents)
    pairs = [(p, c) for p, c in zip(pushed, cotangents, strict=True) if p is not None and c is not None]
    found = vjp([p for p, _ in pairs], slots, [c for _, c in pairs])
    if depends_on([share for share in found if share is not None], slots):
        return None
    shares = iter(found)
    return [None if t is None else next(shares) for t in tangents]


def given_batch(
    rule: Rule, node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
) -> tuple[list[Node], list[bool]]:
    """`Rule.batch` of any rule: the whole batch of values, with the batch of the rule."""
    count = node.attrs["n_primals"]
    wide = Batched(rule, tuple(flags[:count]), tuple((x.shape, x.dtype) for x in node.inputs[:count]), size)
    values = [in_batch(x, flag, size) for x, flag in zip(operands[count:], flags[count:], strict=True)]
    return given(wide, operands[:count], values), [True] * len(values)


@dataclass(frozen=True)
class Batched:
    """A rule for a batch: that for one example, recorded on new variables and batched.

    Attributes:
        rule: for one example.
        flags: which primals have the batch axis.
        types: of the primals of one example.
        size: of the batch.
    """

    rule: Rule
    flags: tuple[bool, ...]
    types: tuple[Result, ...]
    size: int

    def jvp(self, primals: Sequence[Node], tangents: Sequence[Node | None]) -> list[Node | None]:
        """One jvp of each example, at once."""
        slots = [
            None if tangent is None else var(f"t{i}", *type_)
            for i, (tangent, type_) in enumerate(zip(tangents, self.types, strict=True))
        ]
        found = self._applied(
            lambda xs: self.rule.jvp(xs, slots),
            primals,
            [
                (slot, tangent, flag)
                for slot, tangent, flag in zip(slots, tangents, self.flags, strict=True)
                if slot is not None
            ],
        )
        return [None if x is None else in_batch(x, flag, self.size) for x, flag in found]

    def vjp(self, primals: Sequence[Node], cotangents: Sequence[Node | None]) -> list[Node | None]:
        """One vjp of each example, at once; the shares of a primal that all examples have in common are added up."""
        slots = [None if ct is None else var(f"c{i}", ct.shape[1:], ct.dtype) for i, ct in enumerate(cotangents)]
        found = self._applied(
            lambda xs: self.rule.vjp(xs, slots),
            primals,
            [(slot, ct, True) for slot, ct in zip(slots, cotangents, strict=True) if slot is not None],
        )
        result: list[Node | None] = []
        for (share, has_axis), flag in zip(found, self.flags, strict=True):
            if share is not None:
                share = in_batch(share, has_axis, self.size)
                if not flag:
                    share = make(REDUCE_SUM, (share,), {"axes": (0,)})
            result.append(share)
        return result

    def batch(
        self, node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
    ) -> tuple[list[Node], list[bool]]:
        """A batch of batches."""
        return given_batch(self, node, operands, flags, size)

    def _applied(
        self, rule: object, primals: Sequence[Node], others: Sequence[tuple[Node, Node | None, bool]]
    ) -> list[tuple[Node | None, bool]]:
        """`rule` recorded for one example and batched; `others` are its other variables, with what they stand for."""
        assert callable(rule)
        variables = [var(f"x{i}", *type_) for i, type_ in enumerate(self.types)]
        found: list[Node | None] = rule(variables)
        places = [*zip(variables, primals, self.flags, strict=True), *others]
        live = [x for x in found if x is not None]
        nodes, flags = batch(
            live, [slot for slot, _, _ in places], [x if flag else None for _, x, flag in places], self.size
        )
        shared = {slot: x for slot, x, flag in places if not flag and x is not None}
        remaining = iter(zip(substitute(nodes, shared), flags, strict=True))
        return [(None, False) if x is None else next(remaining) for x in found]
