"""Optimisers, `pg.optim`: pairs `init(params)`, `update(grads, state, params)`; their schedules and clippings.

They are small objects that do not change; states are nested containers of arrays. `update` works on arrays, where it is
compiled, and in a trace: in `pg.fit`, or in a loop of one's own, a `pg.scan` for instance.

Read `optimizer.py` (what all are), `descent.py` (`sgd`, `lion`), `adaptive.py` (`adagrad`, `rmsprop`), `adam_family.py`
(`adam`, `adamw`), `schedules.py`, `clipping.py`, `averaging.py` (`ema`), `chaining.py`; then `line_search.py` and
`quasi_newton.py` (`lbfgs`). `settings.py` and `parameters.py` check what is given.

Boundary: nothing is imported but `pygraph` itself and NumPy.
"""

from .adam_family import adam, adamw
from .adaptive import adagrad, rmsprop
from .averaging import ema
from .chaining import chain
from .clipping import clip_by_norm, clip_by_value, global_norm
from .descent import lion, sgd
from .optimizer import Optimizer
from .quasi_newton import lbfgs
from .schedules import constant, cosine, exponential, one_cycle, step, warm_up

__all__ = [
    "Optimizer",
    "adagrad",
    "adam",
    "adamw",
    "chain",
    "clip_by_norm",
    "clip_by_value",
    "constant",
    "cosine",
    "ema",
    "exponential",
    "global_norm",
    "lbfgs",
    "lion",
    "one_cycle",
    "rmsprop",
    "sgd",
    "step",
    "warm_up",
]
