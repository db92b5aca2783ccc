"""Estimators for scikit-learn that train with exact derivatives in C: a logistic regression, and perceptrons.

They have scikit-learn's parameters and attributes, pass its `check_estimator`, and work in its pipelines and searches.
scikit-learn is imported with the first estimator.

Read `targets.py` (labels, weights and checks that all share), `logistic_regression.py`, then `perceptron.py` and the
estimators made of it, `perceptron_estimators.py`.

Boundary: the public interface alone; no optimiser and no layer of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pygraph as pg

if TYPE_CHECKING:
    from .logistic_regression import LogisticRegression
    from .perceptron_estimators import MLPClassifier, MLPRegressor

__all__ = ["LogisticRegression", "MLPClassifier", "MLPRegressor"]

_MODULES = {
    "LogisticRegression": "logistic_regression",
    "MLPClassifier": "perceptron_estimators",
    "MLPRegressor": "perceptron_estimators",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        problem = "it is an estimator of scikit-learn, which can't be imported"
        advice = "install the extra: pip install 'pygraph-ad[sklearn]'"
        raise pg.UnsupportedError(problem, advice, stage="importing", subject=f"pg.sklearn.{name}") from error
    return globals().setdefault(name, getattr(import_module(f".{_MODULES[name]}", __name__), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
