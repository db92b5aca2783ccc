"""`MLPClassifier` and `MLPRegressor`: scikit-learn's estimators, of layers and optimisers that run in C."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.extmath import softmax
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

import pygraph as pg

from .perceptron import ACTIVATIONS, FallingRate, Layout, Stalling, Training, loss_of, network, step_of
from .targets import Array, choice, encoded, number, row_weights

__all__ = ["MLPClassifier", "MLPRegressor"]


def _is_stochastic(estimator: Any) -> bool:
    """Whether it can learn in parts; scikit-learn asks this before it offers `partial_fit`."""
    if estimator.solver == "lbfgs":
        problem = "partial_fit is for the solvers 'adam' and 'sgd', and lbfgs takes all data at once"
        raise AttributeError(problem)
    return True


class _Perceptron(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: parameters, training, and outputs."""

    classes_: Array
    best_loss_: float | None

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    @abstractmethod
    def _targets(self, X: Array, y: Array, sample_weight: Any, classes: Any, goes_on: bool) -> tuple[Array, Array, str]:
        """What the network is to return, the weights of the rows, and the kind of target; sets the classes."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from X of shape (n_rows, n_features), y, and weights of rows of shape (n_rows,); returns itself."""
        self._check_parameters()
        goes_on = bool(self.warm_start) and hasattr(self, "coefs_")
        X, y = self._validated(X, y, True)
        target, weights, kind = self._targets(X, y, sample_weight, None, goes_on)
        random = check_random_state(self.random_state)
        params = self._begun(X, target, kind, random, goes_on)
        held_out = None
        if self.early_stopping and self.solver != "lbfgs":
            parts = train_test_split(
                *(X, target, weights),
                test_size=self.validation_fraction,
                random_state=random,
                stratify=target if kind == "labels" or (kind == "bits" and target.shape[1] == 1) else None,
            )
            X, held_out_x, target, held_out_y, weights, _ = parts
            held_out = held_out_x, held_out_y
        if self.solver == "lbfgs":
            params = self._minimised(params, X, target, weights)
        else:
            params = self._trained(params, X, target, weights, held_out, random)
        self._keep(params)
        return self

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        """X as a matrix of float64 or float32, and y."""
        dtypes = (np.float64, np.float32)
        found: tuple[Array, Array] = validate_data(self, X, y, multi_output=True, dtype=dtypes, order="C", reset=reset)
        return found

    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> Any:
        self._check_parameters()
        if self.early_stopping:
            advice = "leave early_stopping out, or call fit"
            raise self._refused("early_stopping needs all rows at once, which partial_fit has not", advice)
        goes_on = hasattr(self, "coefs_")
        X, y = self._validated(X, y, not goes_on)
        target, weights, kind = self._targets(X, y, sample_weight, classes, goes_on)
        if not goes_on:
            self._random = check_random_state(self.random_state)
        params = self._begun(X, target, kind, self._random, goes_on)
        optimizer = self._optimizer(len(X))(self._rate(len(X)))
        if not goes_on:
            self._state = optimizer.init(params)
            self.loss_curve_, self.best_loss_, self.n_iter_, self.t_ = [], np.inf, 0, 0
        step, size, state = step_of(self._layout, optimizer), self._batch_size(len(X)), self._state
        order = self._random.permutation(len(X)) if self.shuffle else np.arange(len(X))
        total = 0.0
        for start in range(0, len(X), size):
            rows = order[start : start + size]
            params, state, value = step(params, state, X[rows], target[rows], weights[rows], self.alpha)
            total += float(value) * len(rows)
        self.loss_ = total / len(X)
        if not np.isfinite(self.loss_):
            problem, advice = (
                f"the loss became {self.loss_}",
                "scale the features, or give a smaller learning_rate_init",
            )
            raise pg.NonFiniteError(problem, advice, stage="fitting", subject=type(self).__name__)
        self._state = state
        self.loss_curve_.append(self.loss_)
        self.best_loss_ = self.loss_ if self.best_loss_ is None else min(self.best_loss_, self.loss_)
        self.n_iter_ += 1
        self.t_ += len(X)
        self._keep(params)
        return self

    def _begun(self, X: Array, target: Array, kind: str, random: Any, goes_on: bool) -> Any:
        """The parameters to start from: new ones, or those that are there. Sets what describes the network."""
        outputs = len(self.classes_) if kind == "labels" else target.shape[1]
        hidden = tuple(int(size) for size in np.atleast_1d(np.asarray(self.hidden_layer_sizes, int)))
        self._layout = Layout((X.shape[1], *hidden, outputs), self.activation, kind)
        self._dtype = X.dtype
        self.n_layers_, self.n_outputs_ = len(self._layout.sizes), outputs
        self.out_activation_ = {"labels": "softmax", "bits": "logistic", "values": "identity"}[kind]
        if goes_on:
            shapes = [coef.shape for coef in self.coefs_]
            if shapes != list(zip(self._layout.sizes, self._layout.sizes[1:], strict=False)):
                problem = f"the network that is there has weights of shapes {shapes}"
                raise self._refused(problem, "give data of as many features and outputs, or leave warm_start out")
            return self._params()
        key = pg.random.key(random.randint(np.iinfo(np.int32).max))
        return network(self._layout).init(key, dtype=X.dtype)[0]

    def _params(self) -> Any:
        """`coefs_` and `intercepts_` as the parameters of the network."""
        pairs = iter(zip(self.coefs_, self.intercepts_, strict=True))
        layers = network(self._layout).layers
        made: list[Any] = []
        for layer in layers:
            if not hasattr(layer, "init"):
                made.append(())
                continue
            weight, bias = next(pairs)
            made.append({"weight": weight.astype(self._dtype), "bias": bias.astype(self._dtype)})
        return tuple(made)

    def _keep(self, params: Any) -> None:
        self.coefs_ = [np.asarray(part["weight"]) for part in params if part]
        self.intercepts_ = [np.asarray(part["bias"]) for part in params if part]

    def _minimised(self, params: Any, X: Array, target: Array, weights: Array) -> Any:
        """The parameters by L-BFGS-B, from all rows at once."""
        found = pg.scipy.minimize(
            loss_of(self._layout),
            params,
            args=(X, target, weights, float(self.alpha)),
            method="L-BFGS-B",
            options={"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol},
        )
        if not found.success and found.nit >= self.max_iter:
            self._warn_of_max_iter()
        self.n_iter_ = int(found.nit)
        self.loss_ = self.best_loss_ = float(found.fun)
        return pg.tree_map(lambda x: x.astype(X.dtype), found.x)

    def _trained(self, params: Any, X: Array, target: Array, weights: Array, held_out: Any, random: Any) -> Any:
        """The parameters by steps on mini-batches."""
        count = len(X)
        rule = Stalling("loss" if held_out is None else "validation_score", self.tol, self.n_iter_no_change)
        training = Training(
            self._layout,
            self._optimizer(count),
            self._rate(count),
            self.solver == "sgd" and self.learning_rate == "adaptive",
            float(self.alpha),
            self._batch_size(count),
            bool(self.shuffle),
            int(random.randint(np.iinfo(np.int32).max)),
            bool(self.verbose),
            rule,
        )
        params = training.run(params, (X, target), weights, held_out, self.max_iter)
        self.loss_curve_ = training.losses
        self.loss_ = training.losses[-1]
        self.n_iter_ = len(training.losses)
        self.t_ = self.n_iter_ * count
        self._state, self._random = training.state, random
        if held_out is None:
            self.best_loss_ = min(training.losses)
            self.validation_scores_ = self.best_validation_score_ = None
        else:
            self.best_loss_ = None
            self.validation_scores_, self.best_validation_score_ = training.scores, -rule.best
            params = rule.best_params
        if not training.converged and self.n_iter_ >= self.max_iter:
            self._warn_of_max_iter()
        return params

    def _optimizer(self, count: int) -> Any:
        """The function from a learning rate to the optimiser."""
        if self.solver == "adam":
            return partial(pg.optim.adam, beta1=self.beta_1, beta2=self.beta_2, eps=self.epsilon)
        nesterov = bool(self.nesterovs_momentum) and self.momentum > 0
        return partial(pg.optim.sgd, momentum=self.momentum, nesterov=nesterov)

    def _rate(self, count: int) -> Any:
        if self.solver == "sgd" and self.learning_rate == "invscaling":
            steps = -(-count // self._batch_size(count))
            return FallingRate(self.learning_rate_init, self.power_t, count, steps)
        return float(self.learning_rate_init)

    def _batch_size(self, count: int) -> int:
        return min(200 if self.batch_size == "auto" else int(self.batch_size), count)

    def _outputs(self, X: Any) -> Array:
        """What the network returns for rows of X: values, or logits."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        found: Array = np.asarray(network(self._layout)(self._params(), X))
        return found

    def _check_parameters(self) -> None:
        sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes))
        if sizes.ndim != 1 or (sizes.size and (sizes.dtype.kind not in "iu" or np.any(sizes < 1))):
            advice = "give the sizes of the hidden layers, whole numbers of 1 or more"
            raise self._refused(f"hidden_layer_sizes={self.hidden_layer_sizes!r}", advice)
        choice(self, "activation", tuple(ACTIVATIONS))
        choice(self, "solver", ("lbfgs", "sgd", "adam"))
        choice(self, "learning_rate", ("constant", "invscaling", "adaptive"))
        if self.batch_size != "auto":
            number(self, "batch_size", 1, whole=True)
        for name in ("max_iter", "max_fun"):
            number(self, name, 1, whole=True)
        if self.n_iter_no_change != np.inf:
            number(self, "n_iter_no_change", 1, whole=True)
        for name in ("alpha", "tol", "power_t"):
            number(self, name, 0.0)
        for name in ("learning_rate_init", "epsilon"):
            number(self, name, 0.0, open_low=True)
        for name in ("momentum", "beta_1", "beta_2"):
            number(self, name, 0.0, np.nextafter(1.0, 0.0))
        number(self, "validation_fraction", 0.0, np.nextafter(1.0, 0.0), open_low=True)

    def _warn_of_max_iter(self) -> None:
        text = f"training reached max_iter={self.max_iter} and has not converged"
        warnings.warn(text, ConvergenceWarning, stacklevel=4)

    def _refused(self, problem: str, advice: str) -> pg.DomainError:
        return pg.DomainError(problem, advice, stage="fitting", subject=type(self).__name__)


class MLPClassifier(ClassifierMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that classifies, trained in C.

    Minimised is the mean log loss of the rows by their weights, of a softmax, or for two classes or several labels of a
    row of logistic functions, and ½ alpha ‖W‖² divided by the sum of the weights (of a batch). Parameters and
    attributes are those of scikit-learn's estimator of this name. float32 data are computed in float32.

    Args:
        hidden_layer_sizes: how many units each hidden layer has.
        activation: of hidden layers: "identity", "logistic", "tanh" or "relu".
        solver: "adam", "sgd" (both `pg.fit` with `pg.optim`), or "lbfgs" (SciPy's L-BFGS-B with all rows).
        alpha: the strength of the penalty.
        batch_size: rows of a step; "auto" for 200, or all where there are fewer.
        learning_rate: of "sgd": "constant", "invscaling" (divided by a power of the rows seen) or "adaptive"
            (divided by 5 each time that the training stalls).
        learning_rate_init, power_t: the rate of "adam" and "sgd", and that power.
        max_iter: the most epochs, or iterations of "lbfgs", which `max_fun` limits too.
        shuffle: whether the rows of an epoch come in random order.
        random_state: an int, a RandomState or None; with an int, a fit is the same to the last bit each time.
        tol, n_iter_no_change: training ends when the loss, or with `early_stopping` the validation score, has not
            improved by `tol` for more than so many epochs.
        verbose: whether a progress bar is shown.
        warm_start: whether `fit` goes on from the weights that are there.
        momentum, nesterovs_momentum: of "sgd"; beta_1, beta_2, epsilon: of "adam".
        early_stopping, validation_fraction: whether that share of the rows is held out, and the weights that had the
            best score on them are kept. Each row counts as one in that score.

    Attributes:
        classes_: shape (n_classes,); for several labels of a row, their numbers.
        coefs_, intercepts_: the weights, shape (inputs, outputs), and biases of each layer.
        loss_, best_loss_, loss_curve_: the last, the least and all losses of epochs.
        validation_scores_, best_validation_score_: with `early_stopping`; else None.
        n_iter_, t_, n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_: as scikit-learn's.

    Raises (fit):
        DomainError: a parameter out of its range, or labels of one class; NonFiniteError: a loss that is inf or nan;
        ValueError: X or y that scikit-learn refuses.

    Example:
        >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> model = pg.sklearn.MLPClassifier((4,), "tanh", solver="lbfgs", random_state=1)
        >>> model.fit(x, ["even", "odd", "odd", "even"]).predict(x).tolist()
        ['even', 'odd', 'odd', 'even']
    """

    def _targets(self, X: Array, y: Array, sample_weight: Any, classes: Any, goes_on: bool) -> tuple[Array, Array, str]:
        check_classification_targets(y)
        several = type_of_target(y, input_name="y").startswith("multilabel")
        if several:
            places, found = y.astype(X.dtype), np.arange(y.shape[1])
        else:
            y = column_or_1d(y, warn=True)
            found = np.unique(y) if classes is None else np.unique(classes)
            if goes_on or classes is not None:
                known = self.classes_ if goes_on else found
                if not np.all(np.isin(y, known)):
                    unknown = np.setdiff1d(y, known)
                    problem = f"y has labels that are not among the classes {known}: {unknown}"
                    raise self._refused(problem, "give all classes to the first call of partial_fit, or to a new fit")
                found, places = known, np.searchsorted(known, y)
            else:
                found, places = encoded(self, y)
        self.classes_ = found
        weights = row_weights(X, sample_weight, None, found, places)
        if several:
            return places, weights, "bits"
        if len(found) == 2:
            return places[:, None].astype(X.dtype), weights, "bits"
        return places.astype(np.int64), weights, "labels"

    @available_if(_is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> MLPClassifier:
        """Learn from some rows: one pass of steps over them, by "adam" or "sgd", whose state is kept between calls.

        Args:
            classes: all classes that there will be, at the first call.

        Raises:
            DomainError: the first call names no classes, or a label is none of them.
        """
        if classes is None and not hasattr(self, "coefs_") and np.ndim(y) < 2:
            raise self._refused("the first call of partial_fit names no classes", "give classes=np.unique(all labels)")
        if classes is not None and hasattr(self, "coefs_") and not np.array_equal(np.unique(classes), self.classes_):
            problem = f"classes={classes!r} is not the same as on the last call, {self.classes_!r}"
            raise self._refused(problem, "give the same classes, or leave them out")
        found: MLPClassifier = self._partial_fit(X, y, classes, sample_weight)
        return found

    @property
    def _several(self) -> bool:
        """Whether a row has several labels."""
        return self._layout.target == "bits" and self.n_outputs_ != 1

    def predict(self, X: Any) -> Array:
        """The most probable class of each row; of several labels of a row, a matrix of 0 and 1."""
        outputs = self._outputs(X)
        if self._several:
            return (outputs > 0).astype(int)
        places = (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else np.argmax(outputs, axis=1)
        found: Array = self.classes_[places]
        return found

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, shape (n_rows, n_classes)."""
        outputs = self._outputs(X)
        if self._several:
            found: Array = expit(outputs)
        elif outputs.shape[1] == 1:
            found = np.concatenate([expit(-outputs), expit(outputs)], axis=1)
        else:
            found = softmax(outputs)
        return found

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities."""
        outputs = self._outputs(X)
        if self._several:
            found: Array = -np.logaddexp(0.0, -outputs)
        elif outputs.shape[1] == 1:
            found = -np.logaddexp(0.0, np.concatenate([outputs, -outputs], axis=1))
        else:
            shifted = outputs - np.max(outputs, axis=1, keepdims=True)
            found = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron whose outputs are values, trained in C.

    Minimised is half the squared error, of all outputs together, as the mean of the rows by their weights, and the
    penalty of `MLPClassifier`, whose parameters and attributes these are.

    Raises (fit):
        DomainError: a parameter out of its range; NonFiniteError: a loss that is inf or nan; ValueError: X or y that
        scikit-learn refuses.

    Example:
        >>> x = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> model = pg.sklearn.MLPRegressor((10,), "tanh", solver="lbfgs", max_iter=500, random_state=0)
        >>> bool(model.fit(x, np.sin(3.0 * x[:, 0])).score(x, np.sin(3.0 * x[:, 0])) > 0.99)
        True
    """

    def _targets(self, X: Array, y: Array, sample_weight: Any, classes: Any, goes_on: bool) -> tuple[Array, Array, str]:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._is_vector = y.ndim == 1
        weights = row_weights(X, sample_weight, None, y, y)
        return np.ascontiguousarray(y.reshape(len(y), -1), X.dtype), weights, "values"

    @available_if(_is_stochastic)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Learn from some rows: one pass of steps over them, by "adam" or "sgd", whose state is kept between calls."""
        found: MLPRegressor = self._partial_fit(X, y, None, sample_weight)
        return found

    def predict(self, X: Any) -> Array:
        """The values, shape (n_rows,), or (n_rows, n_outputs) where y had that."""
        outputs = self._outputs(X)
        found: Array = outputs[:, 0] if self._is_vector else outputs
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
