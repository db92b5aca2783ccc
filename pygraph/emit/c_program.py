"""A Program as C text: every body as functions over its frame, the same for an exported file and for native code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..errors import UnsupportedError
from ..lower.decode import Body, decode
from ..lower.format import failures
from ..lower.instructions import Branch, Call, Carried, Instruction, Loop, Matmul, Scalar, While, name_of
from ..lower.program import Program, Segment
from ..ops.table import kernel_at
from .instructions.c_call import emit_call
from .instructions.c_control import Callee, ControlEmitter
from .instructions.c_loop import emit_loop
from .instructions.c_matmul import emit_matmul
from .instructions.c_scalar import Dear, PieceWriter, emit_pieces
from .instructions.liveness import Piece, cut
from .instructions.uses import Uses
from .optional_outputs import Optional, optional_outputs
from .rendering.constant_arrays import ConstantArrays, Constants
from .rendering.frames import Frame, Places, make_frame
from .rendering.function import Function
from .rendering.local_arrays import Scratch
from .rendering.text import failing, function
from .text_parts import HEAD, Parts

#: Micro-operations, with those of the bodies it runs, of a body that is inlined: compilers then keep its carries and
#: results in registers.
INLINED = 256

#: What writes each instruction that runs no body and is not scalar code, as functions called `name`.
EMITTERS: Mapping[type[Instruction], Callable[[Any, Places, str], Function]] = {
    Loop: emit_loop,
    Matmul: emit_matmul,
    Call: emit_call,
}

_HEAD = """\
/* An element at a byte offset. */
#define PG_AT(T, memory, offset) ((T *)(void *)((memory) + (offset)))"""


@dataclass(frozen=True, slots=True)
class Core:
    """The functions of a Program.

    Attributes:
        own: their C, without what they share with those of other Programs.
        helpers: functions by name that they call.
        constants: the arrays that they read; None where these come with `call->constants`.
        parts: whether the text is in parts.
        frame: of the main body. Its members are all inputs and outputs of the Program, by slot; a segment uses those
            of its own ports and, after `forward`, none of the primal inputs.
        segments: the function of each segment: int f(const pg_call *call, const FRAME *f), 0 or an error's status.
        optional: which outputs may be left out; None where none may.
        scratch: the bytes of scratch memory that they need.
    """

    own: str
    helpers: Mapping[str, str]
    constants: ConstantArrays | None
    parts: bool
    frame: Frame
    segments: tuple[str, ...]
    optional: Optional | None = None
    scratch: int = 0

    @property
    def text(self) -> str:
        """Their C, which needs a prelude before it."""
        return joined([self])


