"""Rows of draws that are no formulas of bits: in a range, by rejection, by iteration, and in a random order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .common import pointwise, pointwise_shape
from .comparison import astype
from .expr import Expr
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .random_bits import normal_bits, open_unit, threefry
from .row import Family, Op, register
from .special import digamma, polygamma
from .special_reference import digamma as _digamma, polygamma as _polygamma
from .transcendental import exp

__all__: list[str] = []

Array = npt.NDArray[Any]
_ATTEMPTS = 256  # as in C
_ANY = (-(2.0**31) + 1.0, 2.0**31 - 2.0)


def _multiply_high(x: Any, y: Any) -> Array:
    x, y = np.asarray(x), np.asarray(y)
    bits = 8 * x.dtype.itemsize
    unsigned = np.uint64 if bits == 64 else np.uint32
    a, b = (np.asarray(v).view(unsigned).astype(object) for v in (x, y))
    return np.asarray(np.asarray((a * b) >> bits).astype(unsigned)).view(x.dtype)


multiply_high: Op = pointwise(
    "multiply_high",
    "The upper half of the product of two integers taken without sign: of random bits and n, a number below n.",
    "M(multiply_high)(a, b)",
    _multiply_high,
    domain=(_ANY, _ANY),
    kinds="i",
    nondiff=True,
    price=2,
)


class _Numbers:
    """The numbers under the bits of a seed as a key."""

    def __init__(self, seed: float) -> None:
        self.key = np.float64(seed).view(np.int64)

    def bits(self, count: int) -> Any:
        return threefry.computed(self.key, np.int64(count))

    def uniform(self, count: int) -> float:
        return float(open_unit.computed(self.bits(count)))

    def normal(self, count: int) -> float:
        return float(normal_bits.computed(self.bits(count)))


def _each(draw: Callable[[float, float], float], parameter: Any, seed: Any) -> Array:
    x, y = np.broadcast_arrays(parameter, seed)
    values = [draw(a, b) for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)]
    return np.array(values, np.float64).reshape(x.shape).astype(np.result_type(parameter, seed))


def _log_gamma_draw(a: float, seed: float) -> float:
    if not a > 0 or a == math.inf:
        return -math.inf if a == 0 else a if a == math.inf else math.nan
    numbers, d = _Numbers(seed), (a + 1.0 if a < 1.0 else a) - 1.0 / 3.0
    c, v = 1.0 / math.sqrt(9.0 * d), 1.0
    for k in range(1, 2 * _ATTEMPTS, 2):
        x, u = numbers.normal(k), numbers.uniform(k + 1)
        t = 1.0 + c * x
        if t <= 0.0:
            continue
        v = t * t * t
        if u < 1.0 - 0.0331 * x**4 or math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            break
    found = math.log(d) + math.log(v)
    return found + math.log(numbers.uniform(0)) / a if a < 1.0 else found


def _moved_near_zero(a: Array, y: Array, bend: bool) -> Array:
    """For e^y <= 1 by the derivatives in a of P(a, x) = x^a / Gamma(a + 1) (1 + a S)."""
    z, level = np.exp(y), y - _digamma(a + 1.0)
    terms = [((-z) ** k / math.factorial(k), a + k) for k in range(1, 30)]
    s, s1, s2 = (sum(sign * term / n**power for term, n in terms) for sign, power in ((1, 1), (-1, 2), (2, 3)))
    moved = level * (1.0 + a * s) + (s + a * s1)
    if not bend:
        return np.asarray(-np.exp(z) * moved / a)
    bent = level * (s + a * s1) - _polygamma(np.float64(1.0), a + 1.0) * (1.0 + a * s) + (2.0 * s1 + a * s2)
    return np.asarray(np.exp(z) * (moved / a - bent) / a)


def _log_gamma_moved(a: Any, y: Any, bend: bool) -> Array:
    dtype = np.result_type(a, y)
    a, y = (np.asarray(v, np.float64) for v in (a, y))
    with np.errstate(all="ignore"):
        z = np.exp(y)
        level, side = y - _digamma(a), np.where(z > a, 1.0, -1.0)
        scale, total = 1.0 / np.sqrt((z - a) ** 2 + z + (z > a)), np.zeros(np.broadcast(a, y).shape)
        slope = _polygamma(np.float64(1.0), a) if bend else 0.0
        for x in np.arange(-64, 65) / 14.0:
            s = scale * np.exp(x - np.exp(-x))
            weight, g = np.exp(side * a * s - z * np.expm1(side * s)), side * level + s
            total = total + weight * (side * (s * g - slope) if bend else g) * (s * (1.0 + np.exp(-x)))
        total = np.where((a < 1.0) & (z <= 1.0), _moved_near_zero(a, y, bend), total / 14.0)
        inside = (a > 0) & np.isfinite(a) & np.isfinite(y)
        return np.asarray(np.where(inside, total, np.nan)).astype(dtype)


def _poisson_log(rate: float, k: float) -> float:
    """With Stirling's series from 10 on (DLMF 5.11.1): lgamma would lose all digits of large numbers."""
    if k < 10:
        return k * math.log(rate) - rate - math.lgamma(k + 1.0)
    w, q = 1.0 / (k * k), (rate - k) / k
    rest = (1 / 12 + w * (-1 / 360 + w * (1 / 1260 - w / 1680))) / k
    return k * (math.log1p(q) - q) - 0.5 * math.log(2.0 * math.pi * k) - rest


