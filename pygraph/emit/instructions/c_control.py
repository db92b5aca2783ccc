"""SCAN, WHILE, BRANCH and REPLAY as C control flow; a body is a function that takes its frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...lower.decode import Body
from ...lower.fields import Operand, Place, Stacked
from ...lower.instructions import Branch, Carried, Instruction, Replay, Scan, While
from ..rendering.expressions import SIZES, TYPES
from ..rendering.frames import Frame, Places
from ..rendering.function import Function
from ..rendering.text import commented, failing, function


@dataclass(frozen=True, slots=True)
class Callee:
    """A body that instructions run: its function, whether that may fail, and its frame."""

    body: Body
    name: str
    fails: bool
    frame: Frame

    def run(self, step: str) -> str:
        """The statement that runs it on the frame called `step`."""
        call = f"{self.name}(call, &{step});"
        return f"if ((status = {call[:-1]}) != PG_OK) return status;" if self.fails else call

    def member(self, slot: int) -> str | None:
        """The member for a port; None where the body does not use it."""
        return self.frame.members.get(slot)

    def dtype(self, slot: int) -> int:
        """What a port points to."""
        return self.body.slots[slot].dtype

    def single(self, slot: int) -> bool:
        """Whether a port is one element."""
        return self.body.slots[slot].nbytes == SIZES[self.dtype(slot)]


class ControlEmitter:
    """Writes the functions of the instructions of one body that run others.

    Args:
        linkage: of the functions.
        stoppable: the run may be stopped from outside, at which steps look.
    """

    def __init__(self, places: Places, callees: Mapping[int, Callee], linkage: str, stoppable: bool) -> None:
        self.places = places
        self.callees = callees
        self.linkage = linkage
        self.stoppable = stoppable

    def emit(self, instruction: Carried | Branch, name: str, fails: bool) -> Function:
        """The function of one instruction; `fails`: it may end the run."""
        match instruction:
            case Scan():
                lines = self._scan(instruction)
            case While():
                lines = self._while(instruction)
            case Replay():
                lines = self._replay(instruction)
            case Branch():
                lines = self._branch(instruction)
        head = f"{self.linkage} {'int' if fails else 'void'} {name}(const pg_call *call, const {self.places.frame} *f)"
        ends = ["return PG_OK;"] if fails else []
        text = commented(self.places, instruction, function(head, [*lines, *ends]))
        call = f"{name}(call, f);"
        return Function(text, f"if ((status = {call[:-1]}) != PG_OK) return status;" if fails else call)

    def _scan(self, scan: Scan) -> list[str]:
        loop = _Loop(self, scan, [(self.callees[scan.body], "step", scan.workspace)])
        length = scan.length
        at = f"({length - 1} - i)" if scan.reverse else "i"
        steps = []
        callee = self.callees[scan.body]
        first, n_carry = len(scan.consts) + len(scan.init), len(scan.init)
        ports = [(first + k, x) for k, x in enumerate(scan.xs)]
        ports += [(callee.body.n_inputs + n_carry + k, y) for k, y in enumerate(scan.ys)]
        for slot, port in ports:
            member = callee.member(slot)
            if member is not None:
                writes = slot >= callee.body.n_inputs
                pointer = self._pointer(port, writes)
                stride = port.stride // SIZES[callee.dtype(slot)]
                steps.append(f"step.{member} = {pointer}" + _advance(at, stride) + ";")
        if length == 0:
            return [*loop.before, *loop.settled()]
        return [
            *loop.before,
            f"for (int64_t i = 0; i < {length}; i++) {{",
            *_indented([*steps, *loop.places(f"({length} - i) % 2 == 1"), callee.run("step"), *loop.next]),
            *self._stop(scan),
            "}",
            *loop.after,
        ]

    def _while(self, loop: While) -> list[str]:
        body, test = self.callees[loop.body], self.callees[loop.condition]
        carried = _Loop(self, loop, [(body, "step", loop.workspace), (test, "test", loop.condition_workspace)])
        flag = test.frame.members[test.body.n_inputs]
        before = [*carried.before, "uint8_t go_on = 0;", f"test.{flag} = &go_on;", "int64_t i = 0;"]
        limit = [f"if (i == {loop.limit}) {failing(self.places, loop, 'PG_STEPS', 'i')}"] if loop.limit >= 0 else []
        tapes = self._tapes(loop, body, len(loop.init), loop.ys, "i", "i + 1")
        return [
            *(f"pg_tape_set_count(call, {tape}, 0);" for tape in loop.ys),
            *before,
            "for (;; i++) {",
            *_indented([test.run("test"), "if (!go_on) break;", *limit, *tapes, *carried.places("i % 2 == 0")]),
            *_indented([body.run("step"), *carried.next]),
            *self._stop(loop),
            "}",
            *carried.settled(),
            *(f"pg_tape_set_count(call, {tape}, i);" for tape in loop.ys),
        ]

    def _replay(self, loop: Replay) -> list[str]:
        body = self.callees[loop.body]
        carried = _Loop(self, loop, [(body, "step", loop.workspace)])
        fail = [failing(self.places, loop, "PG_ARGUMENT", f"pg_tape_count(call, {tape})", "count") for tape in loop.xs]
        first = len(loop.consts) + len(loop.init)
        reads = []
        for k, tape in enumerate(loop.xs):
            member = body.member(first + k)
            if member is not None:
                reads.append(f"step.{member} = {_record(tape, body.dtype(first + k), 'const ', 'at')};")
        records = [*reads, *self._tapes(loop, body, len(loop.init), loop.ys, "at", "count")]
        at = [f"const int64_t at = {'count - 1 - i' if loop.reverse else 'i'};"] if records else []
        return [
            f"const int64_t count = {self._number(loop.count)};",
            *(f"if (pg_tape_count(call, {t}) != count) {text}" for t, text in zip(loop.xs, fail, strict=True)),
            *(f"pg_tape_set_count(call, {tape}, 0);" for tape in loop.ys),
            *carried.before,
            "for (int64_t i = 0; i < count; i++) {",
            *_indented(at + records),
            *_indented([*carried.places("i % 2 == 0"), body.run("step"), *carried.next]),
            *self._stop(loop),
            "}",
            *carried.settled(),
            *(f"pg_tape_set_count(call, {tape}, count < 0 ? 0 : count);" for tape in loop.ys),
        ]

    def _branch(self, branch: Branch) -> list[str]:
        last = len(branch.bodies) - 1
        lines = [f"const int64_t index = {self._number(branch.chosen)};"] if last else []
        for number, body in enumerate(branch.bodies):
            callee = self.callees[body]
            arm = [f"{callee.frame.type} arm;", f"arm.arena = {self.places.arena(branch.workspace)};"]
            ports = [*enumerate(branch.operands), *enumerate(branch.results, callee.body.n_inputs)]
            for operand, result in callee.body.shares:
                ports[operand] = (operand, branch.results[result])
                arm += self._taken_over(branch, operand, result)
            for slot, port in ports:
                member = callee.member(slot)
                if member is None:
                    continue
                dtype = callee.dtype(slot)
                known = self._known(port) if slot < callee.body.n_inputs and callee.single(slot) else None
                if known is None:
                    pointer = self._pointer(port, slot >= callee.body.n_inputs)
                else:
                    arm.append(f"const {TYPES[dtype]} {member} = {known};")
                    pointer = f"&{member}"
                arm.append(f"arm.{member} = {pointer};")
            arm.append(callee.run("arm"))
            test = "index <= 0" if number == 0 else f"index == {number}"
            opening = "{" if last == 0 else f"if ({test}) {{" if number == 0 else "else {" if number == last else ""
            lines += [opening or f"else if ({test}) {{", *_indented(arm), "}"]
        return _joined(lines)

    def _taken_over(self, branch: Branch, operand: int, result: int) -> list[str]:
        """An operand copied to where the result that takes it over lies."""
        target = branch.results[result]
        return self._moved(self._pointer(target, True), target, branch.operands[operand])

    def _tapes(
        self, loop: While | Replay, body: Callee, first: int, tapes: Sequence[int], at: str, room: str
    ) -> list[str]:
        place = f"{self.places.body.number}, {loop.index}, {loop.node}"
        reserve = f"if ((status = pg_tape_reserve(call, {place}, {{}}, {room})) != PG_OK) return status;"
        lines = [reserve.format(tape) for tape in tapes]
        for k, tape in enumerate(tapes):
            slot = body.body.n_inputs + first + k
            member = body.member(slot)
            if member is not None:
                lines.append(f"step.{member} = {_record(tape, body.dtype(slot), '', at)};")
        return lines

    def _stop(self, instruction: Instruction) -> list[str]:
        fail = failing(self.places, instruction, "PG_INTERRUPTED")
        return [f"    if (pg_stopped(call)) {fail}"] if self.stoppable else []

    def _pointer(self, place: Place | Stacked, writes: bool) -> str:
        return self.places.pointer(place.slot, place.offset // SIZES[place.dtype], writes)

    def _moved(self, name: str, place: Place, source: Place) -> list[str]:
        """What copies the contents of a slot from `source` to `place`, called `name`, unless they are one."""
        places, nbytes = self.places, self.places.body.slots[place.slot].nbytes
        if places.address(place.slot, place.offset) == places.address(source.slot, source.offset):
            return []
        return [f"memcpy({name}, {self._pointer(source, False)}, {nbytes});"]

    def _number(self, operand: Operand) -> str:
        """An operand that is one number."""
        known = self.places.constant(operand.slot, operand.offset)
        return known or self.places.element(operand.slot, operand.offset)

    def _element(self, place: Place) -> str:
        return self._known(place) or self.places.element(place.slot, place.offset // SIZES[place.dtype])

    def _known(self, place: Place) -> str | None:
        return self.places.constant(place.slot, place.offset // SIZES[place.dtype])


class _Loop:
    """The constants and carries of a loop, the same for all bodies that it runs.

    A carry of one element is a local, which compilers keep in a register once they have inlined the body; others
    alternate between two places, and end in the first, or stay in one that the body updates.

    Attributes:
        before, next, after: the statements before the loop, after each step, and after the loop.
    """

    def __init__(self, owner: ControlEmitter, loop: Carried, runs: Sequence[tuple[Callee, str, int]]) -> None:
        self.owner = owner
        self.loop = loop
        self.body = runs[0][0]
        self.before: list[str] = []
        self.next: list[str] = []
        self.after: list[str] = []
        self._arrays: list[tuple[int, str, str]] = []  # carry, member that reads it, member that writes it
        for callee, step, workspace in runs:
            self.before += [f"{callee.frame.type} {step};", f"{step}.arena = {owner.places.arena(workspace)};"]
        for k, const in enumerate(loop.consts):
            self._constant(k, const, runs)
        for k in range(len(loop.init)):
            self._carry(k, runs)

    def _constant(self, k: int, place: Place, runs: Sequence[tuple[Callee, str, int]]) -> None:
        readers = [(callee, step) for callee, step, _ in runs if callee.member(k) is not None]
        for callee, step in readers:
            dtype = callee.dtype(k)
            pointer = f"&const{k}" if callee.single(k) else self.owner._pointer(place, False)
            if callee.single(k) and callee is readers[0][0]:
                self.before.append(f"const {TYPES[dtype]} const{k} = {self.owner._element(place)};")
            self.before.append(f"{step}.{callee.member(k)} = {pointer};")

    def _carry(self, k: int, runs: Sequence[tuple[Callee, str, int]]) -> None:
        slot = len(self.loop.consts) + k
        result = self.body.body.n_inputs + k
        writes = self.body.frame.members.get(result)
        if writes is None:  # it has no elements
            return
        dtype = self.body.dtype(result)
        readers = [(step, member) for callee, step, _ in runs if (member := callee.member(slot)) is not None]
        if self.body.single(result):
            self.before += [
                f"{TYPES[dtype]} carry{k} = {self.owner._element(self.loop.init[k])}, next{k} = carry{k};",
                *(f"{step}.{member} = &carry{k};" for step, member in readers),
                f"step.{writes} = &next{k};",
            ]
            self.next.append(f"carry{k} = next{k};")
            place = self.loop.carry[k]
            offset = place.offset // SIZES[dtype]
            self.after.append(f"{self.owner.places.element(place.slot, offset, write=True)} = carry{k};")
            return
        if (slot, k) in self.body.body.shares:
            self._stay(k, dtype, [*readers, (runs[0][1], writes)])
            return
        asked = bool(readers) or not isinstance(self.loop, Scan) or not self.loop.length
        if asked:
            init = self.owner._pointer(self.loop.init[k], False)
            self.before.append(f"const {TYPES[dtype]} *carry{k} = {init};")
        self.before += [f"{step}.{member} = carry{k};" for step, member in readers]
        for word, place in (("first", self.loop.carry[k]), ("second", self.loop.spare[k])):
            self.before.append(f"{TYPES[dtype]} *const {word}{k} = {self.owner._pointer(place, True)};")
        self._arrays.append((k, writes, f"{self.body.body.slots[result].nbytes}"))
        if asked:
            self.next.append(f"carry{k} = step.{writes};")
        self.next += [f"{step}.{member} = carry{k};" for step, member in readers]

    def _stay(self, k: int, dtype: int, members: Sequence[tuple[str, str]]) -> None:
        """A carry that the body updates where it lies."""
        self.before.append(f"{TYPES[dtype]} *const carry{k} = {self.owner._pointer(self.loop.carry[k], True)};")
        self.before += self.owner._moved(f"carry{k}", self.loop.carry[k], self.loop.init[k])
        self.before += [f"{step}.{member} = carry{k};" for step, member in members]

    def places(self, first: str) -> list[str]:
        """Where the carries of a step are written: the first place where the expression `first` holds."""
        return [f"step.{writes} = {first} ? first{k} : second{k};" for k, writes, _ in self._arrays]

    def settled(self) -> list[str]:
        """As `after`, for a loop that may end in either place."""
        moves = [f"if (carry{k} != first{k}) memcpy(first{k}, carry{k}, {nbytes});" for k, _, nbytes in self._arrays]
        return [*self.after, *moves]


def _record(tape: int, dtype: int, const: str, at: str) -> str:
    return f"PG_AT({const}{TYPES[dtype]}, pg_tape_at(call, {tape}, {at}), 0)"


def _advance(at: str, stride: int) -> str:
    if stride == 0:
        return ""
    return f" + {at}" if stride == 1 else f" + {at} * {stride}"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _joined(lines: Sequence[str]) -> list[str]:
    """Lines with an `else` on the line of the brace before it."""
    found: list[str] = []
    for line in lines:
        if line.startswith("else") and found[-1] == "}":
            found[-1] = "} " + line
        else:
            found.append(line)
    return found
