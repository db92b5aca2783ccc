"""The specification of each stage of lowering: what must hold of a body once the stage is done.

Each check gives what is wrong, in words. They share no code with the stages, and take about linear time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import pairwise
from math import prod

from ..graph.node import Node, maker
from ..graph.traversal import walk
from ..ops.leaves import given_row as _GIVEN, input_row as INPUT
from .body import Body, BodySegment, Region
from .format import SlotKind
from .steps import ALIGNMENT, CELL, Load, LoopStep, PlainStep, ScalarOperation, Store, Value, one_by_one
from .views import is_known

#: Gives what is wrong with a body.
Check = Callable[[Body], Iterator[str]]
#: A step, or one of a block.
_Step = ScalarOperation | LoopStep | PlainStep


def expanded(body: Body) -> Iterator[str]:
    """No operation is left that only has a definition, and no derivative given for values."""
    for node in walk(body.graph.outputs):
        if node.op.define is not None or node.op is _GIVEN:
            yield f"{node!r} has no instruction of its own"


# --- regions ----------------------------------------------------------------------------------------------------------


def forward_regions(body: Body) -> Iterator[str]:
    """Each node of the forward segment is in one region, after all that it reads."""
    return _regions(body, body.forward)


def later_regions(body: Body) -> Iterator[str]:
    """The same of the later segments, which also read what the forward one computes."""
    for segment in body.later:
        yield from _regions(body, segment)


def joined(body: Body) -> Iterator[str]:
    """The same of all segments."""
    yield from forward_regions(body)
    yield from later_regions(body)


def _regions(body: Body, segment: BodySegment) -> Iterator[str]:
    for node in segment.order:
        if not _is_leaf(node) and node.op.view is None and not segment.defines(node):
            yield f"{node!r} is in no region"
    place: dict[Node, tuple[int, int]] = {}  # the region of each node, and its place there
    for index, region in enumerate(segment.regions):
        nodes = _placed_nodes(body, region)
        if region.index != index or not (nodes or region.rows):
            yield f"region {index} says that it is region {region.index}, of {len(nodes)} nodes"
        for at, node in nodes:
            if node in place:
                yield f"{node!r} is in two regions"
            place[node] = index, at
    own = {*body.forward.cells.values(), *segment.cells.values()}
    for region in segment.regions:
        if region.kind == "scalar":
            yield from _scalar_region(body, segment, region, place, own)
            continue
        for at, node in enumerate(region.nodes):
            if not _fits(node, region):
                yield f"{node!r} does not fit a {region.kind} region over {region.shape}"
            operands = (None,) if node.op.view is not None else node.inputs
            for access, operand in zip(segment.accesses[node], operands, strict=True):
                base = access.base
                yield from _comes_before(body, segment, node, base, place.get(maker(base)), (region.index, at))
                found = place.get(maker(base), (-1, -1))
                if found[0] == region.index and region.kind == "loop" and (base is not operand or base.op.combiner):
                    yield f"{node!r} reads {base!r} through memory within one loop"


def _placed_nodes(body: Body, region: Region) -> list[tuple[int, Node]]:
    """The nodes of a region, with their places there."""
    if region.kind != "scalar":
        return list(enumerate(region.nodes))
    return [(row, node) for row in region.rows if (node := body.scalars.nodes[row]) is not None]


def _scalar_region(
    body: Body, segment: BodySegment, region: Region, place: dict[Node, tuple[int, int]], own: set[int]
) -> Iterator[str]:
    """Its rows are operations on single elements; they read rows before them, of elements or of operations (`own`)."""
    scalars, elements = body.scalars, set(region.elements)
    for row in region.rows:
        node = scalars.nodes[row]
        if (row in elements) != (row in scalars.accesses) or (row not in elements and segment.cells.get(node) != row):  # type: ignore[arg-type]
            yield f"row {row} is neither an operation nor an element"
        if row in elements:
            base, here = scalars.accesses[row].base, (region.index, row)
            yield from _comes_before(body, segment, base if node is None else node, base, place.get(maker(base)), here)
            continue
        assert node is not None
        if not _fits(node, region):
            yield f"{node!r} does not fit a {region.kind} region over {region.shape}"
        read = [x for x in (scalars.a[row], scalars.b[row], scalars.c[row]) if x]
        if len(read) != len(node.inputs):
            yield f"{node!r} reads {len(read)} cells for {len(node.inputs)} operands"
        for x, operand in zip(read, node.inputs, strict=False):
            if x >= row or (x not in own and x not in scalars.accesses):
                yield f"{node!r} reads {operand!r}, which comes after it"
            elif x in own and segment.views.resolve(operand).base is not scalars.nodes[x]:
                yield f"{node!r} reads {scalars.nodes[x]!r} in place of {operand!r}"


def _comes_before(
    body: Body,
    segment: BodySegment,
    node: Node,
    base: Node,
    found: tuple[int, int] | None,
    here: tuple[int, int],
) -> Iterator[str]:
    """Whether what makes `base` stands at `found` before `node`, or is there from the start."""
    if found is None:
        if not _is_leaf(base) and (segment is body.forward or not body.forward.defines(base)):
            yield f"{node!r} reads {base!r}, which nothing computes"
    elif found >= here:
        yield f"{node!r} reads {base!r}, which comes after it"


def _is_leaf(base: Node) -> bool:
    return base.op is INPUT or is_known(base)


def _fits(node: Node, region: Region) -> bool:
    if region.kind == "opaque":
        return len(region.nodes) == 1
    space = node.inputs[0].shape if node.op.combiner else node.shape
    if region.kind == "scalar":
        return prod(space) == 1 and prod(node.shape) == 1
    if space != region.shape or not node.op.combiner:
        return space == region.shape
    split = region.split
    return split is not None and split.outer * split.rows * split.inner == prod(space)


def rematerialised(body: Body) -> Iterator[str]:
    """What later segments recompute are pointwise operations of the forward one, on several elements."""
    for node in body.rematerialised:
        if not (node.op.pointwise and prod(node.shape) > 1 and body.forward.defines(node)):
            yield f"{node!r} is rematerialised"


# --- memory ----------------------------------------------------------------------------------------------------------


def concatenated(body: Body) -> Iterator[str]:
    """Each part of a concatenation lies within it, and comes from a loop of the same segment."""
    for segment in body.segments:
        for node, parts in segment.parts.items():
            for part in parts:
                low, high = _reach(part.offset, node.shape, part.strides)
                if segment.region_of[node].kind != "loop" or low < 0 or high >= prod(part.whole.shape):
                    yield f"{node!r} is written to elements {low} to {high} of {part.whole!r}"


def nested(body: Body) -> Iterator[str]:
    """The same, and what is written into a larger concatenation is read nowhere else."""
    yield from concatenated(body)
    for segment in body.segments:
        for whole, operands in segment.nested.items():
            for at, (inner, _) in operands.items():
                if segment.in_place[whole][at] and (inner in segment.needed or inner in segment.ends):
                    yield f"{inner!r} needs memory, and lies in {whole!r}"


def materialised(body: Body) -> Iterator[str]:
    """What is read outside of the region that makes it has memory, and is kept where another segment makes it."""
    for segment in body.segments:
        for region in segment.regions:
            for row in region.elements:
                base = body.scalars.accesses[row].base
                if not _has_memory(body, segment, base):
                    yield f"an operation on single elements reads {base!r}, which has no memory"
            for row in region.rows:
                for x in (body.scalars.a[row], body.scalars.b[row], body.scalars.c[row]):
                    node = body.scalars.node(x)
                    if node is not None and not _has_memory(body, segment, node):
                        yield f"an operation on single elements reads {node!r}, which is not kept"
            for node in region.nodes:
                done = segment.in_place.get(node, ())
                nested = segment.nested.get(node, {})
                for at, access in enumerate(segment.accesses[node]):
                    base = access.base
                    in_place = at in nested or (at < len(done) and done[at])
                    own = segment.region(base) is region
                    if not own and not in_place and not _has_memory(body, segment, base):
                        yield f"{node!r} reads {base!r}, which has no memory"
        for node in body.ends(segment):
            base = segment.views.resolve(node).base
            if base not in segment.ends and not _has_memory(body, segment, base):
                yield f"the output {node!r} has no memory"


def _has_memory(body: Body, segment: BodySegment, base: Node) -> bool:
    if base in segment.region_of or base in segment.cells:
        return base in segment.needed or base in segment.cells
    if is_known(base):
        return True
    if base.op is INPUT and (segment is body.forward or base not in body.primal):
        return True
    made = base in body.forward.needed or base in body.forward.cells
    return segment is not body.forward and base in body.kept and made


def _reach(offset: int, shape: Iterable[int], strides: Iterable[int]) -> tuple[int, int]:
    """The first and the last element that is touched; the last one comes first where there is none."""
    low = high = offset
    for size, stride in zip(shape, strides, strict=True):
        if size == 0:
            return 0, -1
        low += min(0, (size - 1) * stride)
        high += max(0, (size - 1) * stride)
    return low, high


# --- steps -----------------------------------------------------------------------------------------------------------


def emitted(body: Body) -> Iterator[str]:
    """What a step reads was written before, in its own segment or kept by the forward one; every output is written."""
    return _written(body, {})


def updated(body: Body) -> Iterator[str]:
    """The same where outputs take over inputs, and of values of one memory each is done with when the next begins."""
    shares = {body.outputs[o]: body.inputs[i] for i, o in body.shares}
    yield from _written(body, shares)
    steps = list(one_by_one(body.steps))
    spans: dict[Value, dict[Value, list[int]]] = {}
    for now, step in enumerate(steps):
        for value in (*step.reads, *step.writes):
            root = shares.get(value.root, value.root)
            spans.setdefault(root, {}).setdefault(value, [now, now])[1] = now
    for group in spans.values():
        ordered = sorted(group.items(), key=lambda item: item[1])
        for (old, (_, end)), (new, (begin, _)) in pairwise(ordered):
            if begin < end or (begin == end and not _updates(steps[end], new, old)):
                yield f"step {end} reads what step {begin} has overwritten"


def _written(body: Body, shares: dict[Value, Value]) -> Iterator[str]:
    """`shares` says for outputs which input's memory they are."""
    primal = {body.input_values[node] for node in body.primal}
    constants: set[Value] = set(body.constant_cells)
    forward: set[Value] = set()
    for segment in body.segments:
        known = constants | {value for value in body.inputs if segment is body.forward or value not in primal}
        known |= {value for value in forward if value.kept}
        for now, step in enumerate(one_by_one(segment.steps)):
            for value in step.reads:
                root = shares.get(value.root, value.root)
                if value.nbytes and root not in known and root.kind is not SlotKind.CONST:
                    yield f"step {now} of {segment.which.name.lower()} reads a value that nothing has written"
            known.update(shares.get(value.root, value.root) for value in step.writes)
            if isinstance(step, LoopStep):
                yield from _within(step)
        for at in segment.outputs:
            output = body.outputs[at]
            if output.nbytes and shares.get(output, output) not in known:
                yield f"output {at} is not written"
        if segment is body.forward:
            forward = known


