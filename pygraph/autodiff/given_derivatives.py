"""Derivatives that are given for a value, in place of those that its expression has; and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..graph.construction import as_node, make, outputs_of, var
from ..graph.node import Node, Result
from ..graph.rewriting import substitute
from ..graph.uniform import full
from ..ops.leaves import given_row as GIVEN
from ..ops.reductions import reduce_sum as REDUCE_SUM
from ..ops.shaping import in_batch
from .batching.batch import batch
from .dependence import dependence
from .forward import pushed
from .masks import Derivative, Masked, masked, settle
from .reverse import pulled


class Rule(Protocol):
    """The derivative of some values, which are functions of primals; flat, on expressions."""

    def jvp(self, primals: Sequence[Node], tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """The tangent of each value, None for zero."""

    def vjp(self, primals: Sequence[Node], cotangents: Sequence[Derivative | None]) -> list[Derivative | None]:
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
    rule: Rule, primals: Sequence[Node], cotangents: Sequence[Derivative | None], floating: Sequence[bool]
) -> list[Derivative | None] | None:
    """The cotangents of `primals` by the transpose of `rule.jvp`; None where that is not linear in its tangents."""
    tangents = _slots(primals, floating)
    slots = [t for t in tangents if t is not None]
    made = settle(rule.jvp(primals, tangents))
    pairs = [(p, c) for p, c in zip(made, cotangents, strict=True) if p is not None and c is not None]
    found = pulled([p for p, _ in pairs], slots, [c for _, c in pairs], beyond=frozenset(primals))
    free = _without(found, slots, primals)
    if free is None:
        return None
    shares = iter(free)
    return [None if t is None else next(shares) for t in tangents]


def linearly(rule: Rule, primals: Sequence[Node], tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """`rule.jvp` of tangents with masks, which are taken through what it makes of variables."""
    places = _slots(primals, [t is not None for t in tangents])
    slots = [slot for slot in places if slot is not None]
    made = settle(rule.jvp(primals, places))
    live = [x for x in made if x is not None]
    found = _without(
        pushed(live, slots, [t for t in tangents if t is not None], beyond=frozenset(primals)), slots, primals
    )
    if found is None:  # not linear: it has the tangents as they are
        return rule.jvp(primals, settle(tangents))
    results = iter(found)
    return [None if x is None else next(results) for x in made]


def _slots(primals: Sequence[Node], wanted: Sequence[bool]) -> list[Node | None]:
    return [
        var(f"t{i}", x.shape, x.dtype) if flag else None
        for i, (x, flag) in enumerate(zip(primals, wanted, strict=True))
    ]


def _without(
    found: Sequence[Derivative | None], slots: Sequence[Node], beyond: Sequence[Node]
) -> list[Derivative | None] | None:
    """`found` with zeros for `slots`, of which its values do not depend; None where they do.

    Loops and branches may take variables that their results, or those that are used, do not depend on.
    """
    nodes = [node for x in found if x is not None for node in ((x.value, *x.masks) if isinstance(x, Masked) else (x,))]
    if any(dependence(nodes, slots, beyond)):
        return None
    kept = {x: x for x in beyond}
    place = dict(zip(nodes, substitute(nodes, {**kept, **{t: full(0, t.shape, t.dtype) for t in slots}}), strict=True))
    return [
        None
        if x is None
        else place[x]
        if isinstance(x, Node)
        else masked(place[x.value], [place[mask] for mask in x.pending], [place[mask] for mask in x.applied])
        for x in found
    ]


def given_batch(
    rule: Rule, node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
) -> tuple[list[Node], list[bool]]:
    """`Rule.batch` of any rule: the whole batch of values, with the batch of the rule."""
    count = node.attrs["n_primals"]
    wide = Batched(rule, tuple(flags[:count]), tuple((x.shape, x.dtype) for x in node.inputs[:count]), size)
    values = [as_node(in_batch(x, flag, size)) for x, flag in zip(operands[count:], flags[count:], strict=True)]
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

    @property
    def roots(self) -> tuple[object, ...]:
        """The functions that the rule calls."""
        found: tuple[object, ...] = getattr(self.rule, "roots", ())
        return found

    def jvp(self, primals: Sequence[Node], tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """One jvp of each example, at once."""
        tangents = settle(tangents)
        slots = [
            None if tangent is None else var(f"t{i}", *type_)
            for i, (tangent, type_) in enumerate(zip(tangents, self.types, strict=True))
        ]
        found = self._applied(
            lambda xs: settle(self.rule.jvp(xs, slots)),
            primals,
            [
                (slot, tangent, flag)
                for slot, tangent, flag in zip(slots, tangents, self.flags, strict=True)
                if slot is not None
            ],
        )
        return [None if x is None else as_node(in_batch(x, flag, self.size)) for x, flag in found]

    def vjp(self, primals: Sequence[Node], cotangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """One vjp of each example, at once; the shares of a primal that all examples have in common are added up."""
        cotangents = settle(cotangents)
        slots = [None if ct is None else var(f"c{i}", ct.shape[1:], ct.dtype) for i, ct in enumerate(cotangents)]
        found = self._applied(
            lambda xs: settle(self.rule.vjp(xs, slots)),
            primals,
            [(slot, ct, True) for slot, ct in zip(slots, cotangents, strict=True) if slot is not None],
        )
        result: list[Derivative | None] = []
        for (share, has_axis), flag in zip(found, self.flags, strict=True):
            if share is not None:
                share = as_node(in_batch(share, has_axis, self.size))
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
