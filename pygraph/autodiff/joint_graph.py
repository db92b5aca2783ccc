"""One graph with a function's values, its gradients and its tangents, for a program with three segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DTypeError, UnsupportedError
from ..graph.construction import var
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.uniform import full
from ..ops.dtypes import is_float
from . import rules as _rules  # noqa: F401  (branches and loops have rules of their own)
from .checkpoint_plan import Applied, rewritten
from .forward import jvp
from .reverse import vjp


@dataclass(frozen=True)
class JointGraph:
    """A graph and its derivatives with respect to some inputs.

    Attributes:
        graph: inputs are those of the primal graph, then one seed per floating output (`seed0`, `seed1`, …, shaped like
            the output), then one tangent per variable (`d_<name>`); outputs are the primal outputs, the gradient of
            each variable, and the tangent of each floating output. Zeros are arrays of zeros.
        segments: how many outputs each of the three groups has.
        groups: how many inputs each of the three groups has.
        wrt: positions of the variables among the primal inputs.
        seeded: positions of the outputs that are floating: only these have a seed and a tangent.
        no_tangent: why there is no third group (a derivative that is given for reverse mode only), else None.
    """

    graph: Graph
    segments: tuple[int, int, int]
    groups: tuple[int, int, int]
    wrt: tuple[int, ...]
    seeded: tuple[int, ...]
    no_tangent: UnsupportedError | None = None

    @property
    def levels(self) -> tuple[int, ...]:
        """For each input the segment that it is first known in: 0 primal, 1 reverse, 2 tangent."""
        return tuple(level for level, count in enumerate(self.groups) for _ in range(count))


def joint(graph: Graph, wrt: Sequence[int], applied: Applied | None = None) -> JointGraph:
    """The values of `graph`, its gradients and its tangents with respect to the inputs at positions `wrt`.

    By the plan `applied` these recompute parts of it.

    The tangent of a `scan` reads the stacked values of the primal loop, as its gradient does: neither reruns that loop.

    Raises:
        DTypeError: a variable is not floating.

    Example:
        >>> x = pg.var("x")
        >>> joint(pg.Graph([x], np.sin(x)), [0]).graph.names
        ('x', 'seed0', 'd_x')
    """
    variables = [graph.inputs[i] for i in wrt]
    for variable in variables:
        if not is_float(variable.dtype):
            raise DTypeError(
                f"no derivative with respect to {variable.attrs['name']!r}: it is {variable.dtype}, not floating",
                "leave it out of wrt, or make the variable float64",
                stage="differentiating",
                subject=f"graph {graph.name!r}",
                line=variable.line,
            )
    seeded = tuple(i for i, output in enumerate(graph.outputs) if is_float(output.dtype))
    values = graph.outputs if applied is None else rewritten(graph.outputs, graph.inputs, applied)
    outputs = [values[i] for i in seeded]
    taken = {str(node.attrs["name"]) for node in graph.inputs}
    seeds = [_fresh(f"seed{i}", output, taken) for i, output in enumerate(outputs)]
    tangents = [_fresh(f"d_{variable.attrs['name']}", variable, taken) for variable in variables]
    gradients = _filled(vjp(outputs, variables, seeds), variables)
    no_tangent = None
    try:
        pushed = _filled(jvp(outputs, variables, tangents, linear=True), outputs)
    except UnsupportedError as error:
        no_tangent, tangents, pushed = error.again_as(UnsupportedError), [], []
    return JointGraph(
        graph=Graph.from_parts((*graph.inputs, *seeds, *tangents), (*values, *gradients, *pushed), name=graph.name),
        segments=(len(graph.outputs), len(gradients), len(pushed)),
        groups=(len(graph.inputs), len(seeds), len(tangents)),
        wrt=tuple(wrt),
        seeded=seeded,
        no_tangent=no_tangent,
    )


def _fresh(name: str, like: Node, taken: set[str]) -> Node:
    while name in taken:
        name += "_"
    taken.add(name)
    return var(name, like.shape, like.dtype)


def _filled(derivatives: Sequence[Node | None], primals: Sequence[Node]) -> list[Node]:
    return [
        full(0, primal.shape, primal.dtype) if derivative is None else derivative
        for derivative, primal in zip(derivatives, primals, strict=True)
    ]
