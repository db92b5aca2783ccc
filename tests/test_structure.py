"""The structure of the package, read from its files: names, the order of imports, and the docstrings of packages."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import pytest

import pygraph

PACKAGE = Path(pygraph.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
#: A module imports from its own part of pygraph and from those before it. `""` is `pygraph/__init__.py`.
ORDER = (
    *("debug", "errors", "concurrency", "collector", "ops", "graph", "containers", "variable", "autodiff", "optimize"),
    *(
        "lower",
        "emit",
        "runtime",
        "control_flow",
        "random",
        "explain",
        "transforms",
        "c_export",
        "gradient_check",
        "interop",
    ),
    *("plot", "", "losses", "metrics", "optim", "nn", "train", "scipy", "sklearn", "examples", "docs"),
    "__main__",
)
PARTS = {
    "runtime": ("clib", "native", "compile", "call", "functions", ""),
    "emit": (
        *(
            "flags",
            "text_parts",
            "toolchain",
            "rendering",
            "loops",
            "instructions",
            "optional_outputs",
            "c_program",
            "prelude",
            "workspace",
        ),
        *(
            "native_source",
            "stack_bound",
            "export_unit",
            "export_table",
            "export_header",
            "export",
            "instruction_tables",
            "tables",
            "",
        ),
    ),
}
#: Differentiation, optimisation and lowering work on graphs, and not on one another's code.
APART = {("optimize", "autodiff"), ("lower", "autodiff"), ("lower", "optimize")}


def _modules() -> dict[str, Path]:
    """The modules of the package by their names without `pygraph.`; a package itself is there by its own name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _statements(tree: ast.AST, types: bool) -> Iterator[ast.AST]:
    """All statements below; with `types` also those of what is imported for types alone."""
    stack = [tree]
    while stack:
        for child in ast.iter_child_nodes(stack.pop()):
            if isinstance(child, ast.expr):
                continue
            guard = isinstance(child, ast.If) and isinstance(child.test, ast.Name) and "TYPE_CHECKING" in child.test.id
            if types or not guard:
                yield child
                stack.append(child)


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imported(module: str, path: Path, types: bool) -> Iterator[str]:
    """What a module imports from pygraph, at its beginning or later, as names without `pygraph.`."""
    parts = ["pygraph", *filter(None, module.split("."))]
    package = parts if path.name == "__init__.py" else parts[:-1]
    for node in _statements(_tree(path), types):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
            names = [f"{base if node.level else node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "pygraph":
                yield name.partition(".")[2]


@functools.cache
def _imports(types: bool = False) -> dict[str, set[str]]:
    """The modules that each module imports, with `types` also for types alone; not the packages that contain it."""
    modules = _modules()
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {name if name in modules else name.rpartition(".")[0] for name in _imported(module, path, types)}
        found[module] = (names & modules.keys()) - {module}
    return found


def _circles(imports: Mapping[str, Set[str]]) -> list[set[str]]:
    """The sets of modules that import one another, directly or through others."""
    reached: dict[str, set[str]] = {}
    for module in imports:
        stack, seen = [module], set[str]()
        while stack:
            for other in imports[stack.pop()] - seen:
                seen.add(other)
                stack.append(other)
        reached[module] = seen
    circles: list[set[str]] = []
    for module in sorted(imports):
        if module in reached[module] and not any(module in circle for circle in circles):
            circles.append({other for other in reached[module] if module in reached[other]})
    return circles


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.stem for path in PACKAGE.rglob("*.py") if path.stem not in ("__init__", "__main__"))
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_test_files_share_a_name() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name, count in names.items() if count > 1 and name not in ("__init__.py", "conftest.py")] == []


def test_packages_import_in_one_direction() -> None:
    wrong = []
    for module, others in _imports(types=True).items():
        for other in others:
            here, there = (name.split(".")[0] for name in (module, other))
            backward = ORDER.index(here) < ORDER.index(there)
            later = not module and other not in _imports()[module]  # a function that is loaded when it is first used
            if (backward and not later) or (here, there) in APART:
                wrong.append(f"{module} imports {other}")
    assert sorted(wrong) == []


@pytest.mark.parametrize("package", PARTS)
def test_the_parts_of_a_package_import_in_one_direction(package: str) -> None:
    wrong = []
    for module, others in _imports().items():
        for other in others:
            if module.split(".")[0] == other.split(".")[0] == package:
                here, there = ([*name.split("."), ""][1] for name in (module, other))
                if PARTS[package].index(here) < PARTS[package].index(there):
                    wrong.append(f"{module} imports {other}")
    assert sorted(wrong) == []


def test_no_modules_import_one_another() -> None:
    assert _circles(_imports()) == []


def test_graphs_are_read_in_the_order_of_imports() -> None:
    said = ast.get_docstring(ast.parse((PACKAGE / "graph/__init__.py").read_text(encoding="utf-8"))) or ""
    order = [f"graph.{name}" for name in re.findall(r"`(\w+)\.py`", said)]
    assert order
    wrong = [(name, order[i:]) for i, name in enumerate(order) if _imports()[name] & {*order[i:]}]
    assert wrong == []


def test_no_files_of_the_c_library_include_one_another() -> None:
    files = {path.name: path for path in (ROOT / "csrc").rglob("*.*") if path.suffix in (".c", ".h", ".inc")}
    includes = {
        name: {Path(found).name for found in re.findall(r'#include "(.+)"', path.read_text(encoding="utf-8"))}
        for name, path in files.items()
    }
    runs = ("run.c", "control.c", "scan.c", "loop.c", "call.c", "finite.c")
    assert [name for name in runs if "loader.h" in includes[name]] == []
    assert _circles({name: found & files.keys() for name, found in includes.items()}) == []


def test_circles_are_found() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d", "a"}}) == [{"b", "c"}, {"d"}]


@pytest.mark.parametrize("folder", sorted({path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}), ids=str)
def test_a_package_says_its_duty_its_reading_order_and_its_boundary(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert said is not None
    assert "Read" in said
    assert "Boundary:" in said
    assert len(said.splitlines()) <= 16
    for name in re.findall(r"`([\w/]+\.py)`", said):
        assert (folder / name).exists() or (folder.parent / name).exists(), name


def test_the_files_that_are_named_to_contributors_exist() -> None:
    known = {path.name for folder in (PACKAGE, ROOT / "csrc", ROOT / "tests") for path in folder.rglob("*.*")}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.(?:py|c|h|md))`", text)
    assert named
    assert [name for name in named if Path(name).name not in known and not (ROOT / name).exists()] == []
