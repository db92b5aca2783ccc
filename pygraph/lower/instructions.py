"""The table of instructions: number, meaning and words of each, said once for Python and for C.

From a class here follow its encoding and decoding, its line in the listing, the slots it uses, and what C needs: its
opcode, a struct with a reader that checks words and the extents of operands, and the check of its results for inf and
nan (`python -m pygraph.emit.tables` writes them). C runs it: int pg_run_<name>(place, data), with a check of its own
where the notation can't say all. Where it is read `by_hand`, pg_decode_<name> makes of the checked words what runs;
LOOP and SCALAR have micro-operations, and CALL, SCAN, BRANCH, WHILE and REPLAY extents that a row or a body says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import get_annotations
from itertools import groupby
from math import prod
from operator import attrgetter
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, get_args

from ..ops.limits import MAX_STEPS
from .cuts import Cut, Panels
from .fields import (
    INT32_MAX,
    INT64_MAX,
    Access,
    Array,
    Field,
    Flag,
    Kernel,
    List,
    MicroOperation,
    Micros,
    Number,
    Numbers,
    Operand,
    Place,
    Port,
    Reduced,
    Several,
    Sizes,
    Stacked,
    Use,
    Workspace,
)
from .format import MAX_BLOCK, MAX_REGISTERS


@dataclass(eq=False, slots=True, kw_only=True)
class Instruction:
    """What all instructions have.

    Attributes:
        node: the number of the node it came from, in `Program.nodes`.
        index: which instruction of its body it is.
        position: where it starts among the code words of its body.
    """

    node: int = -1
    index: int = -1
    position: int = -1

    number: ClassVar[int]
    by_hand: ClassVar[bool]
    checked: ClassVar[bool]
    layout: ClassVar[dict[str, Field]]
    writers: ClassVar[list[tuple[Callable[[Any], Any], Callable[[Any], Sequence[int]] | None]]]


AnyInstruction = TypeVar("AnyInstruction", bound=type[Instruction])
#: All instructions by their number.
INSTRUCTIONS: dict[int, type[Instruction]] = {}


def instruction(
    number: int, by_hand: bool = False, checked: bool = False
) -> Callable[[AnyInstruction], AnyInstruction]:
    """Enters a class into the table.

    Args:
        number: its opcode; 0 is none.
        by_hand: C's pg_decode_<name> goes on from its words.
        checked: C's pg_check_<name> looks at what the notation can't say.
    """

    def enter(made: AnyInstruction) -> AnyInstruction:
        assert number > 0
        assert number not in INSTRUCTIONS, f"{made.__name__} has the number of {INSTRUCTIONS[number].__name__}"
        INSTRUCTIONS[number] = made
        made.number, made.by_hand, made.checked = number, by_hand, checked
        made.layout = layout_of(made)
        made.writers = list(_writers(made.layout))
        return made

    return enter


def layout_of(kind: type[Instruction]) -> dict[str, Field]:
    """The fields that have words, in their order: those of a base class come first."""
    annotations = [item for base in reversed(kind.__mro__) for item in get_annotations(base).items()]
    fields = ((name, x) for name, said in annotations for x in get_args(said) if isinstance(x, Field))
    return dict(fields)


def _writers(
    layout: dict[str, Field],
) -> Iterator[tuple[Callable[[Any], Any], Callable[[Any], Sequence[int]] | None]]:
    """What makes the words of fields: the value of one, and its words; or the words of several that have one each."""
    for single, group in groupby(layout.items(), lambda item: type(item[1]).write is Field.write):
        names = [name for name, _ in group]
        if single and len(names) > 1:
            yield attrgetter(*names), None
        else:
            yield from ((attrgetter(name), layout[name].write) for name in names)


def name_of(kind: type[Instruction]) -> str:
    """The name of an instruction, as the listing writes it."""
    return kind.__name__.upper()


def meaning_of(kind: type[Instruction]) -> str:
    """What it does, in a line."""
    assert kind.__doc__ is not None
    return kind.__doc__.splitlines()[0].rstrip(".")


Size = Annotated[int, Number(0, INT32_MAX)]
Body = Annotated[int, Number(1, INT32_MAX)]
Slots = Annotated[int, Workspace()]
Yes = Annotated[bool, Flag()]


class Space(NamedTuple):
    """An iteration space as rows of `inner` elements, for each `outer` index; those of a map have one element."""

    outer: int
    rows: int
    inner: int


@instruction(1, by_hand=True)
@dataclass(eq=False, slots=True)
class Scalar(Instruction):
    """Micro-operations over 8-byte cells of the arena."""

    micros: Annotated[tuple[MicroOperation, ...], Micros("w")]


@instruction(2, by_hand=True)
@dataclass(eq=False, slots=True)
class Loop(Instruction):
    """Micro-operations block by block over an iteration space, with strided loads, stores, reductions over rows.

    It is cut into tasks; each result is made of partial results where a task has some of the rows.
    """

    block: Annotated[int, Number(16, MAX_BLOCK)]
    folds: Yes
    space: Annotated[Space, Numbers(Space)]
    cut: Annotated[Cut, Numbers(Cut, low=1)]
    scratch: Slots
    registers: Annotated[int, Number(0, MAX_REGISTERS)]
    dims: Annotated[tuple[int, ...], Sizes()]
    loads: Annotated[tuple[Access, ...], List(Access, Use.READ, strides="dims")]
    micros: Annotated[tuple[MicroOperation, ...], Micros("r")]
    stores: Annotated[tuple[Access, ...], List(Access, Use.WRITE, strides="dims")]
    reduces: Annotated[tuple[Reduced, ...], List(Reduced, Use.WRITE)]

    @property
    def split(self) -> Space | None:
        """The space of one that reduces."""
        return self.space if self.folds else None

    @property
    def tasks(self) -> int:
        """How many tasks it has."""
        return self.cut.tasks(*self.space)


@instruction(3, checked=True)
@dataclass(eq=False, slots=True)
class Matmul(Instruction):
    """c (rows, columns) = op(a) op(b) over `middle`, for each index of `batch`."""

    rows: Size
    columns: Size
    middle: Size
    transpose_a: Yes
    transpose_b: Yes
    cut: Annotated[Panels, Numbers(Panels, low=1)]
    batch: Annotated[tuple[int, ...], Sizes()]
    a: Annotated[Operand, Array(Use.READ, "N", "rows * middle", "batch")]
    b: Annotated[Operand, Array(Use.READ, "N", "middle * columns", "batch")]
    c: Annotated[Operand, Array(Use.WRITE, "N", "rows * columns", "batch")]

    @property
    def tasks(self) -> int:
        """How many tasks it has."""
        return self.cut.tasks(prod(self.batch), self.rows, self.columns)


@instruction(4, by_hand=True)
@dataclass(eq=False, slots=True)
class Call(Instruction):
    """A kernel run on each index of a batch of operands, so many a task; `numbers` are its sizes and parameters."""

    kernel: Annotated[int, Kernel()]
    per_task: Annotated[int, Number(1)]
    workspace: Slots
    numbers: Annotated[tuple[int, ...], Several()]
    batch: Annotated[tuple[int, ...], Sizes()]
    operands: Annotated[tuple[Operand, ...], List(Operand, Use.READ, strides="batch")]
    updated: Annotated[tuple[Operand, ...], List(Operand, Use.UPDATE, strides="batch")]
    results: Annotated[tuple[Operand, ...], List(Operand, Use.WRITE, strides="batch")]


@dataclass(eq=False, slots=True)
class Carried(Instruction):
    """What all loops over a body have. Carries are read from `init`, then from `carry` and `spare` in turn."""

    body: Body
    workspace: Slots
    consts: Annotated[tuple[Place, ...], List(Place)]
    init: Annotated[tuple[Place, ...], List(Place)]
    carry: Annotated[tuple[Place, ...], List(Place, like="init")]
    spare: Annotated[tuple[Place, ...], List(Place, like="init")]


@instruction(5, by_hand=True)
@dataclass(eq=False, slots=True)
class Scan(Carried):
    """A body once per step, carrying values."""

    length: Annotated[int, Number(0, MAX_STEPS)]
    reverse: Yes
    xs: Annotated[tuple[Stacked, ...], List(Stacked)]
    ys: Annotated[tuple[Stacked, ...], List(Stacked)]


@instruction(6, by_hand=True)
@dataclass(eq=False, slots=True)
class Branch(Instruction):
    """One of several bodies, chosen by a clamped index; each writes the same results."""

    workspace: Slots
    chosen: Annotated[Operand, Array(Use.READ, "int64")]
    operands: Annotated[tuple[Place, ...], List(Place)]
    results: Annotated[tuple[Place, ...], List(Place)]
    bodies: Annotated[tuple[int, ...], Several()]


@instruction(7, by_hand=True)
@dataclass(eq=False, slots=True)
class While(Carried):
    """A body as long as another one gives true, carrying values and putting others on tapes; `limit` -1: none."""

    condition: Body
    condition_workspace: Slots
    limit: Annotated[int, Number(-1, INT64_MAX)]
    flag: Annotated[Place, Port()]
    ys: Annotated[tuple[int, ...], Several()]


@instruction(8, by_hand=True)
@dataclass(eq=False, slots=True)
class Replay(Carried):
    """As SCAN, with as many steps as a slot says, and with tapes in place of stacked operands and results."""

    reverse: Yes
    count: Annotated[Operand, Array(Use.READ, "int64")]
    xs: Annotated[tuple[int, ...], Several()]
    ys: Annotated[tuple[int, ...], Several()]


def words_of(made: Instruction, node: int) -> list[int]:
    """An instruction as words: opcode, length, node, then its fields."""
    words = [made.number, 0, node]
    for value, write in made.writers:
        words += value(made) if write is None else write(value(made))
    words[1] = len(words)
    return words