def _within(step: LoopStep) -> Iterator[str]:
    """A loop reads and writes within its arrays, and registers that are filled."""
    filled = {load.register for load in step.loads}
    for micro in step.micros:
        if not filled.issuperset(micro.sources):
            yield f"a loop's operation reads a register of {micro.sources} that is not filled"
        filled.add(micro.target)
    for register in (*(store.register for store in step.stores), *(reduce.register for reduce in step.reduces)):
        if register not in filled:
            yield f"a loop stores register {register}, which is not filled"
    operands: list[Load | Store] = [*step.loads, *step.stores]
    for operand in operands:
        if operand.value.kind is SlotKind.COUNT:
            continue
        low, high = _reach(operand.offset, step.dims, operand.strides)
        if low < 0 or (high + 1) * operand.value.dtype.itemsize > operand.value.nbytes:
            yield f"a loop touches elements {low} to {high} of an array of {operand.value.nbytes} bytes"


def _updates(step: _Step, new: Value, old: Value) -> bool:
    """Whether a step may write the one value where the other lies."""
    if isinstance(step, PlainStep):
        return (new, old) in step.in_place
    return isinstance(step, LoopStep) and _overwrites(step, new, old)


def _overwrites(step: LoopStep, new: Value, old: Value) -> bool:
    """Whether each element of `old` is read before it is written as one of `new`."""
    stores = [store for store in step.stores if new in (store.value, store.value.root)]
    loads = [load for load in step.loads if old in (load.value, load.value.root)]
    if len(stores) != 1 or not loads or new.dtype.itemsize != old.dtype.itemsize or new.nbytes != old.nbytes:
        return False
    (store,) = stores
    tails = {store.register for store in step.stores} | {reduce.register for reduce in step.reduces}
    made = [at for at, micro in enumerate(step.micros) if micro.target == store.register]
    for load in loads:
        if (load.offset, list(load.strides)) != (store.offset, list(store.strides)):
            return False
        if load.register == store.register:
            continue
        used = [at for at, micro in enumerate(step.micros) if load.register in micro.sources]
        if load.register in tails or (made and used and max(used) > made[-1]):
            return False
    return True


