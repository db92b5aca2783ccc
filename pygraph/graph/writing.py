"""NumPy's functions that write into their first argument, on arrays that are filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import ops
from ..errors import UnsupportedError
from .filled import Filled
from .nested import joined
from .node import Node

__all__ = ["UPDATES", "WRITERS", "update_at"]

#: What ufunc.at does, as `x.at[i]` names it.
UPDATES = {
    "numpy.add": "add",
    "numpy.subtract": "add",  # of what is subtracted with the other sign
    "numpy.multiply": "multiply",
    "numpy.divide": "divide",
    "numpy.power": "power",
    "numpy.minimum": "min",
    "numpy.maximum": "max",
}


def update_at(name: str, x: Any, key: Any, values: Any = None) -> None:
    """`ufunc.at(x, key, values)`: each place is combined with its values in turn.

    Raises:
        UnsupportedError: `x` is not an array that is filled, or there is no such update.
    """
    how = UPDATES.get(name)
    if how is None or not isinstance(x, Filled):
        advice = f"write x = x.at[i].{how or 'apply'}({'f' if how is None else 'v'})"
        problem = f"{name}.at writes into its first argument" if how else f"{name}.at is not supported"
        raise UnsupportedError(problem, advice, stage="tracing", subject=f"{name}.at", operands=(x,))
    values = joined(values)
    x.assign(ops.index_update(x.node, key, ops.negative(values) if name == "numpy.subtract" else values, how))


def _copyto(dst: Filled, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst[...] = src if where is True else ops.where(where, src, dst.node)


def _put(a: Filled, ind: Any, v: Any, mode: str = "raise") -> None:
    index = ops.indexing.as_index(ind)
    if mode != "raise":
        index, _ = ops.indexing.bounded(index, a.size, mode, from_end=False)
    index = ops.ravel(index)
    whole = ops.index_update(ops.ravel(a.node), index, _cycled(v, index.size), "set")
    a.assign(ops.reshape(whole, a.shape))


def _place(arr: Filled, mask: Any, vals: Any) -> None:
    if isinstance(mask, Node):
        problem = "how many elements a mask picks is not known when recording"
        advice = "arr[mask] = v takes one number v; arr[...] = np.where(mask, v, arr) an array"
        raise UnsupportedError(problem, advice, stage="tracing", subject="numpy.place", operands=(arr,))
    picked = np.asarray(mask, bool)
    arr[picked] = _cycled(vals, int(np.count_nonzero(picked)))


def _putmask(a: Filled, mask: Any, values: Any) -> None:
    a[...] = ops.where(mask, ops.reshape(_cycled(values, a.size), a.shape), a.node)


def _put_along_axis(arr: Filled, indices: Any, values: Any, axis: Any = -1) -> None:
    arr[...] = ops.put_along_axis(arr.node, indices, values, axis)


def _cycled(values: Any, count: int) -> Any:
    """`count` of the values in C order, from the first again after the last."""
    flat = ops.ravel(ops.common.operand(values))
    return flat if flat.size == count else ops.take(flat, np.arange(count) % max(flat.size, 1))


#: By NumPy's name.
WRITERS: Mapping[str, Callable[..., None]] = {
    "copyto": _copyto,
    "place": _place,
    "put": _put,
    "put_along_axis": _put_along_axis,
    "putmask": _putmask,
}
