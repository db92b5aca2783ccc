"""The rows without a computation: variables, constants, and one result of a node that has several."""

from __future__ import annotations

from .dtypes import as_dtype
from .row import Family, Op, register

input_row = register(
    Op(
        "input",
        Family.LEAF,
        0,
        "A variable, told from others of its name by `uid`.",
        shape=lambda shapes, attrs: attrs["shape"],
        result=lambda dtypes, attrs: as_dtype(attrs["dtype"]),
    )
)
constant_row = register(
    Op(
        "constant",
        Family.LEAF,
        0,
        "An array known when recording.",
        shape=lambda shapes, attrs: attrs["value"].value.shape,
        result=lambda dtypes, attrs: as_dtype(attrs["value"].value.dtype),
    )
)
output_row = register(
    Op(
        "output",
        Family.LEAF,
        1,
        "Result number `index` of a node with several results; its type is found in that node.",
        shape=lambda shapes, attrs: (),
        reference=lambda results, index: results[index],
    )
)
