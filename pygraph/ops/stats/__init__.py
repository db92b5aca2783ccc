"""Probability distributions, `pg.stats`: log-densities and distribution functions, named and called as in scipy.stats.

A distribution is a name with functions: `pg.stats.norm.logpdf(x, loc, scale)`. `DISTRIBUTIONS` is the only list of
them; each is imported when it is first used. Read `elementary_distributions.py` first.

Boundary: compositions of rows and of functions made of rows.
"""

from __future__ import annotations

from typing import Any

from ..later import Later

DISTRIBUTIONS = Later(
    __name__,
    {
        "elementary_distributions": "expon laplace logistic lognorm norm uniform",
        "gamma_distributions": "beta gamma t",
        "count_distributions": "binom poisson",
        "multivariate_distributions": "multivariate_normal",
    },
)

__all__ = [*DISTRIBUTIONS.modules]


def __getattr__(name: str) -> Any:
    return DISTRIBUTIONS.find(name)


def __dir__() -> list[str]:
    return sorted(__all__)
