"""The rows without a computation: variables, constants, counts, results of others, values with a given derivative."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ShapeError
from .constant_array import Constant
from .dtypes import as_dtype
from .expr import Expr
from .limits import MAX_ELEMENTS
from .row import Attrs, Family, Op, Shape, register

input_row = register(
    Op(
        "input",
        Family.LEAF,
        0,
        "A variable, told from others of its name by `uid`.",
        attrs={"name": str, "uid": int, "shape": tuple, "dtype": object},
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
        attrs={"value": Constant},
        shape=lambda shapes, attrs: attrs["value"].value.shape,
        result=lambda dtypes, attrs: as_dtype(attrs["value"].value.dtype),
    )
)


def _iota_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    size, start, step = attrs["size"], attrs["start"], attrs["step"]
    if not step or any(abs(count) > MAX_ELEMENTS for count in (start, start + step * max(size - 1, 0))):
        raise ShapeError(f"{size} counts from {start} in steps of {step}: the step is 0, or they are too large")
    return (size,)


iota_row = register(
    Op(
        "iota",
        Family.LEAF,
        0,
        "Counts: start + i step at index i, in int64, then converted to `dtype`. No memory holds it: loops count.",
        attrs={"size": int, "start": int, "step": int, "dtype": object},
        shape=_iota_shape,
        result=lambda dtypes, attrs: as_dtype(attrs["dtype"]),
        view=lambda counter, shape, attrs: (attrs["start"], (attrs["step"],)),
        reference=lambda size, start, step, dtype: (start + step * np.arange(size)).astype(dtype),
        kinds="fi",
        exact=True,
        nondiff=True,
        promote=False,
    )
)
output_row = register(
    Op(
        "output",
        Family.LEAF,
        1,
        "Result number `index` of a node with several results; its type is found in that node.",
        attrs={"index": int},
        shape=lambda shapes, attrs: (),
        reference=lambda results, index: results[index],
    )
)


def _given_tangents(node: Expr, tangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    count = node.attrs["n_primals"]
    found: Sequence[Expr | None] = node.attrs["rule"].jvp(node.inputs[:count], tangents[:count])
    return found


def _given_cotangents(node: Expr, cotangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    count = node.attrs["n_primals"]
    return [*node.attrs["rule"].vjp(node.inputs[:count], cotangents), *[None] * (len(node.inputs) - count)]


def _batch_of_given(
    node: Expr, operands: Sequence[Expr], batched: Sequence[bool], size: int
) -> tuple[Sequence[Expr], Sequence[bool]]:
    found: tuple[Sequence[Expr], Sequence[bool]] = node.attrs["rule"].batch(node, operands, batched, size)
    return found


deferred_row = register(
    Op(
        "deferred",
        Family.LEAF,
        None,
        "What the transformation `rule` of a recorded function makes of the operands; written out before anything else "
        "is done with a graph.",
        results=lambda operands, attrs: attrs["rule"].types,
        promote=False,
        nondiff=True,
    )
)
given_row = register(
    Op(
        "given_derivative",
        Family.LEAF,
        None,
        "The operands from number `n_primals` on, unchanged, as functions of those before; their derivative is what "
        "`rule` says (rule.jvp, rule.vjp, rule.batch), not that of the expressions they are.",
        results=lambda operands, attrs: [(x.shape, x.dtype) for x in operands[attrs["n_primals"] :]],
        reference=lambda *operands, rule, n_primals: operands[n_primals:],
        jvp=_given_tangents,
        vjp=_given_cotangents,
        batch=_batch_of_given,
        promote=False,
    )
)
