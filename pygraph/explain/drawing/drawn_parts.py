"""What a drawing is made of: operations in the calls of the user's functions, opened as far as there is room."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ...graph.graph import Graph, bodies_of
from ...graph.node import Node, maker, self_contained, source_of
from ...graph.printer import labels
from ...graph.source import SourceLine
from ...graph.traversal import walk
from ...ops.constant_array import constant_text
from ...ops.leaves import constant_row as CONSTANT, input_row as INPUT, output_row as OUTPUT
from ..formulas import applied, named

#: The most parts that a group shows at once; a larger one has groups of consecutive parts.
CHILDREN = 24
#: So many parts that follow no other one of their group may be side by side, where it is not asked for.
_BESIDE = 8


@dataclass(eq=False, slots=True)
class Part:
    """An operation, or a group of them.

    Attributes:
        kind: "operation", "input", "constant", "return", "call" (of a function), "run" (some of many) or "body".
        label: its text in one line.
        node: of an operation and its like; of a loop or a branch with its bodies as children.
        children: of a group.
        line: the user's line: of a call, the one that calls.
        sweep: "", "reverse" or "tangent".
        size: how many nodes it stands for.
        opened: its children are drawn.
        number: of one that has children: counted through the drawing.
        operands: the nodes whose values it reads, of those that are drawn.
    """

    kind: str
    label: str
    node: Node | None = None
    children: list[Part] = field(default_factory=list)
    line: SourceLine | None = None
    sweep: str = ""
    size: int = 1
    opened: bool = False
    number: int = 0
    operands: tuple[Node, ...] = ()

    @property
    def is_inputs(self) -> bool:
        """Whether it is a group of inputs and constants alone, which is opened only when asked for."""
        return self.kind == "run" and all(child.is_plain for child in self.children)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is computed in it."""
        return self.kind in ("input", "constant", "return") or self.is_inputs

    def leaves(self) -> Iterator[Part]:
        """The parts that stand for nodes of its graph: not those of bodies."""
        if self.node is not None or not self.children:
            yield self
        else:
            for child in self.children:
                yield from child.leaves()

    def groups(self) -> Iterator[Part]:
        """Itself and all groups in it, those of bodies too."""
        if self.children:
            yield self
            for child in self.children:
                yield from child.groups()


def parts_of(graph: Graph, sweeps: Mapping[Node, str] | None = None, returns: Sequence[str] = ()) -> Part:
    """The whole graph as a group.

    Args:
        graph: what is drawn.
        sweeps: of each node the sweep it belongs to, where that is known better than from its line.
        returns: a name for each output, which are drawn in groups of equal names; without, all are "return".
    """
    root = Part("call", graph.name)
    root.children = _members(graph, sweeps or {}, returns)
    _settle(root)
    for number, group in enumerate(root.groups()):
        group.number = number
    return root


def unfold(root: Part, room: int, names: Iterable[str] = ()) -> None:
    """Open groups from the outside in, as long as no more than `room` parts are seen; groups of `names` at any rate."""
    wanted = set(names)
    for group in root.groups():
        group.opened = group is root or group.label.removeprefix("∂ ") in wanted
    if wanted:
        _open_around(root)
    seen = _seen(root)
    waiting = [(1, group.number, group) for group in _closed(root) if not group.is_inputs]
    heapq.heapify(waiting)
    while waiting:
        depth, _, group = heapq.heappop(waiting)
        if seen + len(group.children) - 1 > room or _is_wide(group):
            continue
        seen += len(group.children) - 1
        group.opened = True
        for child in group.children:
            if child.children and not child.is_inputs:
                heapq.heappush(waiting, (depth + 1, child.number, child))


def _is_wide(group: Part) -> bool:
    """Whether most of many parts have nothing to do with one another: they would be in one long row."""
    if len(group.children) <= _BESIDE:
        return False
    owner = {leaf.node: at for at, child in enumerate(group.children) for leaf in child.leaves()}
    follows = {
        at
        for at, child in enumerate(group.children)
        if any(owner.get(x, at) != at for leaf in child.leaves() for x in leaf.operands)
    }
    return len(group.children) - len(follows) > _BESIDE


