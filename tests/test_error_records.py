"""Errors are records: fields that can be read, pickled and copied, and a text that is made of them in one place."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph import errors
from pygraph.graph.source import SourceLine

PACKAGE = Path(pg.__file__).parent
CLASSES = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, pg.GraphError)]
#: These raise what they know, and `GraphError.complete` fills in the rest: rules, and what public functions call.
COMPLETED = ("ops", "graph", "random")


def caught() -> pg.GraphError:
    x, y = pg.var("x", (3,)), pg.var("y", (4,))
    with pytest.raises(pg.ShapeError) as error:
        x + y  # the user's line
    return error.value


def test_the_fields_of_an_error() -> None:
    error = caught()
    assert (error.stage, error.subject) == ("tracing", "add")
    assert error.problem == "operands of shapes (3,) and (4,) do not broadcast: sizes must be equal or 1"
    assert error.operands == ("float64[3]", "float64[4]")
    assert error.advice == pg.ShapeError.usual_advice
    assert error.line is not None
    assert error.line.file == __file__
    assert error.line.code == "x + y  # the user's line"
    assert str(error).splitlines() == [
        f"tracing add: {error.problem}",
        "  operands: float64[3], float64[4]",
        f"  at: test_error_records.py:{error.line.number}: x + y  # the user's line",
        f"  do: {error.advice}",
    ]
    assert error.headline == str(error).splitlines()[0]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_pickle_and_copy(kind: type[pg.GraphError]) -> None:
    line = SourceLine("train.py", 12, "loss = f(x)")
    error = kind("it is wrong", "do it right", stage="calling", subject="f", operands=[np.ones(3), None], line=line)
    error.add_note("a note") if hasattr(error, "add_note") else None
    copies: list[Any] = [copy.copy(error), copy.deepcopy(error), error.again_as(kind)]
    copies += [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert type(other) is kind
        assert other is not error
        assert str(other) == str(error)
        assert other.args == error.args
        for name in ("problem", "advice", "stage", "subject", "operands"):
            assert getattr(other, name) == getattr(error, name)
        assert (other.line.file, other.line.number, other.line.code) == (line.file, line.number, line.code)
        assert getattr(other, "__notes__", None) == getattr(error, "__notes__", None)
    assert str(error) == (
        "calling f: it is wrong\n  operands: float64[3], NoneType\n  at: train.py:12: loss = f(x)\n  do: do it right"
    )


def test_an_error_is_completed_once() -> None:
    error = pg.ShapeError("it is wrong")
    assert str(error).startswith("it is wrong\n  at: test_error_records.py:")
    assert error.advice == ""
    error.complete("tracing", "add", [np.ones(3)])
    assert (error.headline, error.operands) == ("tracing add: it is wrong", ("float64[3]",))
    assert error.advice == pg.ShapeError.usual_advice
    error.complete("running", "multiply", [np.ones(4)])
    assert (error.headline, error.operands) == ("tracing add: it is wrong", ("float64[3]",))
    known = pg.ShapeError("it is wrong", "do it right", subject="x.at[i].set")
    known.complete("tracing", "index_update")
    assert (known.headline, known.advice) == ("tracing x.at[i].set: it is wrong", "do it right")


def test_an_error_with_another_programs_words_keeps_their_lines() -> None:
    words = "cc ended with status 1:\n" + "x" * 120 + "\n" + "word " * 30
    assert str(pg.BackendError(words, "report this", stage="compiling", subject="native code")).startswith(
        f"compiling native code: {words}\n"
    )


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (3, "3"),
        ("a", "'a'"),
        (np.ones(2), "array([1., 1.])"),
        (np.ones((5, 5)), "an array of type float64[5, 5]"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …"),
    ],
)
def test_what_is_shown_of_an_object_is_one_short_line(x: Any, text: str) -> None:
    assert errors.shown(x) == text
    assert len(errors.shown(x)) <= errors.SHOWN


def test_what_an_object_is_called() -> None:
    names = [errors.named(x) for x in (None, 1, [], np.ones(1), test_what_an_object_is_called, pg.var("x"), np.sin)]
    assert names == ["None", "an int", "a list", "a ndarray", "a function", "a Node", "a ufunc"]


def constructed() -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call in the package that makes an error: of a class of errors, or of a parameter that is one."""
    names = {kind.__name__ for kind in CLASSES}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield path.relative_to(PACKAGE), node, node.func.id


def test_every_error_says_stage_subject_and_advice() -> None:
    found = list(constructed())
    assert len(found) > 200
    for path, call, name in found:
        place = f"{path}:{call.lineno}: {name}"
        assert not (isinstance(call.args[0], ast.Call) and call.args[0].func == "str"), place
        if path.parts[0] in COMPLETED or any(isinstance(x, ast.Starred) for x in call.args):
            continue
        assert len(call.args) == 2, f"{place}: problem and advice"
        assert {keyword.arg for keyword in call.keywords} >= {"stage", "subject"}, place


def test_texts_are_made_in_one_place() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name == "errors.py":
            continue
        text = path.read_text(encoding="utf-8")
        for mark in ('"  do: ', '"  at: ', "\\n  do: ", "\\n  at: ", "error.args[0].", "str(error)."):
            assert mark not in text, f"{path}: {mark}"
