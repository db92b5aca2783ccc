"""A function recorded at a point: what every transformation of functions starts from."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..autodiff import as_planned, transformed
from ..errors import DTypeError, GraphError, ShapeError, SignatureError, named, shown
from ..graph.construction import as_node, convert
from ..graph.node import Node
from ..graph.recording import recording, refuse_leaked, unseen_variables
from ..graph.rewriting import substitute
from ..graph.source import SourceLine, is_user_code
from ..graph.trace import function_name, make_inputs, parameter_names, result_node, returned_text
from ..graph.traversal import walk
from ..graph.tree import TreeDef, flatten, flatten_named, unflatten
from ..graph.uniform import full
from ..graph.weak import weakened
from ..ops.dtypes import is_float
from ..ops.leaves import input_row as INPUT
from ..runtime.functions.compiled_function import CompiledFunction
from ..runtime.native.backends import checked_backend

Function = Callable[..., Any]
#: See `Point.transformed`.
Rule = Callable[[Sequence[Node], Sequence[Node]], Sequence[Node]]


@dataclass(frozen=True)
class Point:
    """A function recorded on new variables in place of some arguments.

    Attributes:
        variables: in place of the leaves of the chosen arguments.
        actual: those leaves.
        forms: of the chosen arguments.
        outputs, output_tree: what is differentiated, in terms of the variables.
        aux, aux_tree: what else the function returned.
    """

    variables: list[Node]
    actual: list[Node]
    forms: tuple[TreeDef, ...]
    outputs: list[Node]
    output_tree: TreeDef
    aux: list[Node]
    aux_tree: TreeDef

    def transformed(self, rule: Rule, others: Sequence[Node] = ()) -> list[Node]:
        """What `rule(outputs, others)` makes of the outputs, at the actual arguments.

        It may be called later, with other outputs of the same values: see `autodiff.deferral`.
        """
        return self._at_actual(lambda found, given: rule(found[: len(self.outputs)], given), others)

    def value(self) -> Any:
        """The outputs at the actual arguments."""
        return unflatten(self.output_tree, self._at_actual(lambda found, _: found[: len(self.outputs)]))

    def aux_value(self) -> Any:
        """What else the function returned, at the actual arguments."""
        return unflatten(self.aux_tree, self._at_actual(lambda found, _: found[len(self.outputs) :]))

    def _at_actual(self, rule: Rule, others: Sequence[Node] = ()) -> list[Node]:
        """What `rule` makes of the outputs and the auxiliary leaves."""
        count = len(self.variables)

        def at(found: Sequence[Node], operands: Sequence[Node]) -> list[Node]:
            results, places = rule(found, operands[count:]), dict(zip(self.variables, operands[:count], strict=True))
            return list(results) if all(x is y for x, y in places.items()) else substitute(results, places)

        return transformed(at, (*self.outputs, *self.aux), self.variables, (*self.actual, *others))

    def nested(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """One value for each variable, in the containers of the chosen arguments."""
        remaining = iter(leaves)
        return tuple(unflatten(form, [next(remaining) for _ in range(form.n_leaves)]) for form in self.forms)


def record_point(
    transform: str, f: Function, positions: Sequence[int], args: Sequence[Any], named: dict[str, Any], has_aux: bool
) -> Point:
    """Record `f` on variables in place of `args[i]` for i in `positions`.

    Where these are variables of the transformation's own trace, unknown outside of it, they need no others in place.
    """
    unseen = unseen_variables()
    require_function(transform, f)
    names = parameter_names(f, len(args))
    leaves: list[tuple[str, Any]] = []
    forms = []
    for i in positions:
        parts, form = flatten_named(args[i], names[i])
        leaves += parts
        forms.append(form)
    actual = [as_node(leaf) for _, leaf in leaves]
    for (name, _), node in zip(leaves, actual, strict=True):
        if not is_float(node.dtype):
            raise refusal(
                DTypeError,
                transform,
                f,
                f"argument {name!r} is {node.type_text}, which has no derivative",
                "give it as a float (1.0, x.astype('float64')), or "
                + _LEFT_OUT.get(transform, "leave it out of argnums"),
            )
    if unseen is not None and len(set(actual)) == len(actual) and all(x.recording is unseen for x in actual):
        variables, own = actual, []
    else:
        variables = own = make_inputs([name for name, _ in leaves], [(node.shape, node.dtype) for node in actual])
    remaining = iter(weakened(variables, [leaf for _, leaf in leaves]))
    replaced = list(args)
    for i, form in zip(positions, forms, strict=True):
        replaced[i] = unflatten(form, [next(remaining) for _ in range(form.n_leaves)])
    name = function_name(f)
    with recording(own):
        returned, aux = f(*replaced, **named), None
        if has_aux:
            if not isinstance(returned, tuple) or len(returned) != 2:
                problem = f"has_aux=True, and the function returned {returned_text(returned)}, not a pair"
                raise refusal(GraphError, transform, f, problem, "return (output, aux)")
            returned, aux = returned
        leaves_out, tree = flatten((returned, aux))
        found = [result_node(leaf, name) for leaf in leaves_out]
        refuse_leaked(found, name, inner=True)
    found = as_planned(found, variables)
    if own and _apart(found, actual):
        found, variables = substitute(found, dict(zip(variables, actual, strict=True))), actual
    of_outputs, of_aux = tree.children
    count = of_outputs.n_leaves
    return Point(variables, actual, tuple(forms), found[:count], of_outputs, found[count:], of_aux)


def _apart(outputs: Sequence[Node], actual: Sequence[Node]) -> bool:
    """Whether `actual` are variables that the function has not read by itself, besides as its arguments.

    Then it may be differentiated by these themselves: its derivative needs no others in place.
    """
    variables = set(actual)
    if len(variables) < len(actual) or any(x.op is not INPUT for x in variables):
        return False
    return variables.isdisjoint(walk(outputs))


#: How an argument is left out of what is differentiated, where that is not said by argnums.
_LEFT_OUT = dict.fromkeys(("vjp", "linearize"), "close over it: lambda x: f(x, 2)") | dict.fromkeys(
    ("jvp", "hvp"), "close over it: lambda x: f(x, 2), with primals and tangents of the others"
)
#: How a transformation of a function is called, where it is not pg.name(f).
_USES = {
    "jvp": "jvp(f, (x,), (dx,))",
    "hvp": "hvp(f, (x,), (dx,))",
    "vjp": "vjp(f, x)",
    "linearize": "linearize(f, x)",
    "custom_derivative": "custom_derivative(f, jvp=...)",
}


def require_function(transform: str, f: Any) -> None:
    """Raise `SignatureError` where what is to be transformed is not a function."""
    if not callable(f):
        what = shown(f) if isinstance(f, (int, float, Node)) else named(f)
        advice = f"give a function: pg.{_USES.get(transform, f'{transform}(f)')}"
        raise SignatureError(f"it is given {what}, not a function", advice, stage="differentiating", subject=transform)


def refusal(kind: type[GraphError], transform: str, f: Function, problem: str, advice: str) -> GraphError:
    """An error of a transformation of `f`, with the line where `f` begins."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    line = SourceLine(code.co_filename, code.co_firstlineno) if code is not None and is_user_code(code) else None
    return kind(problem, advice, stage="differentiating", subject=f"{transform}({function_name(f)})", line=line)


