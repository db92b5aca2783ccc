"""The list of what is recorded: what it says of a name is what a call on an expression does."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np
import pytest
import scipy.special

import pygraph as pg
from pygraph.graph.numpy_coverage import Coverage, numpy_coverage

X = np.array([[0.25, 0.5], [0.75, 0.125]])


@functools.cache
def rows() -> dict[str, Coverage]:
    return {row.name: row for row in numpy_coverage()}


def _found(name: str) -> Any:
    first, *rest = name.split(".")
    return functools.reduce(getattr, rest, {"numpy": np, "scipy": __import__("scipy.special")}[first])


def test_names_stand_once_and_in_order() -> None:
    names = [row.name for row in numpy_coverage()]
    assert names == sorted(set(names))
    assert len(names) > 400


def test_all_that_dispatches_is_listed() -> None:
    for module, namespace in (("numpy", np), ("numpy.linalg", np.linalg), ("numpy.fft", np.fft)):
        for name in namespace.__all__:
            if isinstance(getattr(namespace, name), np.ufunc) or hasattr(getattr(namespace, name), "_implementation"):
                assert f"{module}.{name}" in rows()
    assert rows()["scipy.special.expit"].status == "supported"
    assert f"scipy.special.{scipy.special.airy.__name__}" in rows()


def test_what_is_not_supported_has_advice_and_what_is_has_none() -> None:
    for row in rows().values():
        assert bool(row.instead) == (row.status != "supported"), row
        assert not row.without or row.status == "supported", row


def test_unary_functions_do_what_the_list_says() -> None:
    checked = []
    for name, row in rows().items():
        function = _found(name) if name.startswith(("numpy.linalg.", "numpy.fft.", "scipy.")) else None
        function = getattr(np, name.removeprefix("numpy."), None) if name.count(".") == 1 else function
        if not isinstance(function, np.ufunc) or function.nin != 1:
            continue
        checked.append(row.status)
        kinds = {t[0] for t in function.types}
        if not kinds & {"d", "l"}:
            continue
        x = X if "d" in kinds else (X > 0.3).astype(int)

        def f(x: Any, function: Any = function) -> Any:
            found = function(x)
            return found[0] if isinstance(found, tuple) else found

        if row.status == "supported":
            pg.trace(f, x)
        else:
            with pytest.raises(pg.UnsupportedError):
                pg.trace(f, x)
    assert checked.count("supported") > 40
    assert checked.count("unsupported") > 40


@pytest.mark.parametrize("name", ["sum", "quantile", "sin", "median", "power", "concatenate"])
def test_parameters_that_are_missing_are_refused(name: str) -> None:
    row, function = rows()[f"numpy.{name}"], getattr(np, name)
    given = {"concatenate": ([X],), "quantile": (0.5,)}.get(name, ())
    values = {"out": np.zeros(2), "casting": "unsafe", "dtype": "float32", "where": np.ones(2, bool)}
    for parameter in row.without:
        if parameter not in values:
            continue

        def f(x: Any, parameter: str = parameter) -> Any:
            args = ([x, x],) if name == "concatenate" else (x, *given) if name == "quantile" else (x, x)
            args = args[:1] if name in ("sum", "sin", "median") else args
            return function(*args, **{parameter: values[parameter]})

        with pytest.raises(pg.UnsupportedError, match=parameter):
            pg.trace(f, X)


def _positional(function: Any) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]


def test_parameters_that_both_take_by_position_have_the_order_of_numpy() -> None:
    checked = 0
    for name, row in rows().items():
        module, _, short = name.rpartition(".")
        function = getattr(pg if module in ("numpy", "scipy.special") else pg.linalg, short, None)
        if row.status != "supported" or function is None or name.count(".") - module.count(".") != 1:
            continue
        theirs = _found(name)
        if isinstance(theirs, np.ufunc) or not callable(theirs) or hasattr(theirs, "__self__"):
            continue
        mine, wanted = _positional(function), _positional(theirs)
        places = {parameter: (mine.index(parameter), wanted.index(parameter)) for parameter in {*mine} & {*wanted}}
        checked += len(places)
        assert not {parameter for parameter, (here, there) in places.items() if here != there}, name
    assert checked > 100


def test_attributes_are_what_the_list_says() -> None:
    x = pg.var("x", (2, 2))
    for name, row in rows().items():
        if not name.startswith("numpy.ndarray."):
            continue
        attribute = name.rpartition(".")[2]
        if row.status == "supported":
            getattr(x, attribute)
        elif attribute not in ("item", "tolist"):
            with pytest.raises(pg.UnsupportedError):
                getattr(x, attribute)
    assert rows()["numpy.ndarray.item"].status == "unsupported"
    assert rows()["numpy.ndarray.sort"].status == "in place"