def _closed(group: Part) -> Iterator[Part]:
    for child in group.children:
        if child.children and not child.opened:
            yield child
        elif child.children:
            yield from _closed(child)


def _open_around(group: Part) -> bool:
    """Open what is around an opened group."""
    inside = [_open_around(child) for child in group.children if child.children]
    group.opened = group.opened or any(inside)
    return group.opened


def _seen(group: Part) -> int:
    return sum(_seen(child) if child.children and child.opened else 1 for child in group.children)


# --- which nodes are drawn ------------------------------------------------------------------------------------------


def is_drawn(node: Node) -> bool:
    """Whether a node has a box: single constants, counts, and views of these stand in the text of what reads them."""
    if node.op is OUTPUT:
        return False
    if node.op is CONSTANT:
        return bool(node.attrs["value"].value.size > 1)
    if node.op is INPUT or not self_contained(node):
        return True
    base = source_of(node)
    return base.op is CONSTANT and is_drawn(base)


def _texts(graph: Graph) -> dict[Node, str]:
    """A short text for each node where it is an operand, and the same in front of its own box."""
    names: dict[Node, str] = {}
    for node, label in labels(graph).items():
        if node.op is CONSTANT and node.attrs["value"].value.size == 1:
            names[node] = constant_text(node.attrs["value"].value.reshape(()))
        elif node.op is not INPUT and self_contained(node) and not is_drawn(node):
            base = source_of(node)
            names[node] = names.get(base, label) if base.op is CONSTANT else f"counts{list(node.shape)}"
        else:
            names[node] = label
    for node in graph.nodes:
        if node.op is OUTPUT:
            names[node] = f"{names[node.inputs[0]]}.{node.attrs['index']}"
    return names


def _formula(node: Node, names: Mapping[Node, str]) -> str:
    operands = [names[x] for x in node.inputs]
    if len(operands) > 3:
        return f"{node.op.title or node.op.name}({', '.join(operands[:2])}, …)"
    return applied(node, [named(x) for x in operands]).text


# --- calls ------------------------------------------------------------------------------------------------------------

#: A call of a function: its name, where it was called, and the sweep.
Call = tuple[str, "SourceLine | None", str]


def function_label(name: str) -> str:
    """The name of a function as readers know it."""
    short = name.rpartition(".")[2]
    return "lambda" if short == "<lambda>" else short


def calls_of(line: SourceLine | None, sweep: str) -> tuple[Call, ...]:
    """The calls that led to a line, the outermost first."""
    return tuple(
        (function_label(call.function), call.caller, sweep)
        for call in (() if line is None else line.calls)
        if call.function and not call.function.endswith(("comp>", "<genexpr>", "<module>"))
    )


class _Place:
    """A call among those of the graph, with what in it is ready to be put next."""

    def __init__(self, parent: _Place | None) -> None:
        self.parent = parent
        self.inner: dict[Hashable, _Place] = {}
        self.ready: list[int] = []
        self.count = 0

    def at(self, path: Sequence[Hashable]) -> _Place:
        place = self
        for key in path:
            place = place.inner.setdefault(key, _Place(place))
        return place

    def put(self, number: int) -> None:
        heapq.heappush(self.ready, number)
        place: _Place | None = self
        while place is not None:
            place.count += 1
            place = place.parent

    def take(self) -> tuple[int, _Place]:
        """The next one, in this call if there is any, else in the nearest one around it."""
        place = self
        while not place.count:
            assert place.parent is not None
            place = place.parent
        while not place.ready:
            place = next(inner for inner in place.inner.values() if inner.count)
        number = heapq.heappop(place.ready)
        found, around = place, place
        while True:
            around.count -= 1
            if around.parent is None:
                return number, found
            around = around.parent


