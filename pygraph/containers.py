"""Nested containers of arrays: `tree_map`, `tree_leaves`, `tree_names`; `ravel_pytree`, all leaves as one vector."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from .errors import GraphError, ShapeError
from .graph.tree import flatten, flatten_named, unflatten
from .ops.common import operand
from .ops.comparison import astype
from .ops.keys import index
from .ops.shaping import concatenate, ravel, reshape

__all__ = ["ravel_pytree", "tree_leaves", "tree_map", "tree_names"]


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


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a nested container, in the order of `tree_map`.

    Example:
        >>> pg.tree_leaves({"w": 1.0, "b": (2.0, None)})
        [2.0, 1.0]
    """
    return flatten(tree)[0]


def tree_names(tree: Any, name: str) -> list[str]:
    """A name for each leaf of a nested container, in the order of `tree_leaves`, that reads as Python.

    Args:
        tree: the container.
        name: its own name.

    Example:
        >>> pg.tree_names({"w": 1.0, "layers": [2.0, {"first one": 3.0}]}, "params")
        ['params.layers[0]', "params.layers[1]['first one']", 'params.w']
    """
    return [found for found, _ in flatten_named(tree, name)[0]]


def ravel_pytree(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All leaves of a container as one vector, of their promoted dtype, and the function that takes it apart again.

    That function takes a vector of as many elements, an array or an expression, and gives the container, its leaves of
    their own shapes and dtypes.

    Raises:
        ShapeError: the function is given a vector of another size.

    Example:
        >>> flat, unravel = pg.ravel_pytree({"w": np.array([[1.0, 2.0]]), "b": 3.0})
        >>> flat
        array([3., 1., 2.])
        >>> unravel(2 * flat)
        {'b': np.float64(6.0), 'w': array([[2., 4.]])}
    """
    leaves, form = flatten(tree)
    arrays = [operand(leaf) for leaf in leaves]
    shapes, dtypes = [x.shape for x in arrays], [x.dtype for x in arrays]
    cuts = [0, *accumulate(prod(shape) for shape in shapes)]

    def unravel(vector: Any) -> Any:
        vector = operand(vector)
        if vector.shape != (cuts[-1],):
            problem = f"the vector has shape {vector.shape}, the leaves have {cuts[-1]} elements"
            raise ShapeError(problem, f"give shape ({cuts[-1]},)", stage="mapping", subject="unravel")
        pieces = [(slice(*cut), shape, dtype) for cut, shape, dtype in zip(pairwise(cuts), shapes, dtypes, strict=True)]
        if isinstance(vector, np.ndarray):
            parts = [vector[cut].reshape(shape).astype(dtype) for cut, shape, dtype in pieces]
            return unflatten(form, [part if part.ndim else part[()] for part in parts])
        return unflatten(form, [astype(reshape(index(vector, cut), shape), dtype) for cut, shape, dtype in pieces])

    return concatenate([ravel(x) for x in arrays]) if arrays else np.zeros(0), unravel
