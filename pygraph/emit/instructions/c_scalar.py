"""SCALAR in C: straight-line code over locals; only cells that are read later are stored."""

from __future__ import annotations

from collections.abc import Sequence

from ...lower.fields import MicroOperation
from ...lower.program import Micro
from ...ops.dtypes import SUFFIXES
from ..rendering.comments import noted
from ..rendering.expressions import SIZES, TYPES, is_cheap, micro_text, name_of, operand_dtypes
from ..rendering.frames import Places
from ..rendering.function import Function
from ..rendering.text import function
from ..text_parts import Parts
from .liveness import Move, Piece, writes

#: Operations of many machine instructions that are written out in place: the most in one SCALAR, and in one text. More
#: of them are called, so that the time of compilers stays linear; of a text that stands alone, so that it is small.
DEAR, DEAR_IN_ALL = 16, 64
DEAR_ALONE = 1


class Dear:
    """Counts the expensive operations of a text that are written out in place; `alone`: the text stands alone."""

    def __init__(self, alone: bool) -> None:
        self.count = 0
        self.most = DEAR_ALONE if alone else DEAR

    def called(self, pieces: Sequence[Piece]) -> bool:
        """Whether those of a SCALAR are to be functions of their own; otherwise they count from here on."""
        more = sum(_is_dear(micro) for piece in pieces for micro in piece.micros)
        if more > self.most or self.count + more > DEAR_IN_ALL:
            return more > 0
        self.count += more
        return False


def emit_pieces(
    pieces: Sequence[Piece], places: Places, name: str, called: bool, parts: Parts | None
) -> list[Function]:
    """The functions of a SCALAR's pieces; `called` as of PieceWriter.

    Several pieces are not inlined: together they would be one very long function. They are `parts` of the text, where
    these are given.
    """
    single = len(pieces) == 1
    linkage = "static" if single else "PG_NOINLINE"
    functions = []
    for k, piece in enumerate(pieces):
        writer = PieceWriter(piece, places, called)
        word = name if single else f"{name}_part{k}"
        head = f"void {word}(const pg_call *call, const {places.frame} *f)"
        text = function(head, writer.lines())
        text = f"{linkage} {text}" if single or parts is None else parts.part(head, text)
        functions.append(Function(text, f"{word}(call, f);", writer.helpers))
    return functions


def _is_dear(micro: MicroOperation) -> bool:
    return micro.micro >= 0 and not is_cheap(micro.micro)


class PieceWriter:
    """Writes the statements of one piece.

    Args:
        called: expensive operations are functions of their own, which `helpers` then has.
    """

    def __init__(self, piece: Piece, places: Places, called: bool) -> None:
        self.piece = piece
        self.places = places
        self.called = called
        self.helpers: dict[str, str] = {}
        self._values: dict[int, str] = {}  # what each cell holds, as a C expression
        self._count = 0

    def lines(self) -> list[str]:
        """The statements, in order. A cell is stored where it gets its last value."""
        last = {cell: at for at, micro in enumerate(self.piece.micros) if (cell := writes(micro)) is not None}
        lines: list[str] = []
        for at, micro in enumerate(self.piece.micros):
            comment = self.places.comment(micro.node) if micro.micro >= 0 else ""
            self._micro(micro, lines, comment)
            target = writes(micro)
            if target in self.piece.stored and last[target] == at:
                lines.append(f"{self._cell(target, micro.dtype_out, write=True)} = {self._values[target]};")
        return lines

    def _micro(self, micro: MicroOperation, lines: list[str], comment: str) -> None:
        if isinstance(micro, Move):
            self._values[micro.target] = self._value(micro.a, micro.dtype_in, lines)
        elif micro.micro == Micro.LOAD:
            at = micro.b // SIZES[micro.dtype_in]
            known = self.places.constant(micro.a, at)
            text = known or self.places.element(micro.a, at)
            self._values[micro.target] = known or self._named(micro.dtype_in, text, lines)
        elif micro.micro == Micro.STORE:
            value = self._value(micro.a, micro.dtype_in, lines)
            memory = self.places.element(micro.target, micro.b // SIZES[micro.dtype_in], write=True)
            lines.append(f"{memory} = {value};")
        else:
            dtypes = operand_dtypes(micro.micro, micro.dtype_in)
            operands = [self._value(cell, dtype, lines) for cell, dtype in zip(micro.sources, dtypes, strict=True)]
            text = self._operation(micro, operands, dtypes)
            self._values[micro.target] = self._named(micro.dtype_out, text, lines, comment)

    def _operation(self, micro: MicroOperation, operands: Sequence[str], dtypes: Sequence[int]) -> str:
        if not (self.called and _is_dear(micro)):
            return micro_text(micro.micro, micro.dtype_in, micro.dtype_out, operands)
        name = f"pg_call_{name_of(micro.micro)}_{SUFFIXES[micro.dtype_in]}"
        if name not in self.helpers:
            words = "abc"[: len(operands)]
            parameters = ", ".join(f"{TYPES[dtype]} {word}" for dtype, word in zip(dtypes, words, strict=True))
            value = micro_text(micro.micro, micro.dtype_in, micro.dtype_out, words)
            head = f"PG_NOINLINE {TYPES[micro.dtype_out]} {name}({parameters})"
            self.helpers[name] = f"{head} {{ return {value}; }}"
        return f"{name}({', '.join(operands)})"

    def _value(self, cell: int, dtype: int, lines: list[str]) -> str:
        """The value of a cell; loaded where this piece has not touched it yet."""
        known = self._values.get(cell)
        if known is None:
            init = self.places.cell(cell)
            if init is not None:
                known = self.places.constants.element(init.constant, dtype)
            else:
                known = self._named(dtype, self._cell(cell, dtype, write=False), lines)
            self._values[cell] = known
        return known

    def _named(self, dtype: int, text: str, lines: list[str], comment: str = "") -> str:
        """A new local."""
        name = f"v{self._count}"
        self._count += 1
        lines.append(noted(f"const {TYPES[dtype]} {name} = {text};", comment))
        return name

    def _cell(self, cell: int, dtype: int, write: bool) -> str:
        const = "" if write else "const "
        return f"*PG_AT({const}{TYPES[dtype]}, f->arena, {8 * cell})"
