"""`export_c`: several functions as one portable C file, which share what they have in common."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .concurrency import ensure_imported
from .errors import SignatureError, named, shown
from .graph.graph import Graph
from .runtime.functions.compile_function import compile as compile_
from .runtime.functions.compiled_function import CompiledFunction
from .transforms.sparse import SparseFunction

if TYPE_CHECKING:
    from .autodiff.jacobians.pattern import Pattern
    from .runtime.call.executable import Executable

__all__ = ["export_c"]


def export_c(
    path: str | os.PathLike[str],
    name: str,
    functions: Mapping[str, Any],
    *,
    null_arguments: bool = True,
    dtype: Any = None,
    assume_finite: bool | None = None,
    metadata: bool = False,
    main: bool = False,
) -> tuple[Path, Path]:
    """Write functions as C99, NAME.c and NAME.h, for a target that has neither Python nor pygraph.

    The functions share the code and the arrays of constants that they have in common. A function FUNCTION is
    NAME_FUNCTION in C. An Executable with `wrt` makes NAME_FUNCTION_values, which keeps nothing, and
    NAME_FUNCTION_forward, _reverse and _jvp. A sparse derivative gives its entries as one array, row by row; where they
    lie say the arrays NAME_FUNCTION_csr_indptr and _csr_indices (compressed rows), and _ccs_indptr, _ccs_indices and
    _ccs_order (compressed columns, and which of the entries each is).

    Args:
        path: an existing folder.
        name: a C identifier, which everything in the files starts with.
        functions: by the name of each: an Executable or a Graph; or a function and example arguments in a tuple, arrays
            or `pg.spec(shape, dtype)`, of which only the types count: a plain function, a compiled one, `pg.grad(f)`,
            `pg.jacobian(f)`, `pg.sparse_hessian(f)` or another transformation; or a compiled function that has been
            called with arguments of one signature.
        null_arguments, dtype, assume_finite: as for `Executable.export_c`.
        metadata: the header declares NAME_functions too, a table of all functions to be read at run time: names, dtypes
            and shapes of arguments, workspaces, sparsity, and a way to call each with an array of pointers.
        main: also write NAME_main.c, a program that runs any of the functions: it reads their inputs as text and writes
            the outputs as text. It needs the table, which is then there.

    Returns:
        The paths of NAME.c and NAME.h.

    Raises:
        SignatureError: a name can't be used, or two functions would share one; something that is no function.
        OSError: the files can't be written.
        UnsupportedError: an operation that has no portable C; the text names its line.

    Example:
        >>> import tempfile
        >>> def f(x):
        ...     return np.sum(x[1:] * x[:-1] ** 2)
        >>> x = np.ones(3)
        >>> functions = {"value": (f, x), "gradient": (pg.grad(f), x), "hessian": (pg.sparse_hessian(f), x)}
        >>> [file.name for file in pg.export_c(tempfile.mkdtemp(), "chain", functions)]
        ['chain.c', 'chain.h']
    """
    ensure_imported("pygraph.emit.export")
    from .emit.export import check_name, export  # at the first export, not at import

    check_name(name)
    given: object = functions
    if not isinstance(given, Mapping) or not given:
        problem = f"functions is {shown(functions)}"
        advice = "give a dict of at least one function by its name: {'value': (f, x)}"
        raise SignatureError(problem, advice, stage="exporting", subject=name)
    for key in functions:
        check_name(key, "the function", name)
    found = []
    for key, function in functions.items():
        executable, pattern = _compiled(function, f"{name}_{key}")
        found.append(executable.exported(f"{name}_{key}", f"{name}_{key}", pattern, dtype, assume_finite))
    return export(found, path, name, null_arguments, metadata, main)


def _compiled(target: Any, name: str) -> tuple[Executable, Pattern | None]:
    """What one entry of `functions` runs, and the pattern of a sparse matrix whose entries it gives."""
    ensure_imported("pygraph.runtime.call.executable")
    from .runtime.call.executable import Executable  # loads the C library

    if isinstance(target, Executable):
        return target, None
    if isinstance(target, Graph):
        return compile_(target, backend="vm"), None
    function, *args = target if isinstance(target, tuple) and target else (target,)
    if isinstance(function, SparseFunction):
        plan = function.plan(*args)
        return plan.executable, plan.compressed.pattern
    if isinstance(function, CompiledFunction):
        return function.example(*args), None
    if isinstance(function, (Executable, Graph)) or not callable(function):
        problem = f"it is {named(target)}"
        advice = "give a function with example arguments in a tuple, an Executable or a Graph"
        raise SignatureError(problem, advice, stage="exporting", subject=name)
    return CompiledFunction(function, {"backend": "vm"}).example(*args), None
