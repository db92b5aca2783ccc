"""The Graph: named inputs, outputs in a container, and the nodes between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import is_
from typing import Any, Protocol

import numpy as np

from ..errors import DTypeError, GraphError, ShapeError, SignatureError, shown
from ..ops.common import kind
from ..ops.constant_array import Constant
from ..ops.dtypes import KINDS
from ..ops.leaves import input_row as INPUT
from ..ops.row import Op
from .construction import as_node, constant, make, remake
from .interning import known
from .node import Node
from .recording import is_recording, refuse_leaked
from .rewriting import substitute
from .traversal import walk
from .tree import TreeDef, flatten, unflatten
from .weak import WEAK_TYPES

__all__ = ["Drawing", "Graph", "bind_drawing", "bind_views", "bodies_of", "constant_bytes", "unified"]


class Drawing(Protocol):
    """What `Graph.draw` gives; see `explain.drawing`."""

    def svg(self, path: str | os.PathLike[str] | None = None) -> str:
        """The drawing as SVG, which is also written to `path` where that is given."""
        ...

    def png(self, path: str | os.PathLike[str], dark: bool = False) -> None:
        """Write the drawing as a PNG image."""
        ...

    def dot(self) -> str:
        """All nodes, with nothing folded, in the language of Graphviz."""
        ...

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """A page with the drawing, and with each of its folded groups."""
        ...


class Graph:
    """An immutable function from inputs to outputs, written as nodes.

    Args:
        inputs: variables (`pg.var`), in the order of the arguments.
        outputs: one expression or a nested container of them; arrays and numbers become constants.
        name: the name of the graph in listings and errors.

    Attributes:
        inputs: the variables.
        outputs: the expressions, flat.
        output_tree: the container that the outputs came in.
        input_tree: the container of the arguments, where the graph was traced from a function; else None.
        name: the name.

    Two graphs are equal when they have the same nodes in the same order, between inputs of the same names and types and
    outputs in the same container; their own names and the source lines do not count.

    Raises:
        GraphError: an input is not a variable or occurs twice, two inputs have one name, or an output depends on a
            variable that is not among the inputs.

    Example:
        >>> x = pg.var("x", (3,))
        >>> print(pg.Graph([x], np.sum(x * x), name="square"))  # doctest: +ELLIPSIS
        graph square(x: float64[3]):
          %0 = multiply(x, x) : float64[3]...
    """

    __slots__ = (
        "__weakref__",
        "_canonical",
        "_free",
        "_hash",
        "_height",
        "_nodes",
        "_ops",
        "_variables",
        "input_tree",
        "inputs",
        "name",
        "output_tree",
        "outputs",
    )

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    output_tree: TreeDef
    input_tree: TreeDef | None
    name: str

    def __init__(self, inputs: Iterable[Node], outputs: Any, name: str = "graph") -> None:
        if isinstance(inputs, Node):
            inputs = (inputs,)
        try:
            leaves, output_tree = flatten(outputs)
            self._fill(tuple(inputs), tuple(as_node(leaf) for leaf in leaves), output_tree, None, name)
            self.require_closed()
            names = self.names
            if len(set(names)) < len(names):
                problem = f"two inputs have the name {next(x for x in names if names.count(x) > 1)!r}"
                raise GraphError(problem, "give each variable its own name")
        except GraphError as error:
            error.complete("recording", f"graph {name!r}")
            raise

    @classmethod
    def from_parts(
        cls,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        output_tree: TreeDef | None = None,
        input_tree: TreeDef | None = None,
        name: str = "graph",
    ) -> Graph:
        """A graph from flat parts, which may depend on variables of an enclosing trace (see `free`).

        Names of inputs need not differ, as in the bodies of loops. Without `output_tree` the outputs form a tuple.
        """
        graph = cls.__new__(cls)
        tree = output_tree if output_tree is not None else flatten((0,) * len(outputs))[1]
        graph._fill(tuple(inputs), tuple(outputs), tree, input_tree, name)
        return graph

    def _fill(
        self,
        inputs: tuple[Node, ...],
        outputs: tuple[Node, ...],
        output_tree: TreeDef,
        input_tree: TreeDef | None,
        name: str,
    ) -> None:
        given: tuple[Any, ...] = inputs
        for i, node in enumerate(given):
            if not isinstance(node, Node) or node.op is not INPUT:
                problem = f"input {i} is {shown(node)}, not a variable"
                raise GraphError(problem, "give what pg.var returned")
        if len(set(inputs)) < len(inputs):
            twice = next(node for i, node in enumerate(inputs) if node in set(inputs[:i]))
            problem = f"input {twice.attrs['name']!r} is there twice"
            raise GraphError(problem, "give each variable once")
        self.inputs = inputs
        self.outputs = outputs
        self.output_tree = output_tree
        self.input_tree = input_tree
        self.name = name
        self._nodes: tuple[Node, ...] | None = None
        self._ops: frozenset[Op] | None = None
        self._variables: tuple[Node, ...] | None = None
        self._free: tuple[Node, ...] | None = None
        self._canonical: tuple[Hashable, ...] | None = None
        self._hash: int | None = None
        self._height: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(node.attrs["name"] for node in self.inputs)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes: the inputs, then the others, each after its operands."""
        if self._nodes is None:
            self._nodes = tuple(walk((*self.inputs, *self.outputs)))
        return self._nodes

    @property
    def ops(self) -> frozenset[Op]:
        """The operations of its nodes, each once: what looks for some need not look where there are none."""
        if self._ops is None:
            self._ops = frozenset([node.op for node in self.nodes])
        return self._ops

    @property
    def variables(self) -> tuple[Node, ...]:
        """Its inputs, and what it has of other variables."""
        if self._variables is None:
            self._variables = tuple([node for node in self.nodes if node.op is INPUT])
        return self._variables

    @property
    def free(self) -> tuple[Node, ...]:
        """Variables that the outputs depend on and that are not among the inputs."""
        if self._free is None:
            known = set(self.inputs)
            self._free = tuple([node for node in self.variables if node not in known])
        return self._free

    @property
    def height(self) -> int:
        """How deep loops and branches are nested in it; 0 where there are none."""
        if self._height is None:
            found = any(op.results is not None for op in self.ops)  # only such have bodies
            several = [node for node in self.nodes if node.results is not None] if found else []
            self._height = max((1 + body.height for node in several for body in bodies_of(node)), default=0)
        return self._height

    def require_closed(self) -> None:
        """Raises `GraphError` naming the variables that are not among the inputs, if there are any."""
        if not self.free:
            return
        refuse_leaked(self.outputs, self.name, self.inputs)
        names = [node.attrs["name"] for node in self.free]
        if set(names) & set(self.names):
            problem = f"the outputs depend on another variable than the input {names[0]!r}, of the same name"
            advice = "make each variable once: two calls of pg.var give two variables"
        else:
            listed = ", ".join(map(repr, names))
            problem = f"the outputs depend on {listed}, not among the inputs ({', '.join(self.names) or 'none'})"
            advice = "add it to the inputs, or pass it to the function as an argument"
        raise GraphError(problem, advice, stage="recording", subject=f"graph {self.name!r}", line=self.free[0].line)

    def __call__(self, /, *args: Any) -> Any:
        """The results for expressions: the operations are recorded among those around them.

        Arguments, some of them expressions, are in the containers that the graph was traced with, or in the order of
        its inputs; arrays and Python numbers become constants.

        Raises:
            SignatureError: other containers, or no expression among the arguments.
            ShapeError, DTypeError: an argument of another type than the input.

        Example:
            >>> square = pg.trace(lambda x: x * x, 1.0)
            >>> pg.grad(lambda x: square(np.sin(x)))(0.0)
            np.float64(0.0)
        """
        leaves, form = flatten(args)
        wanted = flatten(self.inputs)[1] if self.input_tree is None else self.input_tree
        if form != wanted:
            problem, advice = f"arguments {form!r} given for {wanted!r}", f"the inputs are {', '.join(self.names)}"
            raise SignatureError(problem, advice, stage="tracing", subject=f"graph {self.name!r}")
        if not is_recording() and not any(isinstance(leaf, Node) for leaf in leaves):
            problem, advice = "a graph is called with expressions", "to run it on arrays: pg.compile(graph)(x)"
            raise SignatureError(problem, advice, stage="tracing", subject=f"graph {self.name!r}")
        return self.inlined(leaves)

    def inlined(self, leaves: Sequence[Any]) -> Any:
        """The results with these values for the inputs, checked as `__call__` says."""
        given = {x: _fitting(x, leaf, self.name) for x, leaf in zip(self.inputs, leaves, strict=True)}
        return self.unflatten(substitute(self.outputs, given))

    def unflatten(self, values: Sequence[Any]) -> Any:
        """One value for each output, in the container that the outputs came in."""
        return unflatten(self.output_tree, values)

    def verify(self, stage: str = "traced") -> None:
        """Check the graph against the specification of its stage.

        Raises:
            VerificationError: names the stage, the op and the node.
        """
        _verify(self, stage)

    def draw(self, room: int = 60, unfolded: str | Iterable[str] = ()) -> Drawing:
        """A drawing in layers, with the operations in frames for the functions that recorded them.

        Args:
            room: how many boxes may be seen at once; calls and stretches beyond that are folded to one box each.
            unfolded: names of functions whose calls are opened at any rate.

        Returns:
            An object with `.svg(path)`, `.png(path)`, `.dot()` and `.to_html(path)`, which notebooks show.

        Raises:
            SignatureError: `room` is no positive number.

        Example:
            >>> graph = pg.trace(lambda x: np.sum(np.sin(x) * x), np.ones(3))
            >>> graph.draw().svg()[:4]
            '<svg'
        """
        return _drawn(self, room, unfolded)

    def __str__(self) -> str:
        return _listing(self)

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.inputs)} inputs, {len(self.outputs)} outputs, {len(self.nodes)} nodes>"

    def _form(self) -> tuple[Hashable, ...]:
        """The graph with nodes by number, equal ones by the same, which equality and the hash go by."""
        if self._canonical is None:
            number: dict[Node, int] = {}
            rows: dict[Hashable, int] = {}
            own = {node: i for i, node in enumerate(self.inputs)}
            for node in self.nodes:
                if node in own:
                    row: Hashable = (own[node], node.attrs["name"], node.shape, node.dtype)
                else:
                    row = (node.op, tuple([number[x] for x in node.inputs]), node.items)
                number[node] = rows.setdefault(row, len(rows))
            outputs = tuple(number[node] for node in self.outputs)
            self._canonical = (len(self.inputs), outputs, self.output_tree, self.input_tree, tuple(rows))
        return self._canonical

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Graph) and hash(self) == hash(other) and self._form() == other._form()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self._form())
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(self)


