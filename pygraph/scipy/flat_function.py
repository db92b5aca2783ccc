"""A user's function as one of a vector of float64, with the derivatives that solvers ask for; compiled when asked for.

What a function is compiled to is kept with it, so that later solves of the same function start without a trace. It is
traced again where something that it reads besides its arguments has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np

import pygraph as pg

from .decision_variables import DecisionVariables, same_form, unravelled
from .fixed_arguments import FixedArguments, filled

__all__ = ["FlatFunction", "flat_function", "running", "running_sparse"]

#: The attribute of a function under which its flat functions are kept, and how many of them.
_ATTRIBUTE = "__pygraph_scipy__"
_KEPT = 8


class FlatFunction:
    """A function of (vector, *others) whose result is a vector or a scalar, and its derivatives.

    Attributes:
        flat: the function.
        argnum: which of its arguments the vector is.
        pair: of a function that returns (value, derivative), both, flat; else None.
    """

    def __init__(self, flat: Callable[..., Any], argnum: int = 0, pair: Callable[..., Any] | None = None) -> None:
        self.flat, self.argnum, self.pair = flat, argnum, pair

    @cached_property
    def value(self) -> Any:
        """The function, compiled."""
        return _compiled(self.flat)

    @cached_property
    def value_and_gradient(self) -> Any:
        """(value, gradient) of a scalar function, in one call."""
        return pg.value_and_grad(self.flat)

    @cached_property
    def value_and_given(self) -> Any:
        """(value, the flat derivative) of a function that returns both."""
        assert self.pair is not None
        return _compiled(self.pair)

    @cached_property
    def hessian(self) -> Any:
        """The Hessian of a scalar function."""
        return pg.hessian(self.flat)

    @cached_property
    def sparse_hessian(self) -> Any:
        """The entries of the Hessian of a scalar function."""
        return pg.sparse_hessian(self.flat)

    @cached_property
    def hessian_product(self) -> Any:
        """The Hessian of a scalar function times a vector p, of (vector, p, *inputs)."""
        return _along(pg.grad(self.flat))

    @cached_property
    def jacobian(self) -> Any:
        """The Jacobian of a vector function."""
        return pg.jacobian(self.flat, self.argnum)

    def sparse_jacobian(self, sparsity: Any = None) -> Any:
        """The Jacobian of a vector function as a sparse matrix; not kept where the structure is given."""
        return (
            self._sparse_jacobian if sparsity is None else pg.sparse_jacobian(self.flat, self.argnum, sparsity=sparsity)
        )

    @cached_property
    def _sparse_jacobian(self) -> Any:
        return pg.sparse_jacobian(self.flat, self.argnum)

    @cached_property
    def jacobian_product(self) -> Any:
        """The Jacobian of a vector function times a vector p, of (vector, p, *inputs) or (t, vector, p, *inputs)."""
        return _along(self.flat, self.argnum)

    @cached_property
    def weighted(self) -> FlatFunction:
        """The sum of the results with weights, a scalar function of (vector, weights, *inputs)."""

        def total(vector: Any, weights: Any, *inputs: Any) -> Any:
            return np.sum(weights * self.flat(vector, *inputs))

        return FlatFunction(_presented(total, self.flat))


class _Kept(list[tuple[Any, FlatFunction]]):
    """The flat functions of a function, which are not copied and not pickled with it."""

    def __init__(self, owner: Any = None) -> None:
        super().__init__()
        self.owner = owner

    def __reduce__(self) -> tuple[Any, ...]:
        return _Kept, ()


def flat_function(
    f: Callable[..., Any], variables: DecisionVariables, arguments: FixedArguments, ending: str = "vector"
) -> FlatFunction:
    """The flat function of `f` for these unknowns and arguments, an earlier one where it has the same form.

    Args:
        ending: what `f` returns: "vector" (any container), "scalar", "scalar pair" or "vector pair" (that and its
            derivative); or "timed": a vector, and the time is its first argument.
    """
    given: object = f
    if not callable(given):
        problem = f"the function is of type {type(given).__name__}, which can't be called"
        raise pg.SignatureError(problem, "give a function", stage="calling", subject=variables.subject)
    pieces, form = variables.pieces, arguments.form
    if not isinstance(f, (FunctionType, pg.CompiledFunction)):
        return _flat(f, pieces, form, ending)
    kept: _Kept | None = f.__dict__.get(_ATTRIBUTE)
    if kept is None or kept.owner is not f:  # functools.wraps copies attributes to other functions
        kept = f.__dict__[_ATTRIBUTE] = _Kept(f)
    key = (pieces, form, ending)
    for known, found in list(kept):
        if same_form(known, key):
            return found
    made = _flat(f, pieces, form, ending)
    kept.append((key, made))
    del kept[:-_KEPT]
    return made


def _flat(f: Callable[..., Any], pieces: Any, form: Any, ending: str) -> FlatFunction:
    def called(vector: Any, *inputs: Any) -> Any:
        args, kwargs = filled(form, inputs)
        return f(unravelled(pieces, vector), *args, **kwargs)

    def timed(t: Any, vector: Any, *inputs: Any) -> Any:
        args, kwargs = filled(form, inputs)
        return _vector(f(t, unravelled(pieces, vector), *args, **kwargs))

    def value(vector: Any, *inputs: Any) -> Any:
        return result(called(vector, *inputs))

    def value_of_pair(vector: Any, *inputs: Any) -> Any:
        return result(_pair(called(vector, *inputs))[0])

    def pair(vector: Any, *inputs: Any) -> Any:
        found, derivative = _pair(called(vector, *inputs))
        return result(found), _vector(derivative)

    if ending == "timed":
        return FlatFunction(_presented(timed, f), 1)
    result = _scalar if ending.startswith("scalar") else _vector
    if ending.endswith("pair"):
        return FlatFunction(_presented(value_of_pair, f), 0, _presented(pair, f))
    return FlatFunction(_presented(value, f))


def running(compiled: Any, example: tuple[Any, ...], inputs: tuple[Any, ...]) -> Callable[..., Any]:
    """`compiled` for arguments like `example`, with `inputs` after them: what a solver calls many times.

    What the function reads besides its arguments is looked at now, and not at each call.
    """
    executable = compiled.executable(*example, *inputs)
    return lambda *point: executable(*point, *inputs)


def running_sparse(compiled: Any, example: tuple[Any, ...], inputs: tuple[Any, ...], make: Any) -> Callable[..., Any]:
    """As `running`, of a sparse derivative: returns `make((data, indices, indptr), shape=…)`, SciPy's csr_array."""
    structure = compiled.structure(*example, *inputs)
    values = running(compiled.values, example, inputs)

    def matrix(*point: Any) -> Any:
        entries = (values(*point), structure.indices.copy(), structure.indptr.copy())
        return make(entries, shape=structure.shape)

    return matrix