# --- the plan --------------------------------------------------------------------------------------------------------

#: A value, and the first and the last step that need it.
_Span = tuple[Value, int, int]


def planned(body: Body) -> Iterator[str]:
    """No two values that live at once share memory, unless one takes over the other; all lie in the arena, aligned.

    The later segments run in any order and any number of times after the forward one: what is written in one segment
    and read in another is never overwritten.
    """
    steps = list(one_by_one(body.steps))
    spans = _spans(body)
    for value, _, _ in spans:
        if value.offset < 0 or value.offset + _bytes(value) > body.arena_bytes:
            yield f"bytes {value.offset}+{_bytes(value)} lie outside an arena of {body.arena_bytes}"
        if value.offset % (CELL if value.cell else ALIGNMENT):
            yield f"offset {value.offset} is not aligned"
    spans.sort(key=lambda span: span[1])
    ends: list[tuple[int, int]] = []  # the last step of each value that lives, with its number here
    places: list[tuple[int, int]] = []  # the offsets of these values, sorted, with their numbers
    for number, (value, first, _) in enumerate(spans):
        while ends and ends[0][0] < first:
            _, over = heappop(ends)
            _take_out(places, (spans[over][0].offset, over))
        for offset, other in _overlapping(places, spans, value):
            old, _, end = spans[other]
            if end == first and _takes_over(steps[first], value, old):
                _take_out(places, (offset, other))
            else:
                yield f"bytes {offset}+{_bytes(old)} and {value.offset}+{_bytes(value)} are both alive at step {first}"
        insort(places, (value.offset, number))
        heappush(ends, (spans[number][2], number))


