"""The compiler flags that numbers depend on, for native code and for the C library (csrc/build_ffi.py reads this)."""

from __future__ import annotations

#: Both tiers must agree to the last bit on one instruction set: no contraction, and never -ffast-math. Between sets
#: only functions of pg_math.h may differ, by the rounding of a fused multiply-add.
NUMERICS = ("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")

#: What each instruction set needs beyond the compiler's default, by the name that `pg_isa` gives it.
ISA: dict[str, tuple[str, ...]] = {
    "baseline": (),
    "neon": (),
    "avx2": ("-mavx2", "-mfma"),
    "avx512": (
        *("-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma"),
        "-mprefer-vector-width=512",
    ),
}
