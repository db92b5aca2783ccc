"""`vmap`: a function of one example as a function of a whole batch."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from .. import autodiff
from ..errors import GraphError, ShapeError, shown
from ..graph.construction import as_node, make
from ..graph.node import Node
from ..graph.recording import recording
from ..graph.trace import function_name, make_inputs, parameter_names, result_node
from ..graph.tree import flatten, flatten_named, unflatten
from ..ops.shaping import in_batch, transpose_row as TRANSPOSE
from .evaluation_point import Function, compiled

__all__ = ["vmap"]

#: Keyword arguments stay apart from those by position, to which `in_axes` belongs, also where `f` would take them so.
_BY_POSITION_OR_NAME = inspect.Signature(
    [
        inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
        inspect.Parameter("named", inspect.Parameter.VAR_KEYWORD),
    ]
)


def vmap(f: Function, in_axes: Any = 0, out_axes: Any = 0) -> Function:
    """A function that applies `f` to every example of a batch in one call.

    There is no loop: every operation is recorded once, with one more axis, and what does not depend on the batch is
    computed once. What the branches and loops of an example do not compute has no effect: values, derivatives, errors
    and termination are those of each example alone, as by `map`. It nests with every other transformation.

    Args:
        f: any function of arrays, in nested containers.
        in_axes: for each argument the axis along which its examples lie, or None for an argument that all examples
            share; one int for all arguments, or a tuple with an entry for each, which may itself be a container like
            the argument (or like its outer levels). What is given by keyword has axis 0.
        out_axes: where the batch axis of each result goes, in the same way; None for a result that is the same for all.

    Returns:
        A function of the batched arguments. On arrays it is compiled, once per signature until something that `f` reads
        besides its arguments changes; among expressions it is recorded.

    Raises (when called):
        ShapeError: no argument has a batch axis, two have different sizes, an axis is out of range, or `out_axes` is
            None for a result that differs between examples; GraphError: `in_axes` or `out_axes` do not fit the
            containers.

    Example:
        >>> pg.vmap(np.dot)(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))
        array([1., 4.])
        >>> pg.vmap(pg.grad(lambda w, x: np.sin(w * x)), in_axes=(None, 0))(1.0, np.array([0.0, 2.0]))
        array([ 0.        , -0.83229367])
    """

    def recorded(*args: Any, **named: Any) -> Any:
        mapped = _Mapped(f, in_axes, args, named)
        with recording(mapped.variables):
            outputs, form = flatten(f(*mapped.args, **mapped.named))
            nodes = [result_node(output, "vmap") for output in outputs]
        axes = _axes(f, "out_axes", out_axes, unflatten(form, nodes), "the result")

        def batched(outputs: Sequence[Node], batches: Sequence[Node]) -> list[Node]:
            found, flags = autodiff.batch(outputs, mapped.variables, batches, mapped.size)
            return [
                _placed(f, node, flag, axis, mapped.size, name)
                for node, flag, (axis, name) in zip(found, flags, axes, strict=True)
            ]

        return unflatten(form, autodiff.transformed(batched, nodes, mapped.variables, mapped.batches, planned=False))

    recorded.__signature__ = _BY_POSITION_OR_NAME  # type: ignore[attr-defined]
    return compiled(recorded, f, "vmap", (vmap, (f, in_axes, out_axes)), others=(in_axes, out_axes))


class _Mapped:
    """The arguments of a batched call, taken apart.

    Attributes:
        args, named: the arguments for one example: new variables in place of what has a batch axis.
        variables, batches: these variables, and what they stand for, with the batch axis in front.
        size: of the batch.
    """

    def __init__(self, f: Function, in_axes: Any, args: Sequence[Any], named: dict[str, Any]) -> None:
        if isinstance(in_axes, (tuple, list)) and len(in_axes) != len(args):
            problem = f"in_axes has {len(in_axes)} entries for {len(args)} arguments"
            raise _refusal(GraphError, f, problem, "give one entry for each argument, or one int for all")
        per = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        names = parameter_names(f, len(args))
        axes = [
            axis for p, arg, name in zip(per, args, names, strict=True) for axis in _axes(f, "in_axes", p, arg, name)
        ]
        for key in sorted(named):  # the order in which a dict is flattened
            axes += _axes(f, "in_axes", 0, named[key], key)
        leaves, form = flatten((tuple(args), named))
        self.size = -1
        first = ""
        taken: list[tuple[int, str, Node]] = []
        for k, (leaf, (axis, name)) in enumerate(zip(leaves, axes, strict=True)):
            if axis is None:
                continue
            node = as_node(leaf)
            axis = _axis(f, "in_axes", axis, len(node.shape), name, node)
            size = node.shape[axis]
            text = f"{name!r} has size {size} along axis {axis}"
            if self.size < 0:
                self.size, first = size, text
            elif size != self.size:
                raise _refusal(
                    ShapeError, f, f"argument {first}, argument {text}", "give batches of one size, or other in_axes"
                )
            taken.append((k, name, _moved(node, axis, 0)))
        if self.size < 0:
            raise _refusal(ShapeError, f, "no argument has a batch axis", "give at least one an axis in in_axes")
        self.batches = [node for _, _, node in taken]
        self.variables = make_inputs([name for _, name, _ in taken], [(x.shape[1:], x.dtype) for x in self.batches])
        for (k, _, _), variable in zip(taken, self.variables, strict=True):
            leaves[k] = variable
        self.args, self.named = unflatten(form, leaves)


def _refusal(kind: type[GraphError], f: Function, problem: str, advice: str) -> GraphError:
    return kind(problem, advice, stage="batching", subject=f"vmap({function_name(f)})")


def _axes(f: Function, what: str, prefix: Any, value: Any, name: str) -> list[tuple[int | None, str]]:
    """For each leaf of `value` its axis by a prefix of its containers, and its name."""
    if prefix is None or (isinstance(prefix, int) and not isinstance(prefix, bool)):
        return [(prefix, leaf) for leaf, _ in flatten_named(value, name)[0]]
    parts, form = _level(prefix)
    values, wanted = _level(value)
    if parts is None:
        problem = f"{what} holds {shown(prefix)} for {name}"
        raise _refusal(GraphError, f, problem, "give an int, None, or a container of these")
    if values is None or form != wanted:
        problem = f"{what} is {shown(prefix)} for {name}, of the form {flatten(value)[1]!r}"
        raise _refusal(GraphError, f, problem, f"give an int, None, or a container like {name}")
    found = []
    for key, part, child in zip(wanted[1] or range(len(values)), parts, values, strict=True):
        step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
        found += _axes(f, what, part, child, name + step)
    return found


def _level(tree: Any) -> tuple[list[Any] | None, tuple[Any, ...]]:
    """The parts of the outermost container, and what kind it is; None where `tree` is a leaf."""
    form = flatten(tree)[1]
    if form.kind is None:
        return None, ()
    if form.kind in (tuple, list) or isinstance(tree, tuple):
        parts = list(tree)
    elif isinstance(tree, dict):
        parts = [tree[key] for key in form.keys]
    else:
        parts = [] if tree is None else [getattr(tree, str(key)) for key in form.keys]
    return parts, (form.kind, form.keys, len(parts))


def _axis(f: Function, what: str, axis: int, ndim: int, name: str, node: Node) -> int:
    if not -ndim <= axis < ndim:
        problem = f"{what} names axis {axis} of {name!r}, which is {node.type_text}"
        advice = f"give {-ndim} to {ndim - 1}" if ndim else "give None: a scalar has no axis"
        raise _refusal(ShapeError, f, problem, advice)
    return axis % ndim


def _moved(x: Node, source: int, to: int) -> Node:
    """`x` with one axis moved."""
    order = [axis for axis in range(len(x.shape)) if axis != source]
    order.insert(to, source)
    return x if order == sorted(order) else make(TRANSPOSE, (x,), {"axes": tuple(order)})


def _placed(f: Function, node: Node, flag: bool, axis: int | None, size: int, name: str) -> Node:
    """A result with its batch axis where `out_axes` wants it."""
    if axis is None:
        if flag:
            problem = f"out_axes is None for {name}, which differs from example to example"
            raise _refusal(ShapeError, f, problem, "give it an axis, or return what does not depend on the batch")
        return node
    whole = as_node(in_batch(node, flag, size))
    return _moved(whole, 0, _axis(f, "out_axes", axis, len(whole.shape), name, whole))
