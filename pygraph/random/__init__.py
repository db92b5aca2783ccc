"""Random numbers, `pg.random`: draws that are functions of a key, as in jax.random, whose order of arguments they have.

A key is an int64 scalar, such as `key(0)`. Element i of a draw is a function of the key and of i alone, by the
counter-based generator Threefry-2x32 (Salmon et al., SC 2011): the same numbers in every process, in both tiers, at
any number of threads, on arrays, in a trace, in a loop and under `pg.vmap`. Equal keys give equal numbers: make one for
each use with `split` or `fold_in`. Keys and 64-bit `bits` are those of jax.random.

Read `drawing.py` (how a draw is recorded or run), `streams.py` (keys and bits), then the distributions.

Boundary: compositions of rows; the rows are in `ops/random_bits.py` and `ops/random_draws.py`.
"""

from .continuous import exponential, gumbel, laplace, logistic, multivariate_normal, normal, truncated_normal, uniform
from .discrete import bernoulli, categorical, poisson, rademacher, randint
from .gamma_family import beta, dirichlet, gamma, loggamma
from .rearranging import choice, permutation, shuffle
from .streams import bits, fold_in, key, split

__all__ = [
    "bernoulli",
    "beta",
    "bits",
    "categorical",
    "choice",
    "dirichlet",
    "exponential",
    "fold_in",
    "gamma",
    "gumbel",
    "key",
    "laplace",
    "loggamma",
    "logistic",
    "multivariate_normal",
    "normal",
    "permutation",
    "poisson",
    "rademacher",
    "randint",
    "shuffle",
    "split",
    "truncated_normal",
    "uniform",
]
