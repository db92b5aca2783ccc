"""The rows of control flow: a choice between sub-graphs, and loops over them. `pygraph.autodiff` binds their rules.

`while_loop` and `replay` take and give *stacks*: one value for each step, as many as there were steps at run time. A
stack's node has the type of one element, since an expression of stacks means the same expression at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from ..errors import DTypeError, GraphError, LimitError, ShapeError, shown
from .dtypes import bool_, int64
from .expr import Expr, Jvps
from .kernel import Failure
from .limits import MAX_AXES, MAX_DEPTH, MAX_ELEMENTS, MAX_STEPS
from .row import Attrs, Family, Op, Result, register

#: A rule that `pygraph.autodiff` binds, which takes and gives its own nodes, and derivatives with masks.
Bound: TypeAlias = Callable[[Any, Sequence[Any]], Sequence[Any]]
BoundBatch: TypeAlias = Callable[[Any, Sequence[Any], Sequence[bool], int], tuple[Sequence[Any], Sequence[bool]]]
_rules: dict[str, tuple[Bound, Bound]] = {}


def bind_rules(op: Op, jvp: Bound, vjp: Bound) -> None:
    """Supply the derivative of a row, as jvp(node, tangents) and vjp(node, cotangents), one or None per result."""
    _rules[op.name] = jvp, vjp


_batch_rules: dict[str, BoundBatch] = {}


def bind_batch(op: Op, batch: BoundBatch) -> None:
    """Supply the rule of a row for a batch; see `Op.batch`."""
    _batch_rules[op.name] = batch


def _batch(
    node: Expr, operands: Sequence[Expr], batched: Sequence[bool], size: int
) -> tuple[Sequence[Expr], Sequence[bool]]:
    name = node.op.name
    if name not in _batch_rules:
        raise GraphError(
            "its rule is not loaded", "take batch from pygraph.autodiff", stage="batching", subject=f"op {name!r}"
        )
    return _batch_rules[name](node, operands, batched, size)


def _row(
    name: str,
    doc: str,
    results: Callable[[Sequence[Expr], Attrs], Sequence[Result]],
    updates: Callable[[Attrs, int], Sequence[int]],
    interpret: Callable[..., Sequence[Any]],
    loop: bool = False,
    unbounded: bool = False,
    branch: bool = False,
) -> Op:
    def reference(*operands: Any, **attrs: Any) -> Any:
        """Refuses: the value depends on that of a sub-graph, which only an interpreter of graphs can find."""
        raise GraphError(
            "it has no value outside of a graph",
            "evaluate the graph it is in, with pygraph.graph.reference",
            stage="evaluating",
            subject=f"op {name!r}",
        )

    def bound(which: Literal[0, 1]) -> Jvps:
        def call(node: Expr, derivatives: Sequence[Expr | None]) -> Sequence[Expr | None]:
            if name not in _rules:
                raise GraphError(
                    "its rule is not loaded",
                    "take jvp and vjp from pygraph.autodiff",
                    stage="differentiating",
                    subject=f"op {name!r}",
                )
            return _rules[name][which](node, derivatives)

        return call

    return register(
        Op(
            name,
            Family.CUSTOM,
            None,
            doc,
            results=results,
            reference=reference,
            interpret=interpret,
            jvp=bound(0),
            vjp=bound(1),
            batch=_batch,
            promote=False,
            loop=loop,
            unbounded=unbounded,
            branch=branch,
            fails=unbounded,  # its stacks, and its number of steps, have a limit
            updates=updates,
        )
    )


class Body(Protocol):
    """The graph of a loop's step or of a branch."""

    @property
    def inputs(self) -> Sequence[Expr]: ...
    @property
    def outputs(self) -> Sequence[Expr]: ...
    @property
    def height(self) -> int: ...


def _typed(x: Expr) -> Result:
    return x.shape, x.dtype


def _text(type_: Result) -> str:
    return f"{type_[1]}{list(type_[0])}" if type_[0] else str(type_[1])


def _shallow(bodies: Sequence[Body]) -> None:
    """Raise where bodies of these heights make a node that is nested too deep."""
    if max(body.height for body in bodies) >= MAX_DEPTH:
        problem = f"loops and branches are nested deeper than {MAX_DEPTH}"
        raise GraphError(problem, "write two of them as one loop over both")


def _connect(given: Sequence[Result], body: Body, first: int = 0) -> None:
    """Raise unless operands of the types `given`, numbered from `first`, fit the inputs of `body`."""
    if len(given) != len(body.inputs):
        raise ShapeError(f"{len(given)} operands for a body with {len(body.inputs)} inputs")
    for k, (type_, wanted) in enumerate(zip(given, body.inputs, strict=True), first):
        if type_ != _typed(wanted):
            raise ShapeError(f"operand {k}: {_text(type_)} given where the body takes {_text(_typed(wanted))}")