def _members(graph: Graph, sweeps: Mapping[Node, str], returns: Sequence[str]) -> list[Part]:
    """The operations of a graph in groups of calls, each after its operands."""
    nodes = [node for node in graph.nodes if is_drawn(node)]
    names = _texts(graph)
    operands = {node: tuple(dict.fromkeys(x for x in map(maker, node.inputs) if is_drawn(x))) for node in nodes}
    sweep_of = {node: sweeps.get(node, "" if node.line is None else node.line.sweep) for node in nodes}
    paths = {node: calls_of(node.line, sweep_of[node]) for node in nodes}
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        for x in operands[node]:
            users.setdefault(x, []).append(node)
    for node in reversed(nodes):  # what has no line of its own to be at is where it is read
        if not _is_computed(node):
            paths[node] = _common([paths[user] for user in users.get(node, ())])
    shared = len(_common([path for node, path in paths.items() if _is_computed(node)]))
    paths = {node: path[shared:] for node, path in paths.items()}
    parts = {node: _part(node, names, operands[node], sweep_of[node]) for node in nodes}

    root = Part("call", graph.name)
    stack: list[tuple[Call | None, Part]] = [(None, root)]
    order = _order(nodes, operands, users, paths, sweep_of)
    for node in order:
        path = paths[node]
        if not _is_computed(node):
            # An input is put before the call that reads it first: it begins no group of its own.
            depth = min(len(path), len(stack) - 1)
            siblings = stack[depth][1].children
            siblings.insert(len(siblings) - (depth + 1 < len(stack)), parts[node])
            continue
        same = 0
        while same < min(len(path), len(stack) - 1) and stack[same + 1][0] == path[same]:
            same += 1
        del stack[same + 1 :]
        for call in path[same:]:
            name, line, sweep = call
            group = Part("call", f"∂ {name}" if sweep else name, line=line, sweep=sweep)
            stack[-1][1].children.append(group)
            stack.append((call, group))
        stack[-1][1].children.append(parts[node])
    named = returns or ["return"] * len(graph.outputs)
    for name in dict.fromkeys(named):
        found = [maker(x) for x, said in zip(graph.outputs, named, strict=True) if said == name]
        ends = tuple(x for x in dict.fromkeys(found) if is_drawn(x))
        sweep = name if name in ("reverse", "tangent") else ""
        root.children.append(Part("return", name if name == "return" else f"return {name}", operands=ends, sweep=sweep))
    return root.children


def _order(
    nodes: Sequence[Node],
    operands: Mapping[Node, Sequence[Node]],
    users: Mapping[Node, Sequence[Node]],
    paths: Mapping[Node, Sequence[Call]],
    sweep_of: Mapping[Node, str],
) -> list[Node]:
    """Operands first, and the nodes of a call together as far as that goes; the forward sweep before the others.

    What may wait, because it is not on a longest way through the graph, comes just before what reads it: the factors
    that a reverse sweep computes from kept values stand where they are used, not where they could be computed first.
    """
    depth: dict[Node, int] = {}
    for node in nodes:
        depth[node] = 1 + max((depth[x] for x in operands[node]), default=0)
    latest: dict[Node, int] = {}
    for node in reversed(nodes):
        latest[node] = min((latest[x] - 1 for x in users.get(node, ())), default=depth[node])
    number = {node: i for i, node in enumerate(nodes)}
    level = {"": 0, "reverse": len(nodes), "tangent": 2 * len(nodes)}
    left = {node: len(operands[node]) for node in nodes}
    top = _Place(None)
    found: list[Node] = []
    done: set[Node] = set()

    def known(node: Node) -> None:
        """What reads `node` need not wait for it any longer."""
        waiting = [node]
        while waiting:
            for user in users.get(waiting.pop(), ()):
                left[user] -= 1
                if not left[user]:
                    if latest[user] > depth[user]:
                        waiting.append(user)
                    else:
                        top.at(paths[user]).put(number[user] + level[sweep_of[user]])

    for node in nodes:
        if not operands[node]:
            if node in users:
                known(node)
            else:
                top.at(paths[node]).put(number[node] + level[sweep_of[node]])
    place = top
    while top.count:
        key, place = place.take()
        node = nodes[key % len(nodes)]
        for x in walk([node], stops=done, operands=operands.__getitem__):
            done.add(x)
            found.append(x)
        known(node)
    return found


def _is_computed(node: Node) -> bool:
    """Whether a node is the result of an operation, also where all its operands stand in its text."""
    return node.op is not INPUT and node.op is not CONSTANT


