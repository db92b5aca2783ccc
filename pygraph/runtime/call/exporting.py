"""What an exported file has of a compiled graph: its Programs, in the precision and under the assumptions asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.jacobians.pattern import Pattern
from ...emit.export_unit import Exported
from ...errors import DTypeError, shown
from ..compile.pipeline import BuildOptions, Built, programs


def exported(
    built: Built,
    own: BuildOptions,
    options: BuildOptions,
    name: str,
    values: str,
    pattern: Pattern | None,
    dtype: Any,
) -> Exported:
    """A compiled graph as a function to export; see `Executable.exported`.

    Raises:
        DTypeError: `dtype` is neither None nor float32.
        UnsupportedError: an operation has no single precision.
    """
    values_only, derivatives, graph = programs(built, own, options, _is_single(dtype, name))
    if derivatives is None or built.variables is None:
        return Exported(name, values or f"{name}_forward", graph, values_only, pattern=pattern)
    names = built.graph.names
    variables = [names[i] for variable in built.variables for i in variable.positions]
    return Exported(name, f"{name}_values", graph, values_only, derivatives, variables, built.no_tangent, pattern)


def _is_single(dtype: Any, name: str) -> bool:
    if dtype is None:
        return False
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found != np.dtype("float32"):
        problem = f"dtype is {shown(dtype)}"
        advice = "give 'float32' for single precision, or leave it out: then every array has the dtype it has in Python"
        raise DTypeError(problem, advice, stage="exporting", subject=name)
    return True
