"""Formulas of expressions, as text and as LaTeX, from the notation in the rows of their operations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..graph.graph import Graph, bodies_of
from ..graph.node import Node, self_contained
from ..graph.trace import function_name
from ..ops.leaves import constant_row as CONSTANT, given_row as GIVEN, input_row as INPUT, output_row as OUTPUT

__all__ = ["ATOM", "Formula", "applied", "constant_formula", "formula_of", "latex_name", "named"]

#: How tightly an operator of Python binds; ATOM is what needs no parentheses anywhere.
_LEVELS = {
    "==": 0,
    "!=": 0,
    "<": 0,
    "<=": 0,
    ">": 0,
    ">=": 0,
    "+": 1,
    "-": 1,
    "*": 2,
    "/": 2,
    "//": 2,
    "%": 2,
    "@": 2,
    "·": 2,
}
_UNARY, _POWER, ATOM = 3, 4, 5
_OPERATORS = "|".join(map(re.escape, ["**", *_LEVELS]))
_INFIX = re.compile(rf"(?P<left>\S+) (?P<operator>{_OPERATORS}) (?P<right>\S+)")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)")
_FIELD = re.compile(r"\{(\d+)\}")

#: Operators in LaTeX, where they are not written as in Python.
_LATEX_OPERATORS = {
    "*": r" \cdot ",
    "@": r" \, ",
    "·": r" \cdot ",
    "==": " = ",
    "!=": r" \neq ",
    "<=": r" \leq ",
    ">=": r" \geq ",
    "%": r" \bmod ",
}
#: Functions that LaTeX has a command for, which NumPy calls by the same name.
_LATEX_FUNCTIONS = " sin cos tan sinh cosh tanh exp log min max arcsin arccos arctan "
_GREEK = (
    " alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega "
)
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_NUMBERED = re.compile(r"([A-Za-z]+|[^\W\d_]+)_?(\d+)")
#: What LaTeX reads as a command, as itself.
_ESCAPED = {"\\": r"\backslash ", "_": r"\_", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&"}


class Formula(NamedTuple):
    """A formula: as text, as LaTeX, and how tightly its outermost operator binds."""

    text: str
    latex: str
    level: int = ATOM

    def within(self, level: int) -> Formula:
        """The same as an operand of an operator that binds so tightly, in parentheses where it needs them."""
        return self if self.level >= level else Formula(f"({self.text})", rf"\left({self.latex}\right)")


def named(name: str, level: int = ATOM) -> Formula:
    """A variable."""
    return Formula(name, latex_name(name), level)


def latex_name(name: str) -> str:
    r"""A variable's name: `z1` is z_{1}, `sigma` is \sigma, `learning_rate` is upright."""
    base, number = name, ""
    plain = name.translate(_SUBSCRIPTS)
    if (match := _NUMBERED.fullmatch(plain)) is not None:
        base, number = match.groups()
    if f" {base} " in _GREEK:
        base = rf"\{base}"
    elif len(base) > 1:
        base = rf"\mathrm{{{''.join(_ESCAPED.get(character, character) for character in base)}}}"
    return f"{base}_{{{number}}}" if number else base


def constant_formula(value: Any) -> Formula:
    """A number, as Python writes it."""
    item = np.asarray(value).item()
    text = f"{item:.7g}" if isinstance(item, float) else str(item)
    latex = text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    if (match := re.fullmatch(r"(.+)e([+-]\d+)", latex)) is not None:
        latex = rf"{match[1]} \cdot 10^{{{int(match[2])}}}"
    return Formula(text, latex, _UNARY if text.startswith("-") else ATOM)


def applied(node: Node, operands: Sequence[Formula], dotted: bool = False) -> Formula:
    """The node's operation on operands that are written so; `dotted`: matrix products as in mathematics."""
    op = node.op
    if op is OUTPUT:
        (several,) = operands
        return Formula(f"{several.text}[{node.attrs['index']}]", f"{several.latex}_{{{node.attrs['index']}}}")
    notation = op.notation_for([x.shape for x in node.inputs], node.attrs)
    if notation:
        places = [f"{{{at}}}" for at in range(len(operands))]
        notation = notation.replace(" @ ", " · ") if dotted else notation
        return _written(notation.format(*places, **node.attrs), operands)
    return _called(node, operands)


