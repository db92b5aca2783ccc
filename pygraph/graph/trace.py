"""From a Python function to a Graph: the function is called once on variables in place of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..collector import paused
from ..errors import DTypeError, GraphError, SignatureError, named, shown
from ..ops.common import explained, static_shape
from ..ops.dtypes import KINDS, as_dtype
from .arguments import as_argument
from .construction import as_node, new_input
from .graph import Graph
from .interning import interning
from .node import DType, Node, Result
from .recording import recording, refuse_leaked
from .source import here, type_text
from .trace_context import current, decided
from .translate import TRANSLATED, in_our_words
from .tree import flatten, flatten_named, unflatten
from .weak import WEAK_TYPES, weakened

__all__ = [
    "Spec",
    "function_name",
    "leaf_type",
    "parameter_names",
    "record",
    "require_functions",
    "returned_text",
    "spec",
    "trace",
]


class Spec:
    """The shape and dtype of an argument that has no value yet."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: DType) -> None:
        self.shape = shape
        self.dtype = dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"spec({type_text(self.shape, self.dtype)})"


@explained
def spec(shape: Any = (), dtype: Any = "float64") -> Spec:
    """The type of an argument, given to `trace` in place of an array.

    Raises:
        ShapeError, DTypeError: no such shape or dtype.

    Example:
        >>> pg.spec((100, 3), "float32")
        spec(float32[100, 3])
    """
    return Spec(static_shape(shape), as_dtype(dtype))


def leaf_type(leaf: Any, name: str) -> Result:
    """The shape and dtype of an argument's leaf: an array, a number, an expression or a `spec`.

    Raises:
        DTypeError: names the leaf that is none of these, or whose dtype is not supported.
    """
    number = WEAK_TYPES.get(type(leaf))
    if number is not None:
        return (), number
    if isinstance(leaf, np.matrix):
        raise DTypeError(f"argument {name} is a np.matrix", "give np.asarray(m), and multiply matrices with @")
    if isinstance(leaf, (Node, Spec, np.ndarray, np.generic)):
        dtype = leaf.dtype.newbyteorder("=")
        if dtype in KINDS:
            return tuple(leaf.shape), as_dtype(dtype)
        parts = f"graphs are real: give {name}.real and {name}.imag apart"
        advice = parts if dtype.kind == "c" else f"convert {name} with .astype, or leave it out"
        raise DTypeError(f"argument {name} is of dtype {dtype}, which is not supported", advice)
    advice = "give arrays, numbers, pg.spec(shape, dtype) or containers of these; close over all else"
    raise DTypeError(f"argument {name} is {named(leaf)}, which is not an array", advice)


def function_name(f: Callable[..., Any]) -> str:
    """The function's name for listings."""
    name = getattr(f, "__name__", None) or type(f).__name__
    return "lambda_" if name == "<lambda>" else str(name)


def returned_text(x: Any) -> str:
    """What a function returned, for an error that says that it should have been something else."""
    if isinstance(x, Node):
        return f"one expression of type {x.type_text}"
    return f"a tuple of {len(x)}" if type(x) is tuple else named(x)


def require_functions(op: str, advice: str, **given: Any) -> None:
    """Raise `SignatureError` for an argument of a function of functions that is not callable."""
    for title, f in given.items():
        if not callable(f):
            what = shown(f) if isinstance(f, (Node, int, float)) else named(f)
            operands = [f] if isinstance(f, (Node, np.ndarray)) else []
            problem = f"{title} is {what}, not a function"
            raise SignatureError(problem, advice, stage="tracing", subject=op, operands=operands)


def parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """Names for `count` positional arguments of `f`: those of its parameters, `args0`, `args1`, … for `*args`."""
    code = _plain_code(f)
    if code is not None:
        names = list(code.co_varnames[: min(code.co_argcount, count)])
        varargs = bool(code.co_flags & inspect.CO_VARARGS)
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if varargs else "args"
    else:
        try:
            parameters = list(inspect.signature(f).parameters.values())
        except (TypeError, ValueError):  # built-in functions without a signature
            parameters = []
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
        rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    return names + [f"{rest}{i}" for i in range(count - len(names))]


