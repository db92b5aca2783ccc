"""Dense Jacobians one tangent at a time, for comparison with the clever ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pygraph.autodiff import jvp
from pygraph.graph import Node, constant, scan
from pygraph.ops import astype, concatenate, equal, reshape, transpose


def dense_jacobian(outputs: Sequence[Node], wrt: Sequence[Node]) -> Node:
    """The Jacobian of floating outputs with respect to floating variables, flattened and put end to end; float64."""
    sizes = [int(np.prod(x.shape)) for x in wrt]
    ends = np.cumsum(sizes)

    def column(carry: tuple[()], j: Any) -> tuple[tuple[()], Any]:
        basis = equal(np.arange(sum(sizes)), j)
        tangents = [
            astype(reshape(basis[end - size : end], x.shape), x.dtype)
            for x, size, end in zip(wrt, sizes, ends, strict=True)
        ]
        pushed = jvp(outputs, wrt, tangents)
        flat = [
            np.zeros(int(np.prod(y.shape))) if t is None else astype(reshape(t, (int(np.prod(y.shape)),)), "float64")
            for t, y in zip(pushed, outputs, strict=True)
        ]
        return carry, concatenate([np.zeros(0), *flat])

    _, columns = scan(column, (), constant(np.arange(sum(sizes))))
    result: Node = transpose(columns)
    return result
