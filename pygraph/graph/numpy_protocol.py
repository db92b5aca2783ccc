"""NumPy's protocols, NEP 13 and 18: `np.*` on an expression calls our function of that name, or says it is missing."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from .. import ops
from ..errors import DTypeError, ShapeError, UnsupportedError
from ..ops.common import ARGUMENT_ADVICE
from . import creation
from .construction import as_node
from .filled import Filled, viewed
from .node import Node
from .numpy_alternatives import instead, of_fewer_arguments
from .weak import WEAK_CLASSES, Weak, strong
from .writing import WRITERS, update_at

__all__ = ["apply_function", "apply_ufunc", "recorded_as"]

#: NumPy's names that differ from ours.
_ALIASES = {
    "amax": "max",
    "amin": "min",
    "around": "round",
    "remainder": "mod",
    "true_divide": "divide",
}

#: ufunc.reduce by ufunc.
_REDUCTIONS = {
    "numpy.add": "sum",
    "numpy.multiply": "prod",
    "numpy.maximum": "max",
    "numpy.minimum": "min",
    "numpy.logical_and": "all",
    "numpy.logical_or": "any",
    "numpy.logaddexp": "logsumexp",
}
#: ufunc.accumulate by ufunc.
_ACCUMULATIONS = {
    "numpy.add": "cumsum",
    "numpy.multiply": "cumprod",
    "numpy.maximum": "cummax",
    "numpy.minimum": "cummin",
    "numpy.logaddexp": "logcumsumexp",
}
_METHODS = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}


def _positive(x: Any) -> Node:
    return as_node(ops.positive(x))


def _fabs(x: Any) -> Any:
    """np.fabs is floating: integers become float64, and bools (which NumPy takes to float16) are refused."""
    if x.dtype.kind == "b":
        raise DTypeError(
            "takes floating operands, not bool",
            "use x.astype('float64')",
            stage="tracing",
            subject="numpy.fabs",
            operands=(x,),
        )
    return ops.absolute(x.astype("float64") if x.dtype.kind == "i" else x)


def _size(x: Any, axis: int | None = None) -> int:
    return int(x.size) if axis is None else int(x.shape[axis])


def _recorded(create: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes arrays, as NumPy calls it with an expression for `like=`: np.zeros(3, like=x)."""
    if "like" not in inspect.signature(create).parameters:
        return create

    @wraps(create)
    def made(*args: Any, **kwargs: Any) -> Any:
        return create(*args, **kwargs, like=as_node(0))

    return made


def _type_of(x: Any) -> Any:
    """What promotion by NumPy takes in place of an expression: its dtype, or a Python number where it is weak."""
    return WEAK_CLASSES[x.dtype](0) if type(x) is Weak else x.dtype if isinstance(x, Node) else x


def _result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*map(_type_of, arrays_and_dtypes))


def _common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, x.dtype) if isinstance(x, Node) else x for x in arrays))


#: Functions that need no row: about the form of an expression, or made of its operators.
_OWN: Mapping[str, Callable[..., Any]] = {
    "positive": _positive,
    "fabs": _fabs,
    "shape": lambda x: x.shape,
    "ndim": lambda x: len(x.shape),
    "size": _size,
    "iscomplexobj": lambda x: False,
    "isrealobj": lambda x: True,
    "result_type": _result_type,
    "common_type": _common_type,
    "can_cast": lambda from_, to, casting="safe": np.can_cast(_type_of(from_), to, casting),
    "i0": lambda x: ops.i0(x),  # no ufunc in NumPy
}


@lru_cache(maxsize=1024)
def _find(name: str) -> Callable[..., Any] | None:
    """Our function for NumPy's function of that name."""
    own = _OWN.get(name)
    if own is not None:
        return own
    if name in creation.__all__:
        return _recorded(getattr(creation, name))
    name = _ALIASES.get(name, name)
    found = getattr(ops, name) if name in ops.NAMES else None
    return found if callable(found) else None


@lru_cache(maxsize=1024)
def _ufunc(ufunc: np.ufunc) -> tuple[str, Callable[..., Any] | None]:
    """A ufunc's full name and our function for it; only NumPy's and SciPy's own count, not others of the same name."""
    name = ufunc.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is ufunc:
            return f"{module}.{name}", _find(name)
    return name, None


