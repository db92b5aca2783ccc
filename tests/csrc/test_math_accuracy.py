"""Every function of csrc/pg_math.h against mpmath, and its special values against NumPy; `-s` prints the table.

An error is |got - exact| / ulp(exact), in units of the last place of the result's type (of the subnormals below the
smallest normal number), so a correctly rounded result shows at most 0.5. The limits are in `FUNCTIONS`.
"""

from __future__ import annotations

import ctypes
import math
import platform
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers import COMPILER_MARKS, COMPILERS
from mpmath import mp

from pygraph.ops.row import TABLE as ROWS, lookup

pytestmark = COMPILER_MARKS
CSRC = Path(__file__).resolve().parents[2] / "csrc"
FLAGS = ["-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fPIC", "-shared"]
BUILDS = {"baseline": [], "avx2_fma": ["-mavx2", "-mfma"]}
DTYPES = {"f64": np.dtype(np.float64), "f32": np.dtype(np.float32)}
INTEGERS = {"i64": np.dtype(np.int64), "i32": np.dtype(np.int32)}
Array = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------------------------------------------
# Building and calling the probe
# ---------------------------------------------------------------------------------------------------------------------


def cpu_has_avx2_fma() -> bool:
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return {"avx2", "fma"} <= words


@pytest.fixture(scope="module", params=BUILDS)
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The shared library of loops, built once per set of flags."""
    if request.param == "avx2_fma" and not cpu_has_avx2_fma():
        pytest.skip(f"this CPU ({platform.machine()}) has no AVX2 with FMA")
    target = tmp_path_factory.mktemp("math") / f"probe_{request.param}.so"
    command = [COMPILERS[0], *FLAGS, *BUILDS[request.param], f"-I{CSRC}", str(CSRC / "tests" / "math_probe.c")]
    done = subprocess.run([*command, "-o", str(target), "-lm"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(target))
    library.build_name = request.param  # type: ignore[attr-defined]
    return library


def call(library: ctypes.CDLL, name: str, suffix: str, *arguments: Array) -> Array:
    """pg_<name>_<suffix> over arrays of one length."""
    dtype = {**DTYPES, **INTEGERS}[suffix]
    arrays = [np.ascontiguousarray(a, dtype) for a in arguments]
    out = np.empty_like(arrays[0])
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, out)]
    getattr(library, f"probe_{name}_{suffix}")(*pointers, ctypes.c_long(out.size))
    return out


# ---------------------------------------------------------------------------------------------------------------------
# Sample points
# ---------------------------------------------------------------------------------------------------------------------


def near(rng: np.random.Generator, dtype: np.dtype[Any], *centres: float, count: int = 24) -> Array:
    """The centres, their neighbours by a few ulp, and points at relative distances of 2^-2 to 2^-40."""
    with np.errstate(over="ignore"):
        c = np.array(centres).astype(dtype)
    c = c[np.isfinite(c)]
    steps = [c]
    up, down = c, c
    for _ in range(3):
        up, down = np.nextafter(up, dtype.type(np.inf)), np.nextafter(down, dtype.type(-np.inf))
        steps += [up, down]
    distance = np.exp2(rng.uniform(-40, -2, (count, c.size))) * rng.choice([-1, 1], (count, c.size))
    scattered = (c + np.where(c == 0, 1, np.abs(c)) * distance).astype(dtype)
    return np.concatenate([*steps, scattered.ravel()])


def wide(rng: np.random.Generator, dtype: np.dtype[Any], low: int, high: int, count: int = 120) -> Array:
    """Both signs, exponents uniform in [low, high], cut to the range of the type (subnormals included)."""
    info = np.finfo(dtype)
    low, high = max(low, int(info.minexp) - int(info.nmant)), min(high, int(info.maxexp))
    values = rng.uniform(0.5, 1, count) * np.exp2(rng.uniform(low, high, count))
    return (values * rng.choice([-1, 1], count)).astype(dtype)


@dataclass(frozen=True)
class Domain:
    """Where one function is sampled: intervals (uniform), centres (dense around them), and exponents (both signs)."""

    intervals: tuple[tuple[float, float], ...]
    centres: tuple[float, ...] = (0.0, 1.0, -1.0)
    exponents: tuple[int, int] = (-1080, 1024)

    def points(self, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        parts = [rng.uniform(a, b, 150).astype(dtype) for a, b in self.intervals]
        return np.concatenate([*parts, near(rng, dtype, *self.centres), wide(rng, dtype, *self.exponents)])


# ---------------------------------------------------------------------------------------------------------------------
# The functions
# ---------------------------------------------------------------------------------------------------------------------

Reference = Callable[..., Any]


@dataclass(frozen=True)
class Function:
    """A reference on exact inputs, its domain; `atol`, in eps, replaces the row's limits in ulp where it is the
    larger and `has_zero` holds: only where the function may cross zero, so small values elsewhere stay relative."""

    reference: Reference
    domain: Domain
    atol: float = 0.0
    second: Domain | None = None
    third: Domain | None = None
    has_zero: Callable[..., Array] = field(default=lambda *x: np.ones(x[0].shape, bool))


HALF_PI = [math.pi / 2 * k for k in (1, 2, 3, 4, 5, 7, 22, 101, 12345, 667543)]
# Doubles exceptionally close to a multiple of pi/2, from the convergents of pi/2 (k pi/2 rounded, k a denominator).
CLOSE = [math.pi / 2 * k for k in (226, 710, 33215, 66317, 104348, 208341, 312689, 573204)]
# Rump's and Muller's worst case for f64 reduction, and ordinary large arguments.
HUGE = [6381956970095103.0 * 2.0**797, 1e10, 1e22, 2.0**20, -(2.0**20), 1048577.0]
THRESHOLDS = (709.782712893384, -708.3964185322641, -745.1332191019411, 88.72283905206835, -87.33654475055310, -103.97)
TRIG = Domain(((-4, 4), (-400, 400), (-1048576, 1048576)), (0.0, *HALF_PI, *CLOSE, *HUGE))
UNIT = Domain(((-1, 1), (0.9, 1), (-1, -0.9), (-0.6, 0.6)), (0.0, 0.5, -0.5, 1.0, -1.0), (-1080, 0))
POSITIVE = Domain(((0, 4), (0.5, 2), (0, 1e4)), (0.0, 1.0, 2.0, 10.0, math.sqrt(0.5), math.sqrt(2)))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x))


def silu(x: Any) -> Any:
    return x / (1 + mp.exp(-x))


def gelu(x: Any) -> Any:
    return x * mp.erfc(-x / mp.sqrt(2)) / 2


def logaddexp(a: Any, b: Any) -> Any:
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


def scaled_bessel(order: int) -> Reference:
    return lambda x: mp.besseli(order, x) * mp.exp(-abs(x))


def incomplete_beta(a: Any, b: Any, x: Any) -> Any:
    if min(a, b) < 0.3 or not 0 <= x <= 1:
        raise ValueError("left out")
    return mp.betainc(a, b, 0, x, regularized=True)


def gammaln(x: Any) -> Any:
    return mp.re(mp.loggamma(x)) if x > 0 else mp.log(abs(mp.gamma(x)))


def polygamma(n: Any, x: Any) -> Any:
    return mp.re(mp.psi(int(n), x))


FUNCTIONS: dict[str, Function] = {
    "exp": Function(mp.exp, Domain(((-1, 1), (-750, 715), (-105, 90)), (0.0, *THRESHOLDS))),
    "expm1": Function(mp.expm1, Domain(((-2, 2), (-60, 720), (-20, 90)), (0.0, 0.34657, 1.0397, *THRESHOLDS))),
    "exp2": Function(
        lambda x: mp.power(2, x), Domain(((-2, 2), (-1080, 1025)), (0.5, 1024.0, -1022.0, -1074.5, 128.0))
    ),
    "log": Function(mp.log, POSITIVE),
    "log1p": Function(mp.log1p, Domain(((-1, 1), (-0.5, 3), (0, 1e4)), (0.0, -1.0, 1.0, 0.4142, -0.2929))),
    "log2": Function(lambda x: mp.log(x, 2), POSITIVE),
    "log10": Function(mp.log10, POSITIVE),
    "sqrt": Function(mp.sqrt, POSITIVE),
    "cbrt": Function(lambda x: mp.sign(x) * mp.cbrt(abs(x)), Domain(((-10, 10),), (0.0, 1.0, 8.0, -27.0))),
    "sin": Function(mp.sin, TRIG),
    "cos": Function(mp.cos, TRIG),
    "tan": Function(mp.tan, TRIG),
    "arcsin": Function(mp.asin, UNIT),
    "arccos": Function(mp.acos, UNIT),
    "arctan": Function(mp.atan, Domain(((-3, 3), (-0.5, 0.5), (-50, 50)), (0.4375, 1.03, 2.4, -1.0))),
    "sinh": Function(mp.sinh, Domain(((-2, 2), (-712, 712), (-90, 90)), (0.0, 0.34657, 1.0397, 710.4758, 89.416))),
    "cosh": Function(mp.cosh, Domain(((-2, 2), (-712, 712), (-90, 90)), (0.0, 0.34657, 1.0397, 710.4758, 89.416))),
    "tanh": Function(mp.tanh, Domain(((-1, 1), (-5, 5), (-25, 25)), (0.0, 0.625, 9.01, 19.06, 22.0))),
    "arcsinh": Function(mp.asinh, Domain(((-1, 1), (-10, 10)), (0.0, 0.5, 1.0))),
    "arccosh": Function(mp.acosh, Domain(((1, 2), (1, 100)), (1.0, 2.0))),
    "arctanh": Function(mp.atanh, UNIT),
    "erf": Function(mp.erf, Domain(((-1, 1), (-3, 3), (-6.5, 6.5)), (0.0, 0.5, 1.0, 2.0, 5.92))),
    "erfc": Function(mp.erfc, Domain(((-1, 1), (-6, 10), (0, 28)), (0.0, 0.5, 1.0, 2.0, 5.92, 26.54, 9.19, 10.05))),
    "gammaln": Function(
        gammaln,
        Domain(
            ((0, 3), (3, 200), (-5, 0), (-22, 0)), (1.0, 2.0, 0.75, 8.0, -0.5, -2.4570247382208, -3.5), (-1080, 900)
        ),
        atol=2.0**-20,  # within 2^-72 of a zero
        has_zero=lambda x: x < 0,
    ),
    "digamma": Function(
        mp.digamma,
        Domain(((0, 3), (3, 20), (-6, 0)), (1.0, 2.0, 1.4616321449683623, -0.504083008264455, 10.0), (-900, 1000)),
        atol=1.0,
        has_zero=lambda x: x < 0,
    ),
    "silu": Function(silu, Domain(((-2, 2), (-40, 40), (-760, -700), (-105, 20)), (0.0, -708.4, -745.1))),
    "gelu": Function(gelu, Domain(((-2, 2), (-40, 0), (-14, 9)), (0.0, -1.188, -37.5, -2.83, -6.36))),
    "erfinv": Function(mp.erfinv, Domain(((-1, 1),), (0.0, 0.85, -0.999, 0.5), (-600, 0))),
    "erfcinv": Function(lambda x: mp.erfinv(1 - x), Domain(((0, 2), (0, 0.1)), (1.0, 0.15, 1.85, 0.001), (-150, 0))),
    "erfcx": Function(
        lambda x: mp.exp(x * x) * mp.erfc(x), Domain(((-2, 2), (-26, 26)), (0.0, 0.84, 2.0, 4.5), (-60, 20))
    ),
    "i0": Function(lambda x: mp.besseli(0, x), Domain(((-9, 9), (-720, 720)), (0.0, 8.0), (-60, 9))),
    "i1": Function(lambda x: mp.besseli(1, x), Domain(((-9, 9), (-720, 720)), (0.0, 8.0), (-60, 9))),
    "i0e": Function(scaled_bessel(0), Domain(((-9, 9), (-99, 99)), (0.0, 8.0), (-60, 15))),
    "i1e": Function(scaled_bessel(1), Domain(((-9, 9), (-99, 99)), (0.0, 8.0), (-60, 15))),
    "gamma": Function(mp.gamma, Domain(((0, 3), (3, 171), (-5, 0), (-170, 0)), (1.0, 2.0, -0.5), (-900, 7))),
    "sigmoid": Function(sigmoid, Domain(((-2, 2), (-40, 40), (-750, 20), (-105, 20)), (0.0, -708.4, -745.1, 36.7))),
    "softplus": Function(softplus, Domain(((-2, 2), (-40, 40), (-750, 20), (-105, 20)), (0.0, -708.4, -745.1, 36.7))),
    "floor": Function(mp.floor, Domain(((-9, 9), (-1e9, 1e9)), (0.5, -0.5, 1.5, 2.5, 4503599627370496.5, 8388607.5))),
    "ceil": Function(mp.ceil, Domain(((-9, 9), (-1e9, 1e9)), (0.5, -0.5, 1.5, 2.5, 4503599627370496.5, 8388607.5))),
    "round": Function(mp.nint, Domain(((-9, 9), (-1e9, 1e9)), (0.5, -0.5, 1.5, 2.5, 4503599627370495.5, 8388607.5))),
    "abs": Function(abs, Domain(((-9, 9),))),
    "pow": Function(
        mp.power,
        Domain(((0, 3), (0.9, 1.1), (0, 1e3)), (1.0,)),
        second=Domain(((-5, 5), (-50, 50), (-90, 90))),
    ),
    "arctan2": Function(mp.atan2, Domain(((-3, 3),) * 3), second=Domain(((-3, 3),) * 3)),
    "hypot": Function(mp.hypot, Domain(((-3, 3),) * 3), second=Domain(((-3, 3),) * 3)),
    "gaussian": Function(
        lambda x, b: mp.exp(-b * x * x),
        Domain(((-3, 3), (-38, 38), (-27, 27)), (0.0,), (-500, 4)),
        second=Domain(((0.1, 2), (0.5, 0.5), (1, 1)), (1.0, 0.5), (-4, 4)),
    ),
    "logaddexp": Function(
        logaddexp,
        Domain(((-2, 2), (-40, 40), (0, 700))),
        atol=1.0,
        has_zero=lambda a, b: np.maximum(a, b) < 0,
        second=Domain(((-2, 2), (-40, 40), (0, 700))),
    ),
    "betaln": Function(
        lambda p, q: mp.loggamma(p) + mp.loggamma(q) - mp.loggamma(p + q),
        Domain(((0, 3), (3, 30), (1, 1e6)), (1.0, 0.5, 10.0), (-60, 60)),
        atol=24.0,
        has_zero=lambda p, q: p > 0,
        second=Domain(((0, 3), (3, 30), (1, 1e6)), (1.0, 0.5, 10.0), (-60, 60)),
    ),
    "gammainc": Function(
        lambda a, x: mp.gammainc(a, 0, x, regularized=True) if min(a, x) >= 0 else mp.nan,
        Domain(((0, 2), (3, 60), (60, 200)), (1.0,), (-12, 7)),
        second=Domain(((0, 2), (3, 60), (60, 200)), (1.1,), (-12, 7)),
    ),
    "gammaincc": Function(
        lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True) if min(a, x) >= 0 else mp.nan,
        Domain(((0, 2), (3, 60), (60, 200)), (1.0,), (-12, 7)),
        second=Domain(((0, 2), (3, 60), (60, 200)), (1.1,), (-12, 7)),
    ),
    "betainc": Function(
        incomplete_beta,
        Domain(((0.3, 2), (3, 60)), (1.0,), (-1, 6)),
        second=Domain(((0.3, 2), (3, 60)), (1.0,), (-1, 6)),
        third=Domain(((0, 1), (0, 0.1), (0.8, 1)), (0.5,), (-20, 0)),
    ),
    "polygamma": Function(
        polygamma,
        Domain(((0, 3), (3, 30), (-5, 0)), (1.0, 1.4616, -0.5, -2.25), (-60, 60)),
        atol=2.0,
        has_zero=lambda n, x: x < 0,
        second=Domain(((0.5, 6.5),)),
    ),
}


#: Those of which mpmath takes many seconds.
SLOW = ("gammainc", "gammaincc", "betainc")

# ---------------------------------------------------------------------------------------------------------------------
# References and errors
# ---------------------------------------------------------------------------------------------------------------------


@cache
def samples(name: str, suffix: str) -> tuple[tuple[Array, ...], list[Any]]:
    """Inputs and mpmath values, with the points outside the domain (complex, poles, NaN) taken out."""
    function = FUNCTIONS[name]
    dtype = DTYPES[suffix]
    rng = np.random.default_rng(sum(map(ord, name)))
    arguments = [function.domain.points(rng, dtype)]
    if function.second is not None:
        other = function.second.points(rng, dtype)
        size = min(arguments[0].size, other.size)
        arguments = [arguments[0][:size], rng.permutation(other)[:size]]
        if function.third is not None:
            last = function.third.points(rng, dtype)
            arguments = [x[: last.size] for x in arguments] + [rng.permutation(last)[:size]]
        if name.startswith("gammainc"):  # half of them about the middle of the distribution
            spread = np.sqrt(np.abs(arguments[0])) * rng.normal(0, 3, size)
            arguments[1][::2] = np.abs(arguments[0] + spread)[::2]
        if name == "pow":  # to the ends of the range, whatever the base
            with np.errstate(all="ignore"):
                top = math.log(2.0) * int(np.finfo(dtype).maxexp) * rng.uniform(-1.06, 1.02, size)
                arguments[1][::2] = (top / np.log(np.abs(arguments[0])))[::2]
        if name == "polygamma":  # the order comes first
            arguments = [np.rint(np.abs(arguments[1])) % 8, arguments[0]]
    if name in SLOW or name in ("i0", "i1", "i0e", "i1e"):  # mpmath takes milliseconds for each
        chosen = rng.permutation(arguments[0].size)[: 60 if name in SLOW else 240]
        arguments = [x[chosen] for x in arguments]
    keep, exact = [], []
    with mp.workprec(240):
        for i, values in enumerate(zip(*arguments, strict=True)):
            if not all(math.isfinite(v) for v in values):
                continue
            try:
                value = function.reference(*(mp.mpf(float(v)) for v in values))
            except (ValueError, ZeroDivisionError, OverflowError, RecursionError, mpmath.libmp.ComplexResult):
                continue
            if isinstance(value, mp.mpc) or not mp.isfinite(value):
                continue
            keep.append(i)
            exact.append(value)
    return tuple(a[keep].astype(dtype) for a in arguments), exact


def ulp_errors(got: Array, exact: list[Any], limit: float, atol: Array) -> Array:
    """|got - exact| in ulps of the exact value; at most `limit` if and only if within `limit` ulp or `atol` eps."""
    info = np.finfo(got.dtype)
    out = np.zeros(got.size)
    top = mp.ldexp(1, int(info.maxexp))
    overflow = top - mp.ldexp(1, int(info.maxexp) - int(info.nmant) - 2)
    for i, (value, true) in enumerate(zip(got.tolist(), exact, strict=True)):
        if math.isnan(value):
            out[i] = math.inf
        elif abs(true) >= overflow:
            out[i] = 0.0 if math.isinf(value) or (abs(true) < top and abs(value) == info.max) else math.inf
            out[i] += 0.0 if (value > 0) == (true > 0) else math.inf
        else:
            exponent = max(mp.mag(true) - 1 if true else -(10**6), int(info.minexp))
            unit = mp.ldexp(1, exponent - int(info.nmant))
            if atol[i]:
                unit = max(unit, mp.ldexp(float(atol[i]) / limit, -int(info.nmant)))
            difference = abs((mp.mpf(value) if math.isfinite(value) else math.copysign(1, value) * top) - true)
            out[i] = float(difference / unit)
    return out


#: The functions of C's math.h, each also with an f at its end.
_MATH_H = """
acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log log10
log1p log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc lgamma tgamma ceil floor nearbyint rint
lrint llrint round lround llround trunc fmod remainder remquo copysign nan nextafter nexttoward fdim fmax fmin
fma
"""
MATH_H = {name + suffix for name in _MATH_H.split() for suffix in ("", "f")}

TABLE: dict[tuple[str, str], dict[str, tuple[float, tuple[float, ...]]]] = {}


def limits(name: str) -> tuple[float, float]:
    """The limits in ulp, as the row of the function says them."""
    called = [op for op in ROWS.values() if re.match(rf"M\({name}\)\(", str(_floating(op.c)))]
    (row,) = [op for op in called if not op.combiner]
    assert row.exact or row.ulps is not None
    return row.ulps or (0.5, 0.5)


def _floating(c: Any) -> Any:
    return c["f"] if isinstance(c, Mapping) else c


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.deep) if name in SLOW else name for name in FUNCTIONS]
)
def test_accuracy(probe: ctypes.CDLL, name: str) -> None:
    function = FUNCTIONS[name]
    failures = []
    for suffix, limit in zip(("f64", "f32"), limits(name), strict=True):
        arguments, exact = samples(name, suffix)
        assert len(exact) > (16 if name in SLOW else 100)
        got = call(probe, name, suffix, *arguments)
        with mp.workprec(240):
            atol = np.where(function.has_zero(*arguments), function.atol, 0.0)
            errors = ulp_errors(got, exact, limit, atol)
        worst = int(np.argmax(errors))
        where = tuple(float(a[worst]) for a in arguments)
        TABLE.setdefault((probe.build_name, name), {})[suffix] = (float(errors[worst]), where)
        if not errors[worst] <= limit:
            failures.append(
                f"pg_{name}_{suffix}{where}: {float(got[worst])!r}, exact {mp.nstr(exact[worst], 20)}, "
                f"{errors[worst]:.3f} ulp > {limit}"
            )
    assert not failures, "\n".join(failures)


def test_print_table(probe: ctypes.CDLL) -> None:
    """Runs after the accuracy tests of each build; shows what they measured."""
    print(f"\n{probe.build_name:<12} {'f64 max ulp':>12}  {'f32 max ulp':>12}   worst f64 argument")
    for (build, name), row in TABLE.items():
        if build == probe.build_name:
            cells = "  ".join(f"{row[s][0]:12.4f}" if s in row else " " * 12 for s in DTYPES)
            print(f"{name:<12} {cells}   {row['f64'][1]}")


#: Evaluated in float32 alone, with their numbers of arguments (csrc/pg_math_single.h, and pow).
SINGLE = {**dict.fromkeys(("exp", "expm1", "tanh", "sigmoid", "silu", "log", "log1p", "softplus", "erf"), 1), "pow": 2}


def test_functions_of_floats_alone_have_no_double_arithmetic(tmp_path: Path) -> None:
    lines = ['#include "pg_math.h"']
    for name, arity in SINGLE.items():
        head = f"void of_{name}(const float *x, const float *y, float *out)"
        lines.append(f"{head};\n{head} {{ (void)y; out[0] = pg_{name}_f32(x[0]{', y[0]' * (arity - 1)}); }}")
    (tmp_path / "singles.c").write_text("\n".join(lines) + "\n")
    promoted = ["-Wdouble-promotion", "-I", str(CSRC), "-S", "singles.c", "-o", "singles.s"]
    flags = [flag for flag in FLAGS if flag != "-shared"]
    done = subprocess.run([COMPILERS[0], *flags, *promoted], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"In function \W+pg_\w+_f32", done.stderr), done.stderr
    text = (tmp_path / "singles.s").read_text()
    assert all(f"of_{name}:" in text for name in SINGLE)
    if platform.machine() in {"x86_64", "AMD64"}:
        assert re.search(r"\bv?(add|mul)ss\b", text)
        assert not re.search(r"\bv?(cvt(ss2sd|ps2pd)|(add|sub|mul|div|sqrt)[sp]d)\b", text)


# ---------------------------------------------------------------------------------------------------------------------
# Special values
# ---------------------------------------------------------------------------------------------------------------------

EDGES = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1.0,
    -1.0,
    2.0,
    -2.0,
    0.5,
    -0.5,
    3.0,
    -3.0,
    1e30,
    -1e30,
    1e-30,
    -1e-30,
]


def edges(dtype: np.dtype[Any]) -> Array:
    info = np.finfo(dtype)
    extreme = [info.max, info.min, info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
    return np.array([*EDGES, *map(float, extreme)], dtype)


def expected_edges(name: str, *x: Array) -> Array:
    """NumPy's values, or the limits written out for what NumPy does not have."""
    inf, nan = math.inf, math.nan
    with np.errstate(all="ignore"):
        a = x[0]
        if name == "round":
            return np.rint(a)
        if name in ("erfcinv", "erfcx", "erfinv", "gamma", "i0", "i0e", "i1", "i1e"):
            return np.asarray(lookup(name).computed(a))
        if hasattr(np, name):
            return np.asarray(getattr(np, name)(*x))
        if name == "sigmoid":
            return 1 / (1 + np.exp(-a))
        if name == "silu":
            return a / (1 + np.exp(-a))
        if name == "gelu":
            return np.array([float(v) * 0.5 * math.erfc(-float(v) * math.sqrt(0.5)) for v in a]).astype(a.dtype)
        if name == "softplus":
            return np.logaddexp(a, a.dtype.type(0))
        scalar: dict[str, Callable[[float], float]] = {"erf": math.erf, "erfc": math.erfc}
        if name in scalar:
            return np.array([scalar[name](float(v)) for v in a]).astype(a.dtype)
        table = {
            "gammaln": {0.0: inf, -1.0: inf, -2.0: inf, -3.0: inf, -1e30: inf, inf: inf, -inf: inf, 1.0: 0.0, 2.0: 0.0},
            "digamma": {inf: inf, -inf: nan, -1.0: nan, -2.0: nan, -3.0: nan, -1e30: nan},
        }[name]
        return np.array(
            [
                math.copysign(inf, -v) if name == "digamma" and v == 0 else nan if v != v else table.get(float(v), 7.0)
                for v in a
            ],
            a.dtype,
        )  # 7.0: an ordinary number


