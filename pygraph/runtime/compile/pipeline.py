"""From a Graph to a loaded Program: differentiate, optimise, lower, load."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ...autodiff.checkpoint_plan import Applied, Plan
from ...autodiff.cost import flops
from ...autodiff.deferral import written_graph
from ...autodiff.jacobians.single_elements import by_elements
from ...autodiff.joint_graph import JointGraph, joint
from ...collector import paused
from ...debug import asked
from ...errors import DTypeError, GraphError, UnsupportedError, shown
from ...graph.graph import Graph, unified
from ...graph.interning import interning
from ...graph.node import Node
from ...graph.precision import in_single_precision
from ...graph.source import type_text
from ...graph.tree import LEAF, TreeDef, flatten, unflatten
from ...graph.verify import check_enabled
from ...lower import MemoryPlan, Program, disassemble, memory_plan
from ...lower.body import Body
from ...lower.format import MAX_ARENA
from ...lower.lowering import encoded, lower_bodies
from ...ops.dtypes import is_float
from ...ops.row import lookup
from ...optimize import optimize
from ..clib.library import Library
from .signature import Parameter, Signature, refuse
from .unrolled import report_unrolled


@dataclass(frozen=True, slots=True)
class Variable:
    """One entry of `wrt`: its name, the positions of its arrays among the inputs, and their container."""

    name: str
    positions: tuple[int, ...]
    form: TreeDef


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the stages are to do; see `Executable`."""

    check_finite: bool = False
    fuse: bool = True
    optimise: bool = True
    assume_finite: bool = False

    @property
    def fuses(self) -> bool:
        """Whether operations share instructions: not where the first one that makes inf or nan is to be named."""
        return self.fuse and not self.check_finite


