"""Expressions as the rules of rows see them, and the forms that these rules have: what the type checker proves them by.

A rule is written in terms of expressions: nodes of a graph, which this package knows by what can be done with them
alone. What a rule is given is an `Expr`; what it may mix with expressions is an `Operand`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .row import Attrs, Choice, DType, Op, Shape


class Expr(Protocol):
    """An expression: what applying a row to others made, and what operators and rows are applied to.

    Attributes:
        op, inputs, attrs: the row, its operands and its static arguments.
        shape, dtype: the type of its result; one with several has none.
        results: the types of several results, or None.
    """

    @property
    def op(self) -> Op: ...
    @property
    def inputs(self) -> tuple[Expr, ...]: ...
    @property
    def attrs(self) -> Attrs: ...
    @property
    def shape(self) -> Shape: ...
    @property
    def dtype(self) -> DType: ...
    @property
    def results(self) -> tuple[tuple[Shape, DType], ...] | None: ...
    @property
    def ndim(self) -> int: ...

    def __add__(self, other: Operand, /) -> Expr: ...
    def __radd__(self, other: Operand, /) -> Expr: ...
    def __sub__(self, other: Operand, /) -> Expr: ...
    def __rsub__(self, other: Operand, /) -> Expr: ...
    def __mul__(self, other: Operand, /) -> Expr: ...
    def __rmul__(self, other: Operand, /) -> Expr: ...
    def __truediv__(self, other: Operand, /) -> Expr: ...
    def __rtruediv__(self, other: Operand, /) -> Expr: ...
    def __neg__(self) -> Expr: ...
    def __getitem__(self, key: Any, /) -> Expr: ...


#: What stands beside an expression in an operation.
Operand: TypeAlias = Expr | npt.NDArray[Any] | np.generic | float
#: Where a derivative may differ from zero: a bool expression that broadcasts with it, or everywhere, or nowhere.
Mask: TypeAlias = Expr | bool


#: A partial derivative of an elementwise row; what it is of one operand, and of two, as functions of out and these.
Partial: TypeAlias = "Expr | float | Choice"
UnaryPartial: TypeAlias = Callable[[Expr, Expr], Partial]
BinaryPartial: TypeAlias = Callable[[Expr, Expr, Expr], Partial]
#: The other rules, as `Op` says of each what it is given and gives: of a row with one result, and of one with several.
Transpose: TypeAlias = Callable[[Expr, Expr, int], Expr]
MaskRule: TypeAlias = Callable[[Expr, Sequence[Mask]], Mask]
ProductMaskRule: TypeAlias = Callable[[Expr, int, Expr], tuple[Expr | None, Expr | None]]
Jvp: TypeAlias = Callable[[Expr, Sequence[Expr | None]], Expr | None]
Jvps: TypeAlias = Callable[[Expr, Sequence[Expr | None]], Sequence[Expr | None]]
Vjp: TypeAlias = Callable[[Expr, Expr], Sequence[Expr | None]]
Vjps: TypeAlias = Callable[[Expr, Sequence[Expr | None]], Sequence[Expr | None]]
Batch: TypeAlias = Callable[[Expr, Sequence[Expr], Sequence[bool], int], Expr]
Batches: TypeAlias = Callable[[Expr, Sequence[Expr], Sequence[bool], int], tuple[Sequence[Expr], Sequence[bool]]]
