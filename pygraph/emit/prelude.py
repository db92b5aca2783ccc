"""What stands before emitted C: includes, the rules of arithmetic, and the library functions that the text names."""

from __future__ import annotations

from . import headers

#: The header of what a text calls: of the library that loads it, or of itself when it stands alone.
NATIVE, EXPORT = "pg_native_calls.h", "pg_export.h"

#: The headers of C's own library that ours use.
SYSTEM = ("math.h", "stddef.h", "stdint.h", "string.h")

# The values of sums and products would otherwise depend on the compiler: a * b + c in one rounding or in two. GCC has
# no such pragma; it does not contract with -std=c99 or -ffp-contract=off.
_ARITHMETIC = """\
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif"""


def prelude(core: str, calls: str) -> str:
    """The text that makes `core` a whole C file; `calls` is NATIVE or EXPORT."""
    includes = "\n".join(f"#include <{name}>" for name in SYSTEM)
    return "\n\n".join([includes, _ARITHMETIC, headers.select(core, calls)])
