"""Whole Jacobians as graphs: a loop over basis vectors around a jvp or a vjp."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..graph.build import constant, make
from ..graph.control import scan
from ..graph.node import Node
from ..ops.dtypes import is_float
from ..ops.row import lookup
from .forward import jvp
from .reverse import vjp
from .unbroadcast import CONVERT, full, reshaped

EQUAL = lookup("equal")
TRANSPOSE = lookup("transpose")


def jacobian_forward(outputs: Sequence[Node], wrt: Sequence[Node]) -> list[list[Node]]:
    """The Jacobian of each output with respect to each variable, by one jvp per element of the variable.

    Returns:
        A list per output with, per variable, an array of shape output.shape + variable.shape and the output's dtype.
        The derivatives of outputs and variables that are not floating are zeros (of float64 where the output is not
        floating).

    Example:
        >>> x = pg.var("x", (3,))
        >>> jacobian_forward([x[:2] * 2.0], [x])[0][0].shape
        (2, 3)
    """
    columns = [_columns(outputs, wrt, j) for j in range(len(wrt))]
    return [[columns[j][i] for j in range(len(wrt))] for i in range(len(outputs))]


def jacobian_reverse(outputs: Sequence[Node], wrt: Sequence[Node]) -> list[list[Node]]:
    """The same as `jacobian_forward`, by one vjp per element of each output.

    Returns:
        A list per output with, per variable, an array of shape output.shape + variable.shape and the variable's dtype
        (float64 zeros where that is not floating).

    Example:
        >>> x = pg.var("x", (3,))
        >>> jacobian_reverse([np.sum(x * x)], [x])[0][0].shape
        (3,)
    """
    return [_rows(output, wrt) for output in outputs]


def _columns(outputs: Sequence[Node], wrt: Sequence[Node], j: int) -> list[Node]:
    """The Jacobians of all outputs with respect to variable `j`."""
    variable, size = wrt[j], prod(wrt[j].shape)

    def tangents(basis: Node) -> list[Node | None]:
        return jvp(outputs, [variable], [basis], linear=True)

    found: Sequence[Node | None] = [None] * len(outputs)
    if is_float(variable.dtype):
        if size == 1:
            found = tangents(full(1, variable.shape, variable.dtype))
        elif size > 1:
            found = _stacked(tangents, variable, outputs)
    result = []
    for output, columns in zip(outputs, found, strict=True):
        shape = (*output.shape, *variable.shape)
        if columns is None:
            result.append(full(0, shape, output.dtype if is_float(output.dtype) else np.dtype("float64")))
            continue
        if size > 1 and output.shape:
            columns = make(TRANSPOSE, (columns,), {"axes": (*range(1, len(output.shape) + 1), 0)})
        result.append(reshaped(columns, shape))
    return result


def _rows(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """The Jacobians of one output with respect to all variables."""
    size = prod(output.shape)

    def cotangents(basis: Node) -> list[Node | None]:
        return vjp([output], wrt, [basis])

    found: Sequence[Node | None] = [None] * len(wrt)
    if is_float(output.dtype):
        if size == 1:
            found = cotangents(full(1, output.shape, output.dtype))
        elif size > 1:
            found = _stacked(cotangents, output, wrt)
    result = []
    for variable, rows in zip(wrt, found, strict=True):
        shape = (*output.shape, *variable.shape)
        if rows is None:
            result.append(full(0, shape, variable.dtype if is_float(variable.dtype) else np.dtype("float64")))
        else:
            result.append(reshaped(rows, shape))
    return result


def _stacked(derivative: Any, like: Node, results: Sequence[Node]) -> list[Node | None]:
    """`derivative` of every basis vector shaped like `like`, stacked along a new first axis; None where it is zero.

    The basis vector is made inside the loop by comparing positions with the step, so the identity matrix never exists.
    """
    size = prod(like.shape)
    positions = constant(np.arange(size))
    present: list[bool] = []

    def step(carry: tuple[()], index: Node) -> tuple[tuple[()], list[Node]]:
        basis = make(CONVERT, (make(EQUAL, (positions, index), {}),), {"dtype": like.dtype})
        found = derivative(reshaped(basis, like.shape))
        present[:] = [node is not None for node in found]
        return carry, [node for node in found if node is not None]

    _, stacks = scan(step, (), positions)
    remaining = iter(stacks)
    return [next(remaining) if here else None for here in present]
