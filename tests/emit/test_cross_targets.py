"""Exported files on other processors: run under user-mode emulation, and compiled for microcontrollers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from emit.exported import STRICT, run
from emit.exported_calls import check_calls, write_calls
from emit.test_dialects import kernels
from emit.test_export_functions import functions, null_runs

import pygraph as pg

#: Compilers of Debian's cross packages, their flags, and the emulators of qemu-user.
TARGETS = {
    "aarch64": ("aarch64-linux-gnu-gcc", [], "qemu-aarch64"),
    "armhf": ("arm-linux-gnueabihf-gcc", [], "qemu-arm"),
    "riscv64": ("riscv64-linux-gnu-gcc", [], "qemu-riscv64"),
    # The first byte of a number is its largest; GCC computes with floats as doubles here where -std=c99 is given.
    "s390x": ("s390x-linux-gnu-gcc", ["-std=gnu99", "-ffp-contract=off"], "qemu-s390x"),
}
#: Microcontrollers: without a floating-point unit, with one for floats, with one for doubles.
CORES = {
    "m0": ["-mcpu=cortex-m0", "-mfloat-abi=soft"],
    "m3": ["-mcpu=cortex-m3", "-mfloat-abi=soft"],
    "m4f": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "m7": ["-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"],
}

pytestmark = pytest.mark.deep


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_other_processors_compute_the_same(target: str, level: str, tmp_path: Path) -> None:
    compiler, flags, emulator = TARGETS[target]
    if shutil.which(compiler) is None or shutil.which(emulator) is None:
        pytest.skip(f"no {compiler} or no {emulator}")
    pg.export_c(tmp_path, "net", functions())
    write_calls(tmp_path, "net", null_runs())
    run([compiler, *STRICT, level, *flags, "-static", "main.c", "net.c", "-lm", "-o", "program"], tmp_path)
    check_calls(tmp_path, null_runs(), [emulator, "./program"], ">" if target == "s390x" else "<", ulps=4)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_microcontrollers(core: str, dtype: str | None, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc")
    pg.export_c(tmp_path, "net", functions(), dtype=dtype)
    more = {name: function for name, function in kernels().items() if dtype is None or name != "draws"}
    pg.export_c(tmp_path, "more", more, dtype=dtype)
    for name in ("net", "more"):
        for level in ("-O0", "-Os", "-O3"):
            flags = [*STRICT, *CORES[core], "-mthumb", level, "-ffreestanding"]
            run(["arm-none-eabi-gcc", *flags, "-c", f"{name}.c", "-o", f"{name}.o"], tmp_path)
