"""Where the memory of a body is, in C: its frame, and the expression for each place in a slot."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...lower.decode import Body, Init, Slot
from ...lower.format import SlotKind
from ...lower.program import Program
from ...ops.dtypes import DTYPES
from .comments import comment_text, node_comment, noted
from .constant_arrays import Constants
from .expressions import SIZES, TYPES, literal
from .local_arrays import Scratch
from .names import identifiers


@dataclass(frozen=True, slots=True)
class Frame:
    """The struct that says where the inputs and outputs of a body are.

    Attributes:
        type: its name in C.
        text: its definition.
        members: by slot, the name of the member that points to it.
    """

    type: str
    text: str
    members: Mapping[int, str]


def make_frame(
    name: str,
    body: Body,
    names: Sequence[str],
    used: Container[int],
    notes: Sequence[str] = (),
    wanted: int = 0,
) -> Frame:
    """The frame of a body whose ports are called `names`; those that are not used have no member.

    A struct has at least one member in C: the arena is always there. `notes` say what each port is; `wanted` is
    how many flags the frame has.
    """
    members = {slot: word for slot, word in enumerate(identifiers(names)) if slot in used}
    lines = ["    char *arena;"]
    for slot, word in members.items():
        const = "const " if slot < body.n_inputs else ""
        comment = comment_text(notes[slot]) if notes else ""
        lines.append(noted(f"    {const}{TYPES[body.slots[slot].dtype]} *{word};", comment))
    lines += [f"    uint8_t wanted[{wanted}];"] if wanted else []
    text = "\n".join([f"typedef struct {name} {{", *lines, f"}} {name};"])
    return Frame(name, text, members)


class Places:
    """The memory of one body as C expressions, valid in a function that has `call` and `f`.

    Attributes:
        frame: the type of `*f`.
        scratch: memory that functions use one after another.
    """

    def __init__(
        self, program: Program, body: Body, ports: Frame, constants: Constants, comments: bool, scratch: Scratch
    ) -> None:
        self.program = program
        self.body = body
        self.ports = ports
        self.frame = ports.type
        self.constants = constants
        self.comments = comments
        self.scratch = scratch
        self._inits = {init.offset: init for init in body.inits}
        #: The output's slot by the slot of the input that it takes over.
        self._taken = {input_: body.n_inputs + output for input_, output in body.shares}

    def pointer(self, slot: int, element_offset: int = 0, write: bool = False, dtype: int | None = None) -> str:
        """A pointer to an element of a slot: `const double *` or, to write, `double *`.

        A workspace has elements of the dtype that is asked for.
        """
        found = self.body.slots[slot]
        dtype = found.dtype if dtype is None else dtype
        match found.kind:
            case SlotKind.ARENA:
                init = self._init(found)
                if init is not None and not write:
                    return _plus(self.constants.pointer(init.constant, SIZES[init.dtype], dtype), element_offset)
                const = "" if write else "const "
                return f"PG_AT({const}{TYPES[dtype]}, f->arena, {found.where + element_offset * SIZES[dtype]})"
            case SlotKind.CONST:
                return _plus(self.constants.pointer(found.where, found.nbytes, dtype), element_offset)
            case _:
                slot = self._taken.get(slot, slot) if write else slot
                return _plus(f"f->{self.ports.members[slot]}", element_offset)

    def element(self, slot: int, element_offset: int = 0, write: bool = False) -> str:
        """The memory of one element of a slot."""
        if self.body.slots[slot].kind in (SlotKind.INPUT, SlotKind.OUTPUT):
            return f"f->{self.ports.members[slot]}[{element_offset}]"
        return "*" + self.pointer(slot, element_offset, write)

    def constant(self, slot: int, element_offset: int = 0) -> str | None:
        """The literal of an element that is known, else None."""
        found = self.body.slots[slot]
        if found.kind is SlotKind.COUNT:
            return literal(found.dtype, np.asarray(element_offset).astype(DTYPES[found.dtype]).tobytes())
        if found.kind is SlotKind.CONST and found.nbytes:
            return self.constants.element(found.where + element_offset * SIZES[found.dtype], found.dtype)
        init = self._init(found) if found.kind is SlotKind.ARENA else None
        return None if init is None else self.constants.element(init.constant, init.dtype)

    def counts(self, slot: int) -> bool:
        """Whether a slot is no memory: its elements are counts."""
        return self.body.slots[slot].kind is SlotKind.COUNT

    def address(self, slot: int, nbytes: int = 0) -> tuple[SlotKind, int, int]:
        """What tells whether two places in slots, `nbytes` from their starts, are one: kind of memory, which, where."""
        found = self.body.slots[slot]
        match found.kind:
            case SlotKind.ARENA | SlotKind.CONST:
                return found.kind, 0, found.where + nbytes
            case _:
                return SlotKind.INPUT, self._taken.get(slot, slot), nbytes

    @property
    def embed(self) -> bool:
        """Whether the text stands alone, and holds constants and kernels itself."""
        return self.constants.arrays is not None

    def comment(self, node: int) -> str:
        """What is said of a node, where anything is."""
        return node_comment(self.program, node) if self.comments else ""

    def arena(self, slot: int) -> str:
        """The start of a slot of the arena, as `char *`."""
        return f"f->arena + {self.body.slots[slot].where}"

    def cell(self, number: int) -> Init | None:
        """The constant that a cell holds from the start, None for the others."""
        return self._inits.get(8 * number)

    def _init(self, slot: Slot) -> Init | None:
        return self._inits.get(slot.where) if slot.nbytes else None


def _plus(pointer: str, offset: int) -> str:
    return f"{pointer} + {offset}" if offset else pointer
