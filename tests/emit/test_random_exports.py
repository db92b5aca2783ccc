"""Random graphs as C: forward, reverse and jvp with the VM's bits, but for products large enough for BLAS."""

from __future__ import annotations

from pathlib import Path

import pytest
from emit.exported import ISA, NARROW, ONE_AND_BOTH, SANITIZERS, STRICT, Case, check, has_32_bit, make_case, run, write
from fuzz.graphs import grow
from fuzz.updates import several_updates
from helpers import COMPILERS, needs_compiler, shallow

from pygraph.emit.workspace import plan_workspace
from pygraph.errors import UnsupportedError


def random_cases(seeds: range, large_every: int = 0) -> list[Case]:
    made = []
    for seed in seeds:
        large = large_every > 0 and seed % large_every == 0
        sample = grow(seed, 6 if large else 6 + seed % 30, large=large)
        case = make_case(f"r{seed}", sample.graph, sample.arrays, seed)
        try:
            plan_workspace(case.exe.program, sample.graph.name)
        except UnsupportedError:  # a loop without a limit: its values only
            case = make_case(f"r{seed}", sample.graph, sample.arrays, seed, derivatives=False)
        made.append(case)
    return made


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("count", shallow([8, 208]))
def test_random_graphs_as_c(count: int, tmp_path: Path) -> None:
    made = random_cases(range(count), large_every=16)
    assert sum(not case.uses_blas for case in made) > 0.85 * count
    assert sum(bool(case.tangents) for case in made) > 0.75 * count
    write(tmp_path, made)
    check(tmp_path, made, COMPILERS[0], ["-O1", *ISA])


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
@pytest.mark.parametrize("count", shallow([2, 8]))
@pytest.mark.parametrize("flags", [["-O0"], ["-O3"], SANITIZERS], ids=["O0", "O3", "sanitizers"])
def test_some_random_graphs_everywhere(compiler: str, flags: list[str], count: int, tmp_path: Path) -> None:
    made = random_cases(range(1000, 1000 + count))
    write(tmp_path, made)
    check(tmp_path, made, compiler, [*flags, *ISA])
    if flags == ["-O0"] and has_32_bit(compiler):
        for case in made:
            run([compiler, *STRICT, *NARROW, "-fsyntax-only", f"{case.name}.c"], tmp_path)


@pytest.mark.deep
@needs_compiler
@pytest.mark.parametrize("flags", [["-O3"], SANITIZERS], ids=["O3", "sanitizers"])
def test_updates_of_carries(flags: list[str], tmp_path: Path) -> None:
    made = []
    for first in range(100, 130, 5):
        sample = several_updates(range(first, first + 5))
        made.append(make_case(f"u{first}", sample.graph, sample.arrays, first))
    write(tmp_path, made)
    check(tmp_path, made, COMPILERS[0], [*flags, *ISA])
