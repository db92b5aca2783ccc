"""`compile`: a Graph becomes an Executable, a function one that is traced once for each signature of its arguments."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, overload

from ...concurrency import ensure_imported
from ...errors import SignatureError, named, shown
from ...graph.graph import Graph
from ...graph.trace import function_name
from ..native.backends import checked_backend
from .compiled_function import CACHE_SIZE, CompiledFunction

if TYPE_CHECKING:
    from ..call.executable import Executable


def _checked_budget(budget: object) -> int | None:
    """`memory_budget` as a number of bytes, or None for no limit."""
    if budget is None:
        return None
    try:
        size = operator.index(budget)  # type: ignore[arg-type]
    except TypeError:
        size = -1
    if size < 0 or isinstance(budget, bool):
        problem = f"memory_budget is {shown(budget)}, not a number of bytes"
        raise SignatureError(problem, "give an int, such as 64 * 2**20", stage="compiling", subject="memory_budget")
    return size


@overload
def compile(  # type: ignore[overload-overlap]  # a graph is callable, and becomes something else than a function does
    target: Graph,
    *,
    wrt: Iterable[Any] | None = None,
    threads: int | None = None,
    check_finite: bool = False,
    memory_budget: int | None = None,
    backend: str = "auto",
    assume_finite: bool = False,
) -> Executable: ...
@overload
def compile(
    target: Callable[..., Any],
    *,
    threads: int | None = None,
    check_finite: bool = False,
    memory_budget: int | None = None,
    backend: str = "auto",
    assume_finite: bool = False,
    cache_size: int = CACHE_SIZE,
    static_argnums: int | Iterable[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
) -> CompiledFunction: ...
@overload
def compile(
    target: None = None,
    *,
    threads: int | None = None,
    check_finite: bool = False,
    memory_budget: int | None = None,
    backend: str = "auto",
    assume_finite: bool = False,
    cache_size: int = CACHE_SIZE,
    static_argnums: int | Iterable[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
) -> Callable[[Callable[..., Any]], CompiledFunction]: ...
def compile(
    target: Any = None,
    *,
    wrt: Iterable[Any] | None = None,
    threads: int | None = None,
    check_finite: bool = False,
    memory_budget: int | None = None,
    backend: str = "auto",
    assume_finite: bool = False,
    cache_size: int = CACHE_SIZE,
    static_argnums: int | Iterable[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
) -> Any:
    """Compile a graph, or a function (also as a decorator, with or without arguments).

    What a function reads besides its arguments (closures, globals, attributes, arrays that are written to later) is
    constant from the first call with a signature on, until `CompiledFunction.clear()`. Only `compile` freezes it:
    `pg.grad(f)` and the other transformations see what `f` sees at each call.

    Args:
        target: a Graph, compiled now, or a function, traced and compiled at the first call with each signature.
        wrt: for a graph: names of the inputs to differentiate, for `forward`, `reverse` and `jvp`.
        threads: worker threads of a call; None follows `pg.set_threads`. Results do not depend on it.
        check_finite: raise NonFiniteError at the first operation that makes inf or nan; slower.
        memory_budget: the most bytes that `stats.arena_bytes` may have. Where the plain plan has more, derivatives that
            are taken in `target`, or by `wrt`, recompute values of long loops and expressions instead of keeping
            them, as few as are needed; the results may differ by rounding. `stats.rematerialised` says what is
            recomputed, `stats.memory_plans` what else was tried.
        backend: "auto" starts in the C library's interpreter, and moves to native code in the background when that is
            estimated to pay and there is a C compiler; "vm" never does; "native" compiles at once. Results do not
            depend on it. With `check_finite` runs stay in the interpreter. The environment variable PYGRAPH_BACKEND
            overrides it.
        assume_finite: no value is ever inf or nan, and the sign of a zero does not count. Then x * 0 is 0 and x + 0 is
            x, and expressions of small arrays are written out by elements, so that the zeros and ones of constant
            matrices leave no work; results may differ by rounding. Where a value is not finite after all, they are
            anything.
        cache_size: how many signatures of a function stay compiled.
        static_argnums, static_argnames: arguments that a function takes as they are, such as strings, flags and
            numbers of steps, by position and by name, as in JAX: each value, which must hash, is a signature of its
            own. A parameter that is named by one is static by the other too.

    Returns:
        An `Executable` for a graph, a `CompiledFunction` for a function.

    Raises:
        BackendError: another backend, or "native" with `check_finite`; at compilation: with "native" there is no
            compiler, or it failed. BudgetError: `memory_budget` can't be met; the text says by how much.
        SignatureError: an entry of `wrt` that is not an input, a static argument that is no parameter, or both
            `check_finite` and `assume_finite`.
        DTypeError: an entry of `wrt` that is not floating.

    Example:
        >>> @pg.compile
        ... def area(r):
        ...     return np.pi * r**2
        >>> area(1.0)
        np.float64(3.141592653589793)
    """
    checked_backend(backend, check_finite)
    if check_finite and assume_finite:
        problem = "check_finite=True looks for inf and nan, and assume_finite=True says that there are none"
        raise SignatureError(problem, "leave one of them out", stage="compiling", subject="compile")
    if cache_size < 1:
        problem = f"cache_size must be a positive integer, not {shown(cache_size)}"
        raise SignatureError(problem, "give 1 or more", stage="compiling", subject="cache_size")
    nbytes = _checked_budget(memory_budget)
    if target is None:
        return functools.partial(
            compile,
            wrt=wrt,
            threads=threads,
            check_finite=check_finite,
            memory_budget=memory_budget,
            backend=backend,
            assume_finite=assume_finite,
            cache_size=cache_size,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
        )
    if isinstance(target, Graph):
        ensure_imported("pygraph.runtime.call.executable")
        from ..call.executable import Executable  # loads the C library: at the first compilation, not at import

        return Executable(
            target, wrt, threads, check_finite, backend=backend, memory_budget=nbytes, assume_finite=assume_finite
        )
    if not callable(target):
        problem = f"{named(target)} can't be compiled"
        raise SignatureError(problem, "give a pg.Graph or a function", stage="compiling", subject="compile")
    if wrt is not None:
        advice = "differentiate the function with pg.grad, or compile pg.trace(f, *args) with wrt"
        raise SignatureError("wrt is for graphs", advice, stage="compiling", subject=function_name(target))
    options: dict[str, Any] = {"threads": threads, "check_finite": check_finite, "backend": backend}
    if nbytes is not None:
        options["memory_budget"] = nbytes
    if assume_finite:
        options["assume_finite"] = True
    recompiled = getattr(target, "recompiled", None)  # of what returns more than arrays, and compiles its own part
    if recompiled is not None and not isinstance(target, CompiledFunction):
        return recompiled(options, cache_size)
    if static_argnums is not None or static_argnames is not None:
        ensure_imported("pygraph.runtime.functions.static_arguments")
        from .static_arguments import StaticCompiledFunction

        return StaticCompiledFunction(target, options, cache_size, static_argnums, static_argnames)
    return CompiledFunction(target, options, cache_size)
