"""The library's headers as text: C99 without a warning, cut out function by function, and found where they are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from emit.exported import NARROW, ONE_AND_BOTH, STRICT, has_32_bit
from helpers import COMPILERS, needs_compiler, shallow

from pygraph.emit.prelude import EXPORT, NATIVE, SYSTEM, prelude
from pygraph.emit.rendering import headers

FUNCTIONS = sorted(name for name in headers._library((EXPORT,)).leaves if name.startswith("pg_"))


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
@pytest.mark.parametrize("calls", [EXPORT, NATIVE])
@pytest.mark.parametrize("optimised", shallow([True, False]))
def test_all_headers_are_c99_without_a_warning(compiler: str, calls: str, optimised: bool, tmp_path: Path) -> None:
    everything = " ".join(headers._library((calls,)).leaves)
    source = tmp_path / "all.c"
    source.write_text(prelude(everything, calls) + "int main(void) { return 0; }\n", encoding="utf-8")
    level = "-O3" if optimised else "-O0"
    for flags in [[], *(NARROW,) * has_32_bit(compiler), ["-mfma", "-mavx2"]]:
        done = subprocess.run(
            [compiler, *STRICT, "-Wshadow", level, *flags, "-c", str(source), "-o", str(tmp_path / "all.o")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{flags}: {done.stderr}"


@needs_compiler
def test_each_function_comes_with_all_that_it_needs(tmp_path: Path) -> None:
    for start in range(0, len(FUNCTIONS), 24):
        names = FUNCTIONS[start : start + 24]
        source = tmp_path / f"part{start}.c"
        source.write_text(prelude(" ".join(names), EXPORT) + "int main(void) { return 0; }\n", encoding="utf-8")
        command = [COMPILERS[0], *STRICT, "-O0", "-fsyntax-only", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{names}: {done.stderr}"


def test_nothing_more_than_what_is_needed() -> None:
    text = headers.select("double y = pg_exp_f64(x);")
    defined = re.findall(r"^PG_INLINE \w+ \**(\w+)", text, re.MULTILINE)
    assert defined[-1] == "pg_exp_f64"
    assert "pg_log_f64" not in defined
    assert "pg_expm1_f64" not in defined
    assert len(defined) == len(set(defined))
    assert "Method: x = k ln2 + r" in text  # the comments of a file come along
    assert headers.select("double y = x;") == ""


def test_stamped_functions_are_written_out() -> None:
    text = headers.select("pg_add_i64(a, b)")
    assert "PG_INLINE int64_t pg_add_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }" in text
    assert "#define PG_WRAPPING" not in text
    assert "pg_subtract" not in text
    assert "#define PG_WRAPPING(S, T, U)" in headers.select("PG_WRAPPING(u8, uint8_t, uint8_t)")


def test_both_branches_of_a_choice_are_cut_alike() -> None:
    text = headers.select("pg_ceil_f32(x)")
    assert text.count("pg_ceil_f32(float x)") == 2
    assert "pg_ceil_f64" not in text
    assert text.count("#if") == text.count("#endif")


def test_what_a_condition_names_comes_along() -> None:
    """A condition on a macro that is not there would hold of nothing: code without fused multiply-adds."""
    for name in FUNCTIONS:
        text = headers.select(f"{name}(x)")
        asked = {word for line in re.findall(r"^#\s*(?:el)?if (.*)$", text, re.MULTILINE) for word in _words(line)}
        assert asked <= set(re.findall(r"#define (\w+)", text)), name


def _words(condition: str) -> list[str]:
    return [word for word in re.findall(r"PG_\w+", condition) if headers.has(word)]


def test_the_system_headers_are_those_of_the_prelude() -> None:
    included = {
        name
        for file in ("pg_math_base.h", "pg_convert.h", "pg_int.h", EXPORT, NATIVE)
        for name in re.findall(r"#include <([^>]+)>", headers.read(file))
    }
    assert included <= set(SYSTEM)


def test_selection_is_always_the_same() -> None:
    text = " ".join(FUNCTIONS)
    assert headers.select(text, EXPORT) == headers.select(" ".join(reversed(FUNCTIONS)), EXPORT)
