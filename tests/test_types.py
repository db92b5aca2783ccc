"""What the type checker proves of rules: a wrong one is found when it is written, not when it is first used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")
HEAD = """
from collections.abc import Sequence
import numpy as np
from pygraph.ops.common import pointwise
from pygraph.ops.expr import Expr, Mask
from pygraph.ops.row import Choice, Family, Op, lookup
sin, select, reshape, less = (lookup(name) for name in ("sin", "select", "reshape", "less"))
DOMAIN = ((0.0, 1.0),)
"""
RIGHT = """
def transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    return reshape(2.0 * cotangent - cotangent[0] / node.inputs[0], shape=node.inputs[i].shape)
def mask(node: Expr, masks: Sequence[Mask]) -> Mask:
    return masks[0] if isinstance(masks[0], bool) else reshape(masks[0], shape=node.shape)
def jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    first = tangents[0]
    assert first is not None
    return first * sin(node)
def vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    return [cotangent * node.inputs[0], None]
def batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    return reshape(xs[0], shape=(size, *node.shape))
Op("a", Family.LINEAR, 1, "", transpose=transpose, mask=mask, batch=batch)
Op("b", Family.CUSTOM, 2, "", jvp=jvp, vjp=vjp, batch=batch)
pointwise("c", "", "a", np.sin, lambda out, x: Choice(less(x, 0.0), -out), domain=DOMAIN, price=3)
"""
#: Wrong rules, and what is said of each.
WRONG = {
    "pointwise('d', '', 'a', np.sin, lambda out, x: out.shaep, domain=DOMAIN)": '"Expr" has no attribute "shaep"',
    "pointwise('d', '', 'a', np.sin, lambda out, x: x + 'a', domain=DOMAIN)": "Unsupported operand types for +",
    "pointwise('d', '', 'a', np.sin, lambda out, x: x @ None, domain=DOMAIN)": "Unsupported left operand type for @",
    "pointwise('d', '', 'a', np.sin, lambda out, x: x.dtype, domain=DOMAIN)": "Incompatible return value type",
    "pointwise('d', '', 'a', np.sin, lambda out, x: x.shape[0.5], domain=DOMAIN)": "No overload variant",
    "pointwise('d', '', 'a', np.sin, lambda x: x, domain=DOMAIN)": "Cannot infer type of lambda",
    "pointwise('d', '', 'a', np.sin, lambda out, x: out, domain=DOMAIN, prize=3)": 'keyword argument "prize"',
    "Op('e', Family.LINEAR, 1, '', transpose=lambda cotangent, node: cotangent)": "Cannot infer type of lambda",
    "Op('e', Family.LINEAR, 1, '', transpose=lambda cotangent, node, i: node.inputs)": "Incompatible return value type",
    "Op('e', Family.LINEAR, 1, '', mask=lambda node, masks: masks[0].shape)": 'Item "bool" of',
    "Op('e', Family.CUSTOM, 1, '', batch=vjp)": 'Argument "batch" to "Op" has incompatible type',
    "Op('e', Family.CUSTOM, 1, '', jvp=transpose)": 'Argument "jvp" to "Op" has incompatible type',
    "def of_none(tangents: Sequence[Expr | None]) -> Expr: return tangents[0] * sin(1.0)": 'Item "None"|Unsupported',
    "def of_operands(node: Expr) -> Expr: return sin(node.inputs)": '"__call__" of "Op" has incompatible type "tuple',
    "def of_text(node: Expr) -> Expr: return sin('x')": '"__call__" of "Op" has incompatible type "str"',
    "def of_several(node: Expr) -> Expr: return sin.several(node)": "Incompatible return value type",
}


@pytest.mark.deep
def test_the_type_checker_finds_wrong_rules(tmp_path: Path) -> None:
    from mypy import api

    lines = (HEAD + RIGHT).splitlines()
    path = tmp_path / "rules.py"
    path.write_text("\n".join([*lines, *WRONG, ""]), encoding="utf-8")
    said, failed, _ = api.run(["--strict", "--cache-dir", str(tmp_path), "--no-error-summary", str(path)])
    assert not failed, failed
    found: dict[int, str] = {}
    for number, text in re.findall(r"rules\.py:(\d+): error: (.*)", said):
        found[int(number)] = found.get(int(number), "") + text
    for number, (rule, text) in enumerate(WRONG.items(), len(lines) + 1):
        assert any(part in found.get(number, "") for part in text.split("|")), f"{rule}\n{said}"
        del found[number]
    assert not found, f"right rules are refused: {said}"
