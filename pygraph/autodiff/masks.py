"""Tangents and cotangents that are zero by structure in places, and the arithmetic on them.

What an operation does not reach is zero whatever the numbers are: the side of a `where` that is not chosen, what is
around a slice, the entries of a seed that are not one. A product with a partial derivative that is infinite there would
make nan of such a zero. So the mask goes with the value: products leave the value unmasked, and the mask is applied
once, where the value is needed as an array. A zero that only the numbers make has no mask, and follows IEEE 754.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from ..graph.construction import as_node, constant, make
from ..graph.node import DType, Node, ValueType
from ..graph.rewriting import substitute
from ..graph.uniform import full, is_value, reshaped, shown_by, spread
from ..ops import mask_rules as rules
from ..ops.arithmetic import multiply as MULTIPLY, negative as NEGATIVE
from ..ops.comparison import (
    convert as CONVERT,
    logical_and_row as LOGICAL_AND,
    logical_not_row as LOGICAL_NOT,
    select as SELECT,
)
from ..ops.expr import Mask, Operand, Partial
from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import Attrs, Choice, Op, Shape
from ..ops.shaping import reshape_row as RESHAPE
from .scatter_sums import add_in_place
from .unbroadcast import sum_to

#: Masks that hold together; each broadcasts with the value.
Masks: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Masked:
    """A tangent or cotangent that is zero by structure wherever one of its masks is false.

    Attributes:
        value: the numbers; where one of `pending` is false they mean nothing, and may be nan.
        pending: masks that are still to be applied.
        applied: masks where `value` is zero already. They matter for products that follow.
    """

    value: Node
    pending: Masks
    applied: Masks

    @property
    def shape(self) -> Shape:
        return self.value.shape

    @property
    def dtype(self) -> DType:
        return self.value.dtype

    @property
    def type(self) -> ValueType | None:
        return self.value.type

    @property
    def type_text(self) -> str:
        return self.value.type_text

    @property
    def masks(self) -> Masks:
        """All of them."""
        return distinct((*self.pending, *self.applied))


#: A tangent or cotangent that may differ from zero.
Derivative: TypeAlias = Node | Masked


def distinct(masks: Iterable[Node]) -> Masks:
    """Masks without repetitions, in their order."""
    return tuple(dict.fromkeys(masks))


def masked(value: Node, pending: Iterable[Node], applied: Iterable[Node] = ()) -> Derivative | None:
    """A value with masks; the value itself where they hold everywhere, None where two of them exclude each other."""
    pending, applied = (distinct(mask for mask in group if not _always(mask)) for group in (pending, applied))
    if not pending and not applied:
        return value
    known = {*pending, *applied}
    if any(_never(mask) or (mask.op is LOGICAL_NOT and mask.inputs[0] in known) for mask in known):
        return None
    held = set(pending)
    return Masked(value, pending, tuple(mask for mask in applied if mask not in held))


def _known(mask: Node) -> npt.NDArray[np.bool_] | None:
    """The flags of a mask that shows a constant, in the shape of that; else None."""
    mask = shown_by(mask)
    if mask.op is not CONSTANT:
        return None
    known: npt.NDArray[np.bool_] = mask.attrs["value"].value
    return known


def _always(mask: Node) -> bool:
    value = _known(mask)
    return value is not None and bool(value.all())


def _never(mask: Node) -> bool:
    value = _known(mask)
    return value is not None and not bool(value.any())


def opposite(mask: Node) -> Node:
    """Where a mask does not hold."""
    if mask.op is LOGICAL_NOT:
        return mask.inputs[0]
    value = _known(mask)
    if value is None:
        return make(LOGICAL_NOT, (mask,), {})
    (found,) = substitute([mask], {shown_by(mask): constant(~value)})
    return found


def conjunction(masks: Sequence[Node]) -> Node | bool:
    """Where all of some masks hold."""
    return reduce(lambda result, mask: make(LOGICAL_AND, (result, mask), {}), masks) if masks else True


def value_of(derivative: Derivative) -> Node:
    """The numbers alone."""
    return derivative.value if isinstance(derivative, Masked) else derivative


@overload
def settled(derivative: Derivative) -> Node: ...
@overload
def settled(derivative: None) -> None: ...
def settled(derivative: Derivative | None) -> Node | None:
    """The array: zeros in place of what is masked. None for None."""
    if not isinstance(derivative, Masked):
        return derivative
    return _applied(derivative.value, derivative.pending)


def settle(derivatives: Iterable[Derivative | None]) -> list[Node | None]:
    """Several of them."""
    return [settled(x) for x in derivatives]


def _applied(value: Node, masks: Sequence[Node]) -> Node:
    zero = constant(np.zeros((), value.dtype))
    for mask in masks:
        if is_value(value, lambda number: number == 1):
            inner = mask.inputs[0] if mask.op is RESHAPE else mask  # converted first, it is made in one loop
            flags = make(CONVERT, (inner,), {"dtype": value.dtype})
            value = spread(flags if inner is mask else reshaped(flags, mask.shape), value.shape)
        elif mask.op is LOGICAL_NOT:
            value = make(SELECT, (mask.inputs[0], zero, value), {})
        else:
            value = make(SELECT, (mask, value, zero), {})
    return value


def under(derivative: Derivative | None, applied: Sequence[Node]) -> Derivative | None:
    """`derivative`, which is zero already where one of the masks `applied` is false."""
    if derivative is None or not applied:
        return derivative
    if isinstance(derivative, Masked):
        return masked(derivative.value, derivative.pending, (*derivative.applied, *applied))
    return masked(derivative, (), applied)


def seed(mask: Node, dtype: DType) -> Masked:
    """A tangent or cotangent that is one where `mask` holds and zero by structure elsewhere."""
    return Masked(full(1, mask.shape, dtype), (mask,), ())


def over(op: Op, derivative: Derivative, attrs: Attrs | None = None) -> Derivative:
    """An elementwise linear operation on the numbers, under the same masks."""
    if isinstance(derivative, Masked):
        return Masked(make(op, (derivative.value,), attrs or {}), derivative.pending, derivative.applied)
    return make(op, (derivative,), attrs or {})


def widened(derivative: Derivative, shape: Shape) -> Derivative:
    """`derivative` broadcast to `shape`."""
    if isinstance(derivative, Masked):
        return Masked(spread(derivative.value, shape), derivative.pending, derivative.applied)
    return spread(derivative, shape)


def times(derivative: Derivative, partial: Partial | Operand) -> Derivative | None:
    """A tangent or cotangent times a partial derivative, which is an expression, a plain number or a choice."""
    if isinstance(partial, Choice):
        product = times(derivative, partial.value)
        if product is None:
            return None
        whole = widened(product, np.broadcast_shapes(product.shape, partial.where.shape))
        pending, applied = (whole.pending, whole.applied) if isinstance(whole, Masked) else ((), ())
        return masked(value_of(whole), (*pending, as_node(partial.where)), applied)
    if isinstance(partial, (int, float, np.generic, np.ndarray)):
        if partial == 0:
            return None
        if partial == 1:
            return derivative
        if partial == -1:
            return over(NEGATIVE, derivative)
        factor: Node | float = float(partial)
    else:
        factor = as_node(partial)
    value = as_node(MULTIPLY(value_of(derivative), factor))
    if not isinstance(derivative, Masked):
        return value
    if _finite(factor):
        return Masked(value, derivative.pending, derivative.applied)
    return masked(value, (*derivative.pending, *derivative.applied))


def _finite(partial: Node | float) -> bool:
    """Whether a partial derivative is known to be finite, so that its product with zero is zero."""
    if not isinstance(partial, Node):
        return bool(np.isfinite(partial))
    partial = shown_by(partial)
    if partial.op is CONSTANT:
        return bool(np.isfinite(partial.attrs["value"].value).all())
    if partial.op.reference is None or not partial.inputs or any(x.op is not CONSTANT for x in partial.inputs):
        return False
    with np.errstate(all="ignore"):
        found = partial.op.reference(*(x.attrs["value"].value for x in partial.inputs), **partial.attrs)
    return bool(np.isfinite(found).all())


def plus(total: Derivative | None, term: Derivative | None) -> Derivative | None:
    """The sum of two tangents or cotangents, either of which may be a symbolic zero.

    Masks that both have stay pending; where the others are opposites of each other, the sum is a choice.
    """
    if total is None or term is None:
        return term if total is None else total
    if type(total) is Node and type(term) is Node:
        return add_in_place(total, term)
    if not isinstance(total, Masked) or not isinstance(term, Masked):
        return add_in_place(settled(total), settled(term))
    first, second = set(total.pending), set(term.pending)
    common = [mask for mask in total.pending if mask in second]
    mine = [mask for mask in total.pending if mask not in second]
    other = [mask for mask in term.pending if mask not in first]
    apart = next(((x, y) for x in mine for y in other if _opposites(x, y)), (None, None))
    x = _applied(total.value, [mask for mask in mine if mask is not apart[0]])
    y = _applied(term.value, [mask for mask in other if mask is not apart[1]])
    if apart[0] is None:
        value = add_in_place(x, y)
    elif apart[0].op is LOGICAL_NOT:
        value = make(SELECT, (apart[0].inputs[0], y, x), {})
    else:
        value = make(SELECT, (apart[0], x, y), {})
    applied = union((*mine, *total.applied), (*other, *term.applied))
    return masked(value, common, applied)


def _opposites(first: Node, second: Node) -> bool:
    return (first.op is LOGICAL_NOT and first.inputs[0] is second) or (
        second.op is LOGICAL_NOT and second.inputs[0] is first
    )


def union(first: Sequence[Node], second: Sequence[Node]) -> Masks:
    """Masks that hold where all of `first` do, or all of `second`."""
    common = [mask for mask in first if mask in set(second)]
    held = set(common)
    mine = [mask for mask in first if mask not in held]
    other = [mask for mask in second if mask not in held]
    if not mine or not other or (len(mine) == len(other) == 1 and _opposites(mine[0], other[0])):
        return tuple(common)
    one, two = conjunction(mine), conjunction(other)
    assert isinstance(one, Node)
    assert isinstance(two, Node)
    return (*common, as_node(rules.either(one, two)))


def as_primal(derivative: Derivative, primal: Node) -> Derivative:
    """A contribution to the cotangent of `primal` in its shape and dtype."""
    derivative = summed_to(derivative, primal.shape)
    return derivative if derivative.dtype == primal.dtype else over(CONVERT, derivative, {"dtype": primal.dtype})


def summed_to(derivative: Derivative, shape: Shape) -> Derivative:
    """The transpose of broadcasting `shape` to that of `derivative`, whose masks become those of the sums."""
    if derivative.shape == shape:
        return derivative
    if not isinstance(derivative, Masked):
        return sum_to(derivative, shape)
    before = derivative.shape
    lead = len(before) - len(shape)
    axes = tuple(axis for axis, size in enumerate(before) if axis < lead or (shape[axis - lead] == 1 and size != 1))

    def unchanging(mask: Node) -> bool:
        sizes = rules.padded(mask, len(before)).shape
        return all(sizes[axis] == 1 for axis in axes)

    def narrowed(mask: Node) -> Node:
        found = as_node(rules.summed(mask, before, axes))
        return reshaped(found, found.shape[max(lead, 0) :])

    changing = [mask for mask in derivative.pending if not unchanging(mask)]
    value = sum_to(_applied(derivative.value, changing), shape)
    pending = [narrowed(mask) for mask in derivative.pending if unchanging(mask)]
    applied = [narrowed(mask) for mask in derivative.applied if unchanging(mask)]
    rest = conjunction([*changing, *(mask for mask in derivative.applied if not unchanging(mask))])
    if isinstance(rest, Node):
        applied.append(narrowed(rest))
    result = masked(value, pending, applied)
    assert result is not None
    return result


def linear_in(op: Op, arity: int) -> Sequence[int]:
    """The operands in which a linear row is linear."""
    return range(arity) if op.linear_in is None else op.linear_in


def pushed_linear(node: Node, tangents: Sequence[Derivative | None]) -> Derivative | None:
    """A row of the family LINEAR on tangents of its linear operands, at least one of which is not None."""
    op = node.op
    if op.chooses:
        return chosen(node.inputs[0], tangents[1], tangents[2])
    linear = linear_in(op, len(node.inputs))
    if len(linear) == 1:
        first = tangents[linear[0]]
        assert first is not None
        return _pushed_one(node, linear[0], first)
    operands = list(node.inputs)
    for i in linear:
        t = tangents[i]
        if t is None:
            zero = constant(np.zeros((), operands[i].dtype))
            operands[i] = zero if op.pointwise else spread(zero, operands[i].shape)
        else:
            operands[i] = value_of(t) if op.moves else settled(t)
    value = make(op, tuple(operands), node.attrs)
    given = [tangents[i] for i in linear]
    if op.mask is None or all(isinstance(t, Node) for t in given):
        return value
    pending: Mask = True
    if op.moves:
        pending = _ruled(node, linear, [conjunction(t.pending) if isinstance(t, Masked) else True for t in given])
    groups = [t.applied if op.moves else t.masks for t in given if isinstance(t, Masked)]
    held = iter(groups)
    applied = _ruled(
        node,
        linear,
        [conjunction(next(held)) if isinstance(t, Masked) else t is not None for t in given],
    )
    return masked(value, *([x] if isinstance(x, Node) else [] for x in (pending, applied)))


def _pushed_one(node: Node, i: int, tangent: Derivative) -> Derivative | None:
    op = node.op
    if not isinstance(tangent, Masked):
        value = make(op, (*node.inputs[:i], tangent, *node.inputs[i + 1 :]), node.attrs)
        filled = _ruled(node, (i,), (True,)) if "f" in op.gaps else True
        return masked(value, (), (filled,)) if isinstance(filled, Node) else value
    pending, applied = tangent.pending, tangent.applied

    def operation(x: Node) -> Node:
        return make(op, (*node.inputs[:i], x, *node.inputs[i + 1 :]), node.attrs)

    if not op.moves:
        found = True if op.mask is None else _ruled(node, (i,), (conjunction([m for m in tangent.masks if m.shape]),))
        return under(mixed(tangent, operation), (found,) if isinstance(found, Node) else ())
    value = operation(tangent.value)
    groups = [
        [x for mask in group if isinstance(x := _ruled(node, (i,), (mask,)), Node)] for group in (pending, applied)
    ]
    return masked(value, *groups)


def _ruled(node: Node, linear: Sequence[int], masks: Sequence[Node | bool]) -> Mask:
    """The mask of a row's result from those of its linear operands: an expression, or True."""
    rule = node.op.mask
    assert rule is not None
    places: list[Node | bool] = [True] * len(node.inputs)
    for i, mask in zip(linear, masks, strict=True):
        places[i] = mask
    return rule(node, places)