def _written(notation: str, operands: Sequence[Formula]) -> Formula:
    """A notation whose fields are operands alone."""
    if (match := _INFIX.fullmatch(notation)) is not None:
        left, operator, right = match["left"], match["operator"], match["right"]
        if operator == "**":
            base, exponent = _filled(left, operands, ATOM), _filled(right, operands, _UNARY)
            raised = base if base.level == ATOM and len(base.text) < 4 else base.within(ATOM)
            return Formula(f"{base.text} ** {exponent.text}", f"{{{raised.latex}}}^{{{exponent.latex}}}", _POWER)
        level = _LEVELS[operator]
        commutes = operator in "+*"
        first, second = _filled(left, operands, level), _filled(right, operands, level if commutes else level + 1)
        text = f"{first.text} {operator} {second.text}"
        if operator == "/":
            plain = [_filled(side, operands, 0).latex for side in (left, right)]
            return Formula(text, rf"\frac{{{plain[0]}}}{{{plain[1]}}}", level)
        symbol = _LATEX_OPERATORS.get(operator, f" {operator} ")
        return Formula(text, f"{first.latex}{symbol}{second.latex}", level)
    if (call := _CALL.fullmatch(notation)) is not None:
        texts, latex = [x.text for x in operands], [x.latex for x in operands]
        # braces of LaTeX are no fields
        arguments = _FIELD.sub(lambda match: latex[int(match[1])], call["arguments"])
        return Formula(notation.format(*texts), rf"{_function(call['name'])}\left({arguments}\right)")
    if notation.startswith("-"):
        inner = _filled(notation[1:], operands, _UNARY)
        return Formula(f"-{inner.text}", f"-{inner.latex}", _UNARY)
    return _filled(notation, operands, ATOM)


def _filled(part: str, operands: Sequence[Formula], level: int) -> Formula:
    """A notation without an operator, such as `{0}`, `{0}ᵀ`, `{0}[1:3]` or a number."""
    match = _FIELD.match(part)
    if match is None:
        return Formula(part, part)
    rest = part[match.end() :]
    inner = operands[int(match[1])].within(ATOM if rest else level)
    if not rest:
        return inner
    latex = r"^{\top}" if rest == "ᵀ" else rf"_{{\left[{rest[1:-1]}\right]}}"
    return Formula(inner.text + rest, f"{{{inner.latex}}}{latex}")


def _called(node: Node, operands: Sequence[Formula]) -> Formula:
    """A function's name before its operands, and the attributes that are short."""
    op = node.op
    shown = list(operands)
    if op is GIVEN:
        shown = shown[: node.attrs["n_primals"]]
        f = getattr(node.attrs["rule"], "f", None)
        name = function_name(f) if callable(f) else "custom_derivative"
    else:
        name = op.title if op.title.isidentifier() else op.name
    bodies = bodies_of(node)
    arguments = [operand.text for operand in shown]
    if bodies:
        arguments = [body.name for body in bodies] + arguments
    elif op is not GIVEN:
        arguments += [f"{key}={_attribute(value)}" for key, value in node.attrs.items() if _is_short(value)]
    latex = [operand.latex for operand in shown]
    if bodies:
        latex = [latex_name(body.name) for body in bodies] + latex
    return Formula(f"{name}({', '.join(arguments)})", rf"{_function(name)}\left({', '.join(latex)}\right)")


def _function(name: str) -> str:
    """The name of a function in LaTeX."""
    if f" {name} " in _LATEX_FUNCTIONS:
        return rf"\{name}"
    return rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"


def _is_short(value: Any) -> bool:
    if value is None or value is False or isinstance(value, Graph):
        return False
    return isinstance(value, (int, float, str, np.dtype)) or (isinstance(value, tuple) and len(str(value)) <= 16)


def _attribute(value: Any) -> str:
    return str(value.name) if isinstance(value, np.dtype) else str(value)


def formula_of(node: Node, names: Mapping[Node, Formula], limit: int = 10_000, dotted: bool = False) -> Formula | None:
    """An expression with all that it consists of, down to the nodes that have names.

    Args:
        node: the expression.
        names: how some nodes are written.
        limit: None is returned for a text that is longer.
        dotted: see `applied`.
    """
    found: dict[Node, Formula] = dict(names)
    stack = [node]
    while stack:
        at = stack[-1]
        if at in found:
            stack.pop()
            continue
        if not at.inputs or self_contained(at):
            found[at] = leaf_formula(at)
            continue
        missing = [x for x in at.inputs if x not in found]
        if missing:
            stack += missing
            continue
        formula = applied(at, [found[x] for x in at.inputs], dotted)
        if len(formula.text) > limit:
            return None
        found[at] = formula
    return found[node]


def leaf_formula(node: Node) -> Formula:
    """A variable or a constant that nobody gave a name."""
    if node.op is INPUT:
        return named(str(node.attrs["name"]))
    if node.op is CONSTANT:
        value = node.attrs["value"].value
        if value.size == 1 and not value.shape:
            return constant_formula(value)
        sizes = list(value.shape)
        if value.size and value.size <= 1000 and (value == value.flat[0]).all():
            each = constant_formula(value.flat[0])
            return each if each.text in ("0", "1") else Formula(f"full({sizes}, {each.text})", each.latex)
        return Formula(f"constant{sizes}", rf"\mathrm{{constant}}_{{{sizes}}}")
    sizes = list(node.shape)
    return Formula(f"counts{sizes}", rf"\mathrm{{counts}}_{{{sizes}}}")
