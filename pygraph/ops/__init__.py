"""What can be computed: one row per operation, and the NumPy-style functions built on the rows.

Read `row.py` (what a row says), then a few rows: `arithmetic.py` (pointwise), `shaping.py` (linear), `indexing.py` and
`kernel_rows.py` (kernels), `control.py` (with sub-graphs). Then `mask_rules.py` (structural zeros), `composite.py`
(functions made of rows; more in `functions`, loaded later), `keys.py` (NumPy's indexing), `public.py` (the functions
that users call), `table.py` (what the C library knows of the rows).

Boundary: nothing here walks a graph, and no other package of pygraph is imported.
"""

# ruff: noqa: F403  (each module says in its __all__ what is public)
from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..concurrency import ensure_imported

# Numbers the rows; what is registered later runs by its definition only.
from . import (
    arithmetic,
    banded as banded,
    bessel,
    comparison,
    composite,
    control as control,
    convolution_rows as convolution_rows,
    cumulation as cumulation,
    diagonals,
    eigen as eigen,
    elementwise,
    entropies,
    expm as expm,
    floating,
    functions,
    incomplete,
    index_updates,
    indexing,
    integers,
    keys,
    leaves as leaves,
    lu as lu,
    placing as placing,
    products,
    qr as qr,
    reductions,
    segments as segments,
    sequences,
    shaping,
    sorting as sorting,
    special,
    svd as svd,
    table as table,
    transcendental,
    triangular as triangular,
)
from .arithmetic import *
from .bessel import *
from .comparison import *
from .composite import *
from .diagonals import *
from .elementwise import *
from .entropies import *
from .floating import *
from .incomplete import *
from .index_updates import *
from .indexing import *
from .integers import *
from .keys import *
from .products import *
from .reductions import *
from .row import (
    TABLE as TABLE,
    Family as Family,
    Op as Op,
    RegistrationError as RegistrationError,
    lookup as lookup,
    register as register,
)
from .sequences import *
from .shaping import *
from .special import *
from .transcendental import *

#: Every public function by its name, which is NumPy's where NumPy has it; some are rows, called as functions.
PUBLIC: dict[str, Callable[..., Any]] = {
    name: getattr(module, name)
    for module in (
        arithmetic,
        integers,
        floating,
        transcendental,
        special,
        incomplete,
        bessel,
        entropies,
        comparison,
        shaping,
        reductions,
        products,
        indexing,
        keys,
        index_updates,
        composite,
        diagonals,
        sequences,
        elementwise,
    )
    for name in module.__all__
}

__all__ = [*PUBLIC]

#: All names of public functions, also of those in modules that are imported when they are first used.
NAMES = PUBLIC.keys() | functions.FUNCTIONS.modules.keys()
#: What NumPy or SciPy have in namespaces of their own, imported when they are first used.
NAMESPACES = ("linalg", "stats")


def __getattr__(name: str) -> Any:
    if name in NAMESPACES:
        ensure_imported(f"{__name__}.{name}")
        return import_module(f"{__name__}.{name}")
    return globals().setdefault(name, functions.FUNCTIONS.find(name))
