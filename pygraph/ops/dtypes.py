"""The five dtypes a graph may hold, their codes in C and their kind letters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, shown

float64 = np.dtype("float64")
float32 = np.dtype("float32")
int64 = np.dtype("int64")
int32 = np.dtype("int32")
bool_ = np.dtype("bool")

#: In the order of the C enum: the position is the dtype's code in a Program.
DTYPES: tuple[np.dtype[Any], ...] = (float64, float32, int64, int32, bool_)
CODES: dict[np.dtype[Any], int] = {dtype: code for code, dtype in enumerate(DTYPES)}
#: `f` floating, `i` integer, `b` boolean: the letters used in `Op.kinds`.
KINDS: dict[np.dtype[Any], str] = {float64: "f", float32: "f", int64: "i", int32: "i", bool_: "b"}

_NAMES = ", ".join(dtype.name for dtype in DTYPES[:-1]) + f" or {bool_.name}"

#: By code: how the names of C functions and enums say a type.
SUFFIXES: tuple[str, ...] = tuple(
    kind if kind == "b" else f"{kind}{dtype.itemsize * 8}" for dtype, kind in ((x, KINDS[x]) for x in DTYPES)
)


def as_dtype(spec: Any) -> np.dtype[Any]:
    """The supported dtype that `spec` names; raises `DTypeError` for any other."""
    try:
        dtype = np.dtype(spec)
    except TypeError as error:
        raise DTypeError(f"{shown(spec)} is not a dtype", f"give {_NAMES}") from error
    if dtype not in CODES or not dtype.isnative:
        order = "" if dtype.isnative else f" of the other byte order ({dtype.str!r})"
        raise DTypeError(f"dtype {dtype.name}{order} is not supported", f"convert it to {_NAMES} first")
    return DTYPES[CODES[dtype]]


def floating_like(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The floating dtype whose numbers are as large as those of `dtype`, an integer dtype."""
    return float64 if dtype.itemsize == float64.itemsize else float32


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether values of `dtype` carry derivatives."""
    return KINDS[dtype] == "f"
