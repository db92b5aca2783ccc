"""The derivatives of loops: loops over tangents, and loops backwards over cotangents.

One set of rules serves all three rows. The reverse loop of a `while_loop` is a `replay`: it goes backwards over what
the `while_loop`, built anew with these values as further outputs, has put on stacks. A `replay` is a loop with stacks
in place of arrays, so its own derivatives, in both modes, are again replays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..graph.build import make
from ..graph.node import Node
from ..ops.control import bind_rules
from ..ops.dtypes import is_float
from .forward import ADD, LINEAR_RULES, jvp
from .loops import LOOPS, Loop, Names, split
from .reverse import vjp
from .unbroadcast import full


def _filled(derivative: Node | None, primal: Node) -> Node:
    """A derivative of `primal`, zeros where it is None."""
    return full(0, primal.shape, primal.dtype) if derivative is None else derivative


class _Tangents:
    """The body of a loop's JVP: which tangents are not zero, their inputs in the body, and their outputs."""

    def __init__(self, loop: Loop, tangents: Sequence[Node | None], linear: bool) -> None:
        given = [tangent if is_float(node.dtype) else None for node, tangent in zip(loop.inputs, tangents, strict=True)]
        first, second = len(loop.consts), len(loop.consts) + len(loop.init)
        self.consts, init, self.xs = given[:first], given[first:second], given[second:]
        self.names = Names(loop.inputs)
        slots = [
            None if tangent is None else self.names.like(node, f"d_{node.attrs['name']}")
            for node, tangent in zip(loop.inputs, given, strict=True)
        ]
        while True:
            derived = jvp(loop.outputs, loop.inputs, slots, linear=linear)
            grown = False
            for k, output in enumerate(derived[: len(init)]):
                if output is not None and slots[first + k] is None:
                    node = loop.carry_inputs[k]
                    slots[first + k] = self.names.like(node, f"d_{node.attrs['name']}")
                    grown = True
            if not grown:
                break
        self.slots = slots
        self.live = [k for k in range(len(init)) if slots[first + k] is not None]
        self.init = [_filled(init[k], loop.init[k]) for k in self.live]
        self.carry_outputs = [_filled(derived[k], loop.carry_outputs[k]) for k in self.live]
        self.ys = [j for j, output in enumerate(derived[len(init) :]) if output is not None]
        self.y_outputs = [output for output in derived[len(init) :] if output is not None]
        self.const_slots = [slot for slot in slots[:first] if slot is not None]
        self.carry_slots = [slot for slot in slots[first:second] if slot is not None]
        self.x_slots = [slot for slot in slots[second:] if slot is not None]

    def results(self, loop: Loop, carry: Sequence[Node], ys: Sequence[Node]) -> list[Node | None]:
        """The tangent of every result of `loop`, None where it is zero."""
        tangents: list[Node | None] = [None] * len(loop.outputs)
        for k, node in zip(self.live, carry, strict=True):
            tangents[k] = node
        for j, node in zip(self.ys, ys, strict=True):
            tangents[len(loop.init) + j] = node
        return tangents


