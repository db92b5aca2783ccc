"""An explanation as aligned equations in LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .explanation import Edge, Explanation

Array = npt.NDArray[Any]

#: Elements of a matrix that is written out.
_WRITTEN = 16
BREAK = r" \\ "


def chain_latex(explanation: Explanation) -> str:
    """The forward sweep, then the derivative by each node as the sum of its products."""
    lines = [*_forward(explanation), *_backward(explanation)]
    for step in explanation.steps:
        if step.inside is not None:
            lines += ["", rf"&\text{{inside of }} {step.latex[0]}\text{{: {_plain(step.inside.title)}}}"]
            lines += [*_forward(step.inside.explanation), *_backward(step.inside.explanation)]
    rows = [line for line in lines if line]
    return "\n".join([r"\begin{aligned}", *(line + BREAK.rstrip() for line in rows), r"\end{aligned}"])


def _plain(text: str) -> str:
    return text.replace("_", r"\_").replace("#", r"\#").replace("&", r"\&")


def value_latex(value: Array) -> str:
    """A number, a small matrix, or the size and norm of a large one."""
    if value.ndim == 0:
        return _number(value)
    if value.ndim <= 2 and 0 < value.size <= _WRITTEN:
        rows = value if value.ndim == 2 else value[np.newaxis]
        lines = [" & ".join(map(_number, row)) for row in rows]
        return rf"\begin{{bmatrix}} {BREAK.join(lines)} \end{{bmatrix}}"
    sizes = r" \times ".join(map(str, value.shape))
    return rf"\left({sizes},\ \lVert\cdot\rVert = {_number(np.linalg.norm(value.ravel().astype('float64')))}\right)"


def _number(value: Any) -> str:
    item = np.asarray(value).item()
    if isinstance(item, bool):
        return rf"\mathrm{{{item}}}"
    text = f"{item:.5g}"
    base, _, exponent = text.partition("e")
    if exponent:
        return rf"{base} \cdot 10^{{{int(exponent)}}}"
    return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")


def _factor(value: Array) -> str:
    text = value_latex(value)
    return rf"\left({text}\right)" if text.startswith("-") else text


def _forward(explanation: Explanation) -> list[str]:
    lines = []
    for step in explanation.steps:
        name, formula = step.latex
        middle = f"{formula} = " if formula and formula != name else ""
        line = f"{name} &= {middle}{value_latex(step.value)}"
        if explanation.mode == "forward":
            tangent = np.zeros(()) if step.tangent is None else step.tangent
            line += rf", & \mathrm{{d}}{name} &= {value_latex(tangent)}"
        lines.append(line)
    return lines


def _backward(explanation: Explanation) -> list[str]:
    by: dict[str, list[Edge]] = {}
    forward = explanation.mode == "forward"
    for edge in explanation.edges:
        by.setdefault(edge.node if forward else edge.operand, []).append(edge)
    lines = []
    for name, edges in by.items():
        rules = " + ".join(edge.latex[1] for edge in edges)
        numbers = " + ".join(_product(edge) for edge in edges)
        line = f"{explanation.derivatives[name][1]} &= {rules} = {numbers}"
        total = value_latex(explanation.totals[name])
        lines.append(line if numbers == total else f"{line} = {total}")
    return lines


def _product(edge: Edge) -> str:
    if edge.product.ndim == 0 and edge.local is not None and edge.local.ndim == 0:
        if edge.latex[0] in ("1", "1.0"):
            return value_latex(edge.product)
        return rf"{_factor(edge.upstream)} \cdot {_factor(edge.local)}"
    return value_latex(edge.product)
