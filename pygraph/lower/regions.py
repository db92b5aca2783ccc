"""Fusion: which nodes share one instruction, and in which order the instructions run.

Regions stand in a list and run in its order. A node may join any region that stands at or after the place where its
operands are ready, so no cycle can arise. Three kinds: a `scalar` region holds operations on single elements, a `loop`
region holds pointwise operations over one iteration space and the reductions at its end, an `opaque` region holds one
operation with an instruction of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod

from ..graph.node import Node, ValueType, source_of
from ..graph.traversal import walk
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT, output_row as OUTPUT
from ..ops.row import Op
from .body import Body, BodySegment, Region, Split
from .order import updates_last
from .scalars import operation_kind
from .views import Access, is_counter

#: Operations of one loop region, and different reads of memory: both take registers, of which a Program allows 1024.
MAX_LOOP_NODES = 512
MAX_READS = 256
#: Operations of one loop region with the reductions at its end, which need no registers.
MAX_WITH_REDUCTIONS = MAX_LOOP_NODES + 64
#: How many regions of one shape are looked at when a node seeks one to join.
LOOK_BACK = 6
#: Loops of at most this many elements are joined even when they share no value: the call costs more than the work.
SMALL = 2048


def split_axes(shape: tuple[int, ...], axes: tuple[int, ...]) -> Split:
    """The iteration order for a reduction of `shape` over `axes`: in place where the axes are adjacent, else last."""
    if not axes:
        return Split(tuple(range(len(shape))), prod(shape), 1, 1)
    reduced = [a for a in axes if shape[a] != 1]
    if not reduced:
        reduced = list(axes[:1])
    first, last = reduced[0], reduced[-1]
    between = [a for a in range(first, last + 1) if a not in axes and shape[a] != 1]
    if between:
        kept = [a for a in range(len(shape)) if a not in axes]
        order = (*kept, *axes)
        return Split(order, prod(shape[a] for a in kept), prod(shape[a] for a in axes), 1)
    outer = prod(shape[a] for a in range(first))
    rows = prod(shape[a] for a in range(first, last + 1))
    inner = prod(shape[a] for a in range(last + 1, len(shape)))
    return Split(tuple(range(len(shape))), outer, rows, inner)


def forward_regions(body: Body) -> None:
    """Form the regions of the forward segment, which leaves the later ones what it does not compute.

    So it sets the order of the nodes of all segments.
    """
    forward, fuse = body.forward, body.unit.fuse
    fixed = set(body.graph.inputs) if body.is_main else set()
    orders = [walk(body.ends(segment)) for segment in body.segments] if body.later else [body.graph.nodes]
    ops = body.graph.ops
    for node in (node for order in orders for node in order if node.op is OUTPUT) if OUTPUT in ops else ():
        body.results.setdefault(node.inputs[0], {})[node.attrs["index"]] = node
    reordered = fuse and any(op.updates is not None for op in ops)
    forward.order = updates_last(orders[0], fixed) if reordered else orders[0]
    _form(body, forward, _read_later(orders) if fuse else set())
    for segment, order in zip(body.later, orders[1:], strict=True):
        left = [node for node in order if node not in forward.cells and not forward.defines(node)]
        segment.order = updates_last(left, fixed) if reordered else left


def later_regions(body: Body) -> None:
    """Form the regions of the later segments, with what they rematerialise in the loops that read it."""
    for segment in body.later:
        for node in body.forward.copied:
            segment.views.materialise(node)
        _form(body, segment, set())


def _form(body: Body, segment: BodySegment, read_later: set[Node]) -> None:
    """Place the nodes of a segment, and copy the views that are needed once their array is updated."""
    fuser, views, order = Fuser(body, segment), segment.views, segment.order
    updates = {op for op in body.graph.ops if op.updates is not None}
    # some of what seems to be a view will be a copy; which, `views` only knows once all before it is placed
    found = (node for node in order if node.op in updates) if updates else ()
    updated = {source_of(x) for node in found for x in node.op.updated(node.attrs, node.inputs)}
    results = set(body.ends(segment)) if body.unit.fuse else set()
    outlived = _outlived(order, set(body.graph.inputs) if body.is_main else set()) if updated else set()
    again = set() if segment is body.forward else body.rematerialised
    at = 0
    while at < len(order):
        node = order[at]
        if node.op.pointwise and prod(node.shape) == 1:
            at = fuser.place_scalars(order, at)
            continue
        at += 1
        if again:
            fuser.rematerialise(node, again)
        fuser.place(node)
        if not updated or node.op.view is None:
            continue
        base = views.resolve(node).base
        small = node in read_later and 2 * prod(node.shape) <= prod(base.shape)
        if base is not node and source_of(node) in updated and (small or node in results or node in outlived):
            fuser.copy(node)  # now: once the array is updated, its memory holds other elements
            segment.copied.append(node)
    fuser.finish()


def _read_later(orders: Sequence[Sequence[Node]]) -> set[Node]:
    """The views of the forward segment that others read: of arrays that are updated, they are what is kept."""
    first, *others = orders
    made = set(first) if others else set()
    later = (node for order in others for node in order if node not in made)
    return {x for node in later for x in node.inputs if x.op.view is not None and x in made}


def _outlived(order: Sequence[Node], fixed: set[Node]) -> set[Node]:
    """The small views of arrays that are updated before the last that reads the view; `fixed` arrays keep theirs."""
    place = {node: at for at, node in enumerate(order)}
    first: dict[Node, int] = {}  # of each array, the first update
    last: dict[Node, int] = {}  # of each node, the last that reads it, through views too
    for node in reversed(order):
        read = last.get(node, 0) if node.op.view is not None else place[node]
        for x in node.inputs:
            last[x] = max(last.get(x, 0), read)
        for x in node.op.updated(node.attrs, node.inputs):
            first[source_of(x)] = place[node]
    found = set()
    for node in order if first else ():
        if node.op.view is not None and node.inputs:
            base = source_of(node)
            outlives = base not in fixed and last.get(node, 0) > first.get(base, len(order))
            if outlives and 2 * prod(node.shape) <= prod(base.shape):
                found.add(node)
    return found


def _full(region: Region, most: int) -> bool:
    """Whether no further operation may join a region, where `most` may be together."""
    return len(region.nodes) >= most or len(region.reads) >= MAX_READS


class Fuser:
    """Puts the nodes of a segment in regions."""

    def __init__(self, body: Body, segment: BodySegment) -> None:
        self.body = body
        self.segment = segment
        self.fuse = body.unit.fuse
        self.views = segment.views
        self.regions = segment.regions
        self.region_of = segment.region_of
        self.accesses = segment.accesses
        self.scalars = body.scalars
        self.cells = segment.cells
        # of all operations on single elements that this segment may read, the rows: a later one reads the forward one's
        self._rows = segment.cells if segment is body.forward else dict(body.forward.cells)
        self._elements: dict[Node, int] = {}  # the rows of operands that are in no cell as far as is known
        self._kinds: dict[tuple[Op, ValueType | None, ValueType | None], int] = {}  # of operations on single elements
        self._latest: Region | None = None  # the latest region of single elements
        self._loops: dict[tuple[int, ...], list[Region]] = {}  # those of each shape

    def rematerialise(self, reader: Node, nodes: set[Node]) -> None:
        """Place those of `nodes` that `reader` reads, of the forward segment, where `reader` can join them."""
        if nodes.isdisjoint(reader.inputs):
            return

        def missing(node: Node) -> list[Node]:
            return [x for x in reversed(node.inputs) if x in nodes and x not in self.region_of]

        for node in walk(missing(reader), operands=missing):
            self.place(node, reader)

    def place(self, node: Node, reader: Node | None = None) -> None:
        """Place a node that `place_scalars` does not, unless it is a leaf or a view that needs no memory.

        Args:
            reader: of a pointwise node, the one that it is placed for: it goes where that one can join it.
        """
        if node.op is INPUT or node.op is CONSTANT or node in self.region_of:
            return
        if node.op is OUTPUT:
            self.region_of[node] = self.region_of[node.inputs[0]]
        elif node.op.view is not None:
            if self.views.resolve(node).base is node:  # a reshape that no strides express
                self.copy(node.inputs[0])
                self.views.forget(node)
        elif node.op.pointwise:
            self._place_pointwise(node, reader)
        elif node.op.combiner:
            self._place_reduction(node)
        else:
            self._place_opaque(node)

    def copy(self, node: Node) -> None:
        """Give a view, or counts, memory of its own, laid out in C order."""
        access = self.views.resolve(node)
        if access.base is node:
            return
        if prod(node.shape) == 1:
            self._place_element(node, access)
        else:
            self._place_pointwise(node)
            self.accesses[node] = (access,)
        self.views.materialise(node)

    def finish(self) -> None:
        """All nodes are placed: give the rows of single elements their cells."""
        self._end_rows()
        cells = self.body.cells
        cells.extend(bytes([kind & 15 for kind in self.scalars.kinds[len(cells) :]]))

    # --- single elements

    def place_scalars(self, order: Sequence[Node], first: int) -> int:
        """Place the pointwise operations on single elements that stand in `order` from `first` on, one after another.

        Returns:
            Where the first node stands that is something else, and no leaf.
        """
        scalars, rows, cells, fuse = self.scalars, self._rows, self.cells, self.fuse
        add_kind, add_node = scalars.kinds.append, scalars.nodes.append
        add_a, add_b, add_c = scalars.a.append, scalars.b.append, scalars.c.append
        joins, kinds = fuse and self._latest is not None, self._kinds
        for at in range(first, len(order)):
            node = order[at]
            op = node.op
            if not op.pointwise:
                if op is INPUT or op is CONSTANT:
                    continue
                return at
            shape, inputs = node.shape, node.inputs
            if shape and prod(shape) != 1:
                return at
            try:
                a = rows[inputs[0]]
                b = rows[inputs[1]] if len(inputs) > 1 else 0
                c = rows[inputs[2]] if len(inputs) > 2 else 0
                known = not shape or all(x.shape == shape for x in inputs)
            except KeyError:
                known = False
            if not known:
                a, b, c = (*self._read_elements(node), 0, 0)[:3]
            elif not joins:
                self._scalar_region(0)
            joins = fuse
            cells[node] = len(scalars.nodes)
            if rows is not cells:
                rows[node] = len(scalars.nodes)
            what = (op, inputs[-1].type, node.type)
            kind = kinds.get(what)
            if kind is None:
                kind = kinds[what] = operation_kind(op, inputs[-1].dtype, node.dtype)
            add_kind(kind)
            add_a(a)
            add_b(b)
            add_c(c)
            add_node(node)
        return len(order)

    def _read_elements(self, node: Node) -> list[int]:
        """The rows of the operands of an operation, which joins the latest region: further ones for new elements."""
        inputs, find, elements, resolve = node.inputs, self._rows.get, self._elements, self.views.resolve
        known = [find(x) or elements.get(x, 0) for x in inputs]
        if not node.shape and all(known):
            self._scalar_region(0)
            return known
        missing = {x: resolve(x) for x, row in zip(inputs, known, strict=True) if not row}
        start = self._after((access.base for access in missing.values()), joins=True) if missing else 0
        if node.shape:  # what is broadcast is read through memory
            other = [resolve(x).base for x in inputs if x.shape != node.shape]
            start = max(start, self._after(other, joins=False))
        region = self._scalar_region(start)
        for x, access in missing.items():
            row = find(access.base)
            if row is None:
                row = self.scalars.element(access, None)
                region.elements.append(row)
            elements[x] = row
        return [find(x) or elements[x] for x in inputs]

    def _place_element(self, node: Node, access: Access) -> None:
        """Place a view or a reduction of a single element: another name for the cell of that."""
        bases = [self.views.resolve(x).base for x in node.inputs]
        joins = node.op.view is None  # a copied view reads its operand through memory
        region = self.region_of[node] = self._scalar_region(self._after(bases, joins))
        region.elements.append(self.scalars.element(access, node))

    def _after(self, bases: Iterable[Node], joins: bool) -> int:
        """The first region index at which an operation on single elements may stand that reads these.

        Args:
            joins: whether it may stand in the region of single elements that it reads.
        """
        regions = (self.segment.region(base) for base in bases)
        return max((x.index + (not joins or x.kind != "scalar") for x in regions if x is not None), default=0)

    def _scalar_region(self, start: int) -> Region:
        """The region that an operation on single elements joins: the latest of such, if that does not run too early."""
        region = self._latest
        if region is None or region.index < start or not self.fuse:
            self._end_rows()
            region = self._latest = self._open("scalar", ())
            region.rows = range(len(self.scalars.nodes), len(self.scalars.nodes))
            self.segment.scalar_regions.append(region)
        return region

    def _end_rows(self) -> None:
        """All rows of the latest region are there."""
        if self._latest is not None:
            self._latest.rows = range(self._latest.rows.start, len(self.scalars.nodes))

    # --- arrays

    def _start(self, node: Node, accesses: tuple[Access, ...]) -> int:
        """The first region index at which a pointwise node may stand, or a reduction, that reads its operands so."""
        shape = node.inputs[0].shape if node.op.combiner else node.shape
        in_registers = self.fuse and node.op.view is None  # a copied view reads its operand through memory
        start = 0
        for x, access in zip(node.inputs, accesses, strict=True):
            base = access.base
            region = self.region_of.get(base)
            if region is None and base in self.cells:
                region = self.segment.region(base)
            if region is None or region.index < start:
                continue
            joined = in_registers and x.shape == shape and region.kind == "loop" and region.shape == x.shape
            start = region.index + (not (joined and base is x and not base.op.combiner))
        return start

    def _place_pointwise(self, node: Node, reader: Node | None = None) -> None:
        resolve = self.views.resolve
        accesses = tuple(map(resolve, node.inputs))
        start = self._start(node, accesses)
        shape, most = node.shape, MAX_LOOP_NODES
        bases = {access.base for access in accesses}
        sought = bases
        if reader is not None:
            read = tuple(map(resolve, reader.inputs))
            start, most = max(start, self._start(reader, read)), most - 1
            sought = bases.union(access.base for access in read)
        small = prod(shape) <= SMALL

        def accepts(region: Region) -> bool:
            return small or region.follows or not sought.isdisjoint(region.bases)

        region = self._join_loop(shape, start, accepts, most)
        self._settle(node, region, accesses)
        region.bases |= bases
        region.bases.add(node)
        region.reads.update(x for x in accesses if self.region_of.get(x.base) is not region)

    def _place_reduction(self, node: Node) -> None:
        operand = node.inputs[0]
        access = self.views.resolve(operand)
        if prod(operand.shape) == 1:
            self._place_element(node, access)
            return
        start, base = self._start(node, (access,)), access.base
        split = split_axes(operand.shape, node.attrs["axes"])

        def accepts(region: Region) -> bool:
            return base in region.bases and (region.split is None or region.split == split)

        region = self._join_loop(operand.shape, start, accepts, MAX_WITH_REDUCTIONS)
        self._settle(node, region, (access,))
        region.split = split
        region.bases.add(base)

    def _place_opaque(self, node: Node) -> None:
        if node.op.parts is None:
            for x in node.inputs:
                access = self.views.resolve(x)
                if is_counter(access.base) or not access.contiguous:
                    self.copy(x)
        self._copy_parts(node)
        self._settle(node, self._open("opaque", ()), tuple(map(self.views.resolve, node.inputs)))

    def _copy_parts(self, node: Node) -> None:
        """Give small views of what `node` updates memory of their own, so that it can do that in place."""
        updated = {self.views.resolve(x).base for x in node.op.updated(node.attrs, node.inputs)} if self.fuse else set()
        for x in node.inputs if updated else ():
            base = self.views.resolve(x).base
            if base is not x and base in updated and 2 * prod(x.shape) <= prod(base.shape):
                self.copy(x)

    def _open(self, kind: str, shape: tuple[int, ...]) -> Region:
        region = Region(kind, len(self.regions), shape)
        self.regions.append(region)
        return region

    def _join_loop(self, shape: tuple[int, ...], start: int, accepts: Callable[[Region], bool], most: int) -> Region:
        """The latest region over `shape` from `start` on that accepts a node and has room for it, or a new one."""
        recent = self._loops.setdefault(shape, [])
        follows = False
        for region in reversed(recent[-LOOK_BACK:] if self.fuse else ()):
            if region.index < start:
                break
            if accepts(region):
                if not _full(region, most):
                    return region
                follows = True
        region = self._open("loop", shape)
        region.follows = follows
        recent.append(region)
        return region

    def _settle(self, node: Node, region: Region, accesses: tuple[Access, ...]) -> None:
        region.nodes.append(node)
        self.region_of[node] = region
        self.accesses[node] = accesses
