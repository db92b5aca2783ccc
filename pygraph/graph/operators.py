"""What makes an expression read like a NumPy array: operators, methods, indexing, and NumPy's protocols."""

# mypy: disable-error-code="no-any-return"
# A row gives an expression or an array by what it is given; here it is given an expression.

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeAlias, TypeVar

import numpy as np

from .. import ops
from ..errors import ShapeError, UnsupportedError
from ..ops.arithmetic import (
    absolute as ABSOLUTE,
    add as ADD,
    divide as DIVIDE,
    floor_divide as FLOOR_DIVIDE,
    mod as MOD,
    multiply as MULTIPLY,
    negative as NEGATIVE,
    subtract as SUBTRACT,
)
from ..ops.common import explained_as
from ..ops.comparison import (
    equal as EQUAL,
    greater as GREATER,
    greater_equal as GREATER_EQUAL,
    less as LESS,
    less_equal as LESS_EQUAL,
    not_equal as NOT_EQUAL,
)
from ..ops.row import Op
from .at import At
from .concretisation import refuse, wants_dense
from .other_attributes import MissingAttribute, other_attributes

if TYPE_CHECKING:
    from .node import Node

__all__ = ["At", "Operators", "bind_protocols"]

P = ParamSpec("P")
T = TypeVar("T")


_FIXED = "expressions cannot be changed in place"
#: Formats that only place a text: a width and an alignment.
_PLACED = re.compile(r"(?:.?[<>^])?\d*s?")


def _method(function: Callable[P, T]) -> Callable[P, T]:
    """A method of expressions that says how it is called where it is called with other arguments."""
    return explained_as(f"x.{function.__name__}")(function)


_ApplyUfunc: TypeAlias = Callable[[np.ufunc, str, Sequence[Any], Mapping[str, Any]], Any]
_ApplyFunction: TypeAlias = Callable[[Any, Sequence[Any], Mapping[str, Any]], Any]
_Record: TypeAlias = Callable[[Op, Sequence[Any], Mapping[str, Any]], Any]
_record: _Record
_apply_ufunc: _ApplyUfunc
_apply_function: _ApplyFunction


def bind_protocols(record: _Record, apply_ufunc: _ApplyUfunc, apply_function: _ApplyFunction) -> None:
    """Tell expressions how operations, and NumPy's calls on them, are recorded (called once, by `pygraph.graph`)."""
    global _record, _apply_ufunc, _apply_function
    _record, _apply_ufunc, _apply_function = record, apply_ufunc, apply_function


