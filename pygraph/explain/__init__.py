"""Reading a derivative: the chain rule of one evaluation, as a table, as equations and as a page to step through.

Read `watching.py` (names of the user's variables), `formulas.py` and `labels.py` (how nodes are written),
`local_derivatives.py`, `stacks.py` and `inner_steps.py` (what one step multiplies by; what a loop did), `scope.py` and
`chain.py` (the sweeps), `explanation.py` (what they find), `call_folds.py`, `chain_table.py` and `chain_latex.py` (how
it is printed), `page` (how a browser shows it). For drawings `layout.py` (boxes and edges), with `layering.py`,
`crossings.py` and `coordinates.py`; then `drawing` and `profiling`.

Boundary: no other package depends on it. `import pygraph` loads nothing of it but `explain` itself; the rest loads at
the first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..concurrency import ensure_imported
from ..graph.graph import Drawing, Graph, bind_drawing
from ..runtime.call.seeing import MemoryPicture, Page, views

if TYPE_CHECKING:
    from .explanation import Edge, Explanation, Inside, Step

__all__ = ["Edge", "Explanation", "Inside", "Step", "explain"]


def explain(
    f: Callable[..., Any],
    *args: Any,
    mode: str = "reverse",
    argnum: int | Sequence[int] = 0,
    seed: Any = None,
    step: int = -1,
) -> Explanation:
    """Evaluate `f` and show how the chain rule gives its derivative.

    Args:
        f: a function of arrays or containers of them.
        *args: the point, arrays or numbers.
        mode: "reverse" multiplies from the output back to the arguments; "forward" pushes a tangent to the output.
        argnum: in forward mode the argument, or the arguments, that have a tangent.
        seed: in reverse mode an array for each output, of its shape and in the same containers: the sum of
            seed · output is explained; by default 1 for a function whose result is one floating scalar. In forward mode
            the tangent of the argument `argnum`, or a sequence of them; ones by default.
        step: which step of loops is shown, in the order in which they ran; negative numbers count from the last.

    Returns:
        The steps in the user's own names, and for each use of one the local derivative, the upstream derivative and
        their product. `str()` is a table; `.latex()` gives equations; a notebook shows a page to step through, which
        `.to_html(path)` writes to a file.

    Raises:
        ShapeError: in reverse mode the result is not a single floating value, and there is no seed; a seed of another
            shape.
        DTypeError: no result, or no argument in forward mode, is floating.
        SignatureError: an unknown mode, argument or step, or a seed in other containers.

    Example:
        >>> print(pg.explain(lambda x: x ** 2, 3.0).totals["x"])
        6.0
    """
    ensure_imported("pygraph.explain.chain")
    from .chain import explained

    return explained(f, args, mode, argnum, seed, step)


def _drawn(graph: Graph, room: int, unfolded: str | Iterable[str]) -> Drawing:
    ensure_imported("pygraph.explain.drawing.drawn")
    from .drawing.drawn import drawing_of

    return drawing_of(graph, room, unfolded)


def _drawn_executable(*parts: Any) -> Drawing:
    ensure_imported("pygraph.explain.drawing.drawn")
    from .drawing.drawn import drawing_of

    return drawing_of(*parts)


def _profiled(*parts: Any) -> Page:
    ensure_imported("pygraph.explain.profiling.profile")
    from .profiling.profile import profiled

    return profiled(*parts)


def _memory(*parts: Any) -> MemoryPicture:
    ensure_imported("pygraph.explain.profiling.memory_picture")
    from .profiling.memory_picture import pictured

    return pictured(*parts)


bind_drawing(_drawn)
views.drawing, views.profile, views.memory = _drawn_executable, _profiled, _memory


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    ensure_imported("pygraph.explain.explanation")
    from . import explanation

    return globals().setdefault(name, getattr(explanation, name))
