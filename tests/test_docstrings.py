"""Every example in a docstring of the package runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate

_APART = ("pygraph.examples", "pygraph.__main__", "pygraph.docs.__main__")  # scripts: they have tests of their own


def _modules() -> list[str]:
    found = pkgutil.walk_packages(pg.__path__, "pygraph.")
    return sorted(module.name for module in found if not module.name.startswith(_APART) and "_core" not in module.name)


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of_a_module(name: str) -> None:
    module: ModuleType = importlib.import_module(name)
    names = {"pg": pg, "np": np, "evaluate": evaluate}
    for test in doctest.DocTestFinder().find(module, extraglobs=names):
        said: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(test, out=said.append)
        assert not runner.failures, "".join(said)
