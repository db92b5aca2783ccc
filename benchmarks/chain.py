"""An elementwise chain of eight operations, summed, with its gradient, from in-cache to out-of-cache sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Report, Target, native, peer, print_rest, print_table, run_case

Vector = npt.NDArray[np.float64]

#: Sizes of the array, and the rounds at each.
SIZES = {1_000: 60, 100_000: 60, 10_000_000: 9}

#: Below this times plain NumPy, at the sizes with a target, the structure of the loops is right.
LIMIT = 0.4
SIZES_WITH_TARGET = (100_000, 10_000_000)

#: The native tier against the VM and JAX, where the operations are cheap and the array stays in the caches.
NATIVE_LIMIT = 0.5
NATIVE_SIZES = (1_000, 100_000)


@dataclass(frozen=True)
class Chain:
    """A chain, as an expression and by hand.

    Attributes:
        title: names the chain and its operations.
        value: the sum of the chain of x, with the functions of the module given (`numpy`, `jax.numpy`).
        plain: value and gradient in NumPy, as one would write them.
        in_place: the same into eight arrays made beforehand; the last one takes the gradient.
        cheap: whether each operation takes about a cycle, so that the native tier has the most to gain.
    """

    title: str
    value: Callable[[Any, Any], Any]
    plain: Callable[[Vector], tuple[np.float64, Vector]]
    in_place: Callable[[Vector, Sequence[Vector]], tuple[np.float64, Vector]]
    cheap: bool


def mixed(xp: Any, x: Any) -> Any:
    """Five cheap operations, and sin, log and tanh."""
    a = 0.5 * x
    b = xp.sin(a)
    c = b + 1.5
    d = xp.log(c)
    e = d * d
    f = xp.tanh(e)
    g = f - 0.25
    return xp.sum(g * a)


def mixed_plain(x: Vector) -> tuple[np.float64, Vector]:
    """`mixed` and its gradient by hand."""
    a = 0.5 * x
    c = np.sin(a) + 1.5
    d = np.log(c)
    f = np.tanh(d * d)
    g = f - 0.25
    dd = a * (1.0 - f * f) * 2.0 * d
    return np.sum(g * a), 0.5 * (g + dd / c * np.cos(a))


def mixed_in_place(x: Vector, work: Sequence[Vector]) -> tuple[np.float64, Vector]:
    """`mixed_plain` without a temporary."""
    a, c, d, f, g, product, _, gradient = work
    np.multiply(x, 0.5, out=a)
    np.sin(a, out=c)
    np.add(c, 1.5, out=c)
    np.log(c, out=d)
    np.multiply(d, d, out=f)
    np.tanh(f, out=f)
    np.subtract(f, 0.25, out=g)
    np.multiply(g, a, out=product)
    value = np.sum(product)
    np.multiply(f, f, out=f)
    np.subtract(1.0, f, out=f)
    np.multiply(f, a, out=f)
    np.multiply(f, d, out=f)
    np.multiply(f, 2.0, out=f)
    np.divide(f, c, out=f)
    np.cos(a, out=gradient)
    np.multiply(gradient, f, out=gradient)
    np.add(gradient, g, out=gradient)
    np.multiply(gradient, 0.5, out=gradient)
    return value, gradient


def cheap(xp: Any, x: Any) -> Any:
    """Eight operations of about a cycle each: products, sums, a difference and a maximum."""
    a = 0.5 * x
    b = a + 1.0
    c = b * x
    d = xp.maximum(c, a)
    e = d - b
    f = e * e
    g = 0.25 * f
    return xp.sum(g + x)


def cheap_plain(x: Vector) -> tuple[np.float64, Vector]:
    """`cheap` and its gradient by hand."""
    a = 0.5 * x
    b = a + 1.0
    c = b * x
    e = np.maximum(c, a) - b
    value = np.sum(0.25 * (e * e) + x)
    de = 0.5 * e
    first = c > a
    dc = np.where(first, de, 0.0)
    da = de - dc  # where `a` is the larger one
    db = dc * x - de
    return value, 0.5 * (da + db) + dc * b + 1.0


def cheap_in_place(x: Vector, work: Sequence[Vector]) -> tuple[np.float64, Vector]:
    """`cheap_plain` without a temporary but the mask."""
    a, b, c, e, term, dc, da, gradient = work
    np.multiply(x, 0.5, out=a)
    np.add(a, 1.0, out=b)
    np.multiply(b, x, out=c)
    np.maximum(c, a, out=e)
    np.subtract(e, b, out=e)
    np.multiply(e, e, out=term)
    np.multiply(term, 0.25, out=term)
    np.add(term, x, out=term)
    value = np.sum(term)
    np.multiply(e, 0.5, out=e)
    np.multiply(e, c > a, out=dc)
    np.subtract(e, dc, out=da)
    np.multiply(dc, x, out=gradient)
    np.subtract(gradient, e, out=gradient)
    np.add(gradient, da, out=gradient)
    np.multiply(gradient, 0.5, out=gradient)
    np.multiply(dc, b, out=dc)
    np.add(gradient, dc, out=gradient)
    np.add(gradient, 1.0, out=gradient)
    return value, gradient


CHAINS = (
    Chain("mixed chain (· sin + log · tanh − ·)", mixed, mixed_plain, mixed_in_place, cheap=False),
    Chain("cheap chain (· + · max − · · +)", cheap, cheap_plain, cheap_in_place, cheap=True),
)


def _contenders(chain: Chain, x: Vector, jax: Any, left_out: list[str]) -> list[Contender]:
    differentiated = pg.value_and_grad(partial(chain.value, np))
    single = pg.compile(differentiated, threads=1, backend="vm")
    several = pg.compile(differentiated, backend="vm")
    work = [np.empty_like(x) for _ in range(8)]
    contenders = [
        Contender("NumPy", partial(chain.plain, x)),
        Contender("NumPy in place", partial(chain.in_place, x, work)),
        Contender("pygraph, 1 thread", partial(single, x)),
        Contender("pygraph", partial(several, x)),
        Contender("pygraph bind", several.executable(x).bind(x)),
    ]
    if (built := native(differentiated, left_out, x)) is not None:
        contenders += [
            Contender("pygraph native", partial(built, x)),
            Contender("pygraph native bind", built.executable(x).bind(x)),
        ]
    if jax is not None:
        jax.config.update("jax_enable_x64", True)
        compiled = jax.jit(jax.value_and_grad(partial(chain.value, jax.numpy)))
        on_device = jax.numpy.asarray(x)
        contenders.append(Contender("JAX jit", lambda: jax.block_until_ready(compiled(on_device))))
    return contenders


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("chain")
    jax = peer("jax", report.left_out)
    for chain in CHAINS:
        for n, default_rounds in SIZES.items():
            x = np.random.default_rng(n).normal(size=n)
            targets = [
                Target(contender, "NumPy", LIMIT)
                for contender in ("pygraph, 1 thread", "pygraph")
                if n in SIZES_WITH_TARGET
            ]
            if chain.cheap and n in NATIVE_SIZES:
                targets += [
                    Target("pygraph native bind", reference, NATIVE_LIMIT) for reference in ("pygraph bind", "JAX jit")
                ]
            title = f"{chain.title} and gradient, n = {n:,}"
            case = Case(title, _contenders(chain, x, jax, report.left_out), "pygraph", targets, default_rounds)
            report.tables.append(run_case(case, rounds))
            print_table(report.tables[-1])
    print_rest(report)
    return report
