"""`x.at[i]`: the places of an expression whose elements are replaced, combined or read, in a copy of it."""

# mypy: disable-error-code="no-any-return"
# A row gives an expression or an array by what it is given; here it is given an expression.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from .. import ops
from ..errors import UnsupportedError

if TYPE_CHECKING:
    from .node import Node

__all__ = ["At"]

#: In place of an index that was not given; None is one (a new axis).
_NOWHERE = object()


class At:
    """The places of `x.at[i]`. Each method gives a copy of x; a place that is named twice takes each value in turn."""

    __slots__ = ("_key", "_x")

    def __init__(self, x: Any, key: Any = _NOWHERE) -> None:
        self._x = x
        self._key = key

    def __getitem__(self, key: Any) -> At:
        return At(self._x, key)

    def set(self, values: Any) -> Node:
        """`values` at the places; the last of several wins."""
        return self._updated(values, "set")

    def add(self, values: Any) -> Node:
        """`values` added to the elements."""
        return self._updated(values, "add")

    def multiply(self, values: Any) -> Node:
        """The elements times `values`."""
        return self._updated(values, "multiply")

    def divide(self, values: Any) -> Node:
        """The elements divided by `values`."""
        return self._updated(values, "divide")

    def power(self, values: Any) -> Node:
        """The elements to the power of `values`."""
        return self._updated(values, "power")

    def min(self, values: Any) -> Node:
        """The smaller of the elements and `values`."""
        return self._updated(values, "min")

    def max(self, values: Any) -> Node:
        """The larger of the elements and `values`."""
        return self._updated(values, "max")

    def apply(self, function: Callable[[Any], Any]) -> Node:
        """`function` of the elements in place of them: an elementwise function, which is called once."""
        return self._updated(function(self.get()), "set")

    def get(self, mode: str | None = None, fill_value: Any = None) -> Node:
        """`x[i]`, by `mode` also at places that are out of range; see `pg.index`."""
        self._require("get")
        return ops.index(self._x, self._key, mode, fill_value)

    def _updated(self, values: Any, how: str) -> Node:
        self._require(how)
        return ops.index_update(self._x, self._key, values, how)

    def _require(self, how: str) -> None:
        """Raise where no index was given."""
        if self._key is _NOWHERE:
            advice = f"write x.at[i].{how}(v), or x.at[...].{how}(v) for all elements"
            raise UnsupportedError(
                "an index is missing", advice, stage="tracing", subject=f"x.at.{how}", operands=(self._x,)
            )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(
            f"there is no .{name}",
            "use .set(v), or .add .multiply .divide .power .min .max(v), .apply(f), .get()",
            stage="tracing",
            subject=f"x.at[i].{name}",
            operands=(self._x,),
        )
