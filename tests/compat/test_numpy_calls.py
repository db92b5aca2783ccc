"""Calls as users write them: NumPy's values, shapes and dtypes, traced and on arrays, or an error as NumPy raises one.

A call is a line of `CALLS` in a module `calls_*.py`: an expression of np, pg, sp (scipy.special), la (scipy.linalg) and
the operands.
After two spaces and # it may say: `kinks`, it has no derivative everywhere, or its differences are too rough;
`refused in` and dtypes, where pygraph refuses what NumPy computes. Where NumPy has no such function, or another result
on purpose, the next line gives the same in NumPy, after a `=`.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg
import scipy.special
from helpers import needs_compiler
from operands import DTYPES, operands

import pygraph as pg
from pygraph import ops
from pygraph.ops.dtypes import DTYPES as OURS

Array = npt.NDArray[Any]
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("calls_*.py"))
TOLERANCE = {"float64": (1e-12, 1e-13), "float32": (1e-5, 2e-6)}


class Call(NamedTuple):
    """What is called, what NumPy is to do, and what is said of the call."""

    text: str
    wanted: str
    said: str


@cache
def calls(module: str) -> list[Call]:
    found: list[Call] = []
    for line in importlib.import_module(module).CALLS.strip().splitlines():
        text, _, said = line.partition("  # ")
        if text.startswith("="):
            found[-1] = found[-1]._replace(wanted=text[1:].strip())
        else:
            found.append(Call(text, text, said))
    return found


class Functions(SimpleNamespace):
    """`np` of arrays: pygraph's functions where it has them."""

    def __getattr__(self, name: str) -> Any:
        theirs = getattr(np, name, None)
        if name not in ops.NAMES and name not in ops.NAMESPACES:
            return getattr(np, name)
        ours = getattr(ops, name)
        return Ufunc(ours, theirs) if isinstance(theirs, np.ufunc) else ours


class Ufunc:
    """A function of ours, with the methods of NumPy's ufunc of its name."""

    def __init__(self, ours: Callable[..., Any], theirs: np.ufunc) -> None:
        self._ours, self._theirs = ours, theirs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ours(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._theirs, name)


def evaluate(text: str, given: dict[str, Any], numpy: Any = np) -> list[Any]:
    """The results of a call, one or several."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = eval(text, {"np": numpy, "pg": pg, "sp": scipy.special, "la": scipy.linalg}, dict(given))
    return list(found) if isinstance(found, (tuple, list)) else [found]


def expected(module: str, given: dict[str, Array]) -> list[tuple[Call, list[Array] | Exception]]:
    """What NumPy gives, or raises, for each call."""
    return [(call, of_numpy(call.wanted, given)) for call in calls(module)]


def of_numpy(text: str, given: dict[str, Array]) -> list[Array] | Exception:
    try:
        return [np.asarray(x) for x in evaluate(text, given)]
    except (TypeError, ValueError, IndexError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        return error


def differences(found: list[Any], wanted: list[Array]) -> Iterator[str]:
    """In what results differ."""
    if len(found) != len(wanted):
        yield f"{len(found)} results for {len(wanted)}"
    for a, b in zip(found, wanted, strict=False):
        a = np.asarray(a)
        if a.shape != b.shape:
            yield f"shape {a.shape} for {b.shape}"
        elif b.dtype in OURS and a.dtype != b.dtype:
            yield f"dtype {a.dtype} for {b.dtype}"
        elif a.dtype.kind == "f" and b.dtype.kind in "fib":
            rtol, atol = TOLERANCE["float32" if b.dtype.itemsize < 8 and b.dtype.kind == "f" else "float64"]
            if b.dtype == np.float16:
                rtol = atol = 2e-3
            if not np.allclose(a, b, rtol, atol, equal_nan=True):
                yield f"{a} for {b}"
        elif not np.array_equal(a, b):
            yield f"{a} for {b}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("module", MODULES)
def test_calls_give_what_numpy_gives(module: str, dtype: str) -> None:
    given = operands(dtype)
    wrong: list[str] = []
    kept: list[tuple[Call, list[Array]]] = []

    def refused(call: Call) -> bool:
        return dtype in call.said.partition("refused in")[2].split()

    def attempt(call: Call, wanted: list[Array] | Exception, make: Callable[[], list[Any]]) -> list[Any] | None:
        try:
            found = make()
        except pg.GraphError as error:
            if not isinstance(wanted, Exception) and not refused(call):
                wrong.append(f"{call.text}: {error}")
            return None
        except Exception as error:
            if not isinstance(wanted, Exception):
                wrong.append(f"{call.text}: {type(error).__name__}: {error}")
            return None
        if isinstance(wanted, Exception) or refused(call):
            wrong.append(f"{call.text}: no error")
            return None
        return found

    pairs = expected(module, given)
    for call, wanted in pairs:
        eager = attempt(call, wanted, lambda call=call: evaluate(call.text, given, Functions()))
        if eager is not None and not isinstance(wanted, Exception):
            wrong.extend(f"{call.text} on arrays: {what}" for what in differences(eager, wanted))

    def traced(given: dict[str, Any]) -> list[list[Any]]:
        results = []
        for call, wanted in pairs:
            made = attempt(call, wanted, lambda call=call: evaluate(call.text, given))
            if made is not None and not isinstance(wanted, Exception):
                results.append(made)
                kept.append((call, wanted))
        return results

    for found, (call, wanted) in zip(pg.compile(traced)(given), kept, strict=False):
        wrong.extend(f"{call.text} traced: {what}" for what in differences(found, wanted))
    assert not wrong, f"{len(wrong)} of {len(pairs)} calls:\n" + "\n".join(wrong)


@pytest.mark.deep
@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("module", MODULES)
def test_native_code_gives_what_numpy_gives(module: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGRAPH_BACKEND", "native")
    monkeypatch.setenv("PYGRAPH_NATIVE_FLAGS", "-O0")  # each program runs once
    test_calls_give_what_numpy_gives(module, dtype)


def smooth(module: str) -> list[Call]:
    """The calls that have floating results and derivatives everywhere."""
    return [
        call
        for call, wanted in expected(module, operands("float64"))
        if "kinks" not in call.said and not isinstance(wanted, Exception) and any(x.dtype.kind == "f" for x in wanted)
    ]


def floating(texts: list[str]) -> Callable[..., list[Any]]:
    """A function of the floating operands that makes these calls."""
    given = operands("float64")

    def f(taken: dict[str, Any]) -> list[Any]:
        results = [x for text in texts for x in evaluate(text, {**given, **taken})]
        return [x for x in results if hasattr(x, "dtype") and x.dtype.kind == "f" and x.size]

    return f


def arguments() -> dict[str, Array]:
    return {name: x for name, x in operands("float64").items() if x.dtype.kind == "f" and x.size}


@pytest.mark.parametrize("module", MODULES)
def test_calls_have_right_derivatives(module: str) -> None:
    """In both modes, all calls of a module together."""
    texts = [call.text for call in smooth(module)]
    pg.check_grads(floating(texts), (arguments(),), order=1)


@pytest.mark.deep
@pytest.mark.parametrize(("module", "text"), [(module, call.text) for module in MODULES for call in smooth(module)])
def test_a_call_has_right_second_derivatives(module: str, text: str) -> None:
    pg.check_grads(floating([text]), (arguments(),), order=2)
