"""Attributes of expressions besides their own: methods whose modules are imported when first used, and refusals.

Each is a descriptor. A `__getattr__` of the class would do the same, but Python reads every attribute of an object
whose class has one several times as slowly, and all code reads those of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

import numpy as np

from .. import ops
from .concretisation import missing_attribute
from .numpy_alternatives import ATTRIBUTES

__all__ = ["MissingAttribute", "other_attributes"]


class _LaterMethod:
    """A function of NumPy's that is a method of its arrays."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, x: Any, owner: type) -> partial[Any]:
        if x is None:
            raise AttributeError(f"{self._name} is an attribute of expressions, not of their class")
        return partial(getattr(ops, self._name), x)


class MissingAttribute:
    """What arrays have, of NumPy or of other libraries, and expressions do not."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, x: Any, owner: type) -> NoReturn:
        if x is None:
            raise AttributeError(f"expressions have no .{self._name}")
        raise missing_attribute(x, self._name)


def other_attributes() -> Iterator[tuple[str, _LaterMethod | MissingAttribute]]:
    """All of them by name, also where expressions have an attribute of that name."""
    of_arrays = {name for name in dir(np.ndarray) if not name.startswith("_")}
    methods = (ops.functions.FUNCTIONS.modules.keys() & of_arrays) - ATTRIBUTES.keys()
    for name in methods:
        yield name, _LaterMethod(name)
    for name in (ATTRIBUTES.keys() | ops.NAMES | of_arrays) - methods:
        yield name, MissingAttribute(name)
