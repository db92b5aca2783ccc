"""Rows that a kernel computes: from the kernel's signature follow shapes, types and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..errors import DTypeError
from .dtypes import DTYPES, KINDS
from .expr import Batch, Batches, Expr
from .gufunc_signature import batch_shape
from .kernel import TYPES, Kernel
from .row import Attrs, DType, Op, Result, Shape, lookup

__all__ = ["kernel_rules"]


def kernel_rules(kernel: Kernel, kinds: str) -> dict[str, Any]:
    """The fields of a row that follow from its kernel: kernel, kinds, arity, promote, differs, exact, flops, updates,
    shape and result or results, and batch where the signature has leading axes."""
    inputs, outputs = kernel.letters
    given = [at for at, letter in enumerate(inputs) if letter == "T"]

    def type_of(letters: str, dtypes: Sequence[DType]) -> list[DType]:
        for at, (letter, dtype) in enumerate(zip(inputs, dtypes, strict=True)):
            if letter != "T" and dtype != TYPES[letter]:
                raise DTypeError(f"operand {at} must be {TYPES[letter].name}, not {dtype.name}")
            if letter == "T" and dtype != dtypes[given[0]]:
                raise DTypeError(f"operand {at} is {dtype.name}, operand {given[0]} {dtypes[given[0]].name}")
        return [dtypes[given[0]] if letter == "T" else TYPES[letter] for letter in letters]

    rules: dict[str, Any] = {
        "kernel": kernel,
        "kinds": kinds,
        "arity": len(inputs),
        "promote": bool(given),
        "differs": tuple(at for at in range(len(inputs)) if at not in given),
        "exact": kernel.ulps == (0.0, 0.0),
        "flops": None if kernel.flops == "0" else _flops(kernel),
        "updates": (lambda attrs, count: kernel.updates) if kernel.updates else None,
    }
    if kernel.layout is None:
        rules["batch"] = _batch(kernel)

    if len(outputs) == 1:

        def shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
            (found,) = kernel.parsed.results(kernel.bind(shapes, attrs))
            return found

        def result(dtypes: Sequence[DType], attrs: Attrs) -> DType:
            (found,) = type_of(outputs, dtypes)
            return found

        return rules | {"result": result} | ({"shape": shape} if kernel.layout is None else {})

    def results(operands: Sequence[Expr], attrs: Attrs) -> list[Result]:
        bound = kernel.bind([x.shape for x in operands], attrs)
        found = type_of(outputs, [x.dtype for x in operands])
        return list(zip(kernel.parsed.results(bound), found, strict=True))

    return rules | {"results": results}


def accepted_types(op: Op) -> list[DType]:
    """The types for which a row's kernel has a function; one that stands for all where it is not generic."""
    assert op.kernel is not None
    return [dtype for dtype in DTYPES if KINDS[dtype] in op.kinds][: None if op.kernel.generic else 1]


def _flops(kernel: Kernel) -> Callable[[Expr], int]:
    def flops(node: Expr) -> int:
        bound = kernel.bind([x.shape for x in node.inputs], node.attrs)
        return kernel.operations(kernel.numbers(bound, node.attrs)) * prod(bound.batch)

    return flops


def _batch(kernel: Kernel) -> Batch | Batches:
    """A further leading axis of those operands that have one; the kernel broadcasts it over the others."""
    cores = [len(core) for core in kernel.parsed.inputs]

    def aligned(node: Expr, operands: Sequence[Expr], batched: Sequence[bool], size: int) -> list[Expr]:
        rank = max(len(x.shape) - core for x, core in zip(node.inputs, cores, strict=True))
        found = []
        for x, core, has_axis in zip(operands, cores, batched, strict=True):
            shape = batch_shape(x.shape, core, rank, size if has_axis else None)
            found.append(x if shape == x.shape else lookup("reshape")(x, shape=shape))
        return found

    def batch(node: Expr, operands: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
        return node.op(*aligned(node, operands, batched, size), **node.attrs)

    def batches(
        node: Expr, operands: Sequence[Expr], batched: Sequence[bool], size: int
    ) -> tuple[Sequence[Expr], Sequence[bool]]:
        made = node.op.several(*aligned(node, operands, batched, size), **node.attrs)
        return made, [True] * len(made)

    return batch if len(kernel.letters[1]) == 1 else batches