@dataclass(frozen=True, slots=True, eq=False)
class Differentiated:
    """A graph with the derivatives that are planned beside it.

    Attributes:
        graph: as given, with all derivatives in it written out.
        plan: what derivatives recompute.
        signature: the arguments of a call.
        variables: what is differentiated, or None when the reverse and tangent segments are not planned.
        derived: the graph with its derivatives; None as before.
        times: when it was begun, and done.
    """

    graph: Graph
    plan: Plan
    signature: Signature
    variables: tuple[Variable, ...] | None
    derived: JointGraph | None
    times: tuple[float, ...]

    @property
    def whole(self) -> Graph:
        """What is to be lowered."""
        return self.graph if self.derived is None else self.derived.graph

    @property
    def counts(self) -> tuple[Sequence[int] | None, Sequence[int] | None]:
        """How many of its outputs and of its inputs belong to each segment."""
        return (None, None) if self.derived is None else (self.derived.segments, self.derived.groups)


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """The same lowered, but for the encoding.

    Attributes:
        graph: what was lowered.
        bodies: the instructions and the memory plan of each body, the function itself first.
        times: when each stage was begun, and the last one done.
    """

    source: Differentiated
    options: BuildOptions
    graph: Graph
    bodies: Sequence[Body]
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A graph ready to run; immutable, shared by copies of an Executable.

    Attributes:
        graph: as given, before differentiation and optimisation.
        plan: what its derivatives recompute.
        variables: what is differentiated, or None when the reverse and tangent segments are not planned.
        seeded: positions of the floating outputs, which have a seed and a tangent.
        no_tangent: why there is no tangent segment although there are variables; else None.
        program: the lowered graph.
        library: the same, loaded.
        signature: the arguments of a call.
        nodes: how many nodes were lowered.
        fallible: whether a run may fail once its arguments are accepted.
        seconds: what all this took.
    """

    graph: Graph
    plan: Plan
    variables: tuple[Variable, ...] | None
    seeded: tuple[int, ...]
    no_tangent: UnsupportedError | None
    program: Program
    library: Library
    signature: Signature
    nodes: int
    fallible: bool
    seconds: float


def build(graph: Graph, wrt: Iterable[Any] | None, options: BuildOptions, plan: Plan) -> Built:
    """Compile `graph`; `wrt` names the inputs whose derivatives are planned too, by `plan`.

    Raises:
        SignatureError: an entry of `wrt` is not an input.
        DTypeError: an entry of `wrt` is not floating.
    """
    with paused():
        return loaded(lowered(differentiated(graph, wrt, Applied(plan)), options))


def differentiated(graph: Graph, wrt: Iterable[Any] | None, applied: Applied) -> Differentiated:
    """The first stage: `graph` with the derivatives in it, and those that `wrt` asks for, by a plan."""
    start = time.perf_counter()
    with interning():
        return _differentiated(graph, wrt, applied, start)


def _differentiated(given: Graph, wrt: Iterable[Any] | None, applied: Applied, start: float) -> Differentiated:
    graph = written_graph(given, applied)
    if graph is not given and check_enabled():
        graph.verify("traced")
    graph.require_closed()
    if asked():
        report_unrolled(given)
    signature = graph_signature(graph)
    variables = None if wrt is None else resolve(graph, signature, wrt)
    derived = None
    if variables is not None:
        derived = joint(unified(graph), [i for variable in variables for i in variable.positions], applied)
        if check_enabled():
            derived.graph.verify("differentiated")
    return Differentiated(graph, applied.plan, signature, variables, derived, (start, time.perf_counter()))


def lowered(source: Differentiated, options: BuildOptions) -> Lowered:
    """The next two stages: optimised and lowered."""
    whole = _optimised(source, options)
    optimised = time.perf_counter()
    bodies = lower_bodies(whole, *source.counts, fuse=options.fuses)
    return Lowered(source, options, whole, bodies, (*source.times, optimised, time.perf_counter()))


def _optimised(source: Differentiated, options: BuildOptions) -> Graph:
    if not options.optimise:
        return source.whole
    levels = None if source.derived is None else source.derived.levels
    if options.assume_finite:
        return _optimised_finite(source.whole, levels)
    return optimize(source.whole, levels, check_finite=options.check_finite)


def _optimised_finite(graph: Graph, levels: Sequence[int] | None) -> Graph:
    """The better form for numbers that are finite: of whole arrays, or of single elements where that is less work."""
    whole = optimize(graph, levels, assume_finite=True)
    written = by_elements(whole)
    if written is None:
        return whole
    elements = optimize(written, levels, assume_finite=True)
    return elements if flops(elements.outputs) <= flops(whole.outputs) else whole


def planned_memory(built: Built, options: BuildOptions) -> MemoryPlan:
    """Where the values of a built graph lie in the arena: what the stages that made its Program make again."""
    return memory_plan(lowered_again(built, options).bodies)


def programs(
    built: Built, own: BuildOptions, options: BuildOptions, single: bool
) -> tuple[Program, Program | None, Graph]:
    """The Program of a graph's outputs alone, that with its derivatives (None without any), and the graph.

    Args:
        built: what it was compiled to, whose Program is one of them unless it is to be another one.
        own: the options of its stages.
        options: those that are asked for.
        single: in single precision.

    Raises:
        UnsupportedError: an operation has no single precision.
    """
    names = None if built.variables is None else [variable.name for variable in built.variables]
    with paused():
        graph = in_single_precision(built.graph) if single else built.graph
        whole = _encoded(graph, names, options, built.plan) if single or options != own else built.program
        return (whole, None, graph) if names is None else (_encoded(graph, None, options, built.plan), whole, graph)


def _encoded(graph: Graph, wrt: Iterable[Any] | None, options: BuildOptions, plan: Plan) -> Program:
    found = lowered(differentiated(graph, wrt, Applied(plan)), options)
    return encoded(found.graph, found.bodies, *found.source.counts)


def lowered_again(built: Built, options: BuildOptions) -> Lowered:
    """What the Program of a built graph was encoded from, made once more."""
    wrt = None if built.variables is None else [variable.name for variable in built.variables]
    with paused():
        return lowered(differentiated(built.graph, wrt, Applied(built.plan)), options)


def loaded(found: Lowered) -> Built:
    """The last stages: a Program, and that as the C library takes it."""
    source, derived, nodes = found.source, found.source.derived, len(found.graph.nodes)
    program = encoded(found.graph, found.bodies, *source.counts)
    times = (*found.times, time.perf_counter())
    fallible = found.options.check_finite or any(lookup(name).fallible for name in program.nodes.ops)
    del found  # what was lowered goes before the library takes memory, where nothing else refers to it
    graph = source.graph
    largest = max((*program.inputs, *program.outputs), key=lambda port: port.nbytes, default=None)
    if largest is not None and largest.nbytes > MAX_ARENA:
        problem = f"{largest.name!r} is {type_text(largest.shape, largest.dtype)}, {largest.nbytes:.3g} bytes"
        raise GraphError(problem, "use smaller arrays", stage="lowering", subject=graph.name)
    if program.arena_bytes > MAX_ARENA:
        problem = f"a call would need {program.arena_bytes:.3g} bytes for its intermediates"
        advice = "use smaller arrays or fewer steps of a loop: a gradient keeps what every step needs"
        raise GraphError(problem, advice, stage="lowering", subject=graph.name)
    library = Library(program, graph.name)
    times = (*times, time.perf_counter())
    _report(graph.name, program, times)
    return Built(
        graph=graph,
        plan=source.plan,
        variables=source.variables,
        seeded=() if derived is None else derived.seeded,
        no_tangent=None if derived is None else derived.no_tangent,
        program=program,
        library=library,
        signature=source.signature,
        nodes=nodes,
        fallible=fallible,
        seconds=times[-1] - times[0],
    )


def _report(name: str, program: Program, times: Sequence[float]) -> None:
    """Under PYGRAPH_DEBUG=1 or more: what each stage took, on standard error; from 3 on, the Program too."""
    level = asked()
    if level == 0:
        return
    stages = ("differentiate", "optimise", "lower", "encode", "load")
    spans = (
        f"{stage} {(after - before) * 1e3:.3f} ms"
        for stage, before, after in zip(stages, times[:-1], times[1:], strict=True)
    )
    print(f"compile {name}: {', '.join(spans)}; {program.instructions} instructions", file=sys.stderr)
    if level >= 3:
        print(disassemble(program), file=sys.stderr)


def graph_signature(graph: Graph) -> Signature:
    """The signature of a graph: its inputs one by one, or the containers that it was traced with."""
    of_inputs = graph.names
    parameters = [Parameter(name, node.shape, node.dtype) for name, node in zip(of_inputs, graph.inputs, strict=True)]
    if graph.input_tree is None:
        return Signature(graph.name, of_inputs, parameters)
    names, start = [], 0
    for i, form in enumerate(graph.input_tree.children):
        leaves = of_inputs[start : start + form.n_leaves]
        names.append(leaves[0] if form == LEAF else re.split(r"[.\[]", leaves[0])[0] if leaves else f"argument {i + 1}")
        start += form.n_leaves
    return Signature(graph.name, names, parameters, graph.input_tree.children)


def resolve(graph: Graph, signature: Signature, wrt: Iterable[Any]) -> tuple[Variable, ...]:
    """The entries of `wrt` (names of arguments or inputs, positions, or variables) as `Variable`s."""
    find = _Finder(graph, signature)
    entries: Sequence[Any] = [wrt] if isinstance(wrt, (str, int, Node)) else list(wrt)
    found = [find(entry) for entry in entries]
    taken: set[int] = set()
    for variable in found:
        if taken.intersection(variable.positions):
            raise refuse(f"compile({graph.name})", f"wrt names {variable.name!r} twice", "name each input once")
        taken.update(variable.positions)
        for i in variable.positions:
            if not is_float(graph.inputs[i].dtype):
                raise DTypeError(
                    f"wrt names {graph.inputs[i].attrs['name']!r}, which is not floating",
                    "declare it as float64, or leave it out of wrt",
                    stage="compiling",
                    subject=graph.name,
                    operands=[graph.inputs[i]],
                )
    return tuple(found)


class _Finder:
    """Finds what an entry of `wrt` names; tables, so that many entries among many inputs take linear time."""

    def __init__(self, graph: Graph, signature: Signature) -> None:
        self.graph, self.signature = graph, signature
        self.names = graph.names
        self.starts = list(accumulate((form.n_leaves for form in signature.forms), initial=0))
        self.arguments = _first(signature.names)
        self.by_name = _first(self.names)
        self.by_node = _first(graph.inputs)

    def __call__(self, entry: Any) -> Variable:
        if isinstance(entry, Node) and entry in self.by_node:
            position = self.by_node[entry]
            return Variable(self.names[position], (position,), LEAF)
        signature = self.signature
        argument = None
        if isinstance(entry, str) and entry in self.arguments:
            argument = self.arguments[entry]
        elif isinstance(entry, str) and entry in self.by_name:
            return Variable(entry, (self.by_name[entry],), LEAF)
        elif isinstance(entry, int) and not isinstance(entry, bool) and 0 <= entry < len(signature.names):
            argument = entry
        if argument is None:
            title, listed = f"compile({self.graph.name})", ", ".join(map(repr, signature.names)) or "none"
            raise refuse(title, f"wrt names {shown(entry)}, which is not an input", f"the inputs are {listed}")
        first, end = self.starts[argument : argument + 2]
        return Variable(signature.names[argument], tuple(range(first, end)), signature.forms[argument])


def _first(keys: Sequence[Any]) -> dict[Any, int]:
    """The first position of each key."""
    return {key: i for i, key in reversed(list(enumerate(keys)))}


def seed_signature(built: Built) -> Signature:
    """The arguments of `reverse`: one container like the output, without the outputs that are not floating."""
    outputs = built.graph.outputs
    form = _without(built.graph.output_tree, {i for i in range(len(outputs)) if i not in built.seeded})
    single = len(built.seeded) == 1 and form == LEAF
    parameters = [
        Parameter("seed" if single else f"seed of output {i + 1}", outputs[i].shape, outputs[i].dtype)
        for i in built.seeded
    ]
    return Signature(f"{built.graph.name}.reverse", ["seed"], parameters, [form], derived=True)


def tangent_signature(built: Built) -> Signature:
    """The arguments of `jvp`: one per entry of `wrt`."""
    variables = built.variables or ()
    nodes = [built.graph.inputs[i] for variable in variables for i in variable.positions]
    parameters = [Parameter(f"d_{node.attrs['name']}", node.shape, node.dtype) for node in nodes]
    names = [f"d_{variable.name}" for variable in variables]
    return Signature(f"{built.graph.name}.jvp", names, parameters, [variable.form for variable in variables], True)


def _without(tree: TreeDef, dropped: set[int]) -> TreeDef:
    """The form `tree` with None in place of the leaves at the positions `dropped`."""
    return flatten(unflatten(tree, [None if i in dropped else 0 for i in range(tree.n_leaves)]))[1]
