"""Encodes planned bodies as the words of a Program."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..ops.dtypes import CODES
from .body import Body
from .format import BODY_WORDS, HEADER_WORDS, MAGIC, MICRO_WORDS, RAW, SlotKind
from .instructions import Scalar, words_of
from .scalars import AT_ONCE
from .steps import WORKSPACE, LoopStep, ScalarBlock, Step, Value


@dataclass
class Counts:
    """What the encoder counts on its way."""

    instructions: int = 0
    micro_operations: int = 0
    fused_regions: int = 0
    micro_nodes: array[int] = field(default_factory=lambda: array("i"))


class _BodyEncoder:
    """The slots and the code of one body."""

    def __init__(self, fuse: bool, counts: Counts) -> None:
        self.fuse = fuse
        self.counts = counts
        self.slots: list[int] = []
        self.code = array("q")
        self._slot_of: dict[tuple[int, int, int, int], int] = {}
        self._of_value: dict[Value, int] = {}

    def slot(self, value: Value) -> int:
        """The slot of a value; values of one dtype at one place share it."""
        known = self._of_value.get(value)
        if known is None:
            dtype = RAW if value.dtype is WORKSPACE else CODES[value.dtype]
            root = value if value.merged is None else value.root
            where = root.offset if root.kind is SlotKind.ARENA else root.index
            key = (int(root.kind), dtype, where, root.nbytes)  # the hash of an enum is slow
            known = self._slot_of.get(key)
            if known is None:
                known = self._slot_of[key] = len(self._slot_of)
                self.slots += key
            self._of_value[value] = known
        return known

    def segment(self, steps: Sequence[Step]) -> tuple[int, int]:
        """Encode the steps of one segment; returns its range of words."""
        first = len(self.code)
        for step in steps:
            if isinstance(step, ScalarBlock):
                self._block(step)
                continue
            self._count(step.operations)
            self.code.extend(words_of(step.instruction(self.slot), step.node))
            if isinstance(step, LoopStep):
                self.counts.micro_nodes.extend([micro.node for micro in step.micros])
        return first, len(self.code)

    def _block(self, block: ScalarBlock) -> None:
        """One instruction, or one for each operation where nothing is fused."""
        self.counts.micro_nodes.extend(block.rows.nodes[block.first : block.end])
        if self.fuse:
            self._head(block)
        for part in block.parts(AT_ONCE):
            words = part.rows.words(part.first, part.end)
            moves = list(part.moves())
            if moves:
                rows, values, offsets = zip(*moves, strict=True)
                at = np.array(rows) - part.first
                loads = np.array(part.rows.targets[part.first : part.end])[at] > 0
                words[at, np.where(loads, 4, 3)] = list(map(self.slot, values))
                words[at, 5], words[at, 6] = offsets, -1
            if self.fuse:
                self.code.frombytes(words.data.cast("B"))
                continue
            for single, row_words in zip(part.parts(1), words, strict=True):
                self._head(single)
                self.code.extend(row_words)

    def _head(self, block: ScalarBlock) -> None:
        self._count(block.flops)
        self.code.extend((Scalar.number, 4 + MICRO_WORDS * block.count, block.node, block.count))

    def _count(self, micros: int) -> None:
        self.counts.instructions += 1
        self.counts.micro_operations += micros
        self.counts.fused_regions += micros > 1


def encode(bodies: Sequence[Body], table_hash: int) -> tuple[NDArray[np.int64], Counts]:
    """The words of a Program, checksum left zero. In each body the first slots are its inputs, then its outputs."""
    counts, unit = Counts(), bodies[0].unit
    signed_hash = table_hash - (1 << 64) if table_hash >> 63 else table_hash
    header = array("q", (MAGIC, signed_hash, 0, len(bodies), unit.constants.nbytes))
    assert len(header) == HEADER_WORDS
    words = array("q")
    for body in bodies:
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
        length = BODY_WORDS + len(tail) + len(encoder.code)
        counted = (len(encoder.slots) // 4, len(inits) // 3, len(segments), len(body.inputs), len(body.outputs))
        head = array("q", (length, body.arena_bytes, *counted, len(encoder.code), len(body.shares), *tail))
        if words:
            words.extend(head)
            words.extend(encoder.code)
        else:  # most often the only one, and large: it is not copied
            words = encoder.code
            words[0:0] = header + head
    return np.frombuffer(words, np.int64), counts


def _inits(body: Body) -> list[int]:
    inits: list[int] = []
    for cell, offset in body.constant_cells.items():
        inits += [cell.offset, offset, CODES[cell.dtype]]
    return inits
