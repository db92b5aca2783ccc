"""What a row says of the C function that computes it, where that is not a loop over elements: a kernel.

A kernel of the name `solve` for float64 is the C function

    int pg_kernel_solve_f64(const int64_t *sizes, void *const *args, void *work, int64_t *detail);

It gets the sizes of the signature's names in the order of first mention, then the row's parameters; the C-contiguous
core of each operand and then of each result, where an operand that it updates comes only as the result that it becomes;
the workspace it asked for, aligned to 8 bytes; and space for two numbers that say more of a failure. It returns 0, or
the number of the failure, counted from 1. It can rely on the sizes: the loader has checked that all operands, results
and the workspace are as large as they say, and that what is written overlaps nothing else. Parameters are any numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import GraphError
from .dtypes import CODES, SUFFIXES, bool_, float32, float64, int32, int64
from .gufunc_signature import Bound, Shape, Signature, evaluated, parse

#: The letters of `Kernel.types`; T is the type that the kernel is made for.
TYPES: dict[str, np.dtype[Any]] = {"d": float64, "f": float32, "l": int64, "i": int32, "?": bool_}


@dataclass(frozen=True)
class Failure:
    """A way in which a kernel, or a loop, can fail at run time.

    Attributes:
        error: the class that is raised.
        problem: what happened; {0} and {1} stand for the two numbers that C says more with.
        advice: what to do about it.
        status: the name of the status that C returns, where other instructions fail in the same way.
    """

    error: type[GraphError]
    problem: str
    advice: str
    status: str = "FAILURE"

    def raised(self, detail: Iterable[int], subject: str, line: Any) -> GraphError:
        """The error of a failure with these numbers, in an operation that the user's `line` recorded."""
        return self.error(self.problem.format(*detail), self.advice, stage="running", subject=subject, line=line)


@dataclass(frozen=True)
class Kernel:
    """The kernel of a row.

    Attributes:
        name: of the C function, which stands between pg_kernel_ and the type.
        signature: of operands and results, as of a generalised ufunc.
        types: a letter for each operand and result, such as "Tl->T": T is the row's promoted type, one of `op.kinds`,
            for each of which there is a function; others as in `TYPES`. Without any T there is one function, whose
            name has no type.
        params: attributes of the row, integers, that follow the sizes.
        work: bytes of workspace of one application, an expression in the sizes and parameters.
        flops: operations of one application, likewise.
        updates: operands that become results, the first ones, in this order: the kernel finds them there, and changes
            some of their elements.
        failures: how it can fail.
        ulps: how far a result of float64, and of float32, may be from the reference, in units in the last place of its
            largest element.
        layout: where an application covers its whole operands: the sizes from (operand shapes, attrs). Operands and
            results are then C-contiguous blocks of the signature's shape, whatever axes they have, and nothing is
            broadcast.
        lapack: the library's own function leaves large sizes to LAPACK, so that native code calls it for these.
        large: its text is so long that native code calls the library's.
        lanes: the library has a function that does several small applications of a batch at once (csrc/lanes.h).
        vector: it is worth while to compile it for each instruction set.
    """

    name: str
    signature: str
    types: str
    params: tuple[str, ...] = ()
    work: str = "0"
    flops: str = "0"
    updates: tuple[int, ...] = ()
    failures: tuple[Failure, ...] = ()
    ulps: tuple[float, float] = (0.0, 0.0)
    layout: Callable[[Sequence[Shape], Mapping[str, Any]], Mapping[str, int]] | None = None
    lapack: bool = False
    large: bool = False
    lanes: bool = False
    vector: bool = False

    @property
    def parsed(self) -> Signature:
        return parse(self.signature)

    @property
    def names(self) -> tuple[str, ...]:
        """What can stand in expressions, in the order in which C has it."""
        return (*self.parsed.names, *self.params)

    @property
    def reads(self) -> tuple[int, ...]:
        """The operands that it does not update."""
        return tuple(at for at in range(len(self.parsed.inputs)) if at not in self.updates)

    @property
    def letters(self) -> tuple[str, str]:
        """The letters of the operands, and of the results."""
        inputs, _, outputs = self.types.partition("->")
        return inputs, outputs

    @property
    def generic(self) -> bool:
        """Whether there is a function for each type."""
        return "T" in self.types

    def bind(self, shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Bound:
        """The sizes for operands of these shapes; raises `ShapeError` where they don't fit."""
        if self.layout is None:
            return self.parsed.bind(shapes, attrs)
        sizes = self.layout(shapes, attrs)
        return Bound((), tuple(sizes[name] for name in self.parsed.names))

    def numbers(self, bound: Bound, attrs: Mapping[str, Any]) -> tuple[int, ...]:
        """What C gets as `sizes`."""
        return (*bound.sizes, *(int(attrs[name]) for name in self.params))

    def work_bytes(self, numbers: Sequence[int]) -> int:
        """The workspace of one application."""
        return evaluated(self.work, dict(zip(self.names, numbers, strict=True)))

    def operations(self, numbers: Sequence[int]) -> int:
        """The operations of one application."""
        return evaluated(self.flops, dict(zip(self.names, numbers, strict=True)))

    def function(self, dtype: Any) -> str:
        """The name of the C function for a type, without pg_kernel_."""
        return f"{self.name}_{SUFFIXES[CODES[dtype]]}" if self.generic else self.name

    def arguments(self, dtype: Any) -> list[tuple[int, tuple[str | int, ...]]]:
        """The dtype code and the core axes of all that C gets, where T is `dtype`."""
        signature, (inputs, outputs) = self.parsed, self.letters
        cores = [*(signature.inputs[at] for at in self.reads), *signature.outputs]
        letters = [*(inputs[at] for at in self.reads), *outputs]
        codes = [CODES[dtype if letter == "T" else TYPES[letter]] for letter in letters]
        return list(zip(codes, cores, strict=True))
