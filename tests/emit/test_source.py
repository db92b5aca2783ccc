"""The emitter's core as text: what is stored, what is a local, what is said, and that it is always the same."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.emit.c_program import core
from pygraph.emit.instructions.c_scalar import DEAR, DEAR_IN_ALL
from pygraph.emit.rendering.expressions import literal
from pygraph.emit.rendering.names import RESERVED, identifier, identifiers
from pygraph.examples import backpropagation as lesson


def text_of(exe: Any, comments: bool = False) -> str:
    return core(exe.program, "net", embed=True, stoppable=False, comments=comments).text


def function(text: str, name: str) -> str:
    found = re.search(rf"^[^\n]*\b{name}\(const pg_call.*?^}}", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[0]


def test_the_step_of_a_training_loop_is_straight_line_code_over_locals() -> None:
    epoch = pg.train.sgd_epoch(lesson.loss, lesson.LEARNING_RATE)
    exe = pg.compile(pg.trace(epoch, lesson.START, np.zeros(9), np.zeros(9)))
    text = text_of(exe)
    body, loop = function(text, "net_body1"), function(text, "net_scan0")
    assert body.startswith("PG_INLINE void net_body1(")
    assert "arena" not in body
    assert body.count("pg_sigmoid_f64(") == 1
    assert "double carry0 = f->params_0[0], next0 = carry0;" in loop
    assert loop.count("carry0 = next0;") == 1
    assert "for (int64_t i = 0; i < 9; i++) {" in loop


def test_only_what_a_later_segment_reads_is_stored() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.sin(x * y) * 3.0 + x

    forward_alone = text_of(pg.compile(pg.trace(f, 1.0, 2.0)))
    assert "arena" not in function(forward_alone, "net_run_forward")
    exe = pg.compile(pg.trace(f, 1.0, 2.0), wrt=["x", "y"])
    text = text_of(exe)
    stores = re.findall(r"\*PG_AT\(double, f->arena, (\d+)\) =", function(text, "net_run_forward"))
    loads = set()
    for segment in ("net_run_reverse", "net_run_tangent"):
        found = function(text, segment)
        assert "PG_AT(double, f->arena" not in found
        loads |= set(re.findall(r"PG_AT\(const double, f->arena, (\d+)\)", found))
    assert sorted(stores) == sorted(loads)
    assert len(stores) * 8 == exe.stats.cached_bytes


def test_expensive_operations_are_written_out_so_often_and_no_more() -> None:
    """Compilers took 10 minutes over 400 sines in branches, and 7 s over 100 in a row."""

    def row(x: Any) -> Any:
        for k in range(DEAR + 1):
            x = np.sin(x) + k
        return x

    def choice(i: Any, x: Any) -> Any:
        return pg.switch(i, [lambda x, k=k: np.sin(x) * k for k in range(DEAR_IN_ALL + 9)], x)

    for graph, most in ((pg.trace(row, 0.5), 0), (pg.trace(choice, 1, 0.5), DEAR_IN_ALL)):
        text = text_of(pg.compile(graph))
        assert len(re.findall(r"= pg_sin_f64\(", text)) == most
        assert len(re.findall(r"PG_NOINLINE double pg_call_sin_f64\(", text)) == 1


def test_what_cannot_fail_returns_nothing() -> None:
    def step(x: Any, v: Any) -> Any:
        x = pg.cond(x > 0.0, lambda y: y / 2.0, lambda y: y + v, x * v)
        return x, x

    text = text_of(pg.compile(pg.trace(lambda x, v: pg.scan(step, x, v), 1.0, np.zeros(5))))
    assert "PG_INLINE void net_body1(" in text
    assert "status" not in function(text, "net_body1")
    assert "PG_INLINE void net_body1_branch1(" in text


def test_functions_with_loops_are_kept_from_what_compilers_find_in_them() -> None:
    """GCC 12 leaves out calls of functions that write by addresses of its own making."""
    x = np.ones((40, 3))
    text = text_of(pg.compile(pg.trace(lambda x: np.linalg.cholesky(x.T @ x + np.eye(3)) @ np.cumsum(x, 1).T, x)))
    functions = re.findall(r"^([^\n]*)\(const pg_call [^\n]* \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    loops = [head for head, body in functions if "for (" in body or "pg_kernel" in body]
    assert len(loops) > 3
    assert all(head.startswith("PG_STEP ") for head in loops)


def test_constants_are_literals_and_operations_have_comments() -> None:
    def f(x: Any) -> Any:
        return (x - 0.1) * -2.0

    text = text_of(pg.compile(pg.trace(f, 1.0)), comments=True)
    assert "- 0.1;" in text
    assert "* (-2.0);" in text
    assert "/* subtract () test_source.py:" in text
    assert "return (x - 0.1) * -2.0 */" in text
    assert "/* (), forward */" in text


def test_the_same_graph_gives_the_same_text() -> None:
    def f(x: Any, v: Any) -> Any:
        return pg.scan(lambda c, r: (np.cos(c) * r, c), x, v), np.sum(v * x)

    texts = {text_of(pg.compile(pg.trace(f, 1.0, np.zeros(5)), wrt=[0])) for _ in range(3)}
    assert len(texts) == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_literals_read_back_to_the_last_bit(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    info = np.finfo(dtype)
    values = [0.0, -0.0, 1.0, 0.1, info.max, info.tiny, info.smallest_subnormal, 1e16, 3.0, *rng.normal(size=50)]
    for value in np.array(values, dtype):
        text = literal(int(dtype is np.float32), value.tobytes()).strip("()")
        assert text.endswith("f") == (dtype is np.float32)
        back = np.array(text.rstrip("f")).astype(dtype)
        assert back.tobytes() == value.tobytes(), text
        assert re.search(r"[.e]", text), f"{text} is a floating literal"


def test_integer_literals() -> None:
    assert literal(2, np.int64(-(2**63)).tobytes()) == "INT64_MIN"
    assert literal(2, np.int64(2**40).tobytes()) == "INT64_C(1099511627776)"
    assert literal(3, np.int32(-7).tobytes()) == "(-7)"
    assert literal(4, np.True_.tobytes()) == "1"
    assert literal(0, np.float64("-inf").tobytes()) == "(-(double)INFINITY)"
    assert literal(0, np.float64("nan").tobytes()) == "(double)NAN"


def test_names_are_identifiers_and_distinct() -> None:
    names = identifiers(["x", "x", "σ", "w[0]", "w.0", "if", "", "数", "call", "pg_x", "1", "f"])
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
        assert name not in RESERVED
    assert identifier("ŷ") == "y"
    macros = ["INT64_MIN", "FP_NAN", "M_PI", "DBL_MAX", "SIGINT", "HUGE_VALL", "MATH_ERRNO", "EDOM"]
    assert identifiers(macros) == [f"{word}_" for word in macros], "what C's headers define"
    assert identifiers(["W_1", "X", "EPS"]) == ["W_1", "X", "EPS"]