def positions_of(transform: str, f: Function, argnums: int | Sequence[int], n: int) -> tuple[int, ...]:
    """`argnums` as positions among `n` arguments."""
    try:
        given = (operator.index(argnums),) if not isinstance(argnums, Sequence) else tuple(map(operator.index, argnums))
    except TypeError as error:
        problem = f"argnums={shown(argnums)} is neither a position nor a sequence of positions"
        raise refusal(SignatureError, transform, f, problem, "give an int, or a tuple of ints") from error
    for i in given:
        if not -n <= i < n:
            if not n:
                advice = f"call it with the arguments of {function_name(f)}"
                raise refusal(SignatureError, transform, f, "no argument is given by position", advice)
            problem = f"argnums={argnums!r}, with {n} argument{'s' if n != 1 else ''}"
            raise refusal(SignatureError, transform, f, problem, f"give 0 to {n - 1}" if n > 1 else "give 0")
    positions = tuple(i % n for i in given)
    if len(set(positions)) < len(positions):
        raise refusal(SignatureError, transform, f, f"argnums={argnums!r} names an argument twice", "name each once")
    return positions


def compiled(
    recorded: Function,
    f: Function,
    name: str,
    made: tuple[Function, tuple[Any, ...]],
    backend: str = "auto",
    others: tuple[Any, ...] = (),
    at_point: bool = False,
) -> CompiledFunction:
    """`recorded`, which works on expressions, as a compiled function that presents itself as `name` of `f`.

    `made` is the public function that made it and its arguments, by which it pickles. It is recorded again when what
    `f`, or one of the `others` that it uses, reads from outside has changed. With `at_point` it begins with
    `record_point`.
    """
    require_function(name, f)
    functools.update_wrapper(recorded, f, updated=())  # a compiled function keeps its own name in its attributes
    recorded.__name__ = recorded.__qualname__ = f"{name}_{function_name(f)}"
    if f.__doc__:
        recorded.__doc__ = f"{name} of {function_name(f)}, whose documentation is:\n\n{f.__doc__}"
    options: dict[str, Any] = {"threads": None, "check_finite": False}
    if backend != "auto":
        options["backend"] = checked_backend(backend, False)
    return CompiledFunction(recorded, options, shared=True, roots=(f, *others), made=made, at_point=at_point)


def filled(derivatives: Sequence[Node | None], like: Sequence[Node]) -> list[Node]:
    """Derivatives with zeros written out."""
    return [
        full(0, node.shape, node.dtype) if derivative is None else derivative
        for derivative, node in zip(derivatives, like, strict=True)
    ]


def fitting(
    transform: str, f: Function, what: str, given: Any, forms: Sequence[TreeDef], like: Sequence[Node]
) -> list[Node]:
    """Tangents or cotangents as nodes of the dtypes of `like`, after a check of containers and shapes."""
    leaves, form = flatten(given)
    if form.children != tuple(forms):
        wanted = TreeDef(tuple, (), tuple(forms))
        raise refusal(ShapeError, transform, f, f"{what}s of the form {form!r}", f"give the form {wanted!r}")
    nodes = []
    for leaf, node in zip(leaves, like, strict=True):
        found = as_node(leaf)
        if found.shape != node.shape:
            problem = f"a {what} of shape {found.shape} for a value of shape {node.shape}"
            raise refusal(ShapeError, transform, f, problem, f"give each {what} the shape of its value")
        nodes.append(convert(found, node.dtype))
    return nodes
