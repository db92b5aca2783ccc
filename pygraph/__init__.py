"""pygraph turns NumPy-style Python into a static graph, differentiates it in both modes, and runs it in C."""

from __future__ import annotations

import builtins as _builtins
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import ops as _ops
from .concurrency import ensure_imported as _ensure_imported
from .containers import ravel_pytree, tree_leaves, tree_map, tree_names
from .control_flow import associative_scan, cond, fori_loop, map as map, scan, switch, while_loop
from .errors import (
    BackendError,
    BudgetError,
    DomainError,
    DTypeError,
    FileFormatError,
    GraphError,
    IndexRangeError,
    LimitError,
    LinAlgError,
    NonFiniteError,
    ProgramError,
    ShapeError,
    SignatureError,
    StateError,
    TracedBoolError,
    TracedValueError,
    UnsupportedAttributeError,
    UnsupportedError,
    VerificationError,
)
from .explain import explain
from .graph import Graph, Node, spec, trace
from .graph.creation import *  # noqa: F403
from .graph.creation import __all__ as _created
from .ops import *  # noqa: F403
from .runtime.clib.tapes import set_tape_limit
from .runtime.clib.threads import set_threads
from .runtime.functions.compile_function import compile as compile
from .runtime.functions.compiled_function import CompiledFunction
from .variable import var

if _TYPE_CHECKING:
    from .c_export import export_c
    from .gradient_check import check_grads
    from .train import Checkpointer, fit, load, save
    from .transforms import (
        checkpoint,
        custom_derivative,
        grad,
        hessian,
        hvp,
        jacfwd,
        jacobian,
        jacrev,
        jvp,
        linearize,
        sparse_hessian,
        sparse_jacobian,
        sparsity,
        value_and_grad,
        vjp,
        vmap,
    )

__all__ = [
    "BackendError",
    "BudgetError",
    "Checkpointer",
    "CompiledFunction",
    "DTypeError",
    "DomainError",
    "FileFormatError",
    "Graph",
    "GraphError",
    "IndexRangeError",
    "LimitError",
    "LinAlgError",
    "Node",
    "NonFiniteError",
    "ProgramError",
    "ShapeError",
    "SignatureError",
    "StateError",
    "TracedBoolError",
    "TracedValueError",
    "UnsupportedAttributeError",
    "UnsupportedError",
    "VerificationError",
    "associative_scan",
    "check_grads",
    "checkpoint",
    "cond",
    "custom_derivative",
    "explain",
    "export_c",
    "fit",
    "fori_loop",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "load",
    "ravel_pytree",
    "save",
    "scan",
    "set_tape_limit",
    "set_threads",
    "sparse_hessian",
    "sparse_jacobian",
    "sparsity",
    "spec",
    "switch",
    "trace",
    "tree_leaves",
    "tree_map",
    "tree_names",
    "value_and_grad",
    "var",
    "vjp",
    "vmap",
    "while_loop",
]
__all__ += _created

# Names of Python's own functions (sum, max, compile …) are public as pg.sum, but a star import does not replace them.
__all__ += [name for name in sorted(_ops.NAMES) if name not in ("var", "trace") and not hasattr(_builtins, name)]

# The function of a row is made, with its documentation, when it is first used.
for _name, _function in _ops.PUBLIC.items():
    if isinstance(_function, _ops.Op):
        del globals()[_name]
del _name, _function

#: Modules that are imported when they are first used.
_LAZY = (
    "gradient_check",
    "interop",
    "losses",
    "metrics",
    "nn",
    "optim",
    "plot",
    "random",
    "scipy",
    "sklearn",
    "train",
    "transforms",
)
#: Functions that are imported when they are first used, with the modules that have them.
_LATER = {"check_grads": "gradient_check", "export_c": "c_export"} | dict.fromkeys(
    ("Checkpointer", "fit", "load", "save"), "train"
)
_LATER |= dict.fromkeys(
    (
        "checkpoint",
        "custom_derivative",
        "grad",
        "hessian",
        "hvp",
        "jacfwd",
        "jacobian",
        "jacrev",
        "jvp",
        "linearize",
        "sparse_hessian",
        "sparse_jacobian",
        "sparsity",
        "value_and_grad",
        "vjp",
        "vmap",
    ),
    "transforms",
)


def __getattr__(name):  # type: ignore[no-untyped-def]  # mypy meets its uses in `train` before its annotations
    if name in _ops.PUBLIC:
        from .ops.public import function_of

        row = _ops.PUBLIC[name]
        assert isinstance(row, _ops.Op)  # all others are here already
        return globals().setdefault(name, function_of(row, name))
    if name in _ops.NAMES or name in _ops.NAMESPACES:
        return globals().setdefault(name, getattr(_ops, name))
    if name in _LATER:
        from importlib import import_module

        _ensure_imported(f"{__name__}.{_LATER[name]}")
        module = import_module(f".{_LATER[name]}", __name__)
        return globals().setdefault(name, getattr(module, name))
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("pygraph-ad")
        except PackageNotFoundError:  # a source tree that is not installed
            return "0+source"
    if name == "Executable":  # loads the C library
        _ensure_imported("pygraph.runtime.call.executable")
        from .runtime.call.executable import Executable

        return Executable
    if name in _LAZY:
        from importlib import import_module

        _ensure_imported(f"{__name__}.{name}")
        return import_module(f".{name}", __name__)
    raise _missing(name)


def _missing(name: str) -> AttributeError:
    """The error for a name that is not there: what is near it, or what to write instead of NumPy's or SciPy's."""
    problem = f"module {__name__!r} has no attribute {name!r}"
    if not name.startswith("_"):  # Python itself asks for such names
        from difflib import get_close_matches

        from .graph.numpy_alternatives import instead, table

        others = [f"{module}.{name}" for module in ("numpy", "scipy.special") if f"{module}.{name}" in table()]
        near = get_close_matches(name, __dir__(), 1, 0.8)
        if name == "jit":
            problem += ": write pg.compile(f)"
        elif others:
            problem += f": {instead(others[0])}"
        elif near:
            problem += f". Did you mean: {near[0]!r}?"
    return AttributeError(problem, name=name)  # without `obj`, so that Python adds no second suggestion


def __dir__() -> list[str]:
    found = {name for name in globals() if not name.startswith("_")}
    return sorted({*found, *_ops.NAMES, *_ops.NAMESPACES, *_LAZY, *_LATER, "Executable", "__version__"})
