"""What is true of an operation is said in its row: no other file compares operations with names to tell it.

A file may name the operations that its rules are about, as the list below says, build nodes of any row, and bind a rule
to a row. What a row is like (a view, linear, cheap, a loop) it asks the row. Leaves are no operations, but what graphs
are made of.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import pygraph
from pygraph.ops.row import TABLE, Family, Op

PACKAGE = Path(pygraph.__file__).parent
CSRC = Path(__file__).resolve().parents[1] / "csrc"
ELEMENTS = "of which operands' elements a result's are made, where neither broadcasting nor moving says it"
ALGEBRA = "rewrites of these operations into others"
JAVASCRIPT = "what JavaScript has as well, which is called there"
BITS = "which numbers a draw makes of bits"

#: The files that name operations: which, and why.
NAMED = {
    "graph/filled.py": (
        "broadcast_to reshape slice transpose",
        "what makes each of these views of a written array again",
    ),
    "graph/loop.py": ("scan while_loop replay add", "takes the nodes of loops apart, and puts them together"),
    "autodiff/masks.py": ("logical_not reshape", "the algebra of masks"),
    "autodiff/reverse.py": ("slice", "cotangents of slices are put together before they are added"),
    "autodiff/scatter_sums.py": ("scatter_add unslice reshape", "a sum with scattered values adds them in place"),
    "autodiff/jacobians/lanes.py": ("concatenate matmul reshape slice take transpose unslice", ELEMENTS),
    "autodiff/jacobians/linear_tail.py": ("scatter_add", ELEMENTS),
    "autodiff/jacobians/scalarise.py": ("matmul take", ELEMENTS),
    "autodiff/jacobians/sparsity.py": ("matmul scatter_add scatter_set take", ELEMENTS),
    "lower/instruction_steps.py": (
        "branch matmul replay scan while_loop",
        "the instructions that operations are lowered to, where these are not of their kind",
    ),
    "random/continuous.py": ("normal_bits open_unit unit", BITS),
    "random/discrete.py": ("unit", BITS),
    "random/rearranging.py": ("unit", BITS),
    "optimize/rules_arith.py": (
        "absolute add broadcast_to convert divide logical_and logical_not logical_or logical_xor multiply negative "
        "power reshape select square stop_gradient subtract",
        ALGEBRA,
    ),
    "optimize/rules_count.py": ("add convert multiply reshape slice subtract take wrap_index", ALGEBRA),
    "optimize/rules_finite.py": ("add divide subtract", ALGEBRA),
    "optimize/rules_matmul.py": ("matmul reduce_sum transpose", ALGEBRA),
    "optimize/rules_shape.py": ("broadcast_to concatenate put reshape slice transpose unslice", ALGEBRA),
    "optimize/speculate.py": (
        "logical_and logical_not logical_or reduce_max reshape select transpose",
        "which rows selects look at, and what is known of masks there",
    ),
    "explain/page/c_functions.py": ("ceil exp floor log sin sinh sqrt tan tanh trunc", JAVASCRIPT),
    "explain/page/scalar_code.py": ("argmax argmin argsort sort", JAVASCRIPT),
}
#: Functions that build a node of the row that they get, or bind a rule to it.
BUILDERS = {"make", "make_typed", "_record", "over", "bitwise", "_row", "_operator", "bind_rules", "bind_batch"}
#: In C: the operations that long scalar code has bodies of its own for.
NAMED_IN_C = {"load_scalar.c": "add multiply negative square subtract"}


def _rows(nodes: Sequence[ast.AST], package: str) -> Mapping[str, Op | ModuleType]:
    """The rows, and modules of `pygraph.ops`, by the names under which a file imports them."""
    found: dict[str, Op | ModuleType] = {}
    for node in nodes:
        if not isinstance(node, ast.ImportFrom):
            continue
        base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], node.module or ""]).strip(".")
        origin = base if node.level else str(node.module)
        if not origin.startswith("pygraph"):
            continue
        for alias in node.names:
            value = getattr(import_module(origin), alias.name, None)
            if isinstance(value, (Op, ModuleType)):
                found[alias.asname or alias.name] = value
    return found


def _row_of(node: ast.AST, rows: Mapping[str, Op | ModuleType]) -> Op | None:
    """The row that an expression is, by its name, or as an attribute of a module."""
    found: object = None
    if isinstance(node, ast.Name):
        found = rows.get(node.id)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        module = rows.get(node.value.id)
        found = getattr(module, node.attr, None) if isinstance(module, ModuleType) else None
    return found if isinstance(found, Op) else None


def _name(node: ast.AST) -> str:
    """The last name of `a.b.c`; empty for other expressions."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_built(node: ast.AST, parent: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether a row is only called, handed to what builds a node of it, or asked for what it says."""
    above = parent[node]
    while isinstance(above, ast.IfExp) and node is not above.test:  # one of two rows is built
        node, above = above, parent[above]
    if isinstance(above, ast.Call):
        return node is above.func or (node in above.args and _name(above.func) in BUILDERS)
    if isinstance(above, ast.Subscript):
        return isinstance(above.ctx, ast.Store)
    return isinstance(above, ast.Attribute)