def same_edge(got: Array, want: Array) -> Array:
    """NaN, infinities and zeros (with their sign) must be the same; other numbers are the accuracy tests' matter."""
    special = ~np.isfinite(want) | (want == 0)
    same = (got == want) & (np.signbit(got) == np.signbit(want)) | (np.isnan(got) & np.isnan(want))
    return np.where(special, same, np.isfinite(got) & (got != 0))


def assert_edges(name: str, suffix: str, got: Array, want: Array, *x: Array) -> None:
    bad = np.flatnonzero(~same_edge(got, want))
    assert bad.size == 0, [f"pg_{name}_{suffix}{tuple(float(a[i]) for a in x)} = {got[i]}, want {want[i]}" for i in bad]


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if f.second is None])
def test_special_values_unary(probe: ctypes.CDLL, name: str) -> None:
    for suffix, dtype in DTYPES.items():
        x = edges(dtype)
        if name in ("gammaln", "digamma"):  # what overflows or is a pole elsewhere is left to the accuracy test
            x = x[(np.abs(x) < 4) | ~np.isfinite(x)]
            x = x[(np.abs(x) >= 0.5) | (x == 0) | np.isnan(x)]
        assert_edges(name, suffix, call(probe, name, suffix, x), expected_edges(name, x).astype(dtype), x)