def _compiled(f: Callable[..., Any]) -> Any:
    """`f` compiled, and traced again when what it reads has changed; `pg.compile` would keep that as it was."""
    return pg.checkpoint(f)


def _along(f: Callable[..., Any], argnum: int = 0) -> Any:
    """The derivative of `f` in argument `argnum` along a vector, which is the argument after it: one tangent."""

    def line(step: Any, *args: Any) -> Any:
        before, (vector, direction), after = args[:argnum], args[argnum : argnum + 2], args[argnum + 2 :]
        return f(*before, vector + step * direction, *after)

    slope = pg.jacfwd(line)
    return pg.checkpoint(lambda *args: slope(0.0, *args))


def _scalar(value: Any) -> Any:
    """A result of one element as a scalar: SciPy takes it as well."""
    leaves = pg.tree_leaves(value)
    if len(leaves) != 1 or leaves[0] is not value or np.size(value) != 1:
        problem = f"the function returns {pg.tree_map(np.shape, value)!r} (shapes), not a scalar"
        raise pg.ShapeError(problem, "return a scalar, such as a sum", stage="tracing", subject="pg.scipy.minimize")
    return np.reshape(value, ())


def _vector(value: Any) -> Any:
    """All leaves of a result as one vector of float64."""
    return pg.ravel_pytree(value)[0].astype(np.float64)


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        advice = "return (value, derivative), or leave jac=True out: the derivative is exact without it"
        raise pg.SignatureError(
            "with jac=True the function returns no pair", advice, stage="tracing", subject="pg.scipy"
        )
    return result


def _presented(made: Callable[..., Any], f: Callable[..., Any]) -> Callable[..., Any]:
    """`made` with the name and the place of `f`, for errors."""
    made.__name__ = made.__qualname__ = getattr(f, "__name__", type(f).__name__)
    made.__wrapped__ = f  # type: ignore[attr-defined]
    return made
