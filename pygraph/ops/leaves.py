"""The rows without a computation: variables, constants, results of others, values with a derivative of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


def _given_tangents(node: Any, tangents: Sequence[Any]) -> Sequence[Any]:
    count = node.attrs["n_primals"]
    found: Sequence[Any] = node.attrs["rule"].jvp(node.inputs[:count], tangents[:count])
    return found


def _given_cotangents(node: Any, cotangents: Sequence[Any]) -> Sequence[Any]:
    count = node.attrs["n_primals"]
    return [*node.attrs["rule"].vjp(node.inputs[:count], cotangents), *[None] * (len(node.inputs) - count)]


def _batch_of_given(node: Any, operands: Sequence[Any], batched: Sequence[bool], size: int) -> Any:
    return node.attrs["rule"].batch(node, operands, batched, size)


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