def mixed(derivative: Derivative, operation: Callable[[Node], Node]) -> Derivative | None:
    """A linear operation that mixes elements: it takes them masked, but a mask of no axes is applied to its result."""
    if not isinstance(derivative, Masked):
        return operation(derivative)
    pending, applied = (
        [mask for mask in group if not mask.shape] for group in (derivative.pending, derivative.applied)
    )
    value = operation(_applied(derivative.value, [mask for mask in derivative.pending if mask.shape]))
    return masked(value, pending, applied)


def pushed_product(node: Node, i: int, tangent: Derivative) -> Derivative | None:
    """A row of the family BILINEAR on a tangent of its operand `i`."""
    op, others = node.op, list(node.inputs)
    if not isinstance(tangent, Masked):
        others[i] = tangent
        return make(op, others, node.attrs)
    pending: list[Node] = []
    applied: list[Node] = []
    now: list[Node] = []
    for mask in tangent.masks:
        held = mask in set(tangent.pending)
        result, beside = op.product_mask(node, i, mask) if mask.shape and op.product_mask else (None, None)
        result = mask if not mask.shape else result
        if result is not None:
            (pending if held else applied).append(as_node(result))
            continue
        if held:
            now.append(mask)
        if beside is not None and not _finite(others[1 - i]):
            others[1 - i] = _applied(others[1 - i], [as_node(beside)])
    others[i] = _applied(tangent.value, now)
    return masked(make(op, others, node.attrs), pending, applied)


def chosen(condition: Node, x: Derivative | None, y: Derivative | None) -> Derivative | None:
    """A choice between two tangents: where it is not for it, each is masked."""
    shape = condition.shape

    def side(derivative: Derivative | None, mask: Node) -> Derivative | None:
        if derivative is None:
            return None
        whole = widened(derivative, np.broadcast_shapes(derivative.shape, shape))
        if isinstance(whole, Masked):
            return masked(whole.value, (*whole.pending, mask), whole.applied)
        return masked(whole, (mask,))

    return plus(side(x, condition), side(y, opposite(condition)))
