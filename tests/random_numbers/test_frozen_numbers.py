"""NumPy's own generators inside a function that is recorded: a warning, once, at the line."""

# ruff: noqa: NPY002  (what is tested)

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.random
import pytest

import pygraph as pg
from pygraph.runtime.functions import frozen_numbers
from pygraph.runtime.functions.reachable import reads_of

GENERATOR = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen_numbers, "_SAID", set())


def said(f: Callable[..., Any], *args: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        f(*args)
    return [x for x in found if issubclass(x.category, UserWarning)]


def by_global(x: Any) -> Any:
    y = 2.0 * x
    return y + np.random.uniform()  # the line


def by_object(x: Any) -> Any:
    return x + GENERATOR.normal()  # the line


@pytest.mark.parametrize("f", [by_global, by_object])
@pytest.mark.parametrize("transform", [pg.compile, pg.vmap, lambda f: pg.compile(pg.vmap(f))])
def test_warns_once_at_the_line(f: Callable[[Any], Any], transform: Callable[..., Any]) -> None:
    compiled = transform(f)
    (warning,) = said(compiled, np.zeros(3))
    assert "pg.random.normal(key, shape)" in str(warning.message)
    assert f.__name__ in str(warning.message)
    assert warning.filename == __file__
    with open(__file__, encoding="utf-8") as file:
        assert file.read().splitlines()[warning.lineno - 1].endswith("# the line")
    assert said(compiled, np.zeros(4)) == []


def test_a_generator_in_a_closure() -> None:
    rng = np.random.default_rng(1)

    def helper() -> Any:
        return rng.random()

    assert len(said(pg.compile(lambda x: x * helper()), 1.0)) == 1


def test_nothing_is_said_without_draws_or_of_keys() -> None:
    assert said(pg.compile(lambda x: x + pg.random.normal(pg.random.key(0))), 1.0) == []
    assert said(pg.compile(lambda x: x * isinstance(GENERATOR, np.random.Generator)), 1.0) == []


def test_functions_that_draw_with_keys_have_nothing_that_changes() -> None:
    """So that a transformation of them is not recorded again at each call."""
    assert reads_of([lambda x: np.sin(x) * pg.random.normal(pg.random.key(0))]) is not None
    assert reads_of([lambda x: np.sin(x) * np.random.normal()]) is None
    assert reads_of([lambda x: np.sin(x) * pg.sin(x) * np.random.normal()]) is None
