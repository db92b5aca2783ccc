"""What is taken as an argument: besides arrays and numbers, whatever NumPy can take as an array.

Objects with `__dlpack__` (tensors of PyTorch and JAX on the CPU) and buffers are read without a copy, others by
`__array__` (a Series or a DataFrame of pandas). Arrays of a dtype that graphs do not have become the nearest one that
holds all its values: `WIDER`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, named
from ..ops.common import is_masked
from ..ops.dtypes import float32, int32, int64
from .node import Node
from .weak import WEAK_TYPES

__all__ = ["WIDER", "as_argument"]

#: The dtype that arrays of another one are converted to.
WIDER: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float16): float32,
    np.dtype(np.int8): int32,
    np.dtype(np.uint8): int32,
    np.dtype(np.int16): int32,
    np.dtype(np.uint16): int32,
    np.dtype(np.uint32): int64,
}


def as_argument(leaf: Any) -> Any:
    """A leaf of arguments as an array of a dtype that graphs have, where it is like one; else `leaf` itself.

    Raises:
        DTypeError: a tensor that can't be read: on another device, or one that records gradients.

    Example:
        >>> as_argument(np.array([1, 255], np.uint8))
        array([  1, 255], dtype=int32)
    """
    if isinstance(leaf, np.ndarray | np.generic):
        if isinstance(leaf, np.matrix) or is_masked(leaf):
            return leaf
        wider = WIDER.get(leaf.dtype.newbyteorder("="))
        return leaf if wider is None else leaf.astype(wider)
    kind = type(leaf)
    if kind in WEAK_TYPES or isinstance(leaf, Node | str | bytes | bytearray):
        return leaf
    try:
        if hasattr(kind, "__dlpack__"):
            return as_argument(np.from_dlpack(leaf))
        if hasattr(kind, "__array__") or hasattr(kind, "__array_interface__") or _is_buffer(leaf):
            return as_argument(np.asarray(leaf))
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise DTypeError(
            f"{named(leaf)} can't be read as an array: {error}",
            "give one on the CPU that records no gradient: x.detach().cpu(), np.asarray(x)",
        ) from error
    return leaf


def _is_buffer(leaf: Any) -> bool:
    try:
        memoryview(leaf)
    except TypeError:
        return False
    return True
