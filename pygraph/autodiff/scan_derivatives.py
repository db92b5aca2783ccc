"""The derivatives of loops: loops over tangents, and loops backwards over cotangents.

One set of rules serves all three rows. The reverse loop of a `while_loop` is a `replay`: it goes backwards over what
the `while_loop`, rebuilt with these values as further outputs, has put on stacks. A `replay` is a loop with stacks
in place of arrays, so its own derivatives, in both modes, are again replays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..graph.construction import as_node, constant, make
from ..graph.loop import Loop, Names
from ..graph.loop_split import split
from ..graph.node import Node
from ..ops.comparison import greater as GREATER
from ..ops.control import bind_rules
from ..ops.dtypes import bool_, is_float
from ..ops.mask_rules import either, padded
from ..ops.row import TABLE, Shape
from .forward import LINEAR_RULES, pushed
from .masks import Derivative, Masked, conjunction, settled, under
from .masks_in_bodies import entry, extent, filled, is_whole, mask_of
from .reverse import pulled
from .scatter_sums import add_in_place


class _Carried:
    """Which carries of a derivative's loop have a mask, which is carried beside them, and in what shape.

    A carry has one where it begins as a zero by structure, or a step makes it one, in some places at least.
    """

    def __init__(self, first: Sequence[Derivative | None], primals: Sequence[Node]) -> None:
        self.first = list(first)
        self.primals = primals
        self.shapes: dict[int, Shape] = {}

    def widen(self, outputs: Sequence[Derivative | None], live: Iterable[int]) -> bool:
        """Take in what a step gives for the carries; whether that changed anything."""
        changed = False
        for k in live:
            both = (self.first[k], outputs[k])
            if all(map(is_whole, both)):
                continue
            shape = self.shapes.get(k)
            wider = extent(both, self.primals[k].shape) or shape or ()
            if shape is None or wider != shape:
                self.shapes[k] = wider
                changed = True
        return changed

    def seed(self, k: int, slot: Node, masks: dict[int, Node], names: Names) -> Derivative:
        """Carry `k` in the body, whose input for it is `slot`; that for its mask is put into `masks`."""
        if k not in self.shapes:
            return slot
        masks[k] = names.new(f"{slot.attrs['name']}_mask", self.shapes[k], bool_)
        return Masked(slot, (), (masks[k],))

    def begin(self) -> list[Node]:
        """The masks before the first step."""
        return [mask_of(self.first[k], shape) for k, shape in self.shapes.items()]

    def end(self, outputs: Sequence[Derivative | None]) -> list[Node]:
        """The masks after a step."""
        return [mask_of(outputs[k], shape) for k, shape in self.shapes.items()]

    def result(self, k: int, value: Node, masks: dict[int, Node]) -> Derivative | None:
        """Carry `k` after the last step, from its value and the masks."""
        return under(value, (masks[k],)) if k in masks else value


def _stacking(loop: Loop) -> str:
    """What the loop takes and gives a slice of at each step; see `entry`."""
    return "stack" if loop.length is None else "array"


def _y_mask(derivative: Derivative | None, loop: Loop) -> Node | None:
    """The mask of a result with a slice for each step, at one step. A stack has none."""
    if not isinstance(derivative, Masked) or loop.length is None:
        return None
    mask = conjunction(derivative.masks)
    assert isinstance(mask, Node)
    return as_node(padded(mask, len(derivative.shape)))


class _Tangents:
    """The body of a loop's JVP: which tangents are not zero, their inputs in the body, and their outputs."""

    def __init__(self, loop: Loop, tangents: Sequence[Derivative | None], linear: bool) -> None:
        given = [tangent if is_float(node.dtype) else None for node, tangent in zip(loop.inputs, tangents, strict=True)]
        first, second = len(loop.consts), len(loop.consts) + len(loop.init)
        init = given[first:second]
        self.names = Names(loop.inputs)
        stacked = ["" if k < second else _stacking(loop) for k in range(len(given))]
        entries = [
            entry(None if first <= k < second else t, x, f"d_{x.attrs['name']}", self.names, how)
            for k, (x, t, how) in enumerate(zip(loop.inputs, given, stacked, strict=True))
        ]
        slots: list[Node | None] = [
            None if t is None else self.names.like(x, f"d_{x.attrs['name']}")
            for x, t in zip(loop.carry_inputs, init, strict=True)
        ]
        self.carried = _Carried(init, loop.init)
        while True:
            masks: dict[int, Node] = {}
            seeds: list[Derivative | None] = [one.seed for one in entries]
            for k, slot in enumerate(slots):
                seeds[first + k] = None if slot is None else self.carried.seed(k, slot, masks, self.names)
            derived = pushed(loop.outputs, loop.inputs, seeds, linear=linear)
            grown = [k for k in range(len(init)) if derived[k] is not None and slots[k] is None]
            for k in grown:
                node = loop.carry_inputs[k]
                slots[k] = self.names.like(node, f"d_{node.attrs['name']}")
            live = [k for k, slot in enumerate(slots) if slot is not None]
            if not (self.carried.widen(derived, live) or grown):
                break
        self.live = live
        masks = {k: masks[k] for k in self.carried.shapes}
        self.init = [*(filled(init[k], loop.init[k]) for k in live), *self.carried.begin()]
        self.carry_slots = [*(slot for slot in slots if slot is not None), *masks.values()]
        self.carry_outputs = [*(filled(derived[k], loop.carry_outputs[k]) for k in live), *self.carried.end(derived)]
        ys = {j: output for j, output in enumerate(derived[len(init) :]) if output is not None}
        y_masks = {j: mask for j, y in ys.items() if (mask := _y_mask(y, loop)) is not None}
        self.ys, self.y_masks = list(ys), list(y_masks)
        self.y_outputs = [*map(settled, ys.values()), *y_masks.values()]
        self.consts = [x for one in entries for x in one.operands]
        self.const_slots = [slot for one in entries for slot in one.slots]
        self.xs = [x for one in entries for x in one.xs]
        self.x_slots = [slot for one in entries for slot in one.x_slots]

    def results(self, loop: Loop, carry: Sequence[Node], ys: Sequence[Node]) -> list[Derivative | None]:
        """The tangent of every result of `loop`, None where it is zero."""
        tangents: list[Derivative | None] = [None] * len(loop.outputs)
        masks = dict(zip(self.carried.shapes, carry[len(self.live) :], strict=True))
        for k, node in zip(self.live, carry, strict=False):
            tangents[k] = self.carried.result(k, node, masks)
        masks = dict(zip(self.y_masks, ys[len(self.ys) :], strict=True))
        for j, node in zip(self.ys, ys, strict=False):
            tangents[len(loop.init) + j] = under(node, (masks[j],)) if j in masks else node
        return tangents


