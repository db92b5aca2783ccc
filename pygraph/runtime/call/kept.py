"""What `forward` keeps: a context whose intermediates the reverse and tangent segments use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from ...lower.program import Program, Segment
from ..clib.context import Context, contiguous

Array = npt.NDArray[Any]


class Kept:
    """One forward evaluation, on which reverse and tangent sweeps may be run any number of times.

    The forward segment copies to the arena what later segments read, so the caller's arrays may change meanwhile.
    One thread at a time may use it.
    """

    __slots__ = ("_context", "_ports")

    def __init__(self, context: Context, program: Program) -> None:
        self._context = context
        self._ports = {segment: ports_of(program, segment) for segment in Segment}

    def run(self, segment: Segment, arrays: Sequence[Array]) -> list[Any]:
        """Run a segment on the arrays of its inputs: arguments, seeds or tangents; returns its outputs.

        Seeds are one per floating output and give the gradients; tangents are one per differentiated input and give
        the outputs' tangents. Both need a FORWARD run before.
        """
        context = self._context
        inputs, outputs = self._ports[segment]
        held = contiguous(arrays)
        try:
            for i, array in zip(inputs, held, strict=True):
                context.load(i, array)
            for i in outputs:
                context.prepare(i)
            context.run(segment)
            return [context.take(i) for i in outputs]
        finally:
            context.release()


def ports_of(program: Program, segment: Segment) -> tuple[list[int], list[int]]:
    """The positions of a segment's inputs and outputs among all ports."""
    inputs = [i for i, port in enumerate(program.inputs) if port.segment == segment]
    return inputs, [i for i, port in enumerate(program.outputs) if port.segment == segment]
