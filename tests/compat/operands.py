"""The operands of the calls that are compared with NumPy, by the names that the calls use.

x y z: vectors of 5; c d: scalars; A (3, 4), B (4, 3), S (3, 3), T (2, 3, 4); e (0,), E (0, 3), o (1,), of the dtype
that is tested. k: int64 (3,), each an index of an axis of 3; m: bool (5,), M: bool (3, 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys("xyz", (5,)),
    **dict.fromkeys("cd", ()),
    "A": (3, 4),
    "B": (4, 3),
    "S": (3, 3),
    "T": (2, 3, 4),
    "e": (0,),
    "E": (0, 3),
    "o": (1,),
}
DTYPES = ("float64", "float32", "int64", "bool")


def operands(dtype: str) -> dict[str, Array]:
    """Arrays of a dtype: numbers from -3 to 3, ints from -4 to 5."""
    rng = np.random.default_rng(7)
    made: dict[str, Array] = {}
    for name, shape in SHAPES.items():
        if dtype == "bool":
            made[name] = np.asarray(rng.integers(0, 2, shape), np.bool_)
        elif dtype == "int64":
            made[name] = np.asarray(rng.integers(-4, 6, shape), np.int64)
        else:
            made[name] = np.asarray(rng.uniform(-3, 3, shape), dtype)
    made["k"] = np.array([2, 0, 2])
    made["m"] = np.array([True, False, True, True, False])
    made["M"] = rng.integers(0, 2, (3, 4)).astype(np.bool_)
    return made
