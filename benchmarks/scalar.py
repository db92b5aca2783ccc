"""A large graph of scalar operations with its gradient: what an operation costs to run, and to compile."""

from __future__ import annotations

import gc
import math
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Figure, Report, Target, native, peer, print_rest, print_table, run_case

Vector = npt.NDArray[np.float64]

SIZE = 10_000
INPUTS = 8

#: A value and gradient may cost this times CasADi's.
LIMIT = 1.0

#: Native, it may cost this times the VM's, and this times CasADi's.
NATIVE_LIMIT = 0.35

#: CPU seconds to trace and compile SIZE operations with their gradient, and how much longer twice as many may take. All
#: of it is one thread, so on an idle machine this is the time on the wall as well.
LIMIT_SECONDS = 2.0
LIMIT_GROWTH = 2.5

#: How often each operation is proposed, in hundredths.
WEIGHTS = {"+": 30, "*": 28, "-": 20, "/": 8, "sin": 4, "cos": 3, "exp": 3, "tanh": 1, "sqrt": 3}

#: An operation reads a value that nothing has read yet, and one of this many latest ones.
WINDOW = 64

#: Magnitudes of values, and of their gradients, stay between these.
SMALLEST, LARGEST = 2.0**-6, 16.0


@dataclass(frozen=True)
class Step:
    """One operation: its name, and the positions of its operands among the inputs and the steps before."""

    op: str
    a: int
    b: int = -1


def _propose(op: str, a: float, b: float) -> tuple[float, float, float]:
    """The value of an operation at the benchmark's point, and its derivatives by its operands there."""
    if op == "+":
        return a + b, 1.0, 1.0
    if op == "-":
        return a - b, 1.0, -1.0
    if op == "*":
        return a * b, b, a
    if op == "/":
        return (a / b, 1 / b, -a / (b * b)) if abs(b) > 0.25 else (math.inf, 0.0, 0.0)
    if op == "sin":
        return math.sin(a), math.cos(a), 0.0
    if op == "cos":
        return math.cos(a), -math.sin(a), 0.0
    if op == "exp":
        return math.exp(a), math.exp(a), 0.0
    if op == "tanh":
        return math.tanh(a), 1 - math.tanh(a) ** 2, 0.0
    return (math.sqrt(a), 0.5 / math.sqrt(a), 0.0) if a > 0.25 else (math.inf, 0.0, 0.0)


def make_program(size: int, point: Sequence[float]) -> list[Step]:
    """A fixed pseudo-random program of `size` operations, finite with its derivatives at `point`.

    Every value is used; the last one, which sums what is left over, is the result.
    """
    rng = random.Random(20)
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    values, gradients = list(point), [np.eye(len(point))[i] for i in range(len(point))]
    unread = deque(range(len(point)))
    steps: list[Step] = []
    while len(steps) < size - len(point) + 1:
        a = unread.popleft()
        b = rng.randrange(max(0, len(values) - WINDOW), len(values))
        op = rng.choices(names, weights)[0]
        value, da, db = _propose(op, values[a], values[b])
        gradient = da * gradients[a] + db * gradients[b]
        if not (SMALLEST < abs(value) < LARGEST and SMALLEST < math.sqrt(gradient @ gradient) < LARGEST):
            unread.append(a)  # another operation takes its turn
            continue
        steps.append(Step(op, a, b if op in "+-*/" else -1))
        unread.append(len(values))
        values.append(value)
        gradients.append(gradient)
    total = unread.popleft()
    while unread:
        steps.append(Step("+", total, unread.popleft()))
        total = len(point) + len(steps) - 1
    return steps


def execute(steps: Sequence[Step], inputs: Sequence[Any], functions: Any) -> Any:
    """Run a program on numbers or expressions; `functions` has sin, cos, exp, tanh and sqrt."""
    values = list(inputs)
    for step in steps:
        a = values[step.a]
        if step.op == "+":
            value = a + values[step.b]
        elif step.op == "-":
            value = a - values[step.b]
        elif step.op == "*":
            value = a * values[step.b]
        elif step.op == "/":
            value = a / values[step.b]
        else:
            value = getattr(functions, step.op)(a)
        values.append(value)
    return values[-1]


def _differentiated(steps: Sequence[Step]) -> Callable[..., Any]:
    """Value and gradient of a program, as a function to be traced."""

    def program(*inputs: Any) -> Any:
        return execute(steps, inputs, pg)

    return pg.value_and_grad(program, argnums=tuple(range(INPUTS)))


def _build_pygraph(steps: Sequence[Step]) -> tuple[Any, float, float]:
    """The Executable of value and gradient, with the CPU seconds to trace and to compile it."""
    start = time.process_time()
    graph = pg.trace(_differentiated(steps), *[pg.spec()] * INPUTS)
    traced = time.process_time()
    executable = pg.compile(graph, backend="vm")
    return executable, traced - start, time.process_time() - traced