def _carried(init: Sequence[Expr], body: Body) -> list[Result]:
    """The types of the carry; raises unless it leaves a step as it enters it."""
    for k, (before, after) in enumerate(zip(init, body.outputs, strict=False)):
        if _typed(before) != _typed(after):
            raise ShapeError(f"carry {k} enters a step as {_text(_typed(before))}, leaves it as {_text(_typed(after))}")
    return [_typed(x) for x in init]


def _scan_results(operands: Sequence[Expr], attrs: Attrs) -> Sequence[Result]:
    """The final carry, typed like the initial one, then each stacked output with a leading axis of `length`."""
    body, length, n_consts = attrs["body"], attrs["length"], attrs["n_consts"]
    if length > MAX_STEPS:
        raise GraphError(f"a loop of {length} steps", f"a scan counts {MAX_STEPS} at most, a while_loop any number")
    _shallow((body,))
    second = n_consts + attrs["n_carry"]
    given = [_typed(x) for x in operands[:second]]
    for x in operands[second:]:
        if not x.shape or x.shape[0] != length:
            raise ShapeError(f"a stacked operand of shape {x.shape} for a loop of length {length}")
        given.append((x.shape[1:], x.dtype))
    _connect(given, body)
    carry = _carried(operands[n_consts:second], body)
    stacked = [((length, *y.shape), y.dtype) for y in body.outputs[len(carry) :]]
    for shape, _ in stacked:
        if len(shape) > MAX_AXES or prod(n for n in shape if n) > MAX_ELEMENTS:
            problem = f"{length} values of shape {shown(shape[1:])} are more than an array can hold"
            advice = (
                "take fewer steps; a derivative keeps the values of all steps of nested loops, unless an inner loop is "
                "in a function that pg.checkpoint is around"
            )
            raise ShapeError(problem, advice)
    return carry + stacked


def _while_results(operands: Sequence[Expr], attrs: Attrs) -> Sequence[Result]:
    """The final carry, then a stack for each further output of the body."""
    body, condition = attrs["body"], attrs["condition"]
    _shallow((body, condition))
    given = [_typed(x) for x in operands]
    _connect(given, body)
    _connect(given, condition)
    if [_typed(x) for x in condition.outputs] != [((), bool_)]:
        raise DTypeError("the condition does not give one scalar bool")
    carry = _carried(operands[attrs["n_consts"] :], body)
    return carry + [_typed(y) for y in body.outputs[len(carry) :]]


def _replay_results(operands: Sequence[Expr], attrs: Attrs) -> Sequence[Result]:
    """The final carry, then a stack for each further output of the body."""
    body, first = attrs["body"], 1 + attrs["n_consts"]
    _shallow((body,))
    if not operands or _typed(operands[0]) != ((), int64):
        raise DTypeError("the number of steps is not a scalar int64")
    _connect([_typed(x) for x in operands[1:]], body, 1)
    carry = _carried(operands[first : first + attrs["n_carry"]], body)
    return carry + [_typed(y) for y in body.outputs[len(carry) :]]


def _branch_results(operands: Sequence[Expr], attrs: Attrs) -> Sequence[Result]:
    """What each of the bodies gives."""
    if not operands or _typed(operands[0]) != ((), int64):
        raise DTypeError("the index is not a scalar int64")
    _shallow(attrs["bodies"])
    first = [_typed(y) for y in attrs["bodies"][0].outputs]
    for number, body in enumerate(attrs["bodies"]):
        _connect([_typed(x) for x in operands[1:]], body, 1)
        for k, (type_, wanted) in enumerate(zip([_typed(y) for y in body.outputs], first, strict=True)):
            if type_ != wanted:
                raise ShapeError(f"result {k} is {_text(wanted)} in branch 0 and {_text(type_)} in branch {number}")
    return first


def _carry_operands(attrs: Attrs, count: int) -> range:
    return range(attrs["n_consts"], attrs["n_consts"] + attrs["n_carry"])


#: How loops whose number of steps is known at run time can fail.
STEPS = Failure(
    LimitError,
    "the condition still holds after {0} steps, the loop's limit",
    "check that the condition becomes false, or give the loop a higher limit",
    "STEPS",
)
TAPE = Failure(
    LimitError,
    "step {0} needs more tape than the limit of {1} bytes",
    "raise it with pg.set_tape_limit(bytes), run fewer steps, or use forward mode",
    "TAPE",
)