def scan_jvp(node: Node, tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """The tangents of a loop's results: one loop that computes the primal values and their tangents together."""
    loop = Loop.of(node)
    parts = _Tangents(loop, tangents[-len(loop.operands) :], linear=False)
    both = replace(
        loop,
        consts=(*loop.consts, *parts.consts),
        const_inputs=(*loop.const_inputs, *parts.const_slots),
        init=(*loop.init, *parts.init),
        carry_inputs=(*loop.carry_inputs, *parts.carry_slots),
        xs=(*loop.xs, *parts.xs),
        x_inputs=(*loop.x_inputs, *parts.x_slots),
        carry_outputs=(*loop.carry_outputs, *parts.carry_outputs),
        y_outputs=(*loop.y_outputs, *parts.y_outputs),
        name=f"{loop.name}_jvp",
    )
    results = both.build()
    ys = results[len(both.init) + len(loop.y_outputs) :]
    return parts.results(loop, results[len(loop.init) : len(both.init)], ys)


def scan_linear_jvp(node: Node, tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """The tangents of a loop's results by a loop of their own, which reads what it needs of the primal loop stacked."""
    loop = Loop.of(node)
    parts = _Tangents(loop, tangents[-len(loop.operands) :], linear=True)
    own = [*parts.const_slots, *parts.carry_slots, *parts.x_slots]
    cut = split(loop, [*parts.carry_outputs, *parts.y_outputs], own, parts.names)
    count = len(parts.carry_slots)
    apart = Loop(
        consts=(*cut.consts, *parts.consts),
        const_inputs=(*cut.const_inputs, *parts.const_slots),
        init=tuple(parts.init),
        carry_inputs=tuple(parts.carry_slots),
        xs=(*cut.xs, *parts.xs),
        x_inputs=(*cut.x_inputs, *parts.x_slots),
        carry_outputs=tuple(cut.outputs[:count]),
        y_outputs=tuple(cut.outputs[count:]),
        length=loop.length,
        count=cut.count,
        reverse=loop.reverse,
        name=f"{loop.name}_tangent",
    )
    results = apart.build()
    return parts.results(loop, results[:count], results[count:])


def scan_vjp(node: Node, cotangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """The cotangents of a loop's operands, by a loop in the opposite direction.

    Its carry is the cotangent of the carry and, added up from step to step, that of each const; its stacked results
    are the cotangents of xs. What only steps that are not made would read gets none.
    """
    loop = Loop.of(node)
    n_consts, n_carry = len(loop.consts), len(loop.init)
    final = list(cotangents[:n_carry])
    names = Names(loop.inputs)

    def slot(node: Node) -> Node:
        return names.like(node, f"c_{node.attrs['name']}")

    slots = [None if ct is None else slot(node) for node, ct in zip(loop.carry_inputs, final, strict=True)]
    entries = [
        entry(ct, y, f"c_y{j}", names, _stacking(loop))
        for j, (ct, y) in enumerate(zip(cotangents[n_carry:], loop.y_outputs, strict=True))
    ]
    carried = _Carried(final, loop.init)
    while True:
        masks: dict[int, Node] = {}
        seeds: list[Derivative | None] = [
            None if found is None else carried.seed(k, found, masks, names) for k, found in enumerate(slots)
        ]
        shares = pulled(loop.outputs, loop.inputs, [*seeds, *(one.seed for one in entries)])
        stepped = shares[n_consts : n_consts + n_carry]
        grown = [k for k in range(n_carry) if slots[k] is None and stepped[k] is not None]
        for k in grown:
            slots[k] = slot(loop.carry_inputs[k])
        if not (carried.widen(stepped, [k for k in range(n_carry) if slots[k] is not None]) or grown):
            break
    carry_slots = {k: found for k, found in enumerate(slots) if found is not None}
    added = {i: share for i, share in enumerate(shares[:n_consts]) if share is not None}
    sums = {i: slot(loop.const_inputs[i]) for i in added}
    # where some step adds to a sum
    shapes = {i: extent([x], loop.consts[i].shape) for i, x in added.items() if isinstance(x, Masked)}
    reached = {i: names.new(f"{sums[i].attrs['name']}_mask", shape, bool_) for i, shape in shapes.items()}
    dxs = {i: share for i, share in enumerate(shares[n_consts + n_carry :]) if share is not None}
    dx_masks = {i: mask for i, share in dxs.items() if (mask := _y_mask(share, loop)) is not None}
    outputs = [
        *(filled(stepped[k], loop.init[k]) for k in carry_slots),
        *(add_in_place(sums[i], settled(share)) for i, share in added.items()),
        *carried.end(stepped),
        *(as_node(either(reached[i], mask_of(added[i], shape))) for i, shape in shapes.items()),
        *map(settled, dxs.values()),
        *dx_masks.values(),
    ]
    back_slots = [*carry_slots.values(), *sums.values(), *(masks[k] for k in carried.shapes), *reached.values()]
    own = [*back_slots, *(x for one in entries for x in (*one.slots, *one.x_slots))]
    cut = split(loop, outputs, own, names)
    back = Loop(
        consts=(*cut.consts, *(x for one in entries for x in one.operands)),
        const_inputs=(*cut.const_inputs, *(x for one in entries for x in one.slots)),
        init=(
            *(filled(final[k], loop.init[k]) for k in carry_slots),
            *(filled(None, loop.consts[i]) for i in added),
            *carried.begin(),
            *(mask_of(None, shape) for shape in shapes.values()),
        ),
        carry_inputs=tuple(back_slots),
        xs=(*cut.xs, *(x for one in entries for x in one.xs)),
        x_inputs=(*cut.x_inputs, *(x for one in entries for x in one.x_slots)),
        carry_outputs=tuple(cut.outputs[: len(back_slots)]),
        y_outputs=tuple(cut.outputs[len(back_slots) :]),
        length=loop.length,
        count=cut.count,
        reverse=not loop.reverse,
        name=f"{loop.name}_vjp",
    )
    results = iter(back.build())
    carry_values = [next(results) for _ in carry_slots]
    sum_values = [next(results) for _ in sums]
    carry_masks = dict(zip(carried.shapes, results, strict=False))
    sum_masks = dict(zip(shapes, results, strict=False))
    operands: list[Derivative | None] = [None] * len(loop.operands)
    for k, value in zip(carry_slots, carry_values, strict=True):
        operands[n_consts + k] = carried.result(k, value, carry_masks)
    for i, value in zip(sums, sum_values, strict=True):
        operands[i] = under(value, [sum_masks[i]] if i in sum_masks else _some_step(back))
    dx_values = [next(results) for _ in dxs]
    dx_found = dict(zip(dx_masks, results, strict=True))
    for i, value in zip(dxs, dx_values, strict=True):
        operands[n_consts + n_carry + i] = under(value, (dx_found[i],)) if i in dx_found else value
    return operands if loop.count is None else [None, *operands]


def _some_step(loop: Loop) -> list[Node]:
    """Where a loop makes a step at all, if that is not known."""
    if loop.length is None:
        assert loop.count is not None
        return [make(GREATER, (loop.count, constant(0)), {})]
    return [] if loop.length else [constant(False)]


for _op in (op for op in TABLE.values() if op.loop):
    bind_rules(_op, scan_jvp, scan_vjp)
    LINEAR_RULES[_op] = scan_linear_jvp
