"""What of NumPy and SciPy is recorded and what is not, one row a name, read from the functions themselves."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from .. import ops
from .concretisation import attribute_advice
from .filled import Filled
from .node import Node
from .numpy_alternatives import ATTRIBUTES, instead, table
from .numpy_protocol import recorded_as
from .writing import UPDATES, WRITERS

__all__ = ["Coverage", "Status", "numpy_coverage"]

#: `in place`: on arrays that are filled (`out = np.zeros_like(x)`) alone, since other expressions are not written.
Status = Literal["supported", "in place", "unsupported"]

#: Namespaces of functions that leave an expression to us.
_NAMESPACES = ("numpy", "numpy.linalg", "numpy.fft", "scipy.special")


class Coverage(NamedTuple):
    """One function, method or attribute of NumPy or SciPy.

    Attributes:
        name: its full name, such as `numpy.median`, `numpy.add.reduce` or `numpy.ndarray.sort`.
        status: whether it takes expressions; a method of `numpy.ufunc` stands for those ufuncs that have no row.
        without: parameters of a function that has the status `supported` which ours does not take.
        instead: what to write where it is not supported; empty where it is.
    """

    name: str
    status: Status
    without: tuple[str, ...] = ()
    instead: str = ""


def numpy_coverage() -> list[Coverage]:
    """A row for each function, ufunc method and ndarray attribute that could meet an expression, sorted by name.

    They are those of the installed NumPy, and of SciPy where it is installed. What is supported is what a call would
    find, and advice is that of the error which it would raise.

    Example:
        >>> from pygraph.graph.numpy_coverage import numpy_coverage
        >>> rows = {row.name: row for row in numpy_coverage()}
        >>> rows["numpy.median"].status, rows["numpy.median"].without
        ('supported', ('out', 'overwrite_input'))
        >>> rows["numpy.linalg.eigvals"].instead
        'they may be complex: those of a symmetric matrix are np.linalg.eigvalsh(x)'
    """
    found = [*_functions(), *_ufunc_methods(), *_attributes()]
    listed = {row.name for row in found}
    found += [Coverage(name, "unsupported", (), instead(name)) for name in table() if name not in listed]
    return sorted(found)


def _functions() -> Iterator[Coverage]:
    for module in _NAMESPACES:
        namespace = _imported(module)
        names = {name for name in getattr(namespace, "__all__", ()) if not name.startswith("_")}
        for name in names:
            function = getattr(namespace, name, None)
            own = recorded_as(function, module)
            if own is not None:
                yield Coverage(f"{module}.{name}", "supported", _parameters_missing(function, own))
            elif module == "numpy" and name in WRITERS:
                yield Coverage(f"{module}.{name}", "in place", (), instead(f"{module}.{name}"))
            elif isinstance(function, np.ufunc) or hasattr(function, "_implementation"):
                yield Coverage(f"{module}.{name}", "unsupported", (), instead(f"{module}.{name}"))


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:  # SciPy is optional
        return None


def _parameters_missing(theirs: Any, ours: Any) -> tuple[str, ...]:
    """The parameters of NumPy's function that ours has neither by name nor by position."""
    try:
        wanted = inspect.signature(theirs).parameters
        taken: Mapping[str, Any] = inspect.signature(ours).parameters
    except (TypeError, ValueError):  # functions written in C, in some versions of NumPy
        return ()
    if isinstance(ours, ops.Op):  # a row takes its operands alone
        taken = dict.fromkeys(ours.parameters, next(iter(taken.values())))
    by_name = {p.name for p in wanted.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return ()
    places = [p for p in taken.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    renamed = {
        name
        for i, name in enumerate(wanted)
        if i < len(places) and places[i].name not in by_name and wanted[name].default is inspect.Parameter.empty
    }
    return tuple(name for name in wanted if name in by_name and name not in taken and name not in renamed)


def _ufunc_methods() -> Iterator[Coverage]:
    """The methods of ufuncs that are supported or have advice of their own; a last row a method for all others."""
    methods = ("accumulate", "at", "outer", "reduce", "reduceat")
    for name in np.__all__:
        ufunc = getattr(np, name)
        if not isinstance(ufunc, np.ufunc) or name != ufunc.__name__ or ufunc.nin != 2 or ufunc.nout != 1:
            continue
        for method in methods:
            full = f"numpy.{name}.{method}"
            if method == "at" and f"numpy.{name}" in UPDATES:
                yield Coverage(full, "in place", (), instead(full))
            elif method != "at" and recorded_as(ufunc, "numpy", method) is not None:
                yield Coverage(full, "supported")
    for method in methods:
        yield Coverage(f"numpy.ufunc.{method}", "unsupported", (), instead(f"numpy.ufunc.{method}"))


def _attributes() -> Iterator[Coverage]:
    for name in dir(np.ndarray):
        if name.startswith("_"):
            continue
        full = f"numpy.ndarray.{name}"
        own = getattr(Node, name, None)
        if own is None and name not in ATTRIBUTES and name in ops.functions.FUNCTIONS.modules:
            own = getattr(ops, name)
        if own is not None and getattr(own, "__annotations__", {}).get("return") != "NoReturn":
            yield Coverage(full, "supported")
        elif hasattr(Filled, name) and own is None:
            yield Coverage(full, "in place", (), attribute_advice(name))
        else:
            yield Coverage(full, "unsupported", (), attribute_advice(name))
