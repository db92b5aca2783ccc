"""SciPy's modules, imported when a solver is called, or the error that says how to get them."""

from __future__ import annotations

import importlib
from typing import Any

import pygraph as pg

__all__ = ["required"]


def required(module: str, subject: str) -> Any:
    """The module `scipy.<module>`.

    Raises:
        UnsupportedError: SciPy is not installed.
    """
    try:
        return importlib.import_module(f"scipy.{module}")
    except ImportError as error:
        problem = "it calls SciPy's solver, and SciPy can't be imported"
        advice = "install the extra: pip install 'pygraph-ad[scipy]'"
        raise pg.UnsupportedError(problem, advice, stage="calling", subject=f"pg.scipy.{subject}") from error
