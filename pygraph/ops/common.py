"""What the rows and the public functions share: broadcasting, axes, operands and shorthands for registration."""

from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypedDict, TypeVar, overload

import numpy as np

from ..errors import (
    DTypeError,
    GraphError,
    ShapeError,
    SignatureError,
    TracedValueError,
    UnsupportedError,
    named,
    shown,
)
from .dtypes import KINDS, as_dtype
from .limits import MAX_AXES, MAX_ELEMENTS
from .row import Attrs, DType, Family, Interval, Op, Shape, register

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .expr import BinaryPartial, Partial, UnaryPartial

P = ParamSpec("P")
T = TypeVar("T")


def explained(function: Callable[P, T]) -> Callable[P, T]:
    """A public function that completes the errors it raises: they say stage, function, operands and what to do."""
    return explained_as(function.__name__)(function)


def explained_as(subject: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The same of a function that the user knows by another name."""

    def decorated(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except GraphError as error:
                error.complete(
                    "tracing",
                    subject,
                    [x for x in args if hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, type)],
                )
                raise
            except TypeError:
                refused = _misfit(function, subject, args, kwargs)
                if refused is None:
                    raise
            raise refused

        return wrapper

    return decorated


#: What to do about an argument of NumPy's functions that ours do not take.
ARGUMENT_ADVICE = {
    "out": "use the result: expressions are not written in place (a += x on an array a: write a = a + x)",
    "where": "use np.where(condition, x, y) on the result",
    "dtype": "use .astype(dtype) on the result or the operands",
    "casting": "use .astype(dtype) on the operands",
    "order": "leave it out",
    "copy": "leave it out: expressions never change",
}
#: What arguments are called elsewhere.
_ALSO_CALLED = {"dim": "axis", "dims": "axis", "keepdim": "keepdims"}


def _misfit(
    function: Callable[..., Any], subject: str, args: Sequence[Any], keywords: Mapping[str, Any]
) -> GraphError | None:
    """The error for arguments that do not fit the function's parameters; None where they do."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **keywords)
    except TypeError as error:
        problem = str(error)
    else:
        return None
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    plain = plain[1:] if plain and plain[0].name == "self" else plain
    called = signature.replace(parameters=plain, return_annotation=signature.empty)
    advice = f"call it as {subject if subject.startswith('x.') else f'pg.{subject}'}{called}"
    stranger = next((name for name in keywords if name not in signature.parameters), "")
    if stranger in ARGUMENT_ADVICE:
        return UnsupportedError(problem, f"{ARGUMENT_ADVICE[stranger]}; {advice}", stage="tracing", subject=subject)
    if _ALSO_CALLED.get(stranger) in signature.parameters:
        advice = f"say {_ALSO_CALLED[stranger]}=; {advice}"
    return SignatureError(problem, advice, stage="tracing", subject=subject)


def broadcast_shapes(shapes: Sequence[Shape]) -> Shape:
    """The shape that operands of these shapes broadcast to; raises `ShapeError` where they do not."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    ndim = max(map(len, shapes))
    result = [1] * ndim
    for shape in shapes:
        for axis, size in enumerate(shape, ndim - len(shape)):
            if size != 1:
                if result[axis] not in (1, size):
                    text = " and ".join(map(str, shapes))
                    raise ShapeError(f"operands of shapes {text} do not broadcast: sizes must be equal or 1")
                result[axis] = size
    return tuple(result)


def pointwise_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    """The shape rule of every pointwise row."""
    return broadcast_shapes(shapes)


def same_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    """The shape of the first operand."""
    return shapes[0]


class _Domain(TypedDict):
    domain: tuple[Interval, ...]


class Options(_Domain, total=False):
    """What a pointwise row says by name; see `Op`. `kinds` is "f" by default, and `domain` has to be there."""

    kinds: str
    result: str | Callable[[Sequence[DType], Attrs], DType]
    fast: tuple[str, str]
    nondiff: bool
    defined: str
    smooth: str
    cure: str
    price: int
    exact: bool
    edges: bool
    ulps: tuple[float, float]
    floor: float
    diagonal: str
    vanishes: str
    opposite: str
    notation: str
    to_float: str
    parameters: tuple[str, ...]


C: TypeAlias = str | Mapping[str, str]
Reference: TypeAlias = Callable[..., Any]


@overload
def pointwise(name: str, doc: str, c: C, reference: Reference, /, **options: Unpack[Options]) -> Op: ...
@overload
def pointwise(
    name: str, doc: str, c: C, reference: Reference, partial: UnaryPartial, /, **options: Unpack[Options]
) -> Op: ...
@overload
def pointwise(
    name: str,
    doc: str,
    c: C,
    reference: Reference,
    first: BinaryPartial | None,
    second: BinaryPartial | None,
    /,
    **options: Unpack[Options],
) -> Op: ...
def pointwise(
    name: str,
    doc: str,
    c: C,
    reference: Reference,
    *partials: Callable[..., Partial] | None,
    **options: Unpack[Options],
) -> Op:
    """Register an ELEMENTWISE row with a C expression; the domain has one interval per operand."""
    options.setdefault("kinds", "f")
    arity = len(options["domain"])
    shape = pointwise_shape
    return register(
        Op(name, Family.ELEMENTWISE, arity, doc, c=c, reference=reference, partials=partials, shape=shape, **options)
    )


def is_expression(x: Any) -> bool:
    """Whether `x` is a node of a graph (what carries an operation) rather than an array or a number."""
    return isinstance(getattr(x, "op", None), Op)


def operand(x: Any) -> Any:
    """`x` itself when it is an expression, else the array that NumPy makes of it.

    Raises:
        DTypeError: an object that is neither a number nor an array of numbers; UnsupportedError: a list of expressions.
    """
    return x if is_expression(x) else numbers_of(x)


#: The problem with NumPy's masked arrays, and what to do about it.
MASKED = ("masked arrays are not supported", "use np.where(mask, x, y) on plain arrays")


def is_masked(x: Any) -> bool:
    """Whether `x` is one of NumPy's masked arrays: there is none before their module, slow to import, is there."""
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    return masked is not None and isinstance(x, masked)


def numbers_of(x: Any) -> np.ndarray[Any, Any]:
    """The array that NumPy makes of `x`, which is not an expression; raises as `operand`."""
    if type(x) is np.ndarray and x.dtype.kind in "fib":
        return x
    if isinstance(x, np.matrix):
        raise UnsupportedError("np.matrix is not supported", "give np.asarray(m), and multiply matrices with @")
    if is_masked(x):
        raise UnsupportedError(*MASKED)
    try:
        array = np.asarray(x)
    except TracedValueError as error:
        raise UnsupportedError(
            "a list of expressions is not an array", "join them with np.stack, or pg.array"
        ) from error
    except OverflowError as error:
        raise DTypeError(f"{shown(x)} does not fit in int64", "use a float, or a smaller number") from error
    except ValueError as error:
        raise ShapeError(f"{named(x)} is not like an array: {error}", "give equal lengths") from error
    if array.dtype.kind in "fib":
        return array
    if array.dtype == object and isinstance(x, int):
        raise DTypeError(f"{shown(x)} does not fit in int64", "use a float, or a smaller number")
    if array.dtype.kind in "OSUV":
        if hasattr(x, "tocsr"):
            problem, advice = f"{named(x)} takes part in A @ x and x @ A only", "write those, or give A.toarray()"
        elif isinstance(x, str | bytes | None):
            problem, advice = f"{shown(x)} is not a number", "give numbers, arrays or expressions"
        elif callable(x):
            problem, advice = f"{named(x)} is not a number", "call the function: f(x)"
        else:
            of = f" of dtype {array.dtype}" if isinstance(x, np.ndarray) else ""
            problem, advice = f"{named(x)}{of} is not a number", "give numbers, arrays or expressions"
        raise DTypeError(problem, advice)
    if array.dtype.kind == "c":
        raise DTypeError(f"dtype {array.dtype} is not supported", "graphs are real: give x.real and x.imag apart")
    return array


def kind(x: Any) -> str:
    """The kind letter ("f", "i" or "b") of an expression, array or Python number; raises `DTypeError` for others."""
    if isinstance(x, bool):
        return "b"
    if type(x) in (int, float):
        return "i" if type(x) is int else "f"
    return KINDS[as_dtype(operand(x).dtype)]


def static_shape(shape: Any, *, inferred: bool = False) -> Shape:
    """A shape given as an int or a sequence of ints, as a tuple of Python ints that an array can have.

    With `inferred` a size may be -1: one that the caller works out.

    Raises:
        ShapeError: it is not a shape, a size is negative, or it has more axes or elements than an array can have.
    """
    if type(shape) is tuple and not shape:
        return ()
    try:
        sizes = shape if isinstance(shape, Sequence | np.ndarray) else (shape,)
        taken = tuple(int(operator.index(n)) for n in sizes)
    except TypeError as error:
        problem = f"a shape must be an int or a tuple of ints, not {shown(shape)}"
        raise ShapeError(problem, "give ints that are known when recording: shapes are static") from error
    checked_shape(tuple(n for n in taken if n != -1) if inferred else taken, taken)
    return taken


def checked_shape(shape: Shape, given: Shape | None = None) -> Shape:
    """`shape`, of which no size is negative and which an array can have; the one check of every shape in a graph.

    Raises:
        ShapeError: it is not a valid shape; the text shows `given`, where that is given.
    """
    if not shape:
        return shape
    if min(shape) >= 0 and len(shape) <= MAX_AXES and prod(n for n in shape if n) <= MAX_ELEMENTS:
        return shape
    text = f"the shape {shown(shape if given is None else given)}"
    if min(shape, default=0) < 0:
        raise ShapeError(f"{text} has a negative size", "give sizes of 0 or more")
    if len(shape) > MAX_AXES:
        raise ShapeError(f"{text} has {len(shape)} axes", f"give {MAX_AXES} at most: join some with reshape")
    raise ShapeError(f"{text} has 2**57 elements or more", "give sizes that memory can hold")


def normal_axis(axis: Any, ndim: int) -> int:
    """One axis as a non-negative Python int; raises `ShapeError` out of range."""
    try:
        index = operator.index(axis)
    except TypeError as error:
        raise ShapeError(
            f"an axis must be an int known when recording, not {shown(axis)}", "give an int, or a tuple of ints"
        ) from error
    if not -ndim <= index < ndim:
        raise ShapeError(
            f"axis {index} is out of range for an operand with {ndim} {'axis' if ndim == 1 else 'axes'}",
            f"give an axis from {-ndim} to {ndim - 1}" if ndim else "leave axis out: a scalar has none",
        )
    return index % ndim


def normal_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """An `axis` argument (None, an int or several) as distinct non-negative ints, in the order given."""
    if axis is None:
        return tuple(range(ndim))
    several = axis if isinstance(axis, Sequence | np.ndarray) else (axis,)
    axes = tuple(normal_axis(a, ndim) for a in several)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"axis {tuple(several)} names the same axis twice", "name each axis once")
    return axes
