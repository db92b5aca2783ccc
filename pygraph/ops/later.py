"""Functions of a package whose modules are imported when one of them is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ..concurrency import ensure_imported


class Later:
    """The functions of a package by their names.

    Attributes:
        modules: of each function, the module of the package that has it.
    """

    def __init__(self, package: str, modules: Mapping[str, str]) -> None:
        self._package = package
        self.modules = {name: module for module, names in modules.items() for name in names.split()}

    def find(self, name: str) -> Callable[..., Any]:
        """The function of that name; raises AttributeError where there is none."""
        if name not in self.modules:
            raise AttributeError(f"module {self._package!r} has no attribute {name!r}")
        module = f"{self._package}.{self.modules[name]}"
        ensure_imported(module)
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found