def _common(paths: Sequence[tuple[Call, ...]]) -> tuple[Call, ...]:
    """The calls that all of them begin with."""
    if not paths:
        return ()
    first = min(paths, key=len)
    for i, call in enumerate(first):
        if any(path[i] != call for path in paths):
            return first[:i]
    return first


def _part(node: Node, names: Mapping[Node, str], operands: tuple[Node, ...], sweep: str) -> Part:
    if node.op is INPUT:
        return Part("input", names[node], node, line=node.line)
    if node.op is CONSTANT:
        text = constant_text(node.attrs["value"].value)
        return Part("constant", f"{names[node]} = {text}", node, line=node.line)
    label = f"{names[node]} = {_formula(node, names)}" if names[node].startswith("%") else _formula(node, names)
    part = Part("operation", label, node, line=node.line, sweep=sweep, operands=operands)
    for body in bodies_of(node):
        inner = Part("body", body.name, children=_members(body, {}, ()))
        part.children.append(inner)
    if len(part.children) == 1:  # a loop shows its body without a box around it
        part.children = part.children[0].children
    return part


# --- groups of a size that can be read ------------------------------------------------------------------------------


def _settle(group: Part) -> None:
    """Count, leave out groups of one part, and put the parts of large groups into groups of their own."""
    for child in group.children:
        if child.children:
            _settle(child)
    if group.node is None:
        group.children = [_inner(child) for child in group.children]
    group.children = _runs(group.children)
    group.size = sum(child.size for child in group.children) + (group.node is not None)


def _inner(part: Part) -> Part:
    """What a call of one part shows: the part; of a call with nothing but another call, that one."""
    while part.kind == "call" and part.node is None and len(part.children) == 1:
        (only,) = part.children
        part = only
    return part


def _runs(parts: list[Part]) -> list[Part]:
    """Parts, of which there are at most `CHILDREN`: consecutive ones together, those of a line or repetition first."""
    inputs = [part for part in parts if part.kind != "return" and part.is_plain]
    if len(inputs) > CHILDREN // 2:
        inputs = _grouped(inputs, [0, len(inputs)])
    ends = [part for part in parts if part.kind == "return"]
    rest = [part for part in parts if not part.is_plain]
    most = max(CHILDREN - len(inputs) - len(ends), 4)
    if len(rest) > most:
        rest = _by_repetition(rest)
    while len(rest) > most:
        rest = _even(rest)
    return [*inputs, *rest, *ends]


def _by_repetition(parts: list[Part]) -> list[Part]:
    """One group for each time that the line of the first part comes again after others."""
    first = next((part.line for part in parts if part.line is not None), None)
    begins = [
        i
        for i, part in enumerate(parts)
        if part.line is first and (i == 0 or parts[i - 1].line is not first) and first is not None
    ]
    if len(begins) < 3:
        return parts
    bounds = [0, *begins[1:], len(parts)]
    return _grouped(parts, bounds)


def _even(parts: list[Part]) -> list[Part]:
    """Groups of equal numbers of parts, so that about as many groups are made as each has."""
    each = min(CHILDREN, max(2, round(len(parts) ** 0.5)))
    return _grouped(parts, [*range(0, len(parts), each), len(parts)])


def _grouped(parts: list[Part], bounds: Sequence[int]) -> list[Part]:
    found = []
    for begin, end in pairwise(bounds):
        some = parts[begin:end]
        if len(some) == 1:
            found += some
            continue
        while len(some) > CHILDREN:
            some = _even(some)
        sweeps = {part.sweep for part in some}
        lines = {part.line.place: part.line for part in some if part.line is not None}
        line = next(iter(lines.values()), None)
        label = _run_label(some, line)
        group = Part("run", label, children=some, line=line, sweep=sweeps.pop() if len(sweeps) == 1 else "")
        group.size = sum(part.size for part in some)
        found.append(group)
    return found


def _run_label(parts: Sequence[Part], line: SourceLine | None) -> str:
    if all(part.is_plain for part in parts):
        return f"{parts[0].label.split(' = ')[0]} … {parts[-1].label.split(' = ')[0].rpartition('… ')[2]}"
    names = {part.label for part in parts if part.kind in ("call", "run")}
    if len(names) == 1:
        return names.pop()
    if line is None:
        return "operations"
    return line.code or line.place