_listing: Callable[[Graph], str]
_reduced: Callable[[Graph], tuple[Any, ...]]
_verify: Callable[[Graph, str], None]
_drawn: Callable[[Graph, int, str | Iterable[str]], Drawing]


def bind_views(
    listing: Callable[[Graph], str],
    reduced: Callable[[Graph], tuple[Any, ...]],
    verify: Callable[[Graph, str], None],
) -> None:
    """Tell graphs how they are shown, stored by pickle, and verified (called once, by `pygraph.graph`)."""
    global _listing, _reduced, _verify
    _listing, _reduced, _verify = listing, reduced, verify


def bind_drawing(drawn: Callable[[Graph, int, str | Iterable[str]], Drawing]) -> None:
    """Tell graphs how they are drawn (called once, by `pygraph.explain`)."""
    global _drawn
    _drawn = drawn


def unified(graph: Graph) -> Graph:
    """`graph` with equal nodes made one, also in bodies, and all known where nodes are made from now on.

    It is the graph itself where no two nodes of different tables are equal (see `interning`).
    """
    done: dict[Node, Node] = {}
    for node in graph.nodes:
        inputs, attrs = node.inputs, node.attrs
        for x in inputs:
            if x in done:
                inputs = tuple([done.get(x, x) for x in inputs])
                break
        if node.results is not None:  # only what has several results has bodies
            attrs = {name: _unified(value) for name, value in attrs.items()}
            attrs = node.attrs if all(map(is_, attrs.values(), node.attrs.values())) else attrs
        if attrs is not node.attrs:
            found = make(node.op, inputs, attrs, node.line)
        elif inputs is not node.inputs:
            found = remake(node, inputs)
        else:
            found = known(node)
        if found is not node:
            done[node] = found
    if not done:
        return graph
    outputs = [done.get(x, x) for x in graph.outputs]
    return Graph.from_parts(graph.inputs, outputs, graph.output_tree, graph.input_tree, graph.name)