def joined(cores: Sequence[Core]) -> str:
    """The C of several Programs, whose arrays of constants are the same object; what they share is there once."""
    helpers: dict[str, str] = {}
    for made in cores:
        helpers.update((k, v) for k, v in made.helpers.items() if k not in helpers)
    code = "\n\n".join([*helpers.values(), *(made.own for made in cores)])
    constants = cores[0].constants
    parts = [
        _HEAD,
        constants.text(code) if constants is not None else "",
        HEAD if any(x.parts for x in cores) else "",
        code,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def core(
    program: Program,
    name: str,
    embed: bool,
    stoppable: bool,
    comments: bool = True,
    timed: bool = False,
    arrays: ConstantArrays | None = None,
    optional: bool = False,
    scratch: int | None = None,
) -> Core:
    """The C of all bodies of `program`; the same Program gives the same text.

    Args:
        name: a C identifier that all names of functions and types start with.
        embed: the text holds the constants; otherwise they come with `call->constants`.
        stoppable: loops look whether the run is to stop.
        comments: say of each operation what it is.
        timed: each instruction looks at the clock when it is done, and adds to `call->clock`.
        arrays: where the constants go that the text holds, if others share them.
        optional: what is for outputs alone that are not asked for does not run. The pointer to such an output is NULL;
            where it needs memory all the same (`Core.optional`), an element of the member `wanted` of the frame is 0.
        scratch: where scratch memory is in the workspace, for large local arrays; None: they are on the stack.
    """
    if embed and arrays is None:
        arrays = ConstantArrays(name)
    return _Assembly(program, name, arrays if embed else None, stoppable, comments, timed, optional, scratch).core()


class _Assembly:
    """What the bodies of one text share."""

    def __init__(
        self,
        program: Program,
        name: str,
        arrays: ConstantArrays | None,
        stoppable: bool,
        comments: bool,
        timed: bool,
        optional: bool,
        scratch: int | None,
    ) -> None:
        self.program = program
        self.name = name
        self.stoppable = stoppable
        self.comments = comments
        self.timed = timed
        self.bodies = decode(program)
        counts = (sum(map(len, body.segments)) for body in self.bodies)
        self.before = list(accumulate(counts, initial=0))  # instructions of the bodies before each
        self.uses = Uses(self.bodies)
        self.optional = optional_outputs(self.bodies[0], self.uses) if optional else None
        self.constants = Constants(program.constants, arrays)
        self.scratch = Scratch(scratch)
        self.callees: dict[int, Callee] = {}
        self.helpers: dict[str, str] = {}
        self.weights: dict[int, int] = {}
        self.dear = Dear(arrays is not None)
        self.parts = None if arrays is not None else Parts()

    def core(self) -> Core:
        """The whole text, bodies before those that run them."""
        texts: list[str] = []
        for body in reversed(self.bodies[1:]):
            texts = [*texts, *self._body(body)]
        main = self.bodies[0]
        ports = (*self.program.inputs, *self.program.outputs)
        notes = [f"{port.shape}, {port.segment.name.lower()}" for port in ports] if self.comments else []
        wanted = 0 if self.optional is None else len(self.optional.flags)
        names = [port.name for port in ports]
        frame = make_frame(f"{self.name}_frame", main, names, range(len(ports)), notes, wanted)
        segments = [f"{self.name}_run_{Segment(at).name.lower()}" for at in range(len(main.segments))]
        writer = _BodyWriter(self, main, frame, self.name)
        for segment, word in zip(main.segments, segments, strict=True):
            texts += writer.segment(segment, f"static int {word}", fails=True)
        frames = [callee.frame.text for _, callee in sorted(self.callees.items())]
        own = "\n\n".join([frame.text, *frames, *texts])
        parts = self.parts is not None and self.parts.count > 0
        arrays = self.constants.arrays
        return Core(own, self.helpers, arrays, parts, frame, tuple(segments), self.optional, self.scratch.nbytes)

    def _body(self, body: Body) -> list[str]:
        """The functions of a body that an instruction runs."""
        prefix = f"{self.name}_body{body.number}"
        names = [f"in{k}" for k in range(body.n_inputs)] + [f"out{k}" for k in range(body.n_outputs)]
        frame = make_frame(f"{self.name}_frame{body.number}", body, names, self.uses.slots[body.number])
        (segment,) = body.segments
        fails = any(map(self.fails, segment))
        self.weights[body.number] = sum(map(self.weight, segment))
        self.callees[body.number] = Callee(body, prefix, fails, frame)
        head = f"{self.linkage(body)} {'int' if fails else 'void'} {prefix}"
        return _BodyWriter(self, body, frame, prefix).segment(segment, head, fails)

    def linkage(self, body: Body) -> str:
        """How the function of a body is declared."""
        return "PG_INLINE" if self.weights.get(body.number, INLINED) < INLINED else "static"

    def fails(self, instruction: Instruction) -> bool:
        """Whether an instruction may end the run."""
        match instruction:
            case Scalar() | Loop() | Matmul():
                return False
            case Call():
                return bool(failures(kernel_at(instruction.kernel)[0]))
            case Branch():
                return any(self.callees[body].fails for body in instruction.bodies)
            case _:
                return True

    def weight(self, instruction: Instruction) -> int:
        """About how many operations an instruction writes out."""
        match instruction:
            case Scalar():
                return len(instruction.micros)
            case Loop():
                return INLINED // 4 + len(instruction.micros)
            case Branch():
                return 1 + sum(self.weights[body] for body in instruction.bodies)
            case While():
                return 1 + self.weights[instruction.body] + self.weights[instruction.condition]
            case Carried():
                return 1 + self.weights[instruction.body]
            case _:
                return INLINED // 4


class _BodyWriter:
    """Writes the functions of one body."""

    def __init__(self, owner: _Assembly, body: Body, frame: Frame, prefix: str) -> None:
        self.owner = owner
        self.body = body
        self.prefix = prefix
        self.places = Places(owner.program, body, frame, owner.constants, owner.comments, owner.scratch)
        self.pieces: Mapping[int, list[Piece]] = cut(body, owner.uses)
        self.control = ControlEmitter(self.places, owner.callees, owner.linkage(body), owner.stoppable)

    def segment(self, segment: tuple[Instruction, ...], head: str, fails: bool) -> list[str]:
        """The functions of the instructions of a segment, and last the one that runs them all."""
        texts: list[str] = []
        lines: list[str] = []
        timed = self.owner.timed and bool(segment)
        lines += ["int64_t now = pg_begun(call);"] if timed else []
        single = len(segment) == 1 and isinstance(segment[0], Scalar)
        if single and not timed and len(self.pieces[segment[0].index]) == 1:
            pieces = self.pieces[segment[0].index]
            writer = PieceWriter(pieces[0], self.places, self.owner.dear.called(pieces))
            lines = writer.lines()
            guard = self._guard(segment[0])
            lines = [guard, *(f"    {line}" for line in lines), "}"] if guard else lines
            self._help(writer.helpers)
        else:
            guarded = ""
            for instruction in segment:
                calls = []
                for made in self._functions(instruction):
                    self._help(made.helpers)
                    texts += [made.text] if made.text else []
                    calls += [made.call] if made.call else []
                guard = self._guard(instruction)
                if guard and calls and lines and lines[-1] == "}" and guard == guarded:
                    lines.pop()
                elif guard and calls:
                    lines.append(guard)
                lines += [f"    {call}" for call in calls] + ["}"] if guard and calls else calls
                guarded = guard
                lines += self._stop(instruction)
                if timed:
                    lines.append(
                        f"now = pg_timed(call, {self.owner.before[self.body.number] + instruction.index}, now);"
                    )
        lines += ["(void)now;"] if timed else []
        if fails:
            lines.append("return PG_OK;")
        texts.append(function(f"{head}(const pg_call *call, const {self.places.frame} *f)", lines))
        return texts

    def _guard(self, instruction: Instruction) -> str:
        """What opens the statements of an instruction that is for some outputs alone; empty for others."""
        optional = self.owner.optional
        slots = optional.needed_for.get(instruction.index) if optional is not None and self.body.number == 0 else None
        if optional is None or slots is None:
            return ""
        flags, members = optional.flags, self.places.ports.members
        tests = [f"f->wanted[{flags[x]}]" if x in flags else f"f->{members[x]} != NULL" for x in sorted(slots)]
        return f"if ({' || '.join(tests)}) {{"

    def _help(self, helpers: Mapping[str, str]) -> None:
        self.owner.helpers.update((k, v) for k, v in helpers.items() if k not in self.owner.helpers)

    def _stop(self, instruction: Instruction) -> Iterator[str]:
        """Looks whether to stop, after a long instruction of the main body."""
        long = isinstance(instruction, Matmul) or (isinstance(instruction, Loop) and instruction.tasks > 1)
        if self.owner.stoppable and long and self.body.number == 0:
            yield f"if (pg_stopped(call)) {failing(self.places, instruction, 'PG_INTERRUPTED')}"

    def _functions(self, instruction: Instruction) -> list[Function]:
        kind = type(instruction)
        name = f"{self.prefix}_{kind.__name__.lower()}{instruction.index}"
        match instruction:
            case Scalar():
                pieces = [piece for piece in self.pieces[instruction.index] if piece.micros]
                return emit_pieces(pieces, self.places, name, self.owner.dear.called(pieces), self.owner.parts)
            case Carried() | Branch():
                return [self.control.emit(instruction, name, self.owner.fails(instruction))]
        if kind not in EMITTERS:
            info = self.owner.program.nodes[instruction.node]
            problem, advice = f"no C is written for {name_of(kind)}", "use backend='vm'"
            raise UnsupportedError(problem, advice, stage="compiling", subject=info.op, line=info.line)
        return [EMITTERS[kind](instruction, self.places, name)]
