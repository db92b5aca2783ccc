"""What the caller's workspace of an exported file holds: the arena, and the tapes of loops that have a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UnsupportedError
from ..lower.decode import decode
from ..lower.instructions import Instruction, Replay, While
from ..lower.program import Program


@dataclass(frozen=True, slots=True)
class Tape:
    """The records of one loop: the bytes of each, the most there may be, and where the first lies."""

    nbytes: int
    most: int
    where: int


@dataclass(frozen=True, slots=True)
class Workspace:
    """The layout of the workspace, in bytes: the arena, one count for each tape from `counts`, the tapes, the mark.

    The mark (8 bytes) is there where later segments read what forward left: it says that it did.
    """

    nbytes: int
    counts: int
    tapes: tuple[Tape, ...]
    mark: int | None


def plan_workspace(program: Program, title: str) -> Workspace:
    """Room for everything that a run keeps; `title` names the graph in error texts.

    Raises:
        UnsupportedError: a loop without a limit records its steps.
    """
    bodies = decode(program)
    loops = [
        instruction
        for body in bodies
        for segment in body.segments
        for instruction in segment
        if isinstance(instruction, (While, Replay))
    ]
    records: dict[int, int] = {}  # bytes, by the number of a tape
    most: dict[int, int] = {}
    for loop in loops:
        body = bodies[loop.body]
        first = body.n_inputs + len(loop.init)
        records.update((tape, body.slots[first + k].nbytes) for k, tape in enumerate(loop.ys))
    for loop in loops:
        if isinstance(loop, While):
            if loop.ys and loop.limit < 0:
                raise _unlimited(program, loop, title)
            most.update(dict.fromkeys(loop.ys, loop.limit))
    longest = max((loop.limit for loop in loops if isinstance(loop, While)), default=-1)
    for loop in loops:
        if isinstance(loop, Replay):
            known = [most[tape] for tape in loop.xs if tape in most]
            if loop.ys and not known and longest < 0:
                raise _unlimited(program, loop, title)
            most.update(dict.fromkeys(loop.ys, min(known, default=longest)))
    sizes = [(records[tape], most[tape]) for tape in range(len(records))]
    return _laid_out(bodies[0].arena_bytes, sizes, marked=len(bodies[0].segments) > 1)


def _laid_out(arena: int, tapes: Sequence[tuple[int, int]], marked: bool) -> Workspace:
    counts = _rounded(arena)
    end = counts + 8 * len(tapes)
    placed = []
    for nbytes, most in tapes:
        placed.append(Tape(nbytes, most, end))
        end += _rounded(nbytes * most)
    return Workspace(max(8, end + 8 * marked), counts, tuple(placed), end if marked else None)


def _rounded(nbytes: int) -> int:
    return -(-nbytes // 8) * 8


def _unlimited(program: Program, loop: Instruction, title: str) -> UnsupportedError:
    info = program.nodes[loop.node]
    subject = f"{title}, {info.op} : {info.type_text}"
    problem = "its steps are recorded for the derivatives, and nothing says how many there may be"
    advice = "give pg.while_loop a limit, or export a graph without derivatives through the loop"
    return UnsupportedError(problem, advice, stage="exporting", subject=subject, line=info.line)