class Operators:
    """The operators and methods of `Node`."""

    __slots__ = ()

    #: NumPy's arrays leave binary operations with an expression to it.
    __array_priority__ = 1000.0
    __hash__ = object.__hash__

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]: ...

        @property
        def dtype(self) -> np.dtype[Any]: ...

        @property
        def type_text(self) -> str: ...

    # --- arithmetic

    def __add__(self, other: Any) -> Node:
        return _record(ADD, (self, other), {})

    def __radd__(self, other: Any) -> Node:
        return _record(ADD, (other, self), {})

    def __sub__(self, other: Any) -> Node:
        return _record(SUBTRACT, (self, other), {})

    def __rsub__(self, other: Any) -> Node:
        return _record(SUBTRACT, (other, self), {})

    def __mul__(self, other: Any) -> Node:
        return _record(MULTIPLY, (self, other), {})

    def __rmul__(self, other: Any) -> Node:
        return _record(MULTIPLY, (other, self), {})

    def __truediv__(self, other: Any) -> Node:
        return _record(DIVIDE, (self, other), {})

    def __rtruediv__(self, other: Any) -> Node:
        return _record(DIVIDE, (other, self), {})

    def __floordiv__(self, other: Any) -> Node:
        return _record(FLOOR_DIVIDE, (self, other), {})

    def __rfloordiv__(self, other: Any) -> Node:
        return _record(FLOOR_DIVIDE, (other, self), {})

    def __mod__(self, other: Any) -> Node:
        return _record(MOD, (self, other), {})

    def __rmod__(self, other: Any) -> Node:
        return _record(MOD, (other, self), {})

    def __divmod__(self, other: Any) -> tuple[Node, Node]:
        return _record(FLOOR_DIVIDE, (self, other), {}), _record(MOD, (self, other), {})

    def __rdivmod__(self, other: Any) -> tuple[Node, Node]:
        return _record(FLOOR_DIVIDE, (other, self), {}), _record(MOD, (other, self), {})

    def __pow__(self, other: Any) -> Node:
        return ops.power(self, other)

    def __rpow__(self, other: Any) -> Node:
        return ops.power(other, self)

    def __matmul__(self, other: Any) -> Node:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return ops.matmul(other, self)

    def __neg__(self) -> Node:
        return _record(NEGATIVE, (self,), {})

    def __pos__(self) -> Node:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Node:
        return _record(ABSOLUTE, (self,), {})

    # --- comparisons and logic

    def __eq__(self, other: Any) -> Node:  # type: ignore[override]
        return _record(EQUAL, (self, other), {})

    def __ne__(self, other: Any) -> Node:  # type: ignore[override]
        return _record(NOT_EQUAL, (self, other), {})

    def __lt__(self, other: Any) -> Node:
        return _record(LESS, (self, other), {})

    def __le__(self, other: Any) -> Node:
        return _record(LESS_EQUAL, (self, other), {})

    def __gt__(self, other: Any) -> Node:
        return _record(GREATER, (self, other), {})

    def __ge__(self, other: Any) -> Node:
        return _record(GREATER_EQUAL, (self, other), {})

    def __and__(self, other: Any) -> Node:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Node:
        return ops.bitwise_and(other, self)

    def __or__(self, other: Any) -> Node:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Node:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Node:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Node:
        return ops.bitwise_xor(other, self)

    def __invert__(self) -> Node:
        return ops.invert(self)

    def __lshift__(self, other: Any) -> Node:
        return ops.left_shift(self, other)

    def __rlshift__(self, other: Any) -> Node:
        return ops.left_shift(other, self)

    def __rshift__(self, other: Any) -> Node:
        return ops.right_shift(self, other)

    def __rrshift__(self, other: Any) -> Node:
        return ops.right_shift(other, self)

    # --- what needs numbers, which an expression does not have yet

    def __bool__(self) -> bool:
        refuse(self, "bool")

    def __float__(self) -> float:
        refuse(self, "float")

    def __int__(self) -> int:
        refuse(self, "int")

    def __index__(self) -> int:
        refuse(self, "index")

    def __complex__(self) -> complex:
        refuse(self, "complex")

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec) if _PLACED.fullmatch(spec) else refuse(self, "format")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        if wants_dense():
            return np.empty((), object)  # SciPy then leaves the product to `__rmatmul__`
        return refuse(self, "np.asarray")

    def item(self) -> NoReturn:
        """Raises `TracedValueError`: an expression has no value yet."""
        refuse(self, "item")

    def tolist(self) -> NoReturn:
        """Raises `TracedValueError`: an expression has no value yet."""
        refuse(self, "tolist")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...

    def __dir__(self) -> list[str]:
        kind, refused = type(self), MissingAttribute
        return [name for name in object.__dir__(self) if not isinstance(getattr_static(kind, name, None), refused)]

    # --- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _apply_function(function, args, kwargs)

    # --- the array's form

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def T(self) -> Node:
        """The transpose: all axes reversed."""
        return ops.transpose(self)

    @property
    def mT(self) -> Node:
        """The transposes of the matrices along the last two axes."""
        return ops.matrix_transpose(self)

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self.size * self.dtype.itemsize

    @property
    def real(self) -> Node:
        """The real part: itself."""
        return self  # type: ignore[return-value]

    @property
    def imag(self) -> Node:
        """The imaginary part: zeros."""
        return ops.imag(self)

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a scalar has no length", "use x.size", stage="tracing", subject="len()", operands=(self,))
        return self.shape[0]

    def __iter__(self) -> Iterator[Node]:
        if not self.shape:
            raise ShapeError(
                "a scalar has no elements", "use x itself", stage="tracing", subject="iter()", operands=(self,)
            )
        return (self[i] for i in range(self.shape[0]))

    # --- indexing

    def __getitem__(self, key: Any) -> Node:
        return ops.index(self, key)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UnsupportedError(
            _FIXED,
            "write to a copy: x = x.copy(); or use x = x.at[i].set(v), and x.at[i].add(v) for x[i] += v",
            stage="tracing",
            subject="x[i] = v",
            operands=(self, value),
        )

    def __delitem__(self, key: Any) -> NoReturn:
        advice = "join what is left: np.concatenate([x[:i], x[i + 1:]])"
        raise UnsupportedError(_FIXED, advice, stage="tracing", subject="del x[i]", operands=(self,))

    @property
    def at(self) -> At:
        """`x.at[idx].set(v)` and `x.at[idx].add(v)`: a copy of x with elements replaced or added to."""
        return At(self)

    # --- methods

    @_method
    def astype(self, dtype: Any) -> Node:
        """The values in another dtype; itself when it has that dtype."""
        return ops.astype(self, dtype)

    @_method
    def copy(self) -> Node:
        """An array of the same values that can be filled: `y = x.copy(); y[i] = v`."""
        return _apply_function(np.copy, (self,), {})

    @_method
    def sum(
        self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
    ) -> Node:
        """The sum over `axis`, as `np.sum`."""
        return ops.sum(self, axis, dtype, keepdims=keepdims, initial=initial, where=where)

    @_method
    def prod(
        self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
    ) -> Node:
        """The product over `axis`, as `np.prod`."""
        return ops.prod(self, axis, dtype, keepdims=keepdims, initial=initial, where=where)

    @_method
    def mean(self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = None) -> Node:
        """The mean over `axis`, as `np.mean`."""
        return ops.mean(self, axis, dtype, keepdims=keepdims, where=where)

    @_method
    def var(
        self,
        axis: Any = None,
        dtype: Any = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        where: Any = None,
    ) -> Node:
        """The variance over `axis`, as `np.var`."""
        return ops.var(self, axis, dtype, ddof=ddof, keepdims=keepdims, where=where)

    @_method
    def std(
        self,
        axis: Any = None,
        dtype: Any = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        where: Any = None,
    ) -> Node:
        """The standard deviation over `axis`, as `np.std`."""
        return ops.std(self, axis, dtype, ddof=ddof, keepdims=keepdims, where=where)

    @_method
    def max(self, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Node:
        """The largest element along `axis`, as `np.max`."""
        return ops.max(self, axis, keepdims=keepdims, initial=initial, where=where)

    @_method
    def min(self, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Node:
        """The smallest element along `axis`, as `np.min`."""
        return ops.min(self, axis, keepdims=keepdims, initial=initial, where=where)

    @_method
    def any(self, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Node:
        """Whether any element along `axis` is true, as `np.any`."""
        return ops.any(self, axis, keepdims=keepdims, where=where)

    @_method
    def all(self, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Node:
        """Whether all elements along `axis` are true, as `np.all`."""
        return ops.all(self, axis, keepdims=keepdims, where=where)

    @_method
    def reshape(self, *shape: Any, order: str = "C") -> Node:
        """The elements in another shape, given as a tuple or as separate sizes; one size may be -1."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    @_method
    def ravel(self, order: str = "C") -> Node:
        """The elements in one axis."""
        return ops.ravel(self, order)

    @_method
    def flatten(self, order: str = "C") -> Node:
        """The elements in one axis."""
        return ops.ravel(self, order)

    @_method
    def transpose(self, *axes: Any) -> Node:
        """The axes permuted, reversed if none are given; as a tuple or as separate numbers."""
        several = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list)))
        return ops.transpose(self, (axes[0] if several else axes) or None)

    @_method
    def swapaxes(self, axis1: int, axis2: int) -> Node:
        """Two axes exchanged."""
        return ops.swapaxes(self, axis1, axis2)

    @_method
    def squeeze(self, axis: Any = None) -> Node:
        """Axes of size 1 removed."""
        return ops.squeeze(self, axis)

    @_method
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
        """A diagonal of the matrices along two axes, as `np.diagonal`."""
        return ops.diagonal(self, offset, axis1, axis2)

    @_method
    def take(self, indices: Any, axis: Any = None, *, mode: str = "raise") -> Node:
        """Slices along `axis` at integer indices, as `np.take`."""
        return ops.take(self, indices, axis, mode=mode)

    @_method
    def dot(self, other: Any) -> Node:
        """The product with `other`, as `np.dot`."""
        return ops.dot(self, other)

    @_method
    def clip(self, min: Any = None, max: Any = None) -> Node:
        """The values limited to `min` and `max`."""
        return ops.clip(self, min, max)

    @_method
    def round(self, decimals: int = 0) -> Node:
        """The nearest integers, halves to even, as `np.round`."""
        return ops.round(self, decimals)

    def __round__(self, ndigits: int | None = None) -> Node:
        return ops.round(self, ndigits or 0)


for _name, _found in other_attributes():
    if _name not in vars(Operators):
        setattr(Operators, _name, _found)
