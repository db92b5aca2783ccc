"""Where batches come from: arrays, whose rows are gathered inside the compiled loop, or what yields batches."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]

#: The dtype that compiled functions take for one that data may have: itself, or the nearest that holds it.
_WANTED = {dtype: dtype for dtype in map(np.dtype, ("float64", "float32", "int64", "int32", "bool"))} | {
    np.dtype(small): np.dtype(wide)
    for small, wide in {
        "int8": "int32",
        "int16": "int32",
        "uint8": "int32",
        "uint16": "int32",
        "uint32": "int64",
        "float16": "float32",
    }.items()
}


@dataclasses.dataclass(frozen=True)
class Batch:
    """A batch as the loss takes it.

    Attributes:
        data: a container of arrays.
        rows: how many examples it has.
        weights: of each example, shape (rows,), or None.
    """

    data: Any
    rows: int
    weights: Array | None = None


@dataclasses.dataclass(frozen=True)
class Rows:
    """Arrays whose first axes are the examples.

    Attributes:
        data: a container of arrays.
        count: the number of examples.
        in_memory: whether compiled code can gather from the arrays themselves; else NumPy gathers each batch, from
            files mapped into memory whose elements have to be converted.
    """

    data: Any
    count: int
    in_memory: bool

    def gathered(self, order: Array, weights: Array | None) -> Batch:
        """The batch of the examples at these places."""
        data = pg.tree_map(lambda x: convert(np.asarray(x)[order], "data"), self.data)
        return Batch(data, len(order), None if weights is None else weights[order])

    def slices(self, size: int | None) -> Iterator[Batch]:
        """All examples, `size` after `size` in their order; None: as one batch."""
        step = size or self.count
        for start in range(0, self.count, step):
            part = slice(start, min(start + step, self.count))
            yield Batch(pg.tree_map(functools.partial(_part, part), self.data), part.stop - start)


class Stream:
    """Batches from an iterable, or from a function without arguments that makes one for each pass."""

    def __init__(self, source: Any, what: str) -> None:
        self._make: Callable[[], Iterable[Any]] = source if not hasattr(source, "__iter__") else lambda: source
        self.once = hasattr(source, "__next__")  # a generator, say
        self._begun: Iterator[Any] | None = None  # a pass whose first batch was looked at
        self._used = False
        self._what = what

    def first(self) -> Batch:
        """The first batch, which the next pass gives once more."""
        begun = iter(self._pass())
        found = next(begun, None)
        self._begun = iter(()) if found is None else chain((found,), begun)
        return next(self._converted(() if found is None else (found,)))

    def batches(self) -> Iterator[Batch]:
        """The batches of one pass, converted and checked.

        Raises:
            StateError: a generator is asked for a second pass. ShapeError: a batch without rows, arrays of different
            numbers of rows, or no batch at all. DTypeError: what no array of numbers can be made of.
        """
        begun, self._begun = self._begun, None
        return self._converted(self._pass() if begun is None else begun)

    def _pass(self) -> Iterable[Any]:
        if self.once and self._used:
            self.refuse_again()
        self._used = True
        return self._make()

    def refuse_again(self) -> NoReturn:
        """The error of a source that gives its batches once, where they are needed several times.

        Raises:
            StateError
        """
        problem = f"{self._what} is a generator or another iterator, which gives its batches once"
        advice = "give a function without arguments that makes a new one for each epoch"
        raise pg.StateError(problem, advice, stage="training", subject="fit")

    def _converted(self, found_batches: Iterable[Any]) -> Iterator[Batch]:
        number = 0
        for number, found in enumerate(found_batches, 1):
            what = f"batch {number} of {self._what}"
            data = _mapped(what, found)
            yield Batch(data, row_count(data, what))
        if not number:
            problem = f"{self._what} gave no batch"
            raise pg.ShapeError(problem, "give at least one batch for each pass", stage="training", subject="fit")


def source_of(data: Any, what: str) -> Rows | Stream:
    """Arrays in containers are rows; what else can be iterated over, or called to get such, gives batches.

    Raises:
        SignatureError: neither. ShapeError: no rows, or arrays of different numbers of rows. DTypeError: no numbers.
    """
    if not (_is_container(data) or _is_array(data)):
        if hasattr(data, "__iter__") or callable(data):
            return Stream(data, what)
        advice = "give arrays, such as (X, y), an iterable of batches, a function that makes one, or a torch DataLoader"
        problem = f"{what} is {type(data).__name__}, neither arrays nor batches"
        raise pg.SignatureError(problem, advice, stage="training", subject="fit")
    leaves = pg.tree_leaves(data)
    mapped = any(isinstance(leaf, np.memmap) and not _is_direct(leaf) for leaf in leaves)
    arrays = data if mapped else _mapped(what, data)
    count = row_count(arrays, what)
    for name, leaf in named_leaves(arrays, what):
        if not np.ndim(leaf):
            problem = f"{name} is a scalar, and has no rows"
            raise pg.ShapeError(problem, "give arrays with one row for each example", stage="training", subject="fit")
    return Rows(arrays, count, not mapped)


def _mapped(what: str, data: Any) -> Any:
    return pg.tree_map(lambda leaf: convert(as_array(leaf, what), what), data)


def _part(part: slice, x: Any) -> Array:
    return convert(np.asarray(x[part]), "data")


def arguments_of(data: Any) -> tuple[Any, ...]:
    """The arguments of the loss that a batch is: the parts of a tuple or list, else itself."""
    return tuple(data) if isinstance(data, (tuple, list)) else (data,)


def named_leaves(tree: Any, name: str) -> list[tuple[str, Any]]:
    """The leaves of a container, each with its name."""
    return list(zip(pg.tree_names(tree, name), pg.tree_leaves(tree), strict=True))


def row_count(data: Any, what: str) -> int:
    """The common length of the first axes; scalars have none."""
    counts = {np.shape(leaf)[0] for leaf in pg.tree_leaves(data) if np.ndim(leaf)}
    if not counts:
        raise pg.ShapeError(f"{what} has no array", "give arrays with rows", stage="training", subject="fit")
    if len(counts) > 1:
        found = ", ".join(f"{name} has {np.shape(leaf)[0]}" for name, leaf in named_leaves(data, what) if np.ndim(leaf))
        problem = f"the numbers of rows differ: {found}"
        raise pg.ShapeError(problem, "give arrays with one row for each example", stage="training", subject="fit")
    count = int(counts.pop())
    if not count:
        raise pg.ShapeError(f"{what} has no rows", "give at least one example", stage="training", subject="fit")
    return count


def as_array(leaf: Any, what: str) -> Array:
    """What NumPy makes of an array, a tensor or a table."""
    if isinstance(leaf, str) or not (_is_array(leaf) or np.isscalar(leaf)):
        problem = f"{what} has {type(leaf).__name__} where an array is needed"
        raise pg.DTypeError(problem, "give arrays of numbers (np.asarray)", stage="training", subject="fit")
    return np.asarray(leaf)


def convert(array: Array, what: str) -> Array:
    """The array itself where compiled functions can read it, else a copy that they can."""
    wanted = _WANTED.get(array.dtype.newbyteorder("="))
    if wanted is None:
        problem = f"{what} has dtype {array.dtype}"
        raise pg.DTypeError(problem, "give floats, integers up to int64 or bools", stage="training", subject="fit")
    found = np.require(array, wanted, ("C", "A")) if array.ndim else np.asarray(array, wanted)
    return found if found.dtype is wanted else found.view(wanted)  # calls are fastest with NumPy's own dtype objects


def _is_direct(array: Array) -> bool:
    return array.dtype == _WANTED.get(array.dtype) and array.flags.c_contiguous and array.flags.aligned


def _is_array(x: Any) -> bool:
    return hasattr(x, "__array__") or (hasattr(x, "__dlpack__") and hasattr(x, "shape"))


def _is_container(x: Any) -> bool:
    return isinstance(x, (tuple, list, dict)) or (dataclasses.is_dataclass(x) and not isinstance(x, type))
