"""What a solver passes to a function besides its unknowns: arrays are inputs, all else is known when it is recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["FixedArguments", "filled"]


class _Input:
    """In the place of an array among the arguments."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Input)

    def __hash__(self) -> int:
        return 0


class FixedArguments:
    """The arguments `args` and `kwargs` of a function, apart: a form, and the arrays and floats in it.

    A function is recorded once for a form. Integers, strings, functions and other objects belong to the form, so that a
    function may take them as a count, a power or a choice; arrays and floats do not, and new ones need no new trace.

    Attributes:
        form: `(args, kwargs)` with a mark in the place of each array and float.
        inputs: these, in order.
    """

    def __init__(self, args: Any = (), kwargs: Any = None) -> None:
        tree = (args if isinstance(args, tuple) else (args,), dict(kwargs or {}))
        self.inputs = tuple(leaf for leaf in pg.tree_leaves(tree) if _is_input(leaf))
        self.form: Any = pg.tree_map(lambda leaf: _Input() if _is_input(leaf) else leaf, tree)
        self.args, self.kwargs = tree


def filled(form: Any, inputs: Any) -> Any:
    """The arguments of a form with these inputs in their places, as (args, kwargs)."""
    remaining = iter(inputs)
    return pg.tree_map(lambda leaf: next(remaining) if isinstance(leaf, _Input) else leaf, form)


def _is_input(leaf: Any) -> bool:
    return isinstance(leaf, (float, np.ndarray, np.generic)) or (hasattr(leaf, "__array__") and not callable(leaf))
