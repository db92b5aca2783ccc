"""What comes before emitted C: includes, the rules of arithmetic, and the library functions that the text names."""

from __future__ import annotations

from .rendering import headers

#: The header of what a text calls: of the library that loads it, or of itself when it stands alone.
NATIVE, EXPORT = "pg_native_calls.h", "pg_export.h"

#: The headers of C's own library that ours use.
SYSTEM = ("float.h", "math.h", "stddef.h", "stdint.h", "string.h")


def prelude(core: str, calls: str) -> str:
    """The text that makes `core` a whole C file; `calls` is NATIVE or EXPORT."""
    includes = "\n".join(f"#include <{name}>" for name in SYSTEM)
    return "\n\n".join([includes, headers.conditions("pg_arithmetic.h"), headers.select(core, calls)])