def _texts(node: ast.AST) -> Iterator[str]:
    """Names of operations that are compared, looked up, or listed alone."""
    if isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
        if not any(isinstance(x, ast.Attribute) and x.attr in ("name", "op") for x in parts):
            return
        found = [y for x in parts for y in ast.walk(x)]
    elif isinstance(node, (ast.Set, ast.Tuple, ast.List)):
        found = list(node.elts)
    elif isinstance(node, ast.Dict):
        found = [key for key in node.keys if key is not None]
    elif isinstance(node, ast.Call) and _name(node.func) == "lookup":
        found = list(node.args)
    elif isinstance(node, ast.Subscript) and _name(node.value) == "TABLE":
        found = [node.slice]
    else:
        return
    names = [x.value for x in found if isinstance(x, ast.Constant) and isinstance(x.value, str)]
    if isinstance(node, (ast.Compare, ast.Call, ast.Subscript)) or all(name in TABLE for name in names):
        yield from (name for name in names if name in TABLE)


def named(source: str, package: str = "pygraph") -> set[str]:
    """The operations that a file of a package names other than to build them."""
    nodes: list[ast.AST] = [ast.parse(source)]
    parent: dict[ast.AST, ast.AST] = {}
    for node in nodes:
        children = list(ast.iter_child_nodes(node))
        parent.update(dict.fromkeys(children, node))
        nodes += children
    rows = _rows(nodes, package)
    found = set()
    for node in nodes:
        if _is_exported(parent.get(node)):
            continue
        row = _row_of(node, rows)
        if row is not None and row.family is not Family.LEAF and not _is_built(node, parent):
            found.add(row.name)
        found.update(name for name in _texts(node) if TABLE[name].family is not Family.LEAF)
    return found


def _is_exported(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Assign) and _name(node.targets[0]) == "__all__"


def test_no_file_says_by_name_what_a_row_says() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if place.parts[0] != "ops":
            names = named(path.read_text(encoding="utf-8"), ".".join(["pygraph", *place.parts[:-1]]))
            if names:
                found[place.as_posix()] = names
    assert found == {place: set(names.split()) for place, (names, _) in NAMED.items()}


def test_the_files_that_name_operations_say_why() -> None:
    assert all(reason for _, reason in NAMED.values())


def test_c_asks_the_table_too() -> None:
    found = {}
    for path in sorted(CSRC.glob("*.[ch]")):
        names = set(re.findall(r"\bPG_[MR]OP_([a-z]\w*)", path.read_text(encoding="utf-8")))
        if names:
            found[path.name] = names
    assert found == {file: set(names.split()) for file, names in NAMED_IN_C.items()}


ROWS = "from pygraph.ops.arithmetic import add as ADD, multiply as MULTIPLY\nfrom pygraph.ops import shaping\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("node.op is ADD", "add"),
        ("node.op not in (ADD, MULTIPLY)", "add multiply"),
        ("CHEAP = {ADD: 1, MULTIPLY: 2}", "add multiply"),
        ("op = ADD", "add"),
        ("known(ADD)", "add"),
        ("x.op == shaping.reshape_row", "reshape"),
        ("node.op.name == 'add'", "add"),
        ("node.op.name in ('exp', 'log')", "exp log"),
        ("VIEWS = {'reshape', 'transpose'}", "reshape transpose"),
        ("node.op is lookup('take')", "take"),
        ("node.op is TABLE['take']", "take"),
        ("make(ADD if wide else MULTIPLY, (x, y))", ""),
        ("ADD(x, y) + shaping.reshape_row(x, shape=())", ""),
        ("RULES[ADD] = rule", ""),
        ("raise ShapeError(problem, subject=ADD.name)", ""),
        ("NUMPY = {'around': 'round', 'true_divide': 'divide'}", ""),
        ("__all__ = ['add', 'exp']", ""),
    ],
)
def test_what_counts_as_naming(text: str, names: str) -> None:
    assert named(ROWS + text) == set(names.split())


def test_leaves_may_be_named() -> None:
    assert named("from pygraph.ops.leaves import constant_row as CONSTANT\nnode.op is CONSTANT") == set()