def _plain_code(f: Callable[..., Any]) -> CodeType | None:
    """The code that has the parameters of a function written in Python: `inspect.signature` takes ten times as long."""
    for _ in range(100):
        if type(f) is not FunctionType or "__signature__" in f.__dict__:
            return None
        if "__wrapped__" not in f.__dict__:
            return f.__code__
        f = f.__dict__["__wrapped__"]
    return None


def leaf_names(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    """A name for each leaf of `args`, after the parameter it belongs to: `params.w`, `params[0]`, `args0`."""
    return [
        name
        for parameter, arg in zip(parameter_names(f, len(args)), args, strict=True)
        for name, _ in flatten_named(arg, parameter)[0]
    ]


def trace(f: Callable[..., Any], *args: Any) -> Graph:
    """The graph of `f`, recorded by calling it once on variables shaped like `args`.

    Args:
        f: a function of arrays, made of operators, `pg.*` and `np.*`; nested containers as arguments and results.
        args: arrays, Python numbers, `pg.spec(shape, dtype)`, or containers of these; only their types are used. Python
            numbers are weak: beside an array they take its dtype, as everywhere in NumPy.

    Returns:
        A graph whose inputs are named after the parameters (`params.w`, `params[0]`, `args0`), with the containers of
        arguments and results as `input_tree` and `output_tree`. Inside another trace it may have `free` variables.

    Raises:
        DTypeError: an argument is of no supported type.
        TracedValueError: the function asks for the value of an expression.
        GraphError: it uses an expression that was kept from inside another function.

    Example:
        >>> pg.trace(lambda x, y: x * y, 1.0, 2.0)
        <graph lambda_: 2 inputs, 1 outputs, 3 nodes>
    """
    require_functions("trace", "write pg.trace(f, *args)", f=f)
    with paused(), decided():
        return record(f, args, getattr(f, "at_point", False))


def record(f: Callable[..., Any], args: Sequence[Any], at_point: bool = False) -> Graph:
    """The same, for a graph that is going to be compiled: it may hold transformations that are not written out.

    With `at_point`, `f` is a transformation that records a function of the user's before it does anything else.
    """
    name = function_name(f)
    try:
        if current().table is not None:
            return _traced(f, name, args, at_point)
        with interning():
            return _traced(f, name, args, at_point)
    except GraphError as error:
        error.complete("tracing", name)
        raise


def _traced(f: Callable[..., Any], name: str, args: Sequence[Any], at_point: bool) -> Graph:
    leaves, input_tree = flatten(args)
    leaves = [leaf if type(leaf) is Spec else as_argument(leaf) for leaf in leaves]
    names = leaf_names(f, args)
    inputs = make_inputs(names, [leaf_type(leaf, leaf_name) for leaf, leaf_name in zip(leaves, names, strict=True)])
    with recording(inputs) as recorded:
        try:
            given = unflatten(input_tree, weakened(inputs, leaves))
            recorded.unseen = at_point
            returned, output_tree = flatten(f(*given))
        except TRANSLATED as error:
            clearer = in_our_words(error, name, args)
            if clearer is None:
                raise
            raise clearer from error
        outputs = [result_node(x, name) for x in returned]
        graph = Graph.from_parts(inputs, outputs, output_tree, input_tree, name)
        refuse_leaked(outputs, name, nodes=graph.variables)
    return graph


def make_inputs(names: Sequence[str], types: Sequence[Result]) -> list[Node]:
    """One new variable for each name and type, with names made distinct."""
    taken: set[str] = set()
    inputs, line = [], here()
    for name, (shape, dtype) in zip(names, types, strict=True):
        while name in taken:
            name += "_"
        taken.add(name)
        inputs.append(new_input(name, shape, dtype, line))
    return inputs


def result_node(x: Any, function: str) -> Node:
    """A leaf of what a function returned, as a node."""
    if not isinstance(x, (Node, np.ndarray, np.generic, bool, int, float)):
        problem = f"the function returned {named(x)}"
        advice = "return expressions, arrays, numbers or containers of these"
        raise GraphError(problem, advice, stage="tracing", subject=function)
    return as_node(x)
