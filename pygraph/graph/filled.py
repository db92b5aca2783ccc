"""Arrays that are filled, `out = np.zeros_like(x); out[i] = v`: expressions that can be written, and views of them.

`np.zeros_like(x)`, `pg.zeros(n)`, `x.copy()` and their kin give a `Filled` while a function is recorded. Slices,
transposes and reshapes of it are views where NumPy's are: what is written through one is seen by all.
"""

# mypy: disable-error-code="no-any-return"
# A row gives an expression or an array by what it is given; here it is given an expression.

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np

from .. import ops
from ..errors import DTypeError, ShapeError, UnsupportedError
from ..ops.common import explained_as
from ..ops.dtypes import KINDS
from ..ops.keys import Key, Range, parsed_key
from ..ops.placing import Place, put
from ..ops.shaping import (
    broadcast_to_row as BROADCAST_TO,
    reshape_row as RESHAPE,
    slice_row as SLICE,
    transpose_row as TRANSPOSE,
)
from ..ops.strides import reshape_strides, row_major
from .buffer import Buffer, innermost
from .construction import constant, make
from .nested import joined
from .node import DType, Node
from .operators import Operators
from .picked import Picked
from .stand_in import StandIn, strong
from .uniform import reshaped

__all__ = ["Filled", "filled", "viewed"]

_RANK = {"b": 0, "i": 1, "f": 2}


