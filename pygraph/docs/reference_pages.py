"""The reference: a page for each part of the public interface, made from docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import pygraph as pg

from .. import ops
from ..graph import creation
from .docstring_markdown import markdown, signature_of

#: The parts of `pg` with functions of their own, and what each is about.
NAMESPACES = {
    "linalg": "Linear algebra",
    "stats": "Log-densities of distributions",
    "random": "Random numbers by keys",
    "nn": "Layers",
    "losses": "Losses",
    "metrics": "Metrics",
    "optim": "Optimisers and schedules",
    "train": "Training",
    "plot": "Pictures",
    "scipy": "Solvers of SciPy",
    "sklearn": "Estimators for scikit-learn",
    "interop": "PyTorch and JAX",
}


def reference_pages() -> dict[str, str]:
    """The text of each page by its file name."""
    functions = sorted(name for name in {*ops.NAMES, *creation.__all__} if name not in ("var", "trace"))
    errors = sorted(name for name in pg.__all__ if _is_error(getattr(pg, name)))
    rest = [*pg.__all__, "compile", "map", "Executable", "var", "trace"]
    own = sorted(set(rest) - set(functions) - set(errors), key=str.lower)
    pages = {
        "pygraph.md": _page("Graphs, transformations, control flow", "pg", own),
        "mathematics.md": _page(
            "Mathematics",
            "pg",
            functions,
            "Each is `pg.NAME`, NumPy's function of that name on an expression, and the method where arrays have it.",
        ),
        "errors.md": _page("Errors", "pg", errors),
    }
    for name, title in NAMESPACES.items():
        module = getattr(pg, name)
        about = markdown((module.__doc__ or "").partition("\n\nRead `")[0].partition("Boundary:")[0])
        pages[f"{name}.md"] = _page(title, f"pg.{name}", module.__all__, about, module)
    order = ["pygraph", "mathematics", *NAMESPACES, "errors"]
    pages["index.md"] = "# Reference\n\nMade from the docstrings; `help(pg.NAME)` says the same.\n\n" + (
        "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(order) + "\n```\n"
    )
    return pages


def _is_error(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, pg.GraphError)


def _page(title: str, prefix: str, names: Iterable[str], about: str = "", module: Any = pg) -> str:
    entries = [_entry(prefix, name, getattr(module, name)) for name in names]
    return "\n\n".join([f"# {title}", *filter(None, [about]), *entries]) + "\n"


def _entry(prefix: str, name: str, found: Any) -> str:
    kind = "class " if isinstance(found, type) and not _is_error(found) else ""
    text = markdown(inspect.getdoc(found) or "")
    parts = [f"## `{prefix}.{name}`"]
    if (callable(found) or isinstance(found, type)) and not _is_error(found):
        parts.append(f"```text\n{kind}{prefix}.{name}{signature_of(found)}\n```")
    parts.append(text)
    if kind and not issubclass(found, BaseException):
        parts += [_method(name, method, getattr(found, method)) for method in _methods(found)]
    return "\n\n".join(parts)


def _methods(found: type) -> list[str]:
    """The public methods and properties that a class itself documents."""
    return [
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, (property, classmethod, staticmethod)))
        and inspect.getdoc(getattr(found, name))
    ]


def _method(owner: str, name: str, found: Any) -> str:
    signature = signature_of(found) if callable(found) else ""
    return f"### `{owner}.{name}{signature}`\n\n{markdown(inspect.getdoc(found) or '')}"
