"""Functions of a package whose modules are imported when one of them is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import resolve_name
from typing import Any

from ..concurrency import ensure_imported


class Later:
    """The functions of a package by their names.

    Attributes:
        modules: of each function, the module that has it, by its name in the package, or relative to it (`..products`).
    """

    def __init__(self, package: str, modules: Mapping[str, str]) -> None:
        self._package = package
        self.modules = {name: module for module, names in modules.items() for name in names.split()}

    def find(self, name: str) -> Callable[..., Any]:
        """The function of that name; raises AttributeError where there is none."""
        if name not in self.modules:
            raise AttributeError(f"module {self._package!r} has no attribute {name!r}")
        module = resolve_name(f".{self.modules[name]}", self._package)
        ensure_imported(module)
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found
