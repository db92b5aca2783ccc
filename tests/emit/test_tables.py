"""The generated C header: it is up to date, the library was built from it, and bad rows are refused."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pygraph.emit import tables
from pygraph.emit.rendering.expressions import TableError, expression
from pygraph.errors import ProgramError
from pygraph.graph import Graph, var
from pygraph.lower import lower
from pygraph.lower.decode import decode
from pygraph.lower.format import HEADER_WORDS
from pygraph.lower.instructions import INSTRUCTIONS, Loop
from pygraph.lower.table_hash import table_hash
from pygraph.ops.common import pointwise_shape
from pygraph.ops.row import TABLE, Family, Op
from pygraph.ops.table import MICRO_OPS
from pygraph.runtime.clib.library import Library

needs_sources = pytest.mark.skipif(not tables.CSRC.exists(), reason="the C sources are not beside an installed package")


@needs_sources
def test_the_headers_are_up_to_date() -> None:
    for name, text in tables.render().items():
        assert (tables.CSRC / name).read_text(encoding="utf-8") == text, "run python -m pygraph.emit.tables"
    done = subprocess.run(
        [sys.executable, "-m", "pygraph.emit.tables", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err


def test_an_old_header_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "CSRC", tmp_path_factory.mktemp("csrc"))
    assert tables.main(["--check"]) == 1
    assert tables.main([]) == 0
    assert tables.main(["--check"]) == 0
    for name, old, new in [
        ("generated/pg_ops.h", "a + b", "a - b"),
        ("generated/pg_format.h", "PG_MAX_BLOCK", "PG_MAX_BLOCKS"),
        ("pg_status.h", "= 3", "= 4"),
    ]:
        header = tables.CSRC / name
        text = header.read_text(encoding="utf-8")
        capsys.readouterr()
        header.write_text(text.replace(old, new, 1), encoding="utf-8")
        assert tables.main(["--check"]) == 1
        assert re.fullmatch(f".*{header.name} is out of date.*\n", capsys.readouterr().err)
        header.write_text(text, encoding="utf-8")


def test_the_library_was_built_from_this_table() -> None:
    from pygraph.runtime.clib import library

    assert library.table_hash() == table_hash()


def test_a_program_of_another_table_is_refused() -> None:
    x = var("x", (3,))
    program = lower(Graph([x], x + 1.0))
    words = program.words.copy()
    words[1] ^= 1
    with pytest.raises(ProgramError, match="op table"):
        Library(replace(program, words=words), "stale")


@pytest.mark.parametrize("number", [-1, 0, max(INSTRUCTIONS) + 1, 1 << 40])
def test_an_unknown_opcode_is_refused_by_both_languages(number: int) -> None:
    x = var("x", (3,))
    program = lower(Graph([x], x + 1.0))
    words = program.words.copy()
    first = len(words) - words[HEADER_WORDS + 7]  # the code is the last part of a body
    assert words[first] == Loop.number
    words[first] = number
    changed = replace(program, words=words)
    with pytest.raises(ProgramError, match=f"no instruction has opcode {number}"):
        Library(changed, "made up")
    with pytest.raises(ProgramError, match=f"no instruction has opcode {number}"):
        decode(changed)


def test_numbers_are_those_of_the_enum() -> None:
    found = re.findall(r"PG_MOP_(\w+) = (\d+),", tables.render()["generated/pg_ops.h"])
    assert [(op.name, str(number)) for op, number in MICRO_OPS.items()] == found
    assert list(MICRO_OPS.values()) == list(range(len(MICRO_OPS)))


@pytest.mark.parametrize("op", [op for op in MICRO_OPS if op.name != "convert"], ids=lambda op: op.name)
def test_each_kind_of_each_row_is_stamped(op: Op) -> None:
    """Every dtype a row takes has a C expression, and no other has one."""
    text = tables.render()["generated/pg_ops.h"]
    for kind in "fib":
        section = re.findall(rf"#define PG_OPS_{kind.upper()}_\w+\(X\)((?:.*\\\n)*.*)", text)
        stamped = any(re.search(rf"X\({op.name},", part) for part in section)
        assert stamped == (kind in op.kinds), f"{op.name} on kind {kind!r}"


#: What a new pointwise row is made of, beside its C expression.
ROW: dict[str, Any] = {"shape": pointwise_shape, "reference": np.negative, "nondiff": True, "domain": ((0.0, 1.0),)}


@pytest.mark.parametrize("text", ["a + b", "a - b", "-a", "a * b", "(a) + (b * a)"])
def test_integer_arithmetic_that_might_overflow_is_refused(text: str) -> None:
    op = Op("made_up", Family.ELEMENTWISE, 1, "A row.", kinds="fi", c=text, **ROW)
    assert expression(op, "f") == text
    with pytest.raises(TableError, match="might overflow; use M\\(add\\)"):
        expression(op, "i")


def test_every_reduction_has_a_number() -> None:
    assert set(tables.REDUCTIONS) == {op for op in TABLE.values() if op.identity is not None}
