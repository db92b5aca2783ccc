"""The leaves of parameters, and those of what belongs to them, checked: same names, same shapes, floating dtypes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["cast", "checked_params", "dot", "leaves_like", "placed"]


def checked_params(params: Any, subject: str) -> list[Any]:
    """The leaves of parameters as arrays or expressions.

    Raises:
        DTypeError: one is not floating: nothing can be learned about it.
    """
    leaves = [pg.asarray(leaf) for leaf in pg.tree_leaves(params)]
    wrong = [i for i, leaf in enumerate(leaves) if leaf.dtype.kind != "f"]
    if wrong:
        name = pg.tree_names(params, "params")[wrong[0]]
        advice = "parameters are float64 or float32; give the loss what is not trained as data or as state"
        problem = f"{name} is no parameter: its dtype is {leaves[wrong[0]].dtype}"
        raise pg.DTypeError(problem, advice, stage="optimising", subject=subject)
    return leaves


def leaves_like(tree: Any, name: str, params: Any, subject: str, advice: str, lead: tuple[int, ...] = ()) -> list[Any]:
    """The leaves of a container that belongs to parameters, in their order and of their dtypes.

    Args:
        tree: what has a leaf for each parameter, of its shape behind the axes `lead`.
        name: what errors call it.
        advice: what they say to do.

    Raises:
        GraphError: it has other leaves; ShapeError: of other shapes; DTypeError: that are not floating.
    """
    expected, names = pg.tree_names(params, ""), pg.tree_names(tree, "")
    if names != expected:
        missing, where = [x for x in expected if x not in names], name
        if not missing:
            missing, where = [x for x in names if x not in expected], "params"
        problem = f"{name} and params have other leaves"
        if missing:
            problem += f": {where}{missing[0]} is not there"
        raise pg.GraphError(problem, advice, stage="optimising", subject=subject)
    found = []
    for leaf, param, place in zip(pg.tree_leaves(tree), pg.tree_leaves(params), names, strict=True):
        leaf, param = pg.asarray(leaf), pg.asarray(param)
        if leaf.shape != (*lead, *param.shape):
            problem = f"{name}{place} has shape {leaf.shape}, and its parameter {param.shape}"
            raise pg.ShapeError(problem, advice, stage="optimising", subject=subject)
        if leaf.dtype.kind != "f":
            problem = f"{name}{place} is not floating, but {leaf.dtype}"
            raise pg.DTypeError(problem, advice, stage="optimising", subject=subject)
        found.append(cast(leaf, param))
    return found


def placed(leaves: Iterable[Any], params: Any) -> Any:
    """A container like that of the parameters, of other leaves."""
    remaining = iter(leaves)
    return pg.tree_map(lambda _: next(remaining), params)


def cast(x: Any, like: Any) -> Any:
    """A number, array or expression in the dtype of an array; Python's numbers take it by themselves."""
    return x if isinstance(x, float | int) and not isinstance(x, np.generic) else x.astype(like.dtype)


def dot(xs: Iterable[Any], ys: Iterable[Any]) -> Any:
    """The sum of the products of all elements, float64, computed in float64."""
    total: Any = np.zeros(())
    for x, y in zip(xs, ys, strict=True):
        total = total + np.sum(x.astype(np.float64) * y.astype(np.float64))
    return total
