"""The table of what to write instead: every function of NumPy that is not recorded is in it; its recipes are right."""

from __future__ import annotations

import functools
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


X, Y = np.array([-1.5, 0.0, 2.5, 3.0]), np.array([0.5, 2.0, -2.0, 3.0])
NAN = np.array([1.0, np.nan, -2.0, 3.0])
M, N = np.arange(9.0).reshape(3, 3) - 4, np.array([[2.0, 0.0, 1.0], [1.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
P, Q = np.array([0.2, 1.0, 2.5]), np.array([0.5, 0.1, 0.7])
I, J = np.array([0, 2, 2]), np.array([1, 0, 2])  # noqa: E741
#: By name: what it is called on, in the order of its parameters, under the names that the recipe uses.
RECIPES: dict[str, dict[str, Any]] = {
    **{name: {"x": X} for name in ("argmax", "argmin")},
    **{name: {"x": NAN} for name in ("nanmax", "nanmin", "nansum", "nanprod", "nanmean")},
    **{name: {"x": X, "y": Y} for name in ("append", "outer", "vdot")},
    **{name: {"x": M} for name in ("fliplr", "matrix_transpose")},
    "matvec": {"A": M, "x": P},
    "vecmat": {"x": P, "A": M},
    "digitize": {"x": X, "bins": np.array([-1.0, 0.0, 2.0])},
    "searchsorted": {"a": np.array([-1.0, 0.0, 2.0]), "v": X},
    "column_stack": {"x": X, "y": Y},
    "dstack": {"x": M, "y": N},
    "cross": {"x": P, "y": Q},
    "kron": {"x": M, "y": N[:2]},
    "isin": {"x": X, "values": np.array([0.0, 3.0])},
    "polyval": {"p": np.array([1.0, -2.0, 3.0]), "x": X},
    "ravel_multi_index": {"i": I, "j": J, "n": 3},
    "unravel_index": {"i": I, "n": 3},
}
CALLS = {
    "column_stack": lambda x, y: np.column_stack([x, y]),
    "dstack": lambda x, y: np.dstack([x, y]),
    "ravel_multi_index": lambda i, j, n: np.ravel_multi_index((i, j), (n, n)),
    "unravel_index": lambda i, n: np.unravel_index(i, (n, n)),
}
SCIPY: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("logsumexp", "softmax", "log_softmax", "factorial"), (P,)),
    "comb": (P + 3.0, Q),
}


def _check(recipe: str, values: dict[str, Any], wanted: Any) -> None:
    given = {key: value for key, value in values.items() if isinstance(value, np.ndarray)}
    numbers = {key: value for key, value in values.items() if key not in given}

    def f(named: dict[str, Any]) -> Any:
        return eval(recipe, {"np": np, "pg": pg, "functools": functools, **numbers, **named})

    got = pg.compile(f)(given) if given else f({})
    several = isinstance(wanted, tuple)
    for one, other in zip(got if several else [got], wanted if several else [wanted], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in RECIPES if f"numpy.{name}" in numpy_alternatives.table()])
def test_a_recipe_gives_what_numpy_gives(name: str) -> None:
    values = RECIPES[name]
    call = CALLS.get(name) or getattr(np, name, None)
    if call is None:
        pytest.skip(f"this NumPy has no {name}")
    with np.errstate(all="ignore"):
        wanted = call(*values.values())
    _check(numpy_alternatives.table()[f"numpy.{name}"].text, values, wanted)


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