class Stack(list[Any]):
    """The values of one expression at each step of a loop."""


#: Evaluates a body on values of its inputs.
Run = Callable[[Body, Sequence[Any]], list[Any]]


def _scan(
    run: Run, *operands: Any, body: Body, length: int, reverse: bool, n_consts: int, n_carry: int
) -> tuple[Any, ...]:
    """The definition of the `scan` row: `length` evaluations of `body`, one after another.

    Operands are the constants, the initial carry and the stacked inputs, of shape (length, ...); results are the
    final carry and the stacked outputs. With `reverse` the steps run from the last index to the first.
    """
    consts, carry = operands[:n_consts], list(operands[n_consts : n_consts + n_carry])
    xs = operands[n_consts + n_carry :]
    ys = [np.zeros((length, *node.shape), node.dtype) for node in body.outputs[n_carry:]]
    for i in reversed(range(length)) if reverse else range(length):
        results = run(body, [*consts, *carry, *(x[i] for x in xs)])
        carry = results[:n_carry]
        for y, value in zip(ys, results[n_carry:], strict=True):
            y[i] = value
    return (*carry, *ys)


def _while_loop(
    run: Run, *operands: Any, condition: Body, body: Body, n_consts: int, n_carry: int, limit: int | None
) -> tuple[Any, ...]:
    """The definition of the `while_loop` row: evaluations of `body` as long as `condition` gives True.

    Operands are the constants and the initial carry; results are the final carry and a stack per further output.

    Raises:
        LimitError: the condition still holds after `limit` steps.
    """
    consts, carry = operands[:n_consts], list(operands[n_consts:])
    stacks = [Stack() for _ in body.outputs[n_carry:]]
    steps = 0
    while run(condition, [*consts, *carry])[0]:
        if steps == limit:
            raise STEPS.raised((limit,), "while_loop", None)
        results = run(body, [*consts, *carry])
        carry = results[:n_carry]
        for stack, value in zip(stacks, results[n_carry:], strict=True):
            stack.append(value)
        steps += 1
    return (*carry, *stacks)


def _replay(
    run: Run, count: Any, *operands: Any, body: Body, reverse: bool, n_consts: int, n_carry: int
) -> tuple[Any, ...]:
    """The definition of the `replay` row: as `scan`, over stacks of `count` values each."""
    consts, carry = operands[:n_consts], list(operands[n_consts : n_consts + n_carry])
    xs = operands[n_consts + n_carry :]
    steps = range(int(count))
    assert all(isinstance(x, Stack) and len(x) == len(steps) for x in xs), "stacks of other lengths"
    found: list[list[Any]] = []
    for i in reversed(steps) if reverse else steps:
        results = run(body, [*consts, *carry, *(x[i] for x in xs)])
        carry = results[:n_carry]
        found.append(results[n_carry:])
    if reverse:
        found.reverse()
    return (*carry, *(Stack(step[j] for step in found) for j in range(len(body.outputs) - n_carry)))


def _branch(run: Run, index: Any, *operands: Any, bodies: Sequence[Body], recompute: bool = False) -> tuple[Any, ...]:
    """The definition of the `branch` row: one of `bodies`, the index being clamped to the numbers there are."""
    return tuple(run(bodies[min(max(int(index), 0), len(bodies) - 1)], operands))


scan = _row(
    "scan",
    "`length` steps of `body` one after another: it takes the constants, the carry and slice i of the stacked "
    "operands and gives the next carry and slice i of the stacked results; i runs downwards when `reverse`.",
    _scan_results,
    _carry_operands,
    _scan,
    loop=True,
)
branch = _row(
    "branch",
    "The results of one of `bodies`, chosen by the first operand, which is clamped to the numbers there are; all take "
    "the other operands. Only the chosen one runs. With `recompute` (`pg.checkpoint`) a single body stays one.",
    _branch_results,
    lambda attrs, count: range(1, count),
    _branch,
    branch=True,
)
while_loop = _row(
    "while_loop",
    "Steps of `body`, which takes the constants and the carry and gives the next carry, while `condition` of them is "
    "true, `limit` of them at most (None: no limit); the body's further outputs are put on stacks.",
    _while_results,
    _carry_operands,
    _while_loop,
    loop=True,
    unbounded=True,
)
replay = _row(
    "replay",
    "As `scan` over stacks in place of arrays; the first operand is the number of steps, which all stacks have.",
    _replay_results,
    lambda attrs, count: [1 + i for i in _carry_operands(attrs, count)],
    _replay,
    loop=True,
    unbounded=True,
)