def _poisson_draw(rate: float, seed: float) -> float:
    if not 0.0 <= rate <= 2.0**62:
        return math.nan
    numbers, k = _Numbers(seed), 0
    if rate < 10.0:
        product = numbers.uniform(0)
        while product > math.exp(-rate) and k < _ATTEMPTS:
            k += 1
            product *= numbers.uniform(k)
        return k
    b = 0.931 + 2.53 * math.sqrt(rate)
    a, narrow = -0.059 + 0.02483 * b, 0.9277 - 3.6224 / (b - 2.0)
    found = math.floor(rate)
    for count in range(0, 2 * _ATTEMPTS, 2):
        u, v = numbers.uniform(count) - 0.5, numbers.uniform(count + 1)
        s = 0.5 - abs(u)
        k = math.floor((2.0 * a / s + b) * u + rate + 0.43)
        if k < 0 or (s < 0.013 and v > s):
            continue
        found = k
        size = math.log(v) + math.log(1.1239 + 1.1328 / (b - 3.4)) - math.log(a / (s * s) + b)
        if (s >= 0.07 and v <= narrow) or size <= _poisson_log(rate, k):
            break
    return found


def _bend_in_a(out: Expr, a: Expr, y: Expr) -> Expr:
    """Quotients of differences at six points, in float64."""
    wide, other, step = astype(a, np.float64), astype(y, np.float64), 0.02

    def difference(k: int) -> Expr:
        return log_gamma_bend(wide * (1.0 + k * step), other) - log_gamma_bend(wide * (1.0 - k * step), other)

    found: Expr = (45.0 * difference(1) - 9.0 * difference(2) + difference(3)) / (60.0 * step * wide)
    narrow: Expr = astype(found, out.dtype)
    return narrow


log_gamma_bend: Op = pointwise(
    "log_gamma_bend",
    "The derivative in a of log_gamma_slope(a, y). Its own derivative in a is by differences, good to about eight "
    "digits.",
    "M(log_gamma_bend)(a, b)",
    lambda a, y: _log_gamma_moved(a, y, True),
    _bend_in_a,
    lambda out, a, y: polygamma(1.0, a) - out * (a - exp(y)) - log_gamma_slope(a, y),
    defined="a > 0",
    domain=((0.3, 3.0), (-3.0, 2.0)),
    edges=False,  # pairs that are no draws have no digits
    price=2000,
    floor=1.0,
    parameters=("a", "y"),
)
log_gamma_slope: Op = pointwise(
    "log_gamma_slope",
    "How the logarithm y of a gamma number moves with a where its place in the distribution stays: -(dF/da) / (dF/dy), "
    "F the distribution of y (implicit reparameterisation: Figurnov, Mohamed and Mnih, 2018).",
    "M(log_gamma_slope)(a, b)",
    lambda a, y: _log_gamma_moved(a, y, False),
    lambda out, a, y: log_gamma_bend(a, y),
    lambda out, a, y: digamma(a) - y - out * (a - exp(y)),
    defined="a > 0",
    domain=((0.3, 3.0), (-3.0, 2.0)),
    edges=False,  # pairs that are no draws have no digits
    price=2000,
    floor=1.0,
    parameters=("a", "y"),
)
log_gamma_draw = pointwise(
    "log_gamma_draw",
    "The logarithm of a gamma number of the parameter a that the seed in (0, 1) chooses, by Marsaglia and Tsang "
    "(2000); -inf for 0, nan below. How it moves with a is log_gamma_slope(a, out).",
    "M(log_gamma_draw)(a, b)",
    lambda a, seed: _each(_log_gamma_draw, a, seed),
    defined="a > 0",
    domain=((0.3, 3.0), (0.01, 0.99)),
    nondiff=True,
    price=60,
    floor=1.0,
    parameters=("a", "seed"),
)
poisson_draw = pointwise(
    "poisson_draw",
    "A Poisson number of this rate that the seed in (0, 1) chooses: by products below 10, else by Hoermann's PTRS "
    "(1993); nan for a rate that is negative or above 2**62.",
    "M(poisson_draw)(a, b)",
    lambda rate, seed: _each(_poisson_draw, rate, seed),
    defined="rate >= 0",
    domain=((0.0, 50.0), (0.01, 0.99)),
    nondiff=True,
    price=60,
    parameters=("rate", "seed"),
)


