"""The row of `scan`, a loop over a sub-graph; its derivative rules are bound by `pygraph.autodiff`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import GraphError, ShapeError, UnsupportedError
from .row import Attrs, DType, Family, Op, Shape, register

_rules: dict[str, Callable[..., Any]] = {}


def bind_rules(jvp: Callable[..., Any], vjp: Callable[..., Any]) -> None:
    """Supply the derivative of `scan`, as jvp(node, tangents) and vjp(node, cotangents), one or None per result."""
    _rules.update(jvp=jvp, vjp=vjp)


_batch_rules: dict[str, Callable[..., Any]] = {}


def bind_batch(name: str, batch: Callable[..., Any]) -> None:
    """Supply the rule of a row for a batch; see `Op.batch`."""
    _batch_rules[name] = batch


def _batch(node: Any, operands: Sequence[Any], batched: Sequence[bool], size: int) -> Any:
    rule = _batch_rules.get(node.op.name)
    if rule is None:
        raise UnsupportedError(
            f"batching {node.op.name}: there is no rule for a batch of it; use pg.scan over the batch"
        )
    return rule(node, operands, batched, size)


def _reference(*operands: Any, **attrs: Any) -> Any:
    """Refuses: the value of a loop is that of its body, which only an interpreter of graphs can find."""
    raise GraphError("op 'scan': evaluate the graph it is in, with pygraph.runtime.reference")


def _bound(rule: str) -> Callable[..., Any]:
    def call(*args: Any, **attrs: Any) -> Any:
        if rule not in _rules:
            raise GraphError(f"op 'scan': its {rule} was asked for before it was bound; import pygraph as a whole")
        return _rules[rule](*args, **attrs)

    return call


def _results(operands: Sequence[Any], attrs: Attrs) -> Sequence[tuple[Shape, DType]]:
    """The final carry, typed like the initial one, then each stacked output with a leading axis of `length`."""
    body, length = attrs["body"], attrs["length"]
    n_consts, n_carry = attrs["n_consts"], attrs["n_carry"]
    init, xs = operands[n_consts : n_consts + n_carry], operands[n_consts + n_carry :]
    if len(operands) != len(body.inputs):
        raise ShapeError(f"{len(operands)} operands for a body with {len(body.inputs)} inputs")
    given = [(x.shape, x.dtype) for x in operands[: n_consts + n_carry]]
    for x in xs:
        if not x.shape or x.shape[0] != length:
            raise ShapeError(f"a stacked operand of shape {x.shape} for a loop of length {length}")
        given.append((x.shape[1:], x.dtype))
    for k, ((shape, dtype), wanted) in enumerate(zip(given, body.inputs, strict=True)):
        if (shape, dtype) != (wanted.shape, wanted.dtype):
            raise ShapeError(f"operand {k}: {dtype}{shape} given where the body takes {wanted.dtype}{wanted.shape}")
    for k, (before, after) in enumerate(zip(init, body.outputs[:n_carry], strict=True)):
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            raise ShapeError(
                f"carry {k} enters a step as {before.dtype}{before.shape} and leaves it as {after.dtype}{after.shape}"
            )
    carry = [(x.shape, x.dtype) for x in init]
    return carry + [((length, *y.shape), y.dtype) for y in body.outputs[n_carry:]]


scan = register(
    Op(
        "scan",
        Family.CUSTOM,
        None,
        "`length` steps of `body` one after another: it takes the constants, the carry and slice i of the stacked "
        "operands and gives the next carry and slice i of the stacked results; i runs downwards when `reverse`.",
        results=_results,
        reference=_reference,
        jvp=_bound("jvp"),
        vjp=_bound("vjp"),
        batch=_batch,
        promote=False,
    )
)