def _unified(value: Any) -> Any:
    """An attribute, with equal nodes of bodies made one."""
    if isinstance(value, Graph):
        return unified(value)
    if isinstance(value, tuple) and any(isinstance(x, Graph) for x in value):
        found = tuple(map(_unified, value))
        return value if all(map(is_, found, value)) else found
    return value


def bodies_of(node: Node) -> list[Graph]:
    """The sub-graphs of a node: the bodies of a loop or a branch, in the order of its attributes."""
    found: list[Graph] = []
    for value in node.attrs.values():
        found += [x for x in (value if isinstance(value, tuple) else (value,)) if isinstance(x, Graph)]
    return found


def constant_bytes(graph: Graph) -> int:
    """The bytes of all constants of a graph and of the graphs inside of it, each counted once."""
    sizes: dict[int, int] = {}
    graphs = [graph]
    while graphs:
        for node in graphs.pop().nodes:
            if node.results is not None:  # only what has several results has bodies
                graphs += bodies_of(node)
            elif not node.inputs and isinstance(value := node.attrs.get("value"), Constant):
                sizes[id(value)] = value.value.nbytes
    return sum(sizes.values())


def _fitting(variable: Node, leaf: Any, graph: str) -> Node:
    """An argument of the type of a variable."""
    weak = type(leaf) in WEAK_TYPES and "bif".index(kind(leaf)) <= "bif".index(KINDS[variable.dtype])
    node = constant(np.asarray(leaf, variable.dtype)) if weak else as_node(leaf)
    name, wanted = variable.attrs["name"], variable.type_text
    if node.shape != variable.shape:
        problem, advice = f"argument {name!r} is {node.type_text}, not {wanted}", "give that shape: shapes are fixed"
        raise ShapeError(problem, advice, stage="tracing", subject=f"graph {graph!r}", operands=(node,))
    if node.dtype != variable.dtype:
        problem, advice = (
            f"argument {name!r} is {node.type_text}, not {wanted}",
            f"give x.astype({variable.dtype.name!r})",
        )
        raise DTypeError(problem, advice, stage="tracing", subject=f"graph {graph!r}", operands=(node,))
    return node
