"""Operations that are written out before they are lowered: what that leaves of them, and of those that follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph import trace
from pygraph.lower import lower


def following(x: Any) -> Any:
    power = x**5.5
    return np.log(power - 1.0)


def test_what_has_only_a_definition_is_written_out() -> None:
    graph = trace(following, 2.0)
    assert "constant_power" in {node.op.name for node in graph.nodes}
    names = {node.op for node in lower(graph).nodes}
    assert "constant_power" not in names
    assert {"multiply", "sqrt", "log"} <= names


def test_all_operations_keep_the_lines_they_were_written_in() -> None:
    lines = [node.line.code for node in lower(trace(following, 2.0)).nodes if node.line and node.op != "input"]
    assert set(lines) == {"power = x**5.5", "return np.log(power - 1.0)"}
    with pytest.raises(FloatingPointError, match=r"return np\.log"):
        pg.compile(following, check_finite=True)(1.0)
