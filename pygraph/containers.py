"""`pg.tree_map`: one function over the leaves of nested containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import GraphError
from .graph.tree import flatten, unflatten

__all__ = ["tree_map"]


def tree_map(f: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The container `tree` with each leaf x replaced by f(x, y, ...), y … being the leaves of `others` in its place.

    Containers are tuples, lists, dicts, namedtuples, dataclasses and None, nested in any way; all else is a leaf.

    Raises:
        GraphError: one of `others` is not a container of the same form.

    Example:
        >>> pg.tree_map(lambda p, g: p - 0.1 * g, {"w": 1.0, "b": (2.0,)}, {"w": 10.0, "b": (0.0,)})
        {'b': (2.0,), 'w': 0.0}
    """
    leaves, form = flatten(tree)
    columns = [leaves]
    for other in others:
        values, given = flatten(other)
        if given != form:
            problem = f"the first container has the form {form!r}, another one {given!r}"
            raise GraphError(problem, "give containers of one form", stage="mapping", subject="tree_map")
        columns.append(values)
    return unflatten(form, [f(*values) for values in zip(*columns, strict=True)])
