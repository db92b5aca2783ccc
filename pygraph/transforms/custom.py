"""`custom_derivative`: a function whose derivative the user gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..autodiff.given_derivatives import given, given_batch, linearly, transposed
from ..autodiff.masks import Derivative, Masked, settle, settled
from ..errors import DTypeError, GraphError, ShapeError, SignatureError, UnsupportedError
from ..graph.construction import as_node, constant, new_input, var
from ..graph.node import Node, Result
from ..graph.recording import recording, refuse_leaked
from ..graph.rewriting import substitute
from ..graph.source import SourceLine, type_text
from ..graph.trace import function_name, make_inputs, parameter_names, result_node, returned_text
from ..graph.trace_context import decided
from ..graph.traversal import walk
from ..graph.tree import TreeDef, flatten, flatten_named, unflatten
from ..graph.uniform import full
from ..ops.dtypes import is_float
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT
from ..runtime.functions.compiled_function import CompiledFunction
from .evaluation_point import Function, compiled, require_function

__all__ = ["custom_derivative"]

Vjp = Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]]


def custom_derivative(f: Function, jvp: Function | None = None, vjp: Vjp | None = None) -> CompiledFunction:
    """A function with the values of `f` and a derivative of your own: JAX's custom_jvp and custom_vjp in one.

    Args:
        f: any function of arrays, in nested containers, by position. It uses nothing of an enclosing trace.
        jvp: forward mode, as jvp(primals, tangents) -> (output, tangent of the output): tuples with an entry for each
            argument, and containers like the output's. It is linear in the tangents. The output is not used; tangents
            of what is not floating are None.
        vjp: reverse mode, as vjp(primals, cotangent) -> a tuple with a cotangent for each argument (None for zero); or
            a pair (forward, backward): forward(*primals) -> (output, residuals), of any form, and
            backward(residuals, cotangent) -> the same tuple.

    Where only `jvp` is given, reverse mode is its transpose. Where only `vjp` is given, forward mode raises. The rules
    are recorded once when the function is first traced with arguments of some types, to be checked, and wherever a
    derivative is taken; they may use this function itself. It works inside of all transformations and loops, and
    derivatives of derivatives are those of the rules. An Executable of it pickles where the rules do: by their names.

    Raises (SignatureError now, the others when the function is traced):
        SignatureError: neither rule is given, or one that is not callable.
        ShapeError, DTypeError, GraphError: a rule gives another shape, dtype or container than the output (`jvp`) or
            the arguments (`vjp`) have; UnsupportedError: `f` or a rule uses an expression that is not an argument, or
            forward mode is asked of a function that has only `vjp`.

    Example:
        >>> log1pexp = pg.custom_derivative(
        ...     lambda x: np.log(1 + np.exp(x)),
        ...     jvp=lambda primals, tangents: (log1pexp(*primals), tangents[0] * (1 - 1 / (1 + np.exp(primals[0])))),
        ... )
        >>> pg.grad(log1pexp)(100.0)
        np.float64(1.0)
    """
    require_function("custom_derivative", f)
    pair = vjp if isinstance(vjp, tuple) else (vjp,)
    if (
        (jvp is None and vjp is None)
        or not all(rule is None or callable(rule) for rule in (jvp, *pair))
        or len(pair) > 2
    ):
        problem = "it needs a jvp, a vjp or both, which are functions (vjp may be a pair of them)"
        raise SignatureError(
            problem, "give jvp=..., vjp=..., or vjp=(forward, backward)", stage="recording", subject=_title(f)
        )
    checked: set[_Rule] = set()

    def recorded(*args: Any, **named: Any) -> Any:
        primals = _by_position(f, args, named)
        leaves = [
            leaf
            for arg, name in zip(primals, parameter_names(f, len(primals)), strict=True)
            for leaf in flatten_named(arg, name)[0]
        ]
        forms = tuple(flatten(arg)[1] for arg in primals)
        actual = [as_node(leaf) for _, leaf in leaves]
        variables = make_inputs([name for name, _ in leaves], [(x.shape, x.dtype) for x in actual])
        with recording(variables):
            outputs, output_form = flatten(f(*_nested(forms, variables)))
            nodes = [result_node(x, function_name(f)) for x in outputs]
            refuse_leaked(nodes, function_name(f), inner=True)
        _closed(f, f, nodes, variables)
        values = substitute(nodes, dict(zip(variables, actual, strict=True)))
        if not actual or not values:
            return unflatten(output_form, values)
        rule = _Rule(f, jvp, vjp, forms, output_form, _types(actual), _types(values))
        if rule not in checked:
            checked.add(rule)
            try:
                rule.check()
            except BaseException:
                checked.discard(rule)
                raise
        return unflatten(output_form, given(rule, actual, values))

    return compiled(recorded, f, "custom", (custom_derivative, (f, jvp, vjp)), others=(jvp, *pair))


def _title(f: Function) -> str:
    return f"custom_derivative({function_name(f)})"


def _types(nodes: Sequence[Node]) -> tuple[Result, ...]:
    return tuple((x.shape, x.dtype) for x in nodes)


def _nested(forms: Sequence[TreeDef], leaves: Sequence[Any]) -> tuple[Any, ...]:
    remaining = iter(leaves)
    return tuple(unflatten(form, [next(remaining) for _ in range(form.n_leaves)]) for form in forms)


def _by_position(f: Function, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    if not named:
        return args
    try:
        bound = inspect.signature(f).bind(*args, **named)
    except TypeError as error:
        raise SignatureError(str(error), "give arguments that f takes", stage="calling", subject=_title(f)) from error
    if bound.kwargs:
        problem = f"argument {next(iter(bound.kwargs))!r} goes by keyword only"
        raise SignatureError(problem, "let f take it by position", stage="calling", subject=_title(f))
    return bound.args


def _line_of(function: Function) -> SourceLine | None:
    code = getattr(function, "__code__", None)
    return None if code is None else SourceLine(code.co_filename, code.co_firstlineno)


def _closed(f: Function, part: Function, nodes: Sequence[Node], variables: Sequence[Node]) -> None:
    """Raise where `nodes`, which `part` made, depend on other variables than these."""
    known = set(variables)
    for node in walk(nodes):
        if node.op is INPUT and node not in known:
            problem = f"{function_name(part)!r} uses {node.attrs['name']!r}, which is none of its arguments"
            advice = "pass it as an argument: a derivative with respect to it would be lost"
            raise UnsupportedError(problem, advice, stage="tracing", subject=_title(f), line=_line_of(part))


def _on_variables(
    part: Function, given: Sequence[Node | None], call: Callable[[Sequence[Node | None]], list[Node | None]]
) -> list[Node | None]:
    """`call(given)`, which calls the rule `part` of the user.

    The rule sees variables of its own in place of what is given (constants stay), as it might be called where the
    variables of what is given, those of a loop's body for one, are no longer or not yet to be used.
    """
    slots = [x if x is None or x.op is CONSTANT else new_input(f"v{i}", x.shape, x.dtype) for i, x in enumerate(given)]
    places = {slot: x for slot, x in zip(slots, given, strict=True) if slot is not None and x is not None}
    with recording(slot for slot, x in places.items() if slot is not x), decided():
        found = call(slots)
        refuse_leaked([x for x in found if x is not None], function_name(part), inner=True)
    replaced = iter(substitute([x for x in found if x is not None], places))
    return [None if x is None else next(replaced) for x in found]


@dataclass(frozen=True)
class _Rule:
    """The rules of one function for arguments of some types.

    Attributes:
        f, jvp_rule, vjp_rule: as given.
        forms: the container of each argument.
        output_form: that of the output.
        types, output_types: of their leaves.
    """

    f: Function
    jvp_rule: Function | None
    vjp_rule: Vjp | None
    forms: tuple[TreeDef, ...]
    output_form: TreeDef
    types: tuple[Result, ...]
    output_types: tuple[Result, ...]

    def __repr__(self) -> str:
        return _title(self.f)

    @property
    def roots(self) -> tuple[Any, ...]:
        """The functions that it calls."""
        return self.f, self.jvp_rule, *(self.vjp_rule if isinstance(self.vjp_rule, tuple) else (self.vjp_rule,))

    @property
    def floating(self) -> list[bool]:
        """Which leaves of the arguments carry a derivative."""
        return [is_float(dtype) for _, dtype in self.types]

    def check(self) -> None:
        """Record the rules on new variables."""
        primals = make_inputs([f"x{i}" for i in range(len(self.types))], self.types)
        if self.jvp_rule is not None:
            slots = [
                var(f"t{i}", *type_) if flag else None
                for i, (type_, flag) in enumerate(zip(self.types, self.floating, strict=True))
            ]
            found = self._jvp(primals, slots)
            self._closed(self.jvp_rule, found, [*primals, *slots])
        cts = [var(f"c{i}", *type_) if is_float(type_[1]) else None for i, type_ in enumerate(self.output_types)]
        if self.vjp_rule is None:
            self.vjp(primals, cts)  # whether jvp can be transposed
        else:
            last = self.vjp_rule[-1] if isinstance(self.vjp_rule, tuple) else self.vjp_rule
            self._closed(last, settle(self.vjp(primals, cts)), [*primals, *cts])

    def _closed(self, part: Function, found: Sequence[Node | None], variables: Sequence[Node | None]) -> None:
        _closed(self.f, part, [x for x in found if x is not None], [x for x in variables if x is not None])

    def jvp(self, primals: Sequence[Node], tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """The tangents of the outputs by the rule."""
        if any(isinstance(t, Masked) for t in tangents):
            return linearly(self, primals, tangents)
        return [*self._jvp(primals, settle(tangents))]

    def _jvp(self, primals: Sequence[Node], tangents: Sequence[Node | None]) -> list[Node | None]:
        if self.jvp_rule is None:
            problem = "forward mode is asked of a function that has only a vjp"
            advice = "give jvp=... too, or differentiate in reverse mode (pg.grad, pg.vjp, pg.jacrev)"
            raise UnsupportedError(
                problem, advice, stage="differentiating", subject=_title(self.f), line=_line_of(self.f)
            )
        filled = [
            None if not flag else full(0, x.shape, x.dtype) if t is None else t
            for x, t, flag in zip(primals, tangents, self.floating, strict=True)
        ]
        return _on_variables(self.jvp_rule, [*primals, *filled], self._pushed)

    def _pushed(self, given: Sequence[Node | None]) -> list[Node | None]:
        """What the jvp gives for primals and then their tangents."""
        assert self.jvp_rule is not None
        count = len(self.types)
        returned = self.jvp_rule(_nested(self.forms, given[:count]), _nested(self.forms, given[count:]))
        if not isinstance(returned, tuple) or len(returned) != 2:
            problem = f"the jvp returned {returned_text(returned)}, not a pair"
            raise self._error(GraphError, self.jvp_rule, problem, "return (output, tangent of the output)")
        self._fit(self.jvp_rule, "output of the jvp", returned[0], self.output_form, self.output_types, True)
        return self._fit(self.jvp_rule, "tangent", returned[1], self.output_form, self.output_types, False)

    def vjp(self, primals: Sequence[Node], cotangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """The cotangents of the arguments, by the rule or by the transpose of the other one."""
        if self.vjp_rule is None:
            found = transposed(self, primals, cotangents, self.floating)
            if found is None:
                assert self.jvp_rule is not None
                problem = "the jvp is not linear in its tangents, so reverse mode can't be derived from it"
                advice = "make it linear in them, or give vjp=... too"
                raise self._error(UnsupportedError, self.jvp_rule, problem, advice)
            return found
        seeds = [
            None if not is_float(dtype) else full(0, shape, dtype) if ct is None else settled(ct)
            for (shape, dtype), ct in zip(self.output_types, cotangents, strict=True)
        ]
        last = self.vjp_rule[-1] if isinstance(self.vjp_rule, tuple) else self.vjp_rule
        return [*_on_variables(last, [*primals, *seeds], self._pulled)]

    def _pulled(self, given: Sequence[Node | None]) -> list[Node | None]:
        """What the vjp gives for primals and then cotangents of the outputs."""
        assert self.vjp_rule is not None
        count = len(self.types)
        cotangent = unflatten(self.output_form, given[count:])
        arguments = _nested(self.forms, given[:count])
        if isinstance(self.vjp_rule, tuple):
            forward, backward = self.vjp_rule
            returned = forward(*arguments)
            if not isinstance(returned, tuple) or len(returned) != 2:
                problem = f"the forward rule returned {returned_text(returned)}, not a pair"
                raise self._error(GraphError, forward, problem, "return (output, residuals)")
            self._fit(forward, "output of the forward rule", returned[0], self.output_form, self.output_types, True)
            pulled = backward(returned[1], cotangent)
        else:
            backward = self.vjp_rule
            pulled = backward(arguments, cotangent)
        if not isinstance(pulled, (tuple, list)) or len(pulled) != len(self.forms):
            n = len(self.forms)
            problem = f"the vjp returned {flatten(pulled)[1]!r} for {n} argument{'s' if n != 1 else ''}"
            raise self._error(
                GraphError, backward, problem, "return a tuple with a cotangent, or None, for each argument"
            )
        shares: list[Node | None] = []
        for share, form in zip(pulled, self.forms, strict=True):
            types = self.types[len(shares) : len(shares) + form.n_leaves]
            if share is None:
                shares += [None] * form.n_leaves
            else:
                shares += self._fit(backward, "cotangent", share, form, types, False)
        return shares

    def batch(
        self, node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
    ) -> tuple[list[Node], list[bool]]:
        """The rule of the row for a batch."""
        return given_batch(self, node, operands, flags, size)

    def _fit(
        self, part: Function, what: str, found: Any, form: TreeDef, types: Sequence[Result], whole: bool
    ) -> list[Node | None]:
        """What a rule returned as nodes of these types; None at leaves that are not floating, unless `whole`."""
        leaves, given_form = flatten(found)
        wanted = [whole or is_float(dtype) for _, dtype in types]
        sparse = flatten(unflatten(form, [0 if flag else None for flag in wanted]))[1]
        if given_form not in (form, sparse):
            problem = f"the {what} has the form {given_form!r}, not {sparse!r}"
            raise self._error(ShapeError, part, problem, "return containers like those of the function itself")
        if given_form != form:
            remaining = iter(leaves)
            leaves = [next(remaining) if flag else None for flag in wanted]
        nodes: list[Node | None] = []
        for leaf, (shape, dtype), flag in zip(leaves, types, wanted, strict=True):
            if not flag:
                nodes.append(None)
                continue
            node = constant(leaf, dtype) if type(leaf) in (bool, int, float) else result_node(leaf, function_name(part))
            problem = f"the {what} is {node.type_text} where the function has {type_text(shape, dtype)}"
            if node.shape != shape:
                raise self._error(ShapeError, part, problem, f"return shape {shape} (np.sum, np.broadcast_to)")
            if node.dtype != dtype:
                raise self._error(DTypeError, part, problem, f"convert it with .astype({dtype.name!r})")
            nodes.append(node)
        return nodes

    def _error(self, kind: type[GraphError], part: Function, problem: str, advice: str) -> GraphError:
        """An error with the line where a rule begins."""
        return kind(problem, advice, stage="tracing", subject=_title(self.f), line=_line_of(part))
