"""The loader against mutated Programs: refused, or run without a crash; never read or written out of bounds.

The mutations run in processes of their own, so that a crash or a hang is reported with the mutation that caused it.
This file is also the program that they run: `python test_loader_mutations.py FIRST END`.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Words = npt.NDArray[np.int64]

#: Mutations altogether, and of one process.
COUNT = 10_000
PART = 2_500
#: Words worth a try: borders of what the loader checks, and of the arithmetic it does.
INTERESTING = (
    0,
    1,
    -1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    15,
    16,
    63,
    64,
    255,
    1024,
    4096,
    4097,
    32768,
    2**31 - 1,
    2**31,
    2**32,
    2**39,
    2**53,
)
EXTREME = (2**60, 2**61, 2**62, 2**63 - 1, -(2**63), -(2**62), -(2**31), -8, -64)
#: Programs whose work grew beyond this are loaded but not run: the loader bounds memory, not time.
MOST_WORK, MOST_BYTES = 20_000_000, 2**26


def corpus() -> list[Any]:
    """Programs with every instruction: loops, reductions with and without partial results, scalars, nested bodies."""
    from pygraph.autodiff.joint_graph import joint
    from pygraph.graph import Graph, scan, switch, var, while_loop
    from pygraph.lower import lower
    from pygraph.ops import concatenate, exp, matmul, maximum, sin, softmax, sum, take, tanh, where
    from pygraph.ops.counting import iota
    from pygraph.ops.row import lookup

    x, y, i = var("x", (5, 6)), var("y", (6,)), var("i", (4,), "int64")
    a, b, big = var("a"), var("b"), var("big", (40_000,))
    half = var("half", (6,), "float32")
    graphs = [
        Graph([x, y], (exp(x) * y + 2.0, x > 0.5)),
        Graph([x], (softmax(x), sum(x, axis=0), maximum(x, 0.0).T[::-1])),
        Graph([big], sum(sin(big) * big)),
        Graph([a, b], (sin(a) * b + a, where(a > b, a, b))),
        Graph([x, y], matmul(matmul(x, x.T), x) @ y),
        Graph([x, i], (take(x, i % 5, axis=0), concatenate([x, x[::2]]), x[i[0] % 5])),
        Graph([x, i], (x.at[i % 5].add(np.ones((4, 6))), x.at[i % 5].set(np.zeros((4, 6))))),
        Graph([i], (lookup("wrap_index")(i % 5, size=5), i * 3 - 1, i.astype("int32"))),
        Graph([half], (half.astype("float64"), tanh(half), sum(half))),
        Graph([x], (x * iota(6, 5, -2, "float64"), sum(iota(40_000)), iota(3, 1)[:, None] == iota(4))),
        Graph([x, a], scan(lambda c, row: (tanh(c * a + sum(row)), c * row), 0.0, x)),
        Graph(
            [x, y],
            scan(lambda c, row: scan(lambda d, e: (d * 0.5 + e, d), c, row), np.zeros(()), x, reverse=True),
        ),
    ]
    grown = lambda v: while_loop(lambda u: u < 5.0, exp, v, limit=9)  # noqa: E731
    graphs.append(Graph([i, a], switch(i[0], [sin, lambda v: v * 2.0, grown], a)))
    graphs.append(Graph([y, a], while_loop(lambda v: sum(v) < 9.0, lambda v: tanh(v) * a + y + 1.0, y, limit=50)))
    put = lambda v, k: v.at[k % 6].set(v[k % 5] * 2.0)  # noqa: E731
    graphs.append(Graph([y, i], scan(lambda c, k: (switch(k, [put, lambda v, k: v], c, k), c[0]), y, i)))
    graphs.append(Graph([y, a], while_loop(lambda v: v[0] < 9.0, lambda v: v.at[0].add(a * v[1] + 1.0), y, limit=9)))
    programs = [lower(graph) for graph in graphs]
    programs += [lower(graphs[0], fuse=False), lower(graphs[9], fuse=False)]
    for graph in (
        graphs[0],
        graphs[3],
        graphs[4],
        graphs[5],
        graphs[9],
        *graphs[-4:],
        Graph([x, y], sum(softmax(x @ y))),
    ):
        whole = joint(graph, [k for k, node in enumerate(graph.inputs) if node.dtype.kind == "f"])
        programs.append(lower(whole.graph, whole.segments, whole.groups))
    return programs


class Mutator:
    """Numbered mutations of the corpus; each depends on its number alone."""

    def __init__(self) -> None:
        from pygraph.runtime.clib.library import sealed

        self.programs = [(sealed(p), p.constants) for p in corpus()]

    def mutation(self, number: int) -> tuple[Words, bytes, bool]:
        """Words and constants, and whether the checksum shall be made right again."""
        rng = np.random.default_rng([number, 2024])
        words, constants = self.programs[int(rng.integers(len(self.programs)))]
        words = words.copy()
        with np.errstate(over="ignore"):
            for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
                words, constants = self.change(rng, words, constants)
        return words, constants, bool(rng.random() < 0.85)

    def change(self, rng: np.random.Generator, words: Words, constants: bytes) -> tuple[Words, bytes]:
        if not len(words):  # cut off already
            return words, constants
        at = int(rng.integers(len(words)))
        match int(rng.choice(7, p=[0.25, 0.25, 0.15, 0.1, 0.1, 0.1, 0.05])):
            case 0:  # a word close to what it was
                words[at] += int(rng.choice([1, -1, 2, 8, -8, 64]))
            case 1:
                words[at] = rng.choice(np.array(INTERESTING if rng.random() < 0.7 else EXTREME, np.int64))
            case 2:
                words[at] ^= np.int64(1) << np.int64(rng.integers(63))
            case 3:
                other = int(rng.integers(len(words)))
                words[at], words[other] = words[other], words[at]
            case 4:  # a run of another Program, or of this one
                source, _ = self.programs[int(rng.integers(len(self.programs)))]
                length = min(int(rng.integers(1, 20)), len(words) - at)
                first = int(rng.integers(max(len(source) - length, 1)))
                piece = source[first : first + length]
                words[at : at + len(piece)] = piece
            case 5:
                words = words[:at].copy()
            case _:
                constants = constants[: int(rng.integers(len(constants) + 1))]
        return words, constants


def work(words: Words) -> int:
    """How many elements the instructions of a well-formed Program touch, loops counted by their length."""
    from pygraph.lower.decode import decode

    bodies = decode(SimpleNamespace(words=words, micro_nodes=repeat(-1)))  # type: ignore[arg-type]
    costs = [0] * len(bodies)
    for body in reversed(bodies):
        costs[body.number] = sum(_cost(one, costs) for segment in body.segments for one in segment)
    return costs[0]


def _cost(instruction: Any, costs: list[int]) -> int:
    from pygraph.lower import instructions as i
    from pygraph.ops.table import kernel_at

    match instruction:
        case i.Scalar(micros=micros):
            return len(micros)
        case i.Loop(dims=dims, micros=micros, space=space):
            return math.prod(dims) * (len(micros) + 1) + math.prod(space)
        case i.Matmul(rows=rows, columns=columns, middle=middle, batch=batch):
            return rows * columns * (middle + 1) * math.prod(batch)
        case i.Call(kernel=number, numbers=numbers, batch=batch):
            kernel = kernel_at(number)[0].kernel
            assert kernel is not None
            return math.prod(max(size, 1) for size in numbers[: len(kernel.parsed.names)]) * math.prod(batch)
        case i.Scan(body=body, length=length):
            return length * (costs[body] + 10)
        case i.Branch(bodies=bodies):
            return sum(costs[body] for body in bodies)
        case i.While(body=body, condition=condition, limit=limit):
            return (limit if limit >= 0 else 2**40) * (costs[body] + costs[condition] + 10)
        case i.Replay(body=body, xs=xs):  # as many steps as its tapes have records
            return (1_000 if xs else 2**40) * (costs[body] + 10)
    raise TypeError(instruction)


def attempt(words: Words, constants: bytes, seal: bool) -> str:
    """Load a Program, and run all its segments on zeros if it loads; what became of it."""
    from pygraph.runtime._core import ffi, lib

    words = np.ascontiguousarray(words)
    pointer, data = ffi.from_buffer("int64_t[]", words), ffi.from_buffer("uint8_t[]", constants)
    checksum = lib.pg_checksum(pointer, len(words), data, len(constants))
    if seal and len(words) > 2:
        words[2] = np.uint64(checksum).astype(np.int64)
    right = len(words) > 2 and int(words[2]) == int(np.uint64(checksum).astype(np.int64))
    error = ffi.new("pg_error *")
    program = lib.pg_program_load(pointer, len(words), data, len(constants), error)
    if program == ffi.NULL:
        assert error.status in (1, 2), f"refused with status {error.status}"
        assert ffi.string(error.text), "refused without a word"
        return "refused"
    assert right, "a Program with a wrong checksum was accepted"
    try:
        return run(program, words, error)
    finally:
        lib.pg_program_free(program)


def run(program: Any, words: Words, error: Any) -> str:
    """Run every segment of a loaded Program on zeros."""
    from pygraph.runtime._core import ffi, lib

    body = words[5:]
    n_slots, n_segments = int(body[2]), int(body[4])
    slots = body[9 : 9 + 4 * n_slots].reshape(n_slots, 4).tolist()
    if work(words) > MOST_WORK or max([int(body[1]), *(nbytes for *_, nbytes in slots)]) > MOST_BYTES:
        return "too large to run"
    context = lib.pg_context_new(program, 2, 0, error)
    if context == ffi.NULL:
        assert error.status == 2, f"no context, status {error.status}"
        return "no memory"
    memory = []
    for slot, (kind, *_, nbytes) in enumerate(slots):
        if kind in (2, 3) and (nbytes > 16384 or slot % 2):
            memory.append(ffi.new("char[]", max(nbytes, 1) + 64))
            address = int(ffi.cast("intptr_t", memory[-1])) + 63 & ~63
            lib.pg_context_bind(context, slot, ffi.cast("void *", address))
    statuses = [lib.pg_context_run(context, segment) for segment in range(-1, n_segments + 1)]
    assert all(status in (0, 2, 3, 4, 5, 6, 7) for status in statuses), f"statuses {statuses}"
    lib.pg_context_free(context)
    return "run"


def main(first: int, end: int) -> None:
    """Try the mutations from `first` to `end`, naming each before it starts."""
    mutator = Mutator()
    if first == 0:
        for words, constants in mutator.programs:
            assert attempt(words.copy(), constants, False) == "run", "the corpus itself must run"
    outcomes: dict[str, int] = {}
    for number in range(first, end):
        os.pwrite(3, b"%-12d" % number, 0)
        outcome = attempt(*mutator.mutation(number))
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(json.dumps(outcomes))


def parts() -> Iterator[tuple[int, int]]:
    for first in range(0, COUNT, PART):
        yield first, min(first + PART, COUNT)


@pytest.mark.sanitize
@pytest.mark.parametrize(("first", "end"), list(parts()))
def test_mutated_programs(first: int, end: int, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    with progress.open("w+b") as file:
        command = ["sh", "-c", f'exec "$0" "$@" 3<>"{progress}"', sys.executable, "-X", "faulthandler", __file__]
        done = subprocess.run(
            [*command, str(first), str(end)], capture_output=True, text=True, timeout=300, check=False
        )
        reached = file.read().decode().strip()
    assert done.returncode == 0, f"mutation {reached}: status {done.returncode}\n{done.stderr[-4000:]}"
    outcomes = json.loads(done.stdout)
    assert sum(outcomes.values()) == end - first
    assert outcomes["refused"] > 0.5 * (end - first)
    assert outcomes["run"] > 0.02 * (end - first), f"too few mutations load to say much: {outcomes}"


def test_every_single_word_is_under_the_checksum() -> None:
    """Any change that leaves the checksum alone is refused."""
    mutator = Mutator()
    for words, constants in mutator.programs[:4]:
        for at in range(len(words)):
            changed = words.copy()
            changed[at] ^= 1 << 5
            assert attempt(changed, constants, False) == "refused", f"word {at}"
        for at in range(len(constants)):
            flipped = bytearray(constants)
            flipped[at] ^= 0x10
            assert attempt(words.copy(), bytes(flipped), False) == "refused", f"constant byte {at}"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