def recorded_as(function: Any, module: str, method: str = "__call__") -> Callable[..., Any] | None:
    """Our function for one of that module of NumPy or SciPy, or for a method of a ufunc; None where there is none."""
    if isinstance(function, np.ufunc):
        name, own = _ufunc(function)
        return own if method in ("__call__", "outer") else _find(_METHODS.get(method, {}).get(name, ""))
    name = getattr(function, "__name__", "")
    if module == "numpy" and (name in WRITERS or not callable(function)):
        return None
    if hasattr(function, "_implementation") or (module == "numpy" and name in creation.__all__):
        return _find(name) if module == "numpy" else _find_in(module, name)
    return None


def _unsupported(name: str, operands: Sequence[Any], argument: str = "") -> UnsupportedError:
    """The error for a function of that name, or for one argument of it."""
    arrays = [x for x in operands if hasattr(x, "dtype") and hasattr(x, "shape")]
    what = f"argument {argument!r} of {name}" if argument else name
    advice = ARGUMENT_ADVICE.get(argument, f"leave {argument} out") if argument else instead(name)
    return UnsupportedError(
        f"{what} is not supported by pygraph", advice, stage="tracing", subject=name, operands=arrays
    )


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """NEP 13: apply a ufunc, or reduce, accumulate or take all pairs with it, where an operand is an expression.

    Raises:
        UnsupportedError: names the ufunc, method or argument that is not supported.
    """
    name, function = _ufunc(ufunc)
    (target,) = kwargs.get("out") or (None,)
    if isinstance(target, Filled):
        kwargs = {argument: value for argument, value in kwargs.items() if argument != "out"}
        target[...] = apply_ufunc(ufunc, method, inputs, kwargs)
        return target
    if method == "at":
        return update_at(name, *inputs)
    if method == "__call__":
        if function is None:
            raise _unsupported(name, inputs)
        given = _given(kwargs) if kwargs else kwargs
        return _checked_call(function, name, inputs, inputs, given) if given else strong(function(*inputs))
    if method == "outer" and function is not None and ufunc.nin == 2:
        for argument in _given(kwargs):
            raise _unsupported(f"{name}.outer", inputs, argument)
        x, y = map(as_node, inputs)
        return function(ops.reshape(x, (*x.shape, *[1] * y.ndim)), y)
    ours = _METHODS.get(method, {}).get(name)
    if ours is None:
        raise _unsupported(f"{name}.{method}", inputs)
    function = _find(ours)
    assert function is not None
    return _checked_call(function, f"{name}.{method}", inputs, inputs, {"axis": 0, **_given(kwargs)})


