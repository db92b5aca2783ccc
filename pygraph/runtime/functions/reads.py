"""What a function read besides its arguments when it was traced, and whether that has changed since."""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["MISSING", "Reads"]

#: Arrays of more bytes than this are compared with a constant of the graph, where there is one, and not copied.
LARGE = 1 << 16
#: Reads of which the comparison is written out; more are compared in loops.
WRITTEN = 256
#: In place of a value: that there was none.
MISSING: Any = object()
_SCALARS = (int, float, complex, str, bytes, bool)


class Reads:
    """What some functions may read, as it was; made by `reachable.reads_of`."""

    __slots__ = ("arrays", "attributes", "cells", "frozen", "lists", "names", "sizes")

    def __init__(self) -> None:
        self.cells: list[tuple[Any, Any]] = []
        self.names: list[tuple[Any, Any, Any]] = []
        self.attributes: list[tuple[Any, str, Any]] = []
        self.sizes: list[tuple[Any, int]] = []
        self.lists: list[tuple[Any, tuple[Any, ...]]] = []
        self.arrays: list[tuple[Any, Any, tuple[int, ...], np.dtype[Any]]] = []
        self.frozen: list[Any] = []

    def unchanged(self) -> bool:
        """Whether all is as it was."""
        try:
            for cell, value in self.cells:
                now = cell.cell_contents
                if now is not value and not _same(now, value):
                    return False
            for space, key, value in self.names:
                now = space.get(key, MISSING)
                if now is not value and not _same(now, value):
                    return False
            for owner, name, value in self.attributes:
                now = getattr(owner, name, MISSING)
                if now is not value and not _same(now, value):
                    return False
            for array, saved, shape, dtype in self.arrays:
                if array.shape != shape or array.dtype is not dtype or not _holds(array, saved):
                    return False
            for container, size in self.sizes:
                if len(container) != size:
                    return False
            for container, values in self.lists:
                if len(container) != len(values) or not all(map(operator.is_, container, values)):
                    return False
            for array in self.frozen:
                if array.flags.writeable:
                    return False
        except (ValueError, RuntimeError):  # a cell that is empty now, a set that changes while it is compared
            return False
        return True

    def guard(self) -> Callable[[], bool]:
        """`unchanged`, written out for these reads: the usual answer takes an identity test for each of them."""
        count = len(self.cells) + len(self.names) + len(self.attributes) + len(self.sizes) + len(self.lists)
        if count + len(self.arrays) + len(self.frozen) > WRITTEN:
            return self.unchanged
        tests: list[str] = []
        held: dict[str, Any] = {"slow": self.unchanged, "missing": MISSING, "is_": operator.is_, "holds": _holds}

        def test(text: str, **values: Any) -> None:
            i = len(tests)
            held.update({f"{key}{i}": value for key, value in values.items()})
            tests.append(text.replace("#", str(i)))

        for cell, value in self.cells:
            test("c#.cell_contents is v#", c=cell, v=value)
        for space, key, value in self.names:
            text = "k# not in d#" if value is MISSING else "d#[k#] is v#"
            test(text, d=space, k=key, v=value)
        for owner, name, value in self.attributes:
            text = (
                f"o#.{name} is v#" if name.isidentifier() and value is not MISSING else "getattr(o#, n#, missing) is v#"
            )
            test(text, o=owner, n=name, v=value)
        for array, saved, shape, dtype in self.arrays:
            equal = "b# == a#" if type(saved) is bytearray else "holds(a#, b#)"
            test(f"a#.shape == s# and a#.dtype is t# and {equal}", a=array, b=saved, s=shape, t=dtype)
        for container, size in self.sizes:
            test("len(z#) == m#", z=container, m=size)
        for container, values in self.lists:
            test("len(l#) == m# and all(map(is_, l#, w#))", l=container, m=len(values), w=values)
        for array in self.frozen:
            test("not a#.flags.writeable", a=array)
        exec(_guard(" and ".join(tests) or "True"), held)
        written: Callable[[], bool] = held.pop("unchanged")  # left there, it would be part of a reference cycle
        return written

    def borrow(self, constants: Iterable[np.ndarray[Any, Any]]) -> None:
        """Have large arrays compared with equal ones among `constants`, in place of copies."""
        large = [i for i, (_, saved, _, _) in enumerate(self.arrays) if len(saved) > LARGE]
        if not large:
            return
        held = [x for x in constants if x.nbytes > LARGE]
        for i in large:
            array, saved, shape, dtype = self.arrays[i]
            for x in held:
                same = x.shape == shape and x.dtype == dtype and x.flags.c_contiguous and not x.flags.writeable
                if same and isinstance(saved, bytearray) and not np.shares_memory(x, array) and saved == x:
                    self.arrays[i] = array, x, shape, dtype
                    break


@functools.lru_cache(maxsize=256)
def _guard(tests: str) -> types.CodeType:
    lines = [
        "def unchanged():",
        "    try:",
        f"        if {tests}:",
        "            return True",
        "    except (AttributeError, KeyError, RuntimeError, ValueError):",
        "        pass",
        "    return slow()",
    ]
    return compile("\n".join(lines), "<reads>", "exec")


def _same(now: Any, then: Any) -> bool:
    """Whether two numbers are one, by type and bits."""
    kind = type(now)
    if kind is not type(then):
        return False
    if kind is float:
        return bool(now.hex() == then.hex())
    if kind in _SCALARS:
        return bool(now == then) and kind is not complex
    if isinstance(now, np.generic):
        return now.dtype == then.dtype and now.dtype.kind in "biuf" and now.tobytes() == then.tobytes()
    return kind is types.MethodType and now.__func__ is then.__func__ and now.__self__ is then.__self__


def _holds(array: Any, saved: Any) -> bool:
    """Whether an array has the bytes that were saved of it."""
    if type(saved) is bytearray:
        return bool(saved == array)  # one memcmp
    if type(saved) is bytes:
        return bool(array.tobytes() == saved)
    from ..clib.library import same_bytes  # loads the C library, which has run the function by now

    return bool(array.flags.c_contiguous and same_bytes(array, saved))