BINARY = {"pow": "power", "arctan2": "arctan2", "hypot": "hypot", "logaddexp": "logaddexp", "mod": "mod"}
BINARY |= {"floor_divide": "floor_divide", "maximum": "maximum", "minimum": "minimum"}


@pytest.mark.parametrize("name", BINARY)
def test_special_values_binary(probe: ctypes.CDLL, name: str) -> None:
    for suffix, dtype in DTYPES.items():
        x, y = (a.ravel() for a in np.meshgrid(edges(dtype), edges(dtype)))
        if name in ("maximum", "minimum"):  # the sign of a zero among zeros is NumPy's loop's choice
            keep = (x != 0) | (y != 0)
            x, y = x[keep], y[keep]
        got = call(probe, name, suffix, x, y)
        assert_edges(name, suffix, got, expected_edges(BINARY[name], x, y), x, y)


@pytest.mark.parametrize("name", ["mod", "floor_divide", "maximum", "minimum"])
def test_exact_binary(probe: ctypes.CDLL, name: str) -> None:
    rng = np.random.default_rng(5)
    for suffix, dtype in DTYPES.items():
        x, y = rng.normal(0, 9, (2, 4000)).astype(dtype)
        x[:1000], y[:1000] = np.rint(x[:1000]), np.rint(y[:1000]) + dtype.type(0.5)
        x[1000:2000] *= dtype.type(1e6)
        np.testing.assert_array_equal(call(probe, name, suffix, x, y), getattr(np, name)(x, y))


