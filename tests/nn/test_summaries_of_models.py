"""`print(model)` and `summary`: the table of a model, and what it says where something is unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph import nn

MODEL = nn.sequential(
    nn.conv(None, 8, 3, padding="SAME", bias=False),
    nn.batch_norm(),
    nn.relu,
    nn.residual(nn.conv(8, 4, 3, padding="SAME"), shortcut=nn.conv(8, 4, 1)),
    nn.flatten,
    nn.dropout(0.5),
    nn.linear(None, 10, weight_init=nn.initializer("normal", mean=0.0, std=0.020000000000000004)),
)


def test_the_table_of_a_model() -> None:
    assert str(nn.summary(MODEL, (8, 8, 1), dtype="float32")).splitlines() == [
        "layer                                                      output        parameters, float32   bytes",
        "----------------------------------------------------------------------------------------------------",
        "sequential                                                 (n, 10)",
        "  conv(None, 8, 3, padding='SAME', bias=False)             (n, 8, 8, 8)                   72     288",
        "  batch_norm()                                             (n, 8, 8, 8)                   16      64",
        "  relu                                                     (n, 8, 8, 8)                    0       0",
        "  residual                                                 (n, 8, 8, 4)",
        "    conv(8, 4, 3, padding='SAME')                          (n, 8, 8, 4)                  292   1,168",
        "    shortcut: conv(8, 4, 1)                                (n, 8, 8, 4)                   36     144",
        "  flatten                                                  (n, 256)                        0       0",
        "  dropout(0.5)                                             (n, 256)                        0       0",
        "  linear(None, 10, weight_init=initializer('normal', mea…  (n, 10)                     2,570  10,280",
        "----------------------------------------------------------------------------------------------------",
        "total                                                                                  2,986  11,944",
        "running statistics                                                                        16      64",
    ]


def test_print_says_what_the_layers_say() -> None:
    text = str(MODEL)
    assert text.splitlines()[3].split()[-3:] == ["?", "?", "?"]
    assert text.splitlines()[7].split()[-3:] == ["?", "292", "2,336"]
    assert text.endswith("? depends on the shape of an input: pg.nn.summary(model, shape)")
    assert max(map(len, text.splitlines())) <= 100
    dense = nn.sequential(nn.linear(64, 128), nn.relu, nn.linear(128, 10))
    assert str(dense) == str(nn.summary(dense, (64,))) == repr(nn.summary(dense))
    assert "?" not in str(dense)


def test_a_model_whose_first_layer_does_not_say_all_prints() -> None:
    model = nn.sequential(nn.linear(3, 4), nn.gru(4, 2))  # of sequences
    assert "?" in str(model)
    model.init(pg.random.key(0))
    assert nn.summary(model, (5, 3)).rows[-1][2] == (None, 5, 2)


def test_the_counts_are_those_of_the_parameters() -> None:
    found = nn.summary(MODEL, (6, 5, 2))
    params, state = MODEL.init(pg.random.key(0), (6, 5, 2))
    assert found.parameters == sum(p.size for p in pg.tree_leaves(params)) == sum(row[3] or 0 for row in found.rows)
    assert found.bytes == sum(p.nbytes for p in pg.tree_leaves(params)) == sum(row[4] or 0 for row in found.rows)
    assert (found.state, found.state_bytes) == (16, 128)
    assert found.rows[-1][2] == (None, *MODEL(params, np.zeros((3, 6, 5, 2)), state=state).shape[1:])


def test_of_tokens_and_of_a_layer_used_twice() -> None:
    words = nn.sequential(nn.embedding(10, 4), nn.lstm(None, 3, return_sequences=False))
    assert [row[2] for row in nn.summary(words, (7,)).rows] == [(None, 3), (None, 7, 4), (None, 3)]

    class twice(nn.Layer):
        inner = nn.linear(3, 3)
        inner_layers = (inner,)

        def create(self, key: Any, shape: Any, dtype: Any) -> Any:
            return self.inner.init(key, shape, dtype=dtype)

        def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
            return self.inner(params, self.inner(params, x, state=state), state=state)

    found = nn.summary(twice(), (3,))
    assert found.parameters == 12
    assert [(row[0], row[1], row[3]) for row in found.rows] == [
        *((0, "twice", 0), (1, "linear(3, 3)", 12), (1, "linear(3, 3)", 12))
    ]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(pg.ShapeError, match=r"sequential, layer 0, conv.*: an input of shape \(8,\)"):
        nn.summary(MODEL, (8,))
