"""Reading a derivative: the chain rule of one evaluation as a table.

Read `chain.py` (local and upstream derivatives, edge by edge), `explanation.py` (the table), `labels.py` (names of
nodes).

Boundary: no other package depends on it. `import pygraph` loads nothing of it but `explain` itself; the rest loads at
the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..concurrency import ensure_imported

if TYPE_CHECKING:
    from .explanation import Edge, Explanation, Step

__all__ = ["Edge", "Explanation", "Step", "explain"]


def explain(f: Callable[..., Any], *args: Any, mode: str = "reverse", argnum: int = 0) -> Explanation:
    """Evaluate `f` and show how the chain rule gives its derivative.

    Args:
        f: a function of arrays or containers of them; in reverse mode its result is a scalar.
        *args: the point, arrays or numbers.
        mode: "reverse" multiplies from the output back to the arguments; "forward" pushes a tangent of ones in argument
            `argnum` to the output.

    Raises:
        ShapeError: in reverse mode the result is not a single floating value.
        UnsupportedError: the graph contains a loop, or a `custom_derivative`.
        ValueError: an unknown mode.

    Example:
        >>> print(pg.explain(lambda x: x ** 2, 3.0).totals["x"])
        6.0
    """
    ensure_imported("pygraph.explain.chain")
    from .chain import explained

    return explained(f, args, mode, argnum)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    ensure_imported("pygraph.explain.explanation")
    from . import explanation

    return globals().setdefault(name, getattr(explanation, name))
