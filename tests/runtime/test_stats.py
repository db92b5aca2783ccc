"""What an Executable says of itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.runtime.compile.stats import Stats, bytes_text


def test_the_figures() -> None:
    x = pg.var("x", (1000,))
    graph = pg.Graph([x], np.sum(np.sin(x) * np.linspace(0.0, 1.0, 1000)), name="waves")
    plain, derived = pg.compile(graph).stats, pg.compile(graph, wrt=["x"]).stats
    assert plain.name == "waves"
    assert plain.nodes >= 4
    assert plain.instructions >= 1
    assert plain.fused_regions >= 1
    assert plain.constant_bytes >= 8000
    assert plain.program_bytes % 8 == 0
    assert plain.cached_bytes == 0
    assert plain.backend in ("vm", "native")
    assert plain.isa in ("baseline", "avx2", "avx512", "neon")
    assert plain.threads >= 1
    assert 0.0 < plain.compile_seconds < 60.0
    assert plain.flops >= 1000
    assert derived.nodes > plain.nodes
    assert derived.flops > plain.flops
    assert 0 < derived.cached_bytes <= derived.arena_bytes
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.nodes = 3  # type: ignore[misc]


def test_it_prints_as_a_table() -> None:
    x = pg.var("x", (10,))
    text = str(pg.compile(pg.Graph([x], x * 2.0, name="double")).stats)
    lines = text.splitlines()
    stats = pg.compile(pg.Graph([x], x * 2.0)).stats
    assert len(lines) == sum(getattr(stats, field.name) is not None for field in dataclasses.fields(Stats))
    assert "-" not in text
    assert "jacobian" not in text
    assert lines[0].split() == ["name", "double"]
    assert any(line.startswith("arena bytes ") and line.endswith(" B") for line in lines)
    assert any(line.startswith("compile seconds ") and line.endswith(" ms") for line in lines)


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 B"),
        (9_999, "9,999 B"),
        (10_240, "10.0 KiB"),
        (3 << 20, "3.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (1 << 50, "1024.0 TiB"),
    ],
)
def test_bytes_as_people_write_them(n: int, text: str) -> None:
    assert bytes_text(n) == text


def test_its_own_text() -> None:
    x, n = pg.var("x", (3, 4)), pg.var("n", (), "int64")
    exe = pg.compile(pg.Graph([x, n], (x * n, n), name="f"), wrt=["x"])
    assert repr(exe) == "<Executable f(x: float64[3, 4], n: int64) -> float64[3, 4], int64, wrt=['x']>"
    assert exe.graph.name == "f"
    assert "LOOP" in exe.disassemble().upper()


@pytest.mark.parametrize(("level", "shown"), [("0", []), ("1", ["compile"]), ("3", ["compile", "disassembly"])])
def test_pygraph_debug_shows_what_each_stage_took(
    level: str, shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYGRAPH_DEBUG", level)
    x = pg.var("x", (10,))
    exe = pg.compile(pg.Graph([x], x * 2.0, name="double"))
    said = capsys.readouterr().err
    assert ("compile double: differentiate " in said) == ("compile" in shown)
    assert (" ms, load " in said) == ("compile" in shown)
    assert (exe.disassemble() in said) == ("disassembly" in shown)


def test_a_loop_in_python_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def steps(x: Any, n: int) -> Any:
        for _ in range(n):
            x = np.sin(x) * 0.5
        return x

    monkeypatch.setenv("PYGRAPH_DEBUG", "1")
    pg.compile(lambda x: steps(x, 100))(1.0)
    said = capsys.readouterr().err
    assert "x = np.sin(x) * 0.5 was recorded 100 times: pg.scan or pg.fori_loop" in said
    pg.compile(lambda x: steps(x, 10))(1.0)
    assert "times" not in capsys.readouterr().err
