"""scikit-learn's own checks of estimators: all of them, and by default those that fit little."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import pygraph as pg

ESTIMATORS = [pg.sklearn.LogisticRegression(), pg.sklearn.MLPClassifier(), pg.sklearn.MLPRegressor()]
QUICK = {
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_mixin_order",
    "check_estimator_repr",
    "check_get_params_invariance",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimators_empty_data_messages",
    "check_classifiers_regression_target",
    "check_parameters_default_constructible",
    "check_complex_data",
    "check_estimator_sparse_tag",
    "check_supervised_y_no_nan",
    "check_requires_y_none",
    "check_fit1d",
    "check_estimators_unfitted",
    "check_no_attributes_set_in_init",
    "check_estimator_sparse_array",
}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda found: type(found).__name__)
@pytest.mark.filterwarnings("ignore")
def test_quick_checks(estimator: Any) -> None:
    done = set()
    for given, check in estimator_checks_generator(estimator, legacy=True):
        if check.func.__name__ in QUICK:
            check(given)
            done.add(check.func.__name__)
    assert len(done) >= 16


@pytest.mark.deep
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS)
def test_all_checks(estimator: Any, check: Any) -> None:
    check(estimator)
