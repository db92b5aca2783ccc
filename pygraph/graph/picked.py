"""Elements at a mask that is an expression, which can be combined and put back: `out[mask] += v`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .. import ops
from ..errors import UnsupportedError
from .node import Node
from .stand_in import strong

__all__ = ["Picked"]


class Picked:
    """What `out[mask]` is of an array that is filled: how many elements it has is known at run time alone.

    Operators and ufuncs are applied to all elements of the array; those at the mask are what is put back.

    Attributes:
        mask: the expression.
        values: an array of the shape of the whole one.
    """

    __slots__ = ("mask", "values")

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, mask: Node, values: Node) -> None:
        self.mask = mask
        self.values = values

    def put_into(self, x: Node, mask: Any) -> Node:
        """`x` with these elements at the mask that they were taken from; raises `UnsupportedError` for another one."""
        if strong(mask) is not self.mask:
            self._refuse()
        wide = ops.reshape(self.mask, (*self.mask.shape, *[1] * (x.ndim - self.mask.ndim)))
        chosen: Node = ops.where(wide, ops.astype(self.values, x.dtype), x)
        return chosen

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Picked:
        if method != "__call__" or kwargs:
            self._refuse()
        return self._combined(ufunc, inputs)

    def _combined(self, function: Callable[..., Any], operands: Any) -> Picked:
        values = []
        for x in operands:
            if isinstance(x, Picked):
                if x.mask is not self.mask:
                    self._refuse()
                x = x.values
            elif np.ndim(x) > self.values.ndim - self.mask.ndim:
                self._refuse()
            values.append(x)
        return Picked(self.mask, function(*values))

    def _refuse(self) -> NoReturn:
        raise UnsupportedError(
            f"how many elements the mask {self.mask!r} picks is not known when recording",
            "x[mask] takes operators and ufuncs, with numbers and x[mask] of the same mask, and x[mask] = … takes the "
            "result; else keep the shape: np.where(mask, x, 0.0)",
            stage="tracing",
            subject="x[mask]",
            operands=(self.values, self.mask),
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __iter__(self) -> NoReturn:
        self._refuse()

    def __len__(self) -> NoReturn:
        self._refuse()

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        self._refuse()

    def __neg__(self) -> Picked:
        return self._combined(operator.neg, (self,))

    def __abs__(self) -> Picked:
        return self._combined(operator.abs, (self,))


def _binary(function: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Picked, Any], Picked]:
    def apply(self: Picked, other: Any) -> Picked:
        return self._combined(function, (other, self) if reflected else (self, other))

    return apply


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    _function = getattr(operator, f"__{_name}__")
    setattr(Picked, f"__{_name}__", _binary(_function, False))
    setattr(Picked, f"__r{_name}__", _binary(_function, True))
