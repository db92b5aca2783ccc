"""An explanation: the steps of one evaluation, the products of the chain rule, and what they add up to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

if TYPE_CHECKING:
    from ..graph.graph import Graph
    from ..graph.node import Node
    from .local_derivatives import Derivative

Array = npt.NDArray[Any]

__all__ = ["Edge", "Explanation", "Inside", "Step"]


@dataclass(frozen=True)
class Inside:
    """What is inside of a step: one step of a loop, or the branch that was taken.

    Attributes:
        kind: "loop", "branch" or "checkpoint".
        title: the loop or the branch in words: "step 3 of 5 of the loop body".
        explanation: of the body, at the values that it had there.
        entering: by the name that the body has for it, the step outside whose value it is.
        leaving: by the name of a result outside, the step of the body that gave it, in its last step.
    """

    kind: str
    title: str
    explanation: Explanation
    entering: dict[str, str]
    leaving: dict[str, str]


@dataclass(frozen=True)
class Step:
    """A node of the forward sweep.

    Attributes:
        name: the user's variable, or what it computes, or a number.
        formula: the operation on the names of its operands; empty for an input.
        value: its value.
        tangent: in forward mode its tangent, None for zero.
        operands: the names of the steps that it is computed from.
        line: the user's line that recorded it, as "net.py:12  z1 = x @ W1"; empty where there is none.
        calls: the functions of the user's that the line ran in, the outermost first, without the one explained.
        latex: the name and the formula in LaTeX.
        inside: the body of a loop or a branch.
    """

    name: str
    formula: str
    value: Array
    tangent: Array | None = None
    operands: tuple[str, ...] = ()
    line: str = ""
    calls: tuple[str, ...] = ()
    latex: tuple[str, str] = ("", "")
    inside: Inside | None = None


@dataclass(frozen=True)
class Edge:
    """One use of `operand` by `node`.

    Attributes:
        node, operand: their names.
        local: the derivative of `node` with respect to `operand`, elementwise; None where that is a matrix.
        upstream: the derivative of the output with respect to `node` (reverse), or the tangent of `operand` (forward).
        product: what this use contributes: to the derivative of the output with respect to `operand` (reverse), or to
            the tangent of `node` (forward).
        accumulated: the sum of this contribution and those before it.
        derivative: `local` as a formula, `a * (1 - a)`; empty where it is None or too long to be read.
        rule: `product` as a formula of the upstream derivative, `a1ᵀ @ dJ/dz2`; in words where it has none.
        others: further results of the same operation, by name, with the derivatives of the output by them.
        latex: the derivative and the rule in LaTeX.
    """

    node: str
    operand: str
    local: Array | None
    upstream: Array
    product: Array
    accumulated: Array
    derivative: str = ""
    rule: str = ""
    others: tuple[tuple[str, Array], ...] = ()
    latex: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class EdgeSource:
    """The expressions that an edge was computed from.

    Attributes:
        node, operand: the edge's.
        made: the application of the operation, which has `node` as its result; `operands` are its operands.
        upstream: the nodes whose derivatives (in forward mode, whose tangent) the product takes.
        local, share: the local derivative, where it is elementwise, and the product.
    """

    node: Node
    operand: Node
    made: Node
    operands: tuple[Node, ...]
    upstream: tuple[Node, ...]
    local: Derivative | None
    share: Derivative


@dataclass(frozen=True)
class Sources:
    """The expressions of the steps and of the edges, from which a page's code is made.

    Attributes:
        body: the graph that was explained, or the body of a loop or branch.
        outputs: what its results are.
        results: for what has several results, these.
        step: which step of loops is shown.
    """

    steps: tuple[Node, ...]
    edges: tuple[EdgeSource, ...]
    body: Graph
    outputs: tuple[Node, ...]
    results: Mapping[Node, Sequence[Node]]
    step: int


@dataclass(frozen=True)
class Explanation:
    """Why a derivative is what it is; `str()` is a table for a terminal, a notebook shows a page to step through.

    Attributes:
        mode: "reverse" or "forward".
        function: the name of what is explained.
        output: the name of the output, or of the first of several.
        outputs: the names of all outputs.
        symbol: what is differentiated: `output`, or with a seed the name of the sum of seed · output.
        seeds: in reverse mode the derivative of `symbol` by each output; in forward mode the tangent of each input.
        steps: the forward sweep, in order of evaluation.
        edges: every use of a node that carries a derivative, in the order of the sweep.
        totals: by name, the derivative of the output by each node, the sum over its uses (reverse mode), or
            the tangent of each node (forward mode).
        derivatives: by name, how the derivative of `symbol` by a node is written, as text and in LaTeX.
        sources: the expressions that the numbers were computed from.

    Example:
        >>> found = pg.explain(lambda w, b: np.tanh(2.0 * w + b), 0.5, -1.0)
        >>> {name: float(found.totals[name]) for name in "wb"}
        {'w': 2.0, 'b': 1.0}
        >>> [edge.rule for edge in found.edges if edge.operand == "w"]
        ['df/d(2 * w) * 2']
    """

    mode: str
    function: str
    output: str
    outputs: tuple[str, ...]
    symbol: str
    seeds: dict[str, Array]
    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    totals: dict[str, Array]
    derivatives: dict[str, tuple[str, str]]
    sources: Sources | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return self.table()

    def table(self, open: str | tuple[str, ...] = (), width: int = 100) -> str:
        """The forward sweep and the products as text.

        Args:
            open: labels of folds that are shown with all that is in them, or "all". Graphs of more than some tens of
                steps are folded by the functions that the user called.
            width: columns that a line may have, 40 at least.

        Raises:
            SignatureError: there is no fold of that name, or the width is too small.
        """
        from .chain_table import chain_table

        return chain_table(self, open, width)

    def latex(self) -> str:
        """The chain rule as aligned equations with their numbers, for an `amsmath` document or a notebook.

        Example:
            >>> print(pg.explain(lambda x: x ** 2, 3.0).latex().splitlines()[2])
            f &= {x}^{2} = 9 \\\\
        """
        from .chain_latex import chain_latex

        return chain_latex(self)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page to step through, one file that needs no network.

        Raises:
            OSError: it can't be written.
        """
        from .page import page

        with open(path, "w", encoding="utf-8") as file:
            file.write(page(self))

    def _repr_html_(self) -> str:
        from .page import framed

        return framed(self)

    def inner(self) -> Iterator[Explanation]:
        """The explanations of the bodies of loops and branches, the outermost first."""
        for step in self.steps:
            if step.inside is not None:
                yield step.inside.explanation
                yield from step.inside.explanation.inner()