def _build_casadi(casadi: Any, steps: Sequence[Step]) -> tuple[Any, float, float]:
    """CasADi's Function of value and gradient, with the CPU seconds to build the expression and for the rest."""
    start = time.process_time()
    x = casadi.SX.sym("x", INPUTS)
    value = execute(steps, [x[i] for i in range(INPUTS)], casadi)
    traced = time.process_time()
    function = casadi.Function("program", [x], [value, casadi.gradient(value, x)])
    return function, traced - start, time.process_time() - traced


def _pygraph(executable: Any, x: Vector, steps: Sequence[Step], report: Report) -> list[Contender]:
    arguments = [np.array(value) for value in x]

    def answer(result: Any) -> tuple[Any, Any]:
        value, gradient = result
        return value, np.array(gradient)

    contenders = [
        Contender("pygraph bind", executable.bind(*arguments), answer),
        Contender("pygraph exe(…)", lambda: executable(*arguments), answer),
    ]
    built = native(_differentiated(steps), report.left_out, *arguments)
    if built is not None:
        executable = built.executable(*arguments)
        contenders.append(Contender("pygraph native", executable.bind(*arguments), answer))
        report.figures.append(Figure("pygraph: native build", executable.stats.native_seconds, "s"))
    return contenders


def _casadi(function: Any, x: Vector) -> list[Contender]:
    value, gradient = np.zeros(1), np.zeros(INPUTS)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, x.data)
    buffer.set_res(0, value.data)
    buffer.set_res(1, gradient.data)
    return [Contender("CasADi buffer", evaluate, lambda _: (value[0], gradient), buffer)]


def _best(build: Callable[[], tuple[Any, float, float]], times: int = 3) -> tuple[Any, float, float]:
    """What `build` gives, with the least of its seconds; nothing of an earlier build is alive in the next."""
    found: tuple[Any, float, float] | None = None
    for _ in range(times):
        best = found[1:] if found else (math.inf, math.inf)
        found = None  # hash-consed expressions that are still alive would be found again, and cost nothing
        gc.collect()
        made, traced, compiled = build()
        found = (made, *min(best, (traced, compiled), key=sum))
        del made
    assert found is not None
    return found


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("scalar")
    casadi = peer("casadi", report.left_out)
    x = np.random.default_rng(8).uniform(0.5, 1.5, INPUTS)
    builders: dict[str, Callable[[Sequence[Step]], tuple[Any, float, float]]] = {"pygraph": _build_pygraph}
    if casadi is not None:
        builders["CasADi"] = lambda steps: _build_casadi(casadi, steps)
    programs = {size: make_program(size, x.tolist()) for size in (SIZE, 2 * SIZE)}
    built: dict[str, Any] = {}
    for name, build in builders.items():
        seconds = []
        for size, steps in programs.items():
            made, traced, compiled = _best(lambda build=build, steps=steps: build(steps))  # type: ignore[misc]
            built.setdefault(name, made)
            seconds.append(traced + compiled)
            limit = LIMIT_SECONDS if name == "pygraph" and size == SIZE else None
            report.figures += [
                Figure(f"{name}: trace {size:,}", traced, "CPU s"),
                Figure(f"{name}: compile {size:,}", compiled, "CPU s"),
                Figure(f"{name}: both {size:,}", traced + compiled, "CPU s", limit),
            ]
        growth = Figure(f"{name}: growth", seconds[1] / seconds[0], "×", LIMIT_GROWTH if name == "pygraph" else None)
        report.figures.append(growth)
    contenders = _pygraph(built["pygraph"], x, programs[SIZE], report)
    if casadi is not None:
        contenders += _casadi(built["CasADi"], x)
    targets = [
        Target("pygraph bind", "CasADi buffer", LIMIT),
        Target("pygraph native", "pygraph bind", NATIVE_LIMIT),
        Target("pygraph native", "CasADi buffer", NATIVE_LIMIT),
    ]
    title = f"{SIZE:,} scalar operations with their gradient by {INPUTS} inputs"
    case = Case(title, contenders, "pygraph bind", targets)
    report.tables.append(run_case(case, rounds))
    executed = {"pygraph bind": built["pygraph"].stats.micro_operations}
    if casadi is not None:
        executed["CasADi buffer"] = built["CasADi"].n_instructions()
    for row in report.tables[-1]["rows"]:
        if row["name"] in executed:
            count = executed[row["name"]]
            report.figures.append(Figure(f"{row['name']}: {count:,} instructions, each", row["best_ns"] / count, "ns"))
    mix = Counter(step.op for step in programs[SIZE])
    report.notes.append("operations: " + ", ".join(f"{count} {op}" for op, count in mix.most_common()))
    print_table(report.tables[-1])
    print_rest(report)
    return report
