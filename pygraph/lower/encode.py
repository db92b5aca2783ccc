"""Encodes planned bodies as the words of a Program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..ops.dtypes import CODES
from .body import Body, Unit
from .format import BODY_WORDS, HEADER_WORDS, MAGIC, MICRO_WORDS, RAW, SlotKind
from .instructions import Scalar, words_of
from .steps import WORKSPACE, LoopStep, ScalarStep, Step, Value


@dataclass
class Counts:
    """What the encoder counts on its way."""

    instructions: int = 0
    micro_operations: int = 0
    fused_regions: int = 0
    micro_nodes: list[int] = field(default_factory=list)


class _BodyEncoder:
    """The slots and the code of one body."""

    def __init__(self, fuse: bool, counts: Counts) -> None:
        self.fuse = fuse
        self.counts = counts
        self.slots: list[int] = []
        self.code: list[int] = []
        self._slot_of: dict[tuple[SlotKind, int, int, int], int] = {}
        self._of_value: dict[Value, int] = {}

    def slot(self, value: Value) -> int:
        """The slot of a value; values of one dtype at one place share it."""
        known = self._of_value.get(value)
        if known is None:
            dtype, root = RAW if value.dtype is WORKSPACE else CODES[value.dtype], value.root
            where = root.offset if root.kind is SlotKind.ARENA else root.index
            key = (root.kind, dtype, where, root.nbytes)
            known = self._slot_of.get(key)
            if known is None:
                known = self._slot_of[key] = len(self._slot_of)
                self.slots += key
            self._of_value[value] = known
        return known

    def segment(self, steps: Sequence[Step]) -> tuple[int, int]:
        """Encode the steps of one segment; returns its range of words."""
        first = len(self.code)
        scalars: list[ScalarStep] = []
        for step in steps:
            if isinstance(step, ScalarStep):
                scalars.append(step)
                if self.fuse:
                    continue
            self._flush(scalars)
            if not isinstance(step, ScalarStep):
                self.counts.instructions += 1
                self._count(step.operations)
                self.code += words_of(step.instruction(self.slot), step.node)
                if isinstance(step, LoopStep):
                    self.counts.micro_nodes += [micro.node for micro in step.micros]
        self._flush(scalars)
        return first, len(self.code)

    def _flush(self, scalars: list[ScalarStep]) -> None:
        if scalars:
            self.counts.instructions += 1
            self._count(sum(step.micro >= 0 for step in scalars))
            self.code += [Scalar.number, 4 + MICRO_WORDS * len(scalars), scalars[-1].node, len(scalars)]
            for step in scalars:
                self.code += step.words(self.slot)
            self.counts.micro_nodes += [step.node for step in scalars]
            scalars.clear()

    def _count(self, micros: int) -> None:
        self.counts.micro_operations += micros
        self.counts.fused_regions += micros > 1


def encode(unit: Unit, table_hash: int) -> tuple[NDArray[np.int64], Counts]:
    """The words of a Program, checksum left zero. In each body the first slots are its inputs, then its outputs."""
    counts = Counts()
    signed_hash = table_hash - (1 << 64) if table_hash >> 63 else table_hash
    words = [MAGIC, signed_hash, 0, len(unit.bodies), unit.constants.nbytes]
    assert len(words) == HEADER_WORDS
    for body in unit.bodies:
        encoder = _BodyEncoder(unit.fuse, counts)
        for value in (*body.inputs, *body.outputs):
            encoder.slot(value)
        segments = [encoder.segment(segment.steps) for segment in body.segments]
        inits = _inits(body)
        tail = [*encoder.slots, *inits]
        for share in body.shares:
            tail += share
        for first, end in segments:
            tail += [first, end]
        tail += encoder.code
        words += [BODY_WORDS + len(tail), body.arena_bytes, len(encoder.slots) // 4, len(inits) // 3, len(segments)]
        words += [len(body.inputs), len(body.outputs), len(encoder.code), len(body.shares), *tail]
    return np.array(words, dtype=np.int64), counts


def _inits(body: Body) -> list[int]:
    inits: list[int] = []
    for cell, offset in body.constant_cells.items():
        inits += [cell.offset, offset, CODES[cell.dtype]]
    return inits