def _order(bits: Any) -> Array:
    *batch, n = np.shape(bits)
    rows = np.asarray(bits).reshape(math.prod(batch), n)
    out = np.zeros(rows.shape, np.int64)
    for row, found in zip(rows, out, strict=True):
        for i in range(row.size):
            j = int(multiply_high.computed(row[i], np.int64(i + 1)))
            found[i], found[j] = found[j], i
    return out.reshape(np.shape(bits))


def _order_samples(rng: np.random.Generator, dtype: Any) -> Iterator[tuple[Sequence[Array], dict[str, Any]]]:
    for shape in ((0,), (1,), (7,), (2, 5), (2, 0)):
        yield (rng.integers(-(2**63), 2**63 - 1, shape),), {}


random_order: Op = register(
    Op(
        "random_order",
        Family.ELEMENTWISE,
        doc="The numbers below n in an order that n random ints choose, by Fisher and Yates.",
        parameters=("bits",),
        reference=_order,
        nondiff=True,
        samples=_order_samples,
        **kernel_rules(Kernel("random_order", "(n)->(n)", "l->l"), "i"),
    )
)


def _truncated_normal(a: float, b: float, u: float) -> float:
    """By bisection of the distribution, with the tail that is the smaller one."""
    if not a < b:
        return a if a == b else math.nan
    if not 0.0 < u < 1.0:
        return a if u == 0.0 else b if u == 1.0 else math.nan
    if a + b > 0.0:
        return -_truncated_normal(-b, -a, 1.0 - u)

    def below(x: float) -> float:
        return 0.5 * math.erfc(-x / math.sqrt(2.0))

    wanted = below(a) + u * (below(b) - below(a))
    low, high = max(a, -39.0), min(b, 39.0)
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if below(middle) < wanted else (low, middle)
    return high


def _truncated_reference(lower: Any, upper: Any, u: Any) -> Array:
    a, b, c = np.broadcast_arrays(lower, upper, u)
    found = [
        _truncated_normal(*x) for x in zip(a.ravel().tolist(), b.ravel().tolist(), c.ravel().tolist(), strict=True)
    ]
    return np.array(found, np.float64).reshape(a.shape).astype(np.result_type(lower, upper, u))


truncated_normal: Op = register(
    Op(
        "truncated_normal",
        Family.ELEMENTWISE,
        3,
        "The normal number from `lower` to `upper` below which the share u of the probability between them lies; nan "
        "where lower > upper, or u is not from 0 to 1. Partials (1 - u) e^((out^2 - "
        "lower^2)/2) and u e^((out^2 - upper^2)/2); none in u.",
        parameters=("lower", "upper", "u"),
        kinds="f",
        shape=pointwise_shape,
        reference=_truncated_reference,
        partials=(
            lambda out, a, b, u: (1.0 - u) * exp(0.5 * (out - a) * (out + a)),
            lambda out, a, b, u: u * exp(0.5 * (out - b) * (out + b)),
            None,
        ),
        c="M(truncated_normal)(a, b, c)",
        defined="(lower < upper) & (u >= 0) & (u <= 1)",
        domain=((-3.0, 0.0), (0.2, 3.0), (0.01, 0.99)),
        edges=False,
        price=100,
        floor=1.0,
    )
)
