"""The compiler settings that exported C is held to."""

from __future__ import annotations

import subprocess
from functools import cache

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
LEVELS = (["-O0"], ["-O3"])


@cache
def has_32_bit(compiler: str) -> bool:
    """Whether there are headers of a 32-bit C library."""
    command = [compiler, "-m32", "-x", "c", "-c", "-", "-o", "/dev/null"]
    done = subprocess.run(command, input="#include <string.h>\n", capture_output=True, text=True, check=False)
    return done.returncode == 0