class _Memory(Protocol):
    """What a view lies in: a buffer, or another view in another shape."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def read(self, place: Place) -> Node: ...

    def write(self, place: Place, value: Node) -> None: ...


class _Line(NamedTuple):
    """The elements along one axis of the memory: `length` from `start`, every `step`."""

    start: int
    step: int
    length: int


class _Reshaped:
    """A view in another shape, as the memory of further views."""

    __slots__ = ("_view", "shape", "strides")

    def __init__(self, view: Filled, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self._view = view
        self.shape = shape
        self.strides = strides

    def _whole(self) -> Node:
        return make(RESHAPE, (self._view.node,), {"shape": self.shape})

    def read(self, place: Place) -> Node:
        starts, steps, counts = place
        return make(SLICE, (self._whole(),), {"starts": starts, "steps": steps, "shape": counts})

    def write(self, place: Place, value: Node) -> None:
        new = put(self._whole(), value, place)
        self._view.assign(make(RESHAPE, (new,), {"shape": self._view.shape}))


class _Repeated:
    """A view that is broadcast, which can be read alone."""

    __slots__ = ("_view", "shape", "strides")

    def __init__(self, view: Filled, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self._view = view
        self.shape = shape
        self.strides = strides

    def read(self, place: Place) -> Node:
        starts, steps, counts = place
        whole = make(BROADCAST_TO, (self._view.node,), {"shape": self.shape})
        return make(SLICE, (whole,), {"starts": starts, "steps": steps, "shape": counts})

    def write(self, place: Place, value: Node) -> None:
        raise UnsupportedError("a broadcast array is read-only", "write to a copy of it: x.copy()")


class Filled(StandIn):
    """An expression that can be written: an array that is being filled, or a view of one.

    Attributes:
        node: the array as it is now.
    """

    __slots__ = ("_buffer", "_layout", "_lines", "_memory", "_shape", "_strides", "_taken", "_version")

    def __init__(
        self,
        buffer: Buffer,
        memory: _Memory,
        strides: tuple[int, ...],
        lines: tuple[_Line, ...],
        layout: tuple[int | None, ...],
    ) -> None:
        self._buffer = buffer
        self._memory = memory
        self._strides = strides  # of the memory, in elements of the buffer
        self._lines = lines
        self._layout = layout  # per axis, the axis of the memory; None for a new one
        self._shape = tuple([1 if axis is None else lines[axis].length for axis in layout])
        self._version = -1
        self._taken: Node | None = None

    __hash__ = Node.__hash__

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return self._shape

    @property
    def dtype(self) -> DType:  # type: ignore[override]
        return self._buffer.dtype

    @property
    def node(self) -> Node:
        if self._taken is None or self._version != self._buffer.version:
            self._taken = self._read()
            self._version = self._buffer.version
        return self._taken

    @property
    def _place(self) -> Place:
        starts, steps, lengths = zip(*self._lines, strict=True) if self._lines else ((), (), ())
        return starts, steps, lengths

    def _read(self) -> Node:
        if self._memory is self._buffer and self._is_whole():
            return self._buffer.node
        found = self._memory.read(self._place)
        order = [axis for axis in self._layout if axis is not None]
        found = reshaped(found, tuple([self._lines[axis].length for axis in sorted(order)]))
        ranks = {axis: rank for rank, axis in enumerate(sorted(order))}
        axes = tuple([ranks[axis] for axis in order])
        if axes != tuple(range(len(axes))):
            found = make(TRANSPOSE, (found,), {"axes": axes})
        return reshaped(found, self._shape)

    def _is_whole(self) -> bool:
        """Whether it shows all of its memory as it is."""
        return self._shape == self._memory.shape and all(
            axis == k and not line.start and (line.step == 1 or line.length == 1)
            for k, (axis, line) in enumerate(zip(self._layout, self._lines, strict=True))
        )

    # --- writing

    def assign(self, value: Node) -> None:
        """Write `value`, of its shape and dtype, to all elements."""
        self._require_own()
        if self._memory is self._buffer and self._is_whole():
            self._buffer.replace(value)
            return
        order = [axis for axis in self._layout if axis is not None]
        value = reshaped(value, tuple([self._lines[axis].length for axis in order]))
        axes = tuple(sorted(range(len(order)), key=order.__getitem__))
        if axes != tuple(range(len(axes))):
            value = make(TRANSPOSE, (value,), {"axes": axes})
        self._memory.write(self._place, value)

    def _require_own(self) -> None:
        """Raise where it was made outside of the function that is being recorded."""
        if self._buffer.recording is not innermost():
            raise UnsupportedError(
                f"{self!r} was made outside of the function that writes it",
                "give it as an argument or carry it (out = out.copy() there, if need be), and return it",
            )

    @explained_as("x[i] = v")
    def __setitem__(self, key: Any, value: Any) -> None:  # type: ignore[override]
        element = self._element(key)
        if element is not None:
            found = _converted(value, self.dtype)
            if not found.shape:
                self._require_own()
                self._memory.write(element, found)
                return
        parsed = _basic(self, key)
        if parsed is not None:
            view = self._cut(parsed)
            if isinstance(value, Filled) and view is not None and view._is(value):
                return  # x[i] += v has written there already
            if view is not None:
                view.assign(view._fitted(value))
            return
        if isinstance(value, Picked):
            self.assign(value.put_into(self.node, key))
        else:
            self.assign(ops.index_update(self.node, strong(key), _converted(value, self.dtype), "set"))

    def _is(self, other: Filled) -> bool:
        """Whether two views show the same elements in the same way."""
        same = self._memory is other._memory and self._lines == other._lines
        return same and self._layout == other._layout

    def _fitted(self, value: Any) -> Node:
        """A value to be written to all elements, broadcast and converted as NumPy does."""
        value = _converted(value, self.dtype)
        extra = value.ndim - self.ndim
        if extra > 0 and all(n == 1 for n in value.shape[:extra]):
            value = reshaped(value, value.shape[extra:])
        return ops.broadcast_to(value, self._shape)

    def fill(self, value: Any) -> None:
        """Write one number, or expression, to all elements."""
        self[...] = value

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """Write values to places in C order, as `np.put`."""
        into: Any = self
        np.put(into, indices, values, mode)  # type: ignore[arg-type]

    def sort(self, axis: int = -1) -> None:
        """Sort along `axis` in place."""
        self[...] = np.sort(self.node, axis)

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Partition along `axis` in place, as `np.partition`."""
        self[...] = np.partition(self.node, kth, axis)

    def _updated(self, value: Any) -> Filled:
        """What `x += v` comes to: the result written to all elements, of a kind that these can hold."""
        if _RANK[KINDS[value.dtype]] > _RANK[KINDS[self.dtype]]:
            problem = f"a result of {value.dtype} does not fit in {self.dtype}"
            raise DTypeError(problem, "convert it with .astype, or make the array of that dtype", subject="x += v")
        self[...] = value
        return self

    def __iadd__(self, other: Any) -> Filled:
        return self._updated(self + other)

    def __isub__(self, other: Any) -> Filled:
        return self._updated(self - other)

    def __imul__(self, other: Any) -> Filled:
        return self._updated(self * other)

    def __itruediv__(self, other: Any) -> Filled:
        return self._updated(self / other)

    def __ifloordiv__(self, other: Any) -> Filled:
        return self._updated(self // other)

    def __imod__(self, other: Any) -> Filled:
        return self._updated(self % other)

    def __ipow__(self, other: Any) -> Filled:
        return self._updated(self**other)

    def __imatmul__(self, other: Any) -> Filled:
        return self._updated(self @ other)

    def __iand__(self, other: Any) -> Filled:
        return self._updated(self & other)

    def __ior__(self, other: Any) -> Filled:
        return self._updated(self | other)

    def __ixor__(self, other: Any) -> Filled:
        return self._updated(self ^ other)

    # --- reading

    @explained_as("indexing")
    def __getitem__(self, key: Any) -> Node:
        element = self._element(key)
        if element is not None:
            return reshaped(self._memory.read(element), ())
        parsed = _basic(self, key)
        if parsed is None:
            return self._picked(key) if _is_mask(key) else ops.index(self.node, strong(key))
        view = self._cut(parsed)
        if view is None:
            return ops.index(self.node, key)
        is_element = not view._shape and not (key is Ellipsis or (isinstance(key, tuple) and Ellipsis in key))
        return view.node if is_element else view

    def _picked(self, mask: Node) -> Any:
        """The elements at a mask that is an expression, which can be put back."""
        mask = strong(mask)
        if mask.shape != self._shape[: mask.ndim]:
            problem = f"a mask of shape {mask.shape} for an array of shape {self._shape}"
            raise ShapeError(problem, "give a mask of the shape of the axes that it stands for")
        return Picked(mask, self.node)

    def _element(self, key: Any) -> Place | None:
        """The place of one element; None where the key names no element, or one that is not there."""
        keys = key if type(key) is tuple else (key,)
        if len(keys) != len(self._layout):
            return None
        starts = [line.start for line in self._lines]
        for k, n, axis in zip(keys, self._shape, self._layout, strict=True):
            if type(k) is not int or axis is None or not -n <= k < n:
                return None
            starts[axis] += self._lines[axis].step * (k % n)
        ones = (1,) * len(starts)
        return tuple(starts), ones, ones

    def _cut(self, key: Key) -> Filled | None:
        """The view at a key of ints and slices; None where it has no elements."""
        lines = list(self._lines)
        layout: list[int | None] = []
        for entry, axis in zip(key.axes, self._layout, strict=True):
            if isinstance(entry, Range) and not entry.length:
                return None
            if axis is None:
                continue
            start, step, _ = lines[axis]
            if isinstance(entry, Range):
                lines[axis] = _Line(start + entry.start * step, step * entry.step, entry.length)
            else:
                lines[axis] = _Line(start + entry * step, 1, 1)
        for place in key.layout:
            if place is None:
                layout.append(None)
            elif isinstance(key.axes[place], Range):
                layout.append(self._layout[place])
        return Filled(self._buffer, self._memory, self._strides, tuple(lines), tuple(layout))

    def _permuted(self, axes: Sequence[int]) -> Filled:
        layout = tuple([self._layout[axis] for axis in axes])
        return Filled(self._buffer, self._memory, self._strides, self._lines, layout)

    def _in_shape(self, shape: tuple[int, ...]) -> Filled | None:
        """In another shape; None where NumPy makes a copy."""
        strides = reshape_strides(self._shape, self._own_strides(), shape)
        if strides is None or not prod(shape):
            return None
        return _over(self._buffer, _Reshaped(self, shape, strides), strides)

    def _repeated(self, shape: tuple[int, ...]) -> Filled:
        lead = len(shape) - self.ndim
        own = self._own_strides()
        strides = (0,) * lead + tuple(0 if n == 1 else s for n, s in zip(self._shape, own, strict=True))
        return _over(self._buffer, _Repeated(self, shape, strides), strides)

    def _own_strides(self) -> tuple[int, ...]:
        return tuple([0 if axis is None else self._strides[axis] * self._lines[axis].step for axis in self._layout])

    @property
    def is_contiguous(self) -> bool:
        """Whether its elements lie one after another in C order."""
        lying = zip(self._shape, self._own_strides(), row_major(self._shape), strict=True)
        return all(stride == wanted or size == 1 for size, stride, wanted in lying)

    def through(self, rows: Sequence[Node]) -> Filled | None:
        """The view that these views of one another show; None where NumPy makes a copy."""
        view: Filled | None = self
        for row in rows:
            if view is None:
                return None
            if row.op is TRANSPOSE:
                view = view._permuted(row.attrs["axes"])
            elif row.op is RESHAPE:
                view = view._in_shape(row.attrs["shape"])
            elif row.op is BROADCAST_TO:
                view = view._repeated(row.attrs["shape"])
            else:
                view = view._sliced(row.attrs["starts"], row.attrs["steps"], row.shape)
        return view

    def _sliced(self, starts: Sequence[int], steps: Sequence[int], shape: tuple[int, ...]) -> Filled | None:
        ranges = tuple(map(Range, starts, steps, shape, self._shape))
        return self._cut(Key(ranges, tuple(range(self.ndim)), None, False))

    # --- copies

    def copy(self) -> Node:
        """An array of the same values that can be filled by itself."""
        return filled(self.node)

    def __pos__(self) -> Node:
        return self.node

    def __copy__(self) -> Node:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Node:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return self.node.__reduce__()


#: NumPy's functions that show the elements of their argument where these lie, as far as they can.
VIEWS = frozenset(
    (
        *("array_split", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_to", "diagonal"),
        *("dsplit", "expand_dims", "flip", "fliplr", "flipud", "hsplit", "matrix_transpose", "moveaxis"),
        *("permute_dims", "ravel", "real", "reshape", "rollaxis", "rot90", "split", "squeeze", "swapaxes"),
        *("transpose", "unstack", "vsplit"),
    )
)


def _as_view(name: str) -> Callable[..., Any]:
    """A method of expressions that gives a view where NumPy's does."""
    method = getattr(Operators, name)

    def shown(self: Filled, *args: Any, **kwargs: Any) -> Node:
        return viewed(name, method(self.node, *args, **kwargs), [self])

    shown.__name__, shown.__doc__ = name, method.__doc__
    return shown


def _as_value(name: str) -> Callable[..., Any]:
    """A method of expressions that gives a value of its own."""
    method = getattr(Operators, name)

    def value(self: Filled, *args: Any, **kwargs: Any) -> Any:
        return method(self.node, *args, **kwargs)

    value.__name__, value.__doc__ = name, method.__doc__
    return value


for _name, _method in vars(Operators).items():
    if callable(_method) and not _name.startswith("_") and _name not in vars(Filled):
        setattr(Filled, _name, (_as_view if _name in VIEWS else _as_value)(_name))
Filled.T = property(_as_view("transpose"))  # type: ignore[assignment]
Filled.mT = property(lambda self: self.swapaxes(-2, -1))  # type: ignore[assignment]


def filled(node: Node) -> Filled:
    """A new array that begins with the values of `node`, and can be filled."""
    buffer = Buffer(strong(node))
    return _over(buffer, buffer, row_major(buffer.shape))


def _over(buffer: Buffer, memory: _Memory, strides: tuple[int, ...]) -> Filled:
    """All of a memory."""
    lines = tuple([_Line(0, 1, n) for n in memory.shape])
    return Filled(buffer, memory, strides, lines, tuple(range(len(lines))))


def viewed(function: str, found: Any, of: Sequence[Filled]) -> Any:
    """What a function gave that was given the nodes of arrays being filled: views of these, as NumPy's gives them.

    Where NumPy's gives a copy it is another array that can be filled.
    """
    if function not in VIEWS:
        return found
    if isinstance(found, list | tuple):
        return type(found)([viewed(function, part, of) for part in found])
    if not isinstance(found, Node):
        return found
    nodes = {array.node: array for array in of}
    rows: list[Node] = []
    node = strong(found)
    while node not in nodes and node.op in (SLICE, TRANSPOSE, RESHAPE, BROADCAST_TO):
        rows.append(node)
        (node,) = node.inputs
    array = nodes.get(node)
    if array is None:
        return found
    view = array.through(rows[::-1]) if function != "ravel" or array.is_contiguous else None
    return filled(found) if view is None else view


def _basic(x: Filled, key: Any) -> Key | None:
    """A key of ints, slices, Ellipsis and newaxis; None for one with arrays, masks or expressions."""
    for entry in key if isinstance(key, tuple) else (key,):
        kind = type(entry)
        if not (kind is int or kind is slice or entry is None or entry is Ellipsis or isinstance(entry, np.integer)):
            return None
        if kind is slice and any(isinstance(part, Node) for part in (entry.start, entry.stop, entry.step)):
            return None
    return parsed_key(x, key)


def _is_mask(key: Any) -> bool:
    """Whether a key is a mask that is an expression."""
    return isinstance(key, Node) and key.ndim > 0 and KINDS[key.dtype] == "b"


def _converted(value: Any, dtype: DType) -> Node:
    """A value to be written, in the dtype of the array, as NumPy converts it."""
    found = joined(value)
    if isinstance(found, Node):
        return ops.astype(found, dtype)
    with np.errstate(all="ignore"):
        return constant(found.astype(dtype))