@pytest.mark.parametrize("suffix", INTEGERS)
def test_integers(probe: ctypes.CDLL, suffix: str) -> None:
    dtype = INTEGERS[suffix]
    info = np.iinfo(dtype)
    values = np.array([0, 1, -1, 2, -2, 3, -3, 7, -7, 100, -101, info.max, info.min, info.max - 1, info.min + 1], dtype)
    x, y = (a.ravel() for a in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(call(probe, "abs", suffix, values), np.abs(values))
        np.testing.assert_array_equal(call(probe, "floor_divide", suffix, x, y), x // y)
        np.testing.assert_array_equal(call(probe, "mod", suffix, x, y), x % y)


def test_digamma_rises(probe: ctypes.CDLL) -> None:
    """Of two neighbouring numbers above 0 the larger one never has the smaller value."""
    rng = np.random.default_rng(11)
    x = np.concatenate([rng.uniform(0, 12, 20_000), np.exp(rng.uniform(-300, 600, 20_000)), np.arange(1, 60)])
    for _ in range(3):
        after = np.nextafter(x, np.inf)
        assert np.all(call(probe, "digamma", "f64", x) <= call(probe, "digamma", "f64", after))
        x = after


#: What the mathematics may take from elsewhere: remainders, which are exact. Anything else would be another library's
#: rounding, and the compiler's where it folds a call.
EXACT = {"fmod", "fmodf"}


def test_no_function_of_another_library_decides_a_bit(probe: ctypes.CDLL) -> None:
    path = Path(probe._name)
    listing = subprocess.run(["nm", "-D", "--undefined-only", str(path)], capture_output=True, text=True, check=True)
    names = {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines() if " U " in line}
    assert names <= EXACT | {"fma", "fmaf", "memcpy", "memset", "__stack_chk_fail"}, names
    called = set()
    for header in CSRC.glob("pg_*.h"):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
        called |= set(re.findall(r"(?<![\w.])(\w+)\s*\(", text)) & MATH_H
    exact = {
        "fabs",
        "fabsf",
        "sqrt",
        "sqrtf",
        "fma",
        "fmaf",
        "copysign",
        "copysignf",
        "rint",
        "rintf",
        "floor",
        "floorf",
        "frexp",
        "ldexp",
    }
    assert called <= EXACT | exact | {"ceil", "ceilf"}, called


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_core_and_full_agree_bit_for_bit(probe: ctypes.CDLL, name: str) -> None:
    rng = np.random.default_rng(3)
    for suffix, dtype in DTYPES.items():
        x = np.concatenate([edges(dtype), TRIG.points(rng, dtype)])
        ok = call(probe, f"{name}_ok", suffix, x) != 0
        assert not ok[~np.isfinite(x)].any()
        assert ok[np.abs(x) <= 2.0**20].all()
        core, full = call(probe, f"{name}_core", suffix, x[ok]), call(probe, name, suffix, x[ok])
        np.testing.assert_array_equal(core.view(f"u{dtype.itemsize}"), full.view(f"u{dtype.itemsize}"))


def test_polygamma_of_even_order_at_negative_half_integers(probe: ctypes.CDLL) -> None:
    """The cotangent's share is exactly zero there, and both halves of the sum are far larger than what is left."""
    n, x = (np.ravel(grid).astype(np.float64) for grid in np.meshgrid([2, 4, 6], [-0.5, -1.5, -2.5, -7.5]))
    with mp.workdps(40):
        exact = np.array([float(mp.psi(int(order), mp.mpf(at))) for order, at in zip(n, x, strict=True)])
    np.testing.assert_allclose(call(probe, "polygamma", "f64", n, x), exact, rtol=4e-15)
    np.testing.assert_allclose(lookup("polygamma").reference(n, x), exact, rtol=4e-15)


def test_polygamma_poles_and_bad_orders(probe: ctypes.CDLL) -> None:
    inf, nan = math.inf, math.nan
    cases = [
        (0, 0.0, -inf),
        (0, -0.0, inf),
        (1, 0.0, inf),
        (1, -1.0, inf),
        (2, 0.0, -inf),
        (2, -0.0, inf),
        (2, -1.0, nan),
    ]
    cases += [
        (1, inf, 0.0),
        (2, inf, -0.0),
        (1, -inf, nan),
        (-1, 2.0, nan),
        (1.5, 2.0, nan),
        (1, nan, nan),
        (nan, 1.0, nan),
    ]
    n, x, want = (np.array(column, np.float64) for column in zip(*cases, strict=True))
    for suffix, dtype in DTYPES.items():
        got = call(probe, "polygamma", suffix, n, x)
        assert_edges("polygamma", suffix, got, want.astype(dtype), n, x)
