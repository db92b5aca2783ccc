"""A graph in single precision: every float64 in it becomes float32, in constants, conversions and loops too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.graph import bodies_of
from pygraph.graph.precision import in_single_precision


def dtypes(graph: pg.Graph) -> set[str]:
    found = {dtype.name for node in graph.nodes for _, dtype in node.types}
    for node in graph.nodes:
        for body in bodies_of(node):
            found |= dtypes(body)
    return found


def model(x: Any, n: Any) -> Any:
    def step(carry: Any, row: Any) -> Any:
        return pg.cond(carry[0] > 0.5, lambda c: c * 0.1, lambda c: c + row, carry), np.sum(carry)

    last, sums = pg.scan(step, x[0] * 1e-3, x)
    limited = pg.while_loop(lambda s: np.sum(s) < 40.0, lambda s: s * 1.5 + 1.0, last, limit=20)
    return limited, sums, n * 2, (x.astype("float64") * np.pi).astype("float32"), np.arange(3.0) * x[0, 0], x > 1e39


def test_everything_is_single() -> None:
    x, n = np.linspace(0.1, 2.0, 12).reshape(4, 3), np.asarray(3)
    graph = pg.trace(model, x, n)
    found = in_single_precision(graph)
    assert dtypes(found) == {"float32", "int64", "bool"}
    assert found.names == graph.names
    wanted, values = pg.compile(graph)(x, n), pg.compile(found)(x.astype("float32"), n)
    for one, other in zip(values, wanted, strict=True):
        assert one.dtype == (np.dtype("float32") if other.dtype == np.float64 else other.dtype)
        assert np.allclose(one, other, rtol=1e-5)
    assert in_single_precision(found) is found


def test_an_export_in_single_precision_is_that_of_a_float32_model(tmp_path: Path) -> None:
    def loss(w: Any, x: Any) -> Any:
        return np.sum(np.tanh(w * x) ** 2)

    texts = []
    for dtype, asked in (("float64", "float32"), ("float32", None)):
        w, x = pg.var("w", (3,), dtype), pg.var("x", (5, 3), dtype)
        exe = pg.compile(pg.Graph([w, x], loss(w, x), name="loss"), wrt=["w"])
        folder = tmp_path / dtype
        folder.mkdir()
        texts.append([file.read_text(encoding="utf-8") for file in exe.export_c(folder, "loss", dtype=asked)])
    assert texts[0][1] == texts[1][1]
    assert "double" not in texts[0][1].split("extern")[1]
    assert texts[0][0] == texts[1][0]


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", 3.5, "no dtype"])
def test_other_precisions_are_refused(dtype: Any, tmp_path: Path) -> None:
    x = pg.var("x", (3,))
    with pytest.raises(pg.DTypeError, match="give 'float32' for single precision"):
        pg.compile(pg.Graph([x], x * 2.0)).export_c(tmp_path, "f", dtype=dtype)
    assert not list(tmp_path.iterdir())
