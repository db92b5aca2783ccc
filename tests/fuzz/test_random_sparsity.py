"""Random graphs: a structural zero is a zero, and compressed Jacobians equal dense ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from dense import dense_jacobian
from graphs import grow
from helpers import shallow
from hypothesis import given, settings, strategies as st

from pygraph.autodiff import jacobian_sparsity
from pygraph.autodiff.jacobians.compressed_jacobian import compressed_jacobian
from pygraph.graph import Graph
from pygraph.graph.reference import evaluate_flat

Array = npt.NDArray[Any]


def fresh(rng: np.random.Generator, x: Array) -> Array:
    """Another argument; integers and bools stay."""
    return rng.uniform(-2, 2, x.shape).astype(x.dtype) if x.dtype.kind == "f" else x


@pytest.mark.parametrize("graphs", shallow([10, 100]))
def test_a_structural_zero_is_a_zero(graphs: int) -> None:
    settings(max_examples=graphs)(zeros_are_zero)()


@given(count=st.integers(5, 40), seed=st.integers(0, 2**32 - 1))
def zeros_are_zero(count: int, seed: int) -> None:
    sample = grow(seed, count)
    wrt = [x for x in sample.graph.inputs if x.dtype.kind == "f"]
    outputs = [y for y in sample.graph.outputs if y.dtype.kind == "f"]
    pattern = jacobian_sparsity(outputs, wrt)
    if not wrt or not outputs or pattern.shape[0] * pattern.shape[1] > 20_000:
        return
    whole = Graph.from_parts(sample.graph.inputs, [dense_jacobian(outputs, wrt)])
    allowed = pattern.dense()
    rng = np.random.default_rng(seed)
    moved = [[fresh(rng, x) for x in sample.arrays] for _ in range(2)]
    for arrays in (sample.arrays, *moved):
        (found,) = evaluate_flat(whole, arrays)
        outside = (found != 0) & ~np.isnan(found) & ~allowed  # 0 * inf is nan wherever it stands
        assert not outside.any(), f"{np.argwhere(outside)[0]} of {sample}"
    for mode in ("auto", "local", "coloured", "forward", "reverse"):
        compressed = compressed_jacobian(outputs, wrt, mode)
        if compressed is None:
            assert mode == "local"
            continue
        entries = compressed.pattern.dense()
        assert not (found[~entries & ~np.isnan(found)] != 0).any(), f"{mode}: {sample}"
        (data,) = evaluate_flat(Graph.from_parts(sample.graph.inputs, [compressed.data]), sample.arrays)
        wanted = evaluate_flat(whole, sample.arrays)[0][entries]
        assert data.shape == wanted.shape
        usual = np.isfinite(wanted) & np.isfinite(data) & (np.abs(wanted) < 1e6)
        scale = 1.0 + np.max(np.abs(wanted[usual]), initial=0.0)
        single = any(dtype == np.float32 for node in sample.graph.nodes for _, dtype in node.types)
        np.testing.assert_allclose(data[usual], wanted[usual], atol=(1e-3 if single else 1e-9) * scale)
