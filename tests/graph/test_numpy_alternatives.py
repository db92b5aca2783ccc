"""The table of what to write instead: every function of NumPy that is not recorded is in it; its recipes are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special

import pygraph as pg
from pygraph.graph import numpy_alternatives, numpy_protocol

NAMESPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}


def _dispatched() -> Iterator[tuple[str, bool]]:
    """What NumPy and SciPy leave to an expression, and whether pygraph has it."""
    for module, namespace in NAMESPACES.items():
        for name in dir(namespace):
            function = getattr(namespace, name)
            if not name.startswith("_") and (isinstance(function, np.ufunc) or hasattr(function, "_implementation")):
                yield f"{module}.{name}", numpy_protocol.recorded_as(function, module) is not None


def test_every_function_of_numpy_that_is_not_recorded_has_an_entry() -> None:
    unsupported = [name for name, known in _dispatched() if not known]
    assert len(unsupported) > 20
    aliases = {f"numpy.{name}" for name in ("msort", "product", "in1d", "trapz")}  # gone since NumPy 2.0
    assert not [name for name in unsupported if name not in numpy_alternatives.table() and name not in aliases]


def test_no_function_that_is_recorded_has_an_entry() -> None:
    recorded = {name for name, known in _dispatched() if known}
    assert len(recorded) > 100
    assert not recorded & numpy_alternatives.table().keys()


X = np.array([-1.5, 0.0, 2.5, 3.0])
P, Q = np.array([0.2, 1.0, 2.5]), np.array([0.5, 0.1, 0.7])
#: By name: NumPy's call, and what it is called on, under the names that the recipe uses.
RECIPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "logical_xor.reduce": (lambda x: np.logical_xor.reduce(x), {"x": np.array([[True, False], [True, True]])}),
    "fft.fftshift": (lambda x, k: np.fft.fftshift(x), {"x": X, "k": 2}),
    "fft.ifftshift": (lambda x, k: np.fft.ifftshift(x), {"x": X[:3], "k": 2}),
    "full": (lambda shape, x: np.full(shape, x), {"shape": (2, 4), "x": X}),
    "put_along_axis": (
        lambda x, i, v, axis: np.array([v[0], x[1], v[1], x[3]]),
        {"x": X, "i": np.array([0, 2]), "v": P[:2], "axis": 0},
    ),
}
SCIPY: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("logsumexp", "softmax", "log_softmax", "factorial"), (P,)),
    "comb": (P + 3.0, Q),
}


def _check(recipe: str, values: dict[str, Any], wanted: Any) -> None:
    given = {key: value for key, value in values.items() if isinstance(value, np.ndarray)}
    numbers = {key: value for key, value in values.items() if key not in given}

    def f(named: dict[str, Any]) -> Any:
        return eval(recipe, {"np": np, "pg": pg, **numbers, **named})

    got = pg.compile(f)(given) if given else f({})
    several = isinstance(wanted, tuple)
    for one, other in zip(got if several else [got], wanted if several else [wanted], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_what_numpy_gives(name: str) -> None:
    call, values = RECIPES[name]
    recipe = numpy_alternatives.table()[f"numpy.{name}"].text
    _check(recipe.removeprefix("x = "), values, call(*values.values()))


@pytest.mark.parametrize("name", [name for name in SCIPY if f"scipy.special.{name}" in numpy_alternatives.table()])
def test_a_recipe_gives_what_scipy_gives(name: str) -> None:
    values = dict(zip("xy", SCIPY[name], strict=False))
    _check(
        numpy_alternatives.table()[f"scipy.special.{name}"].text.partition(", of ")[0],
        values,
        getattr(scipy.special, name)(*values.values()),
    )


def test_the_names_in_the_table_exist() -> None:
    for advice in numpy_alternatives.table().values():
        for prefix, name in re.findall(r"\b(np|pg)\.(\w+)", advice.text):
            assert hasattr(np if prefix == "np" else pg, name), advice
            # Some are for use outside of a trace, or on known sizes.
            if prefix == "np" and f"numpy.{name}" in numpy_alternatives.table():
                assert name in ("linspace", "tri", "tril_indices", "triu_indices", "argsort", "result_type"), advice
