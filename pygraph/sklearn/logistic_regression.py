"""`LogisticRegression`: scikit-learn's estimator, fitted by SciPy's minimisers with exact derivatives in C."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import softmax
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

import pygraph as pg

from .targets import Array, choice, encoded, number, row_weights

__all__ = ["LogisticRegression"]


def _binary_loss(params: Any, x: Any, places: Any, weights: Any, strength: Any) -> Any:
    """The mean of log(1 + e^z) - y z, with z = x w + b, and the penalty."""
    scores = x @ params["coef"][0] + params.get("intercept", 0.0)
    return pg.losses.bce_with_logits(scores, places, weights=weights) + _penalty(params, strength)


def _multinomial_loss(params: Any, x: Any, places: Any, weights: Any, strength: Any) -> Any:
    """The mean of log Σ e^z - z_y, with z = x Wᵀ + b, and the penalty."""
    scores = x @ params["coef"].T + params.get("intercept", 0.0)
    return pg.losses.softmax_cross_entropy(scores, places, weights=weights) + _penalty(params, strength)


def _penalty(params: Any, strength: Any) -> Any:
    return 0.5 * strength * np.sum(params["coef"] ** 2)


#: The minimisers of SciPy by the names that scikit-learn has for such methods, with their name for the tolerance.
_SOLVERS = {
    "lbfgs": ("L-BFGS-B", "gtol", {"ftol": 64 * np.finfo(float).eps, "maxls": 50}),
    "newton-cg": ("Newton-CG", "xtol", {}),
    "newton-cholesky": ("trust-exact", "gtol", {}),
}


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classification by a linear function for each class, whose probabilities are its logistic function or softmax.

    Minimised is C Σ s_i ℓ_i + ½ ‖coef‖², ℓ being the log loss of a row and s its weight, as by scikit-learn's estimator
    of this name, to whose coefficients these are equal within the tolerance. With more than two classes the
    probabilities are a softmax (multinomial), and the intercepts sum to zero. All is computed in float64.

    Args:
        C: the inverse of the strength of the penalty; np.inf for none.
        tol: when the solver stops: the largest element of the gradient of the mean loss; for "newton-cg" the mean
            change of the coefficients.
        fit_intercept: whether there is a constant in each function; it is not penalised.
        class_weight: the weight of each class, as a dict, "balanced" (inverse to its number of rows), or None.
        solver: "lbfgs"; "newton-cg", with products with the exact Hessian; or "newton-cholesky", with factorisations
            of it, for few features.
        max_iter: the most iterations.
        warm_start: whether `fit` goes on from the coefficients that are there.

    Attributes:
        classes_: shape (n_classes,).
        coef_, intercept_: shapes (1, n_features) and (1,) for two classes, (n_classes, n_features) and (n_classes,) for
            more. Without `fit_intercept` the intercept is zero.
        n_iter_: shape (1,), the iterations of the solver.
        n_features_in_, feature_names_in_: of X, as scikit-learn has them.

    Raises (fit):
        DomainError: a parameter out of its range, or labels of one class; ValueError: X or y that scikit-learn refuses.

    Example:
        >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = pg.sklearn.LogisticRegression().fit(x, ["low", "low", "high", "high"])
        >>> model.predict([[0.2], [2.9]]).tolist()
        ['low', 'high']
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        class_weight: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        warm_start: bool = False,
    ) -> None:
        self.C = C
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Learn from X of shape (n_rows, n_features), labels y and weights of rows; returns itself."""
        number(self, "C", 0.0, open_low=True)
        number(self, "tol", 0.0, open_low=True)
        number(self, "max_iter", 1, whole=True)
        choice(self, "solver", tuple(_SOLVERS))
        X, y = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(y)
        classes, places = encoded(self, y)
        weights = row_weights(X, sample_weight, self.class_weight, classes, places)
        total = float(np.sum(weights))
        if not total > 0:
            advice = "give a positive weight to some rows"
            raise pg.DomainError("all weights are zero", advice, stage="fitting", subject="LogisticRegression")
        binary = len(classes) == 2
        method, tolerance, options = _SOLVERS[self.solver]
        found = pg.scipy.minimize(
            _binary_loss if binary else _multinomial_loss,
            self._start(1 if binary else len(classes), X.shape[1], classes),
            args=(X, places, weights, 1.0 / (self.C * total)),
            method=method,
            options={"maxiter": self.max_iter, tolerance: self.tol, **options},
        )
        if found.nit >= self.max_iter and not found.success:
            text = f"the solver reached max_iter={self.max_iter}: scale the features, or give more iterations"
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        self.classes_ = classes
        self.coef_ = found.x["coef"]
        self.intercept_ = found.x.get("intercept", np.zeros(len(self.coef_)))
        if not binary:  # a softmax does not change with a constant that is added to all scores
            self.intercept_ = self.intercept_ - np.mean(self.intercept_)
        self.n_iter_ = np.array([found.nit], np.int32)
        return self

    def _start(self, rows: int, features: int, classes: Array) -> dict[str, Array]:
        """Where the solver starts: zeros, or with a warm start what was learned, where it fits."""
        start: dict[str, Array] = {"coef": np.zeros((rows, features))}
        if self.fit_intercept:
            start["intercept"] = np.zeros(rows)
        if self.warm_start and hasattr(self, "coef_") and np.array_equal(self.classes_, classes):
            start["coef"] = self.coef_
            if self.fit_intercept:
                start["intercept"] = self.intercept_
        return start

    def decision_function(self, X: Any) -> Array:
        """The linear functions: shape (n_rows,) for two classes, that of the second one; else (n_rows, n_classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scores: Array = X @ self.coef_.T + self.intercept_
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        scores = self.decision_function(X)
        found: Array = self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else np.argmax(scores, axis=1)]
        return found

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, shape (n_rows, n_classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        found: Array = softmax(scores)
        return found

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        found: Array = pg.log_softmax(scores, axis=1)
        return found