def _spans(body: Body) -> list[_Span]:
    """When each value of the arena is needed; a value that another segment reads to the end."""
    never = len(body.steps) + 1
    first: dict[Value, int] = dict.fromkeys(body.constant_cells, -1)
    last: dict[Value, int] = dict.fromkeys(body.constant_cells, never)
    made_in: dict[Value, BodySegment] = {}
    brief: list[_Span] = []
    now = 0
    for segment in body.segments:
        for step in one_by_one(segment.steps):
            for value in step.reads:
                root = value.root
                last[root] = max(last.get(root, -1), now if made_in.get(root, segment) is segment else never)
            for value in step.writes:
                root = value.root
                first.setdefault(root, now)
                made_in.setdefault(root, segment)
                last[root] = max(last.get(root, -1), now)
            brief += [(value, now, now) for value in step.temporaries]
            now += 1
    spans = [(value, first[value], last[value]) for value in first if value.kind is SlotKind.ARENA]
    return [span for span in (*spans, *brief) if span[0].nbytes]


def _takes_over(step: _Step, new: Value, old: Value) -> bool:
    """Whether a step that reads `old` last and writes `new` may do so in one place."""
    if isinstance(step, ScalarOperation):
        return True  # operands are read before the result is written
    return isinstance(step, LoopStep) and new.offset == old.offset and _overwrites(step, new, old)


def _overlapping(places: list[tuple[int, int]], spans: list[_Span], value: Value) -> list[tuple[int, int]]:
    """Which of the places share memory with a value; they share none with each other."""
    at = bisect_left(places, (value.offset, -1))
    if at and places[at - 1][0] + _bytes(spans[places[at - 1][1]][0]) > value.offset:
        at -= 1
    end = at
    while end < len(places) and places[end][0] < value.offset + _bytes(value):
        end += 1
    return places[at:end]


def _take_out(places: list[tuple[int, int]], place: tuple[int, int]) -> None:
    at = bisect_left(places, place)
    if at < len(places) and places[at] == place:
        del places[at]


def _bytes(value: Value) -> int:
    return CELL if value.cell else value.nbytes