def _given(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments without those that say nothing; `axis=None` says something."""
    return {
        key: value
        for key, value in kwargs.items()
        if value is not np._NoValue
        and (value is not None or key == "axis")
        and not (key == "where" and value is True)
        and not (key == "order" and value in ("C", "K"))
    }


@lru_cache(maxsize=1024)
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # functions written in C, in some versions of NumPy
        return None


def apply_function(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """NEP 18: call our function of the same name with the same arguments, where one is an expression.

    Raises:
        UnsupportedError: names the function or the argument that is not supported.
    """
    module = function.__module__ or "numpy"
    name = f"{module}.{function.__name__}"
    if module == "numpy" and function.__name__ in WRITERS and args and isinstance(args[0], Filled):
        return WRITERS[function.__name__](*args, **kwargs)
    target = kwargs.get("out")
    if isinstance(target, Filled):
        return _written(target, function, args, {name: x for name, x in kwargs.items() if name != "out"})
    arrays: list[Filled] = []
    args = [_read(x, arrays) for x in args]
    kwargs = {argument: _read(x, arrays) for argument, x in kwargs.items()}
    found = _applied(function, module, name, args, kwargs)
    return viewed(function.__name__, found, arrays) if arrays else found


def _written(target: Filled, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Filled:
    """`out=` of a function: its result in an array that is filled, of that very shape as in NumPy."""
    found = apply_function(function, args, kwargs)
    if np.shape(found) != target.shape:
        raise ShapeError(
            f"out has shape {target.shape}, the result {np.shape(found)}",
            f"give an array of shape {np.shape(found)}",
            stage="tracing",
            subject=f"numpy.{function.__name__}",
            operands=(target,),
        )
    target[...] = found
    return target


def _read(x: Any, arrays: list[Filled]) -> Any:
    """An argument with the values of arrays that are filled in place of these, which are noted."""
    if isinstance(x, Filled):
        arrays.append(x)
        return x.node
    return type(x)([_read(part, arrays) for part in x]) if type(x) in (list, tuple) else x


def _applied(function: Any, module: str, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    ours = _find(function.__name__) if module == "numpy" else _find_in(module, function.__name__)
    operands = [x for arg in args for x in (arg if isinstance(arg, (tuple, list)) else (arg,))]
    if ours is None or (module == "numpy" and function.__name__ in WRITERS):
        raise _unsupported(name, operands)
    theirs = _signature(function)
    if theirs is None:
        return _checked_call(ours, name, operands, args, _given(kwargs))
    given = (*args, *kwargs.values())
    by_position, by_name = _translated(function, ours, len(args), tuple(kwargs))
    taken = {name: given[i] for name, i in by_name.items()}
    return _checked_call(ours, name, operands, [given[i] for i in by_position], _given(taken))


@lru_cache(maxsize=1024)
def _translated(function: Any, own: Any, count: int, names: tuple[str, ...]) -> tuple[list[int], dict[str, int]]:
    """How a call of NumPy's `function` is one of our `own`, by position where only the names of parameters differ.

    Args:
        count: how many arguments are given by position.
        names: of the others.

    Returns:
        The numbers of the arguments, by position and then by name, that ours is given by position and by name.
    """
    numbered = {name: count + i for i, name in enumerate(names)}
    theirs, mine = _signature(function), _signature(own)
    assert theirs is not None
    assert mine is not None
    bound = theirs.bind(*range(count), **numbered)  # arguments that NumPy refuses raise Python's own error
    their = theirs.parameters
    positional_kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    their_names = {p.name for p in their.values() if p.kind in positional_kinds}
    ours = [p.name for p in mine.parameters.values() if p.kind in positional_kinds]
    args: list[int] = []
    kwargs: dict[str, int] = {}
    for i, (name, value) in enumerate(bound.arguments.items()):
        kind = their[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            args.extend(value)
        elif kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(value)
        elif i == len(args) < len(ours) and (ours[i] == name or ours[i] not in their_names):
            args.append(value)
        else:
            kwargs[name] = value
    return args, kwargs


@lru_cache(maxsize=1024)
def _bound(function: Callable[..., Any], count: int, names: tuple[str, ...]) -> None:
    """Raise Python's own error where our function does not take so many arguments by position and these by name."""
    signature = _signature(function)
    assert signature is not None
    signature.bind(*range(count), **dict.fromkeys(names))


def _find_in(module: str, name: str) -> Callable[..., Any] | None:
    """Our function for one of a sub-module of NumPy, such as numpy.linalg, when `ops` has that module."""
    namespace = module.removeprefix("numpy.")
    if namespace not in ops.NAMESPACES:
        return None
    found = getattr(ops, namespace)
    return getattr(found, name) if name in found.__all__ else None


def _checked_call(
    function: Callable[..., Any],
    name: str,
    operands: Sequence[Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Call our function, unless it has no parameter for one of the arguments."""
    signature = _signature(function)
    if signature is not None:
        taken = signature.parameters
        anything = any(p.kind is p.VAR_KEYWORD for p in taken.values()) and not isinstance(function, ops.Op)
        for argument in kwargs:
            if argument not in taken and not anything:
                raise _unsupported(name, operands, argument)
        try:
            _bound(function, len(args), tuple(kwargs))
        except TypeError as error:
            arrays = [x for x in operands if hasattr(x, "dtype") and hasattr(x, "shape")]
            problem = f"{name} with these arguments ({error}) is not supported by pygraph"
            advice = of_fewer_arguments(name) or f"pygraph has {function.__name__}({', '.join(taken)})"
            raise UnsupportedError(problem, advice, stage="tracing", subject=name, operands=arrays) from error
    found = function(*args, **kwargs)
    return found.node if type(found) is Weak else found
