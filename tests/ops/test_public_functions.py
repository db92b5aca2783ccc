"""The public functions of rows: signature, keywords, documentation whose example runs, pickles; and names not there."""

from __future__ import annotations

import doctest
import inspect
import pickle
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.ops import PUBLIC, Op
from pygraph.ops.public import example

ROWS = {name: row for name, row in PUBLIC.items() if isinstance(row, Op)}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_a_function_of_its_own(name: str) -> None:
    row: Any = ROWS[name]
    function = getattr(pg, name)
    assert type(function) is FunctionType
    assert function is getattr(pg, name)
    assert (function.__name__, function.__qualname__, function.__module__) == (name, name, "pygraph")
    assert function.row is row
    assert tuple(inspect.signature(function).parameters) == row.parameters
    assert pickle.loads(pickle.dumps(function)) is function
    assert name in dir(pg)
    kind = int if row.kinds == "i" else float
    operands = [np.array([low, high], kind) for low, high in row.domain] or example(row)
    by_name = function(**dict(zip(row.parameters, operands, strict=True)))
    np.testing.assert_array_equal(by_name, function(*operands))
    compiled = pg.compile(function)(**dict(zip(row.parameters, operands, strict=True)))
    np.testing.assert_allclose(compiled, by_name, rtol=1e-14 if row.kernel is None else 1e-12)
    with pytest.raises(TypeError, match=rf"{name}\(\) takes {row.arity} positional argument"):
        function(*operands, 1.0)


@pytest.mark.parametrize("name", ROWS)
def test_its_documentation_is_the_rows_and_its_example_runs(name: str) -> None:
    function = getattr(pg, name)
    said = inspect.getdoc(function) or ""
    words = " ".join(said.split())
    for sentence in ROWS[name].doc.split(". "):
        assert " ".join(sentence.split()).rstrip(".") in words
    assert max(map(len, said.splitlines())) <= 100
    runner = doctest.DocTestRunner(verbose=False)
    (test,) = doctest.DocTestFinder().find(function, name, globs={"pg": pg, "np": np})
    assert test.examples
    runner.run(test)
    assert not runner.failures


def test_a_function_records_and_differentiates_as_its_row() -> None:
    x = pg.var("x")
    assert pg.sin(x) is ROWS["sin"](x) is np.sin(x)
    assert pg.grad(pg.sin)(0.0) == 1.0
    assert pg.vmap(pg.arctan2)(np.ones(2), np.ones(2)).shape == (2,)
    graph = pg.trace(pg.maximum, 1.0, 2.0)
    assert (graph.name, graph.names) == ("maximum", ("x", "y"))
    with pytest.raises(pg.DTypeError, match=r"at: test_public_functions.py:\d+: pg.sin\(pg.var"):
        pg.sin(pg.var("b", (), "bool"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("jacobain", "no attribute 'jacobain'. Did you mean: 'jacobian'?"),
        ("sgimoid", "Did you mean: 'sigmoid'?"),
        ("Executible", "Did you mean: 'Executable'?"),
        ("unique", "'unique': its result's shape would depend on values"),
        ("jit", "'jit': write pg.compile(f)"),
        ("qqq", "no attribute 'qqq'"),
    ],
)
def test_a_name_that_is_not_there(name: str, said: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(pg, name)
    assert said in str(caught.value)
