"""Arrays that the caller gives to take the results (`out=`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import named
from ...graph.graph import Graph
from ...graph.source import type_text
from ...graph.tree import flatten
from ...ops.common import is_masked
from ..compile.signature import refuse

Array = npt.NDArray[Any]


def check_out(graph: Graph, out: Any, types: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> list[Array]:
    """The arrays of `out`, one per output.

    Raises:
        SignatureError: another container than the output's, or an array of another shape or dtype, not writeable, not
            C-contiguous or not aligned, or two that overlap.
    """
    leaves, form = flatten(out)
    if form != graph.output_tree:
        problem = f"out must have the form of the output, {graph.output_tree!r}, not {form!r}"
        raise refuse(graph.name, problem, "give one array for each output, in the same container")
    for i, (leaf, (shape, dtype)) in enumerate(zip(leaves, types, strict=True)):
        name = "out" if len(types) == 1 else f"out, array {i + 1} of {len(types)},"
        if not isinstance(leaf, np.ndarray) or is_masked(leaf):
            raise refuse(graph.name, f"{name} is {named(leaf)}", "give a NumPy array to write to")
        if leaf.shape != shape or leaf.dtype != dtype:
            problem = f"{name} must be {type_text(shape, dtype)}, not {type_text(leaf.shape, leaf.dtype)}"
            raise refuse(graph.name, problem, f"make it with np.empty({shape}, {dtype.name!r})")
        if not leaf.flags.carray:
            problem = f"{name} is not writeable, C-contiguous and aligned"
            raise refuse(graph.name, problem, "give an array made by np.empty")
        if overlaps(leaf, leaves[:i]):
            raise refuse(graph.name, f"{name} shares memory with another array of out", "give arrays of their own")
    return [np.asarray(leaf) for leaf in leaves]


def overlaps(array: Array, others: Sequence[Array]) -> bool:
    """Whether the memory of `array` meets that of any of `others`; all are contiguous."""
    return any(np.may_share_memory(array, other) for other in others)