def scan_jvp(node: Node, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of a loop's results: one loop that computes the primal values and their tangents together."""
    loop = Loop.of(node)
    parts = _Tangents(loop, tangents[-len(loop.operands) :], linear=False)
    both = replace(
        loop,
        consts=(*loop.consts, *(t for t in parts.consts if t is not None)),
        const_inputs=(*loop.const_inputs, *parts.const_slots),
        init=(*loop.init, *parts.init),
        carry_inputs=(*loop.carry_inputs, *parts.carry_slots),
        xs=(*loop.xs, *(t for t in parts.xs if t is not None)),
        x_inputs=(*loop.x_inputs, *parts.x_slots),
        carry_outputs=(*loop.carry_outputs, *parts.carry_outputs),
        y_outputs=(*loop.y_outputs, *parts.y_outputs),
        name=f"{loop.name}_jvp",
    )
    results = both.build()
    ys = results[len(both.init) + len(loop.y_outputs) :]
    return parts.results(loop, results[len(loop.init) : len(both.init)], ys)


def scan_linear_jvp(node: Node, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of a loop's results by a loop of their own, which reads what it needs of the primal loop stacked."""
    loop = Loop.of(node)
    parts = _Tangents(loop, tangents[-len(loop.operands) :], linear=True)
    own = [*parts.const_slots, *parts.carry_slots, *parts.x_slots]
    cut = split(loop, [*parts.carry_outputs, *parts.y_outputs], own, parts.names)
    apart = Loop(
        consts=(*cut.consts, *(t for t in parts.consts if t is not None)),
        const_inputs=(*cut.const_inputs, *parts.const_slots),
        init=tuple(parts.init),
        carry_inputs=tuple(parts.carry_slots),
        xs=(*cut.xs, *(t for t in parts.xs if t is not None)),
        x_inputs=(*cut.x_inputs, *parts.x_slots),
        carry_outputs=tuple(cut.outputs[: len(parts.live)]),
        y_outputs=tuple(cut.outputs[len(parts.live) :]),
        length=loop.length,
        count=cut.count,
        reverse=loop.reverse,
        name=f"{loop.name}_tangent",
    )
    results = apart.build()
    return parts.results(loop, results[: len(parts.live)], results[len(parts.live) :])


def scan_vjp(node: Node, cotangents: Sequence[Node | None]) -> list[Node | None]:
    """The cotangents of a loop's operands, by a loop in the opposite direction.

    Its carry is the cotangent of the carry and, added up from step to step, that of each const; its stacked results
    are the cotangents of xs.
    """
    loop = Loop.of(node)
    n_consts, n_carry = len(loop.consts), len(loop.init)
    final = list(cotangents[:n_carry])
    ys = {j: ct for j, ct in enumerate(cotangents[n_carry:]) if ct is not None}
    names = Names(loop.inputs)

    def slot(node: Node) -> Node:
        return names.like(node, f"c_{node.attrs['name']}")

    slots = [None if ct is None else slot(node) for node, ct in zip(loop.carry_inputs, final, strict=True)]
    y_slots = {j: names.like(loop.y_outputs[j], f"c_y{j}") for j in ys}
    while True:
        seeds = [*slots, *(y_slots.get(j) for j in range(len(loop.y_outputs)))]
        shares = vjp(loop.outputs, loop.inputs, seeds)
        grown = [k for k in range(n_carry) if slots[k] is None and shares[n_consts + k] is not None]
        if not grown:
            break
        for k in grown:
            slots[k] = slot(loop.carry_inputs[k])
    carry_slots = {k: found for k, found in enumerate(slots) if found is not None}
    added = {i: share for i, share in enumerate(shares[:n_consts]) if share is not None}
    sums = {i: slot(loop.const_inputs[i]) for i in added}
    dxs = {i: share for i, share in enumerate(shares[n_consts + n_carry :]) if share is not None}
    outputs = [
        *(_filled(shares[n_consts + k], loop.init[k]) for k in carry_slots),
        *(make(ADD, (sums[i], share), {}) for i, share in added.items()),
        *dxs.values(),
    ]
    cut = split(loop, outputs, [*carry_slots.values(), *sums.values(), *y_slots.values()], names)
    n_back = len(carry_slots) + len(sums)
    back = Loop(
        consts=cut.consts,
        const_inputs=cut.const_inputs,
        init=(*(_filled(final[k], loop.init[k]) for k in carry_slots), *(_filled(None, loop.consts[i]) for i in added)),
        carry_inputs=(*carry_slots.values(), *sums.values()),
        xs=(*cut.xs, *ys.values()),
        x_inputs=(*cut.x_inputs, *y_slots.values()),
        carry_outputs=tuple(cut.outputs[:n_back]),
        y_outputs=tuple(cut.outputs[n_back:]),
        length=loop.length,
        count=cut.count,
        reverse=not loop.reverse,
        name=f"{loop.name}_vjp",
    )
    results = back.build()
    operands: list[Node | None] = [None] * len(loop.operands)
    for k, result in zip(carry_slots, results, strict=False):
        operands[n_consts + k] = result
    for i, result in zip(sums, results[len(carry_slots) :], strict=False):
        operands[i] = result
    for i, result in zip(dxs, results[n_back:], strict=True):
        operands[n_consts + n_carry + i] = result
    return operands if loop.count is None else [None, *operands]


for _op in LOOPS:
    bind_rules(_op.name, scan_jvp, scan_vjp)
    LINEAR_RULES[_op] = scan_linear_jvp
