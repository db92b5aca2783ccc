"""Updates of optimisers: on arrays and in a trace, dtypes, containers, pickles, edges, and what is refused."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg

KINDS = {
    "sgd": pg.optim.sgd(0.1, momentum=0.9, weight_decay=0.1),
    "adam": pg.optim.adam(0.1, amsgrad=True),
    "adamw": pg.optim.adamw(0.1),
    "rmsprop": pg.optim.rmsprop(0.1, momentum=0.5, centered=True),
    "adagrad": pg.optim.adagrad(0.1, initial_sum=0.5),
    "lion": pg.optim.lion(0.1, weight_decay=0.1),
}
EVERY = pytest.mark.parametrize("name", KINDS)
PARAMS = {"w": np.array([[1.0, -2.0], [0.5, 3.0]]), "b": np.array(0.25), "none": np.zeros((0, 2))}
GRADS = {"w": np.array([[0.3, 0.0], [-2.0, 1e-3]]), "b": np.array(-1.0), "none": np.zeros((0, 2))}


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Model:
    w: Any
    rest: Any


def same(x: Any, y: Any) -> None:
    assert pg.tree_names(x, "") == pg.tree_names(y, "")
    for a, b in zip(pg.tree_leaves(x), pg.tree_leaves(y), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)


@EVERY
def test_a_loop_of_ones_own_and_a_scan_have_the_same_bits(name: str) -> None:
    opt = KINDS[name]
    params, state = PARAMS, opt.init(PARAMS)
    for _ in range(3):
        params, state = opt.update(GRADS, state, params)

    def step(carry: Any, _: None) -> tuple[Any, None]:
        return opt.update(GRADS, carry[1], carry[0]), None

    same((params, state), pg.scan(step, (PARAMS, opt.init(PARAMS)), length=3)[0])
    assert state["step"] == 3
    assert state["step"].dtype == np.int64
    assert params["none"].shape == (0, 2)
    assert not np.array_equal(params["w"], PARAMS["w"])


@EVERY
def test_dtypes_and_containers_stay(name: str) -> None:
    opt = KINDS[name]
    params = Model(np.ones(3, np.float32), [Pair(np.ones((2, 1)), None), (np.float32(2.0), {})])
    spec = pg.tree_map(lambda x: pg.spec(np.shape(x), x.dtype), params)
    state = opt.init(params)
    graph = pg.trace(lambda g, s, p: pg.tree_leaves(opt.update(g, s, p)), params, state, spec)
    expected = pg.tree_leaves((params, state))
    assert [x.dtype for x in pg.tree_leaves(graph.outputs)] == [x.dtype for x in expected]
    assert [x.shape for x in pg.tree_leaves(graph.outputs)] == [x.shape for x in expected]
    assert all(x.dtype == np.float32 for x in pg.tree_leaves(state) if x.shape == (3,))


def test_the_container_is_that_of_the_parameters() -> None:
    params = Model(np.ones(3), [Pair(np.ones(2), None), {"a": np.float32(2.0)}])
    opt = pg.optim.adam()
    after, state = opt.update(params, opt.init(params), params)
    for tree in (after, state["mean"]):
        assert type(tree) is Model
        assert type(tree.rest[0]) is Pair
        assert tree.rest[0].second is None
        assert tree.rest[1]["a"].dtype == np.float32


def test_gradients_of_another_dtype_do_not_change_that_of_a_parameter() -> None:
    opt, p = KINDS["adam"], np.ones(3, np.float32)
    after, state = opt.update(np.ones(3), opt.init(p), p)
    assert after.dtype == state["mean"].dtype == np.float32


def test_arguments_stay_as_they_are_and_may_be_views() -> None:
    opt = KINDS["adam"]
    big = np.arange(12.0).reshape(3, 4)
    views, copies = big[::2, ::-1], big[::2, ::-1].copy()
    state = opt.init(views)
    kept = pg.tree_map(np.copy, state)
    after = opt.update(views, state, views)
    same(after, opt.update(copies, opt.init(copies), copies))
    same(state, kept)
    np.testing.assert_array_equal(big, np.arange(12.0).reshape(3, 4))


@EVERY
def test_objects_pickle_compare_and_can_be_read(name: str) -> None:
    opt = KINDS[name]
    assert pickle.loads(pickle.dumps(opt)) == opt
    assert hash(pickle.loads(pickle.dumps(opt))) == hash(opt)
    assert eval(repr(opt), vars(pg.optim).copy()) == opt
    assert repr(opt).startswith(f"{name}(learning_rate=0.1, ")
    assert not opt.needs_value
    with pytest.raises(AttributeError):
        opt.learning_rate = 0.2


def test_an_optimizer_is_an_argument_of_a_compiled_function() -> None:
    @pg.compile
    def moved(opt: Any, p: Any) -> Any:
        return opt.update(p, opt.init(p), p)[0]

    for opt in (pg.optim.sgd(0.5), pg.optim.sgd(0.25), pg.optim.chain(pg.optim.clip_by_value(0.5), pg.optim.sgd(1.0))):
        p = np.array([1.0, -4.0])
        np.testing.assert_array_equal(moved(opt, p), opt.update(p, opt.init(p), p)[0])


def test_numbers_of_python_are_parameters() -> None:
    opt = pg.optim.sgd(0.5)
    after, _ = opt.update({"w": 1.0}, opt.init({"w": 2.0}), {"w": 2.0})
    assert after["w"] == 1.5


def test_no_parameters_at_all() -> None:
    opt = KINDS["adam"]
    params, state = opt.update({}, opt.init({}), {})
    assert params == {}
    assert state["step"] == 1
    assert pg.optim.global_norm({}) == 0.0


def test_what_is_not_finite_stays_so() -> None:
    p = np.ones(4)
    g = np.array([np.nan, np.inf, 5e-324, 1.0])
    after, _ = KINDS["adam"].update(g, KINDS["adam"].init(p), p)
    assert np.isnan(after[0])
    assert np.isnan(after[1])
    assert np.isfinite(after[2:]).all()


def test_lion_is_that_of_the_paper() -> None:
    """Chen et al. 2023, algorithm 2, with their names."""
    rng = np.random.default_rng(0)
    eta, beta_1, beta_2, lamda = 0.03, 0.85, 0.95, 0.2
    theta, m = rng.normal(size=(3, 2)), np.zeros((3, 2))
    opt, params = pg.optim.lion(eta, beta1=beta_1, beta2=beta_2, weight_decay=lamda), theta
    state = opt.init(params)
    for _ in range(20):
        g = rng.normal(size=(3, 2)) + np.sin(theta)
        params, state = opt.update(g, state, params)
        update = beta_1 * m + (1 - beta_1) * g
        theta = theta - eta * (np.sign(update) + lamda * theta)
        m = beta_2 * m + (1 - beta_2) * g
        np.testing.assert_allclose(params, theta, rtol=1e-12)
        np.testing.assert_allclose(state["momentum"], m, rtol=1e-12, atol=1e-15)


def test_sgd_and_adam_in_float32_follow_float64() -> None:
    for opt in (pg.optim.sgd(0.1, momentum=0.9), pg.optim.adam(0.1)):
        found = []
        for dtype in (np.float32, np.float64):
            p = np.array([1.0, -2.0], dtype)
            state = opt.init(p)
            for _ in range(5):
                p, state = opt.update(2 * p, state, p)
            assert p.dtype == dtype
            found.append(p)
        np.testing.assert_allclose(*found, rtol=3e-6)


def test_derivatives_in_the_settings() -> None:
    p, g = np.array([1.0, 2.0]), np.array([0.5, -1.0])

    def moved(rate: Any, decay: Any, momentum: Any) -> Any:
        opt = pg.optim.sgd(rate, momentum=momentum, weight_decay=decay)
        params, state = opt.update(g, opt.init(p), p)
        return np.sum(opt.update(g, state, params)[0] ** 2)

    pg.check_grads(moved, (0.1, 0.2, 0.5), order=1)


def test_a_schedule_on_arrays_is_called_at_every_update() -> None:
    """With the number of the step, so that it may be any function."""
    steps = []

    def rate(step: Any) -> Any:
        steps.append(int(step))
        return 1.0 if step == 1 else 0.25

    opt, p = pg.optim.sgd(rate), np.zeros(1)
    state = opt.init(p)
    for expected in (-0.25, -1.25, -1.5):
        p, state = opt.update(np.ones(1), state, p)
        assert p == expected
    assert steps == [0, 1, 2]


def test_decaying_rates_of_adagrad() -> None:
    opt = pg.optim.adagrad(lambda step: 0.5 / (1.0 + 0.1 * step))
    p, total, state = np.array([1.0]), 0.0, opt.init(np.ones(1))
    expected = p.copy()
    for i in range(3):
        total = total + 4.0
        expected = expected - 0.5 / (1 + 0.1 * i) * 2.0 / (np.sqrt(total) + 1e-10)
        p, state = opt.update(np.array([2.0]), state, p)
        np.testing.assert_allclose(p, expected, rtol=1e-14)


P = np.ones(2)
REFUSED = [
    (lambda: pg.optim.adam(-1.0), pg.DomainError, r"making adam: learning_rate is -1.0.*finite number at least 0"),
    (lambda: pg.optim.adam(np.nan), pg.DomainError, "learning_rate is nan"),
    (lambda: pg.optim.adam("fast"), pg.SignatureError, "'fast', neither a number nor a schedule"),
    (lambda: pg.optim.adam(True), pg.SignatureError, "neither a number nor a schedule"),
    (lambda: pg.optim.adam(np.ones(2)), pg.SignatureError, "neither a number nor a schedule"),
    (lambda: pg.optim.adam(beta1=1.0), pg.DomainError, r"beta1 is 1.0.*at least 0 and below 1"),
    (lambda: pg.optim.adam(eps=None), pg.SignatureError, "eps is None, not a number"),
    (lambda: pg.optim.adam(amsgrad=1), pg.SignatureError, r"amsgrad is 1.*True or False"),
    (lambda: pg.optim.sgd(nesterov=True), pg.DomainError, "nesterov without a momentum"),
    (lambda: pg.optim.lion(weight_decay=np.inf), pg.DomainError, "weight_decay is inf"),
    (lambda: pg.optim.adam().init({"ids": np.arange(3)}), pg.DTypeError, r"params\.ids is no parameter: .* int64"),
    (lambda: pg.optim.adam().init([P, True]), pg.DTypeError, r"params\[1\] is no parameter: .* bool"),
    (lambda: pg.optim.sgd().update({"a": P}, {}, {"a": P}), pg.GraphError, r"the state has \[\], .*\['step'\]"),
    (lambda: pg.optim.sgd().update(P, (), P), pg.GraphError, "the state is of type tuple"),
    (lambda: pg.optim.sgd().update(P, {"step": 0.5}, P), pg.GraphError, "is an int64 scalar"),
    (lambda: update([P], [P, P]), pg.GraphError, r"have other leaves: grads\[1\] is not there"),
    (lambda: update({"a": P, "b": P}, {"a": P}), pg.GraphError, r"params\.b is not there"),
    (lambda: update(np.ones(3), P), pg.ShapeError, r"grads has shape \(3,\), and its parameter \(2,\)"),
    (lambda: update({"a": np.ones((2, 1))}, {"a": P}), pg.ShapeError, r"grads\.a has shape \(2, 1\)"),
    (lambda: update(np.ones(2, int), P), pg.DTypeError, "grads is not floating, but int64"),
    (lambda: update(P, P, pg.optim.sgd(lambda step: P)), pg.ShapeError, r"returned shape \(2,\)"),
    (lambda: update(P, P, pg.optim.sgd(lambda step: step > 1)), pg.DTypeError, "returned bool"),
    (lambda: update(P, P, pg.optim.adam(), np.ones(3)), pg.ShapeError, r"state\['mean'\] has shape \(3,\)"),
]


def update(grads: Any, params: Any, opt: Any = None, other: Any = None) -> Any:
    opt = pg.optim.sgd() if opt is None else opt
    return opt.update(grads, opt.init(params if other is None else other), params)


@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_mistakes(case: int) -> None:
    call, kind, text = REFUSED[case]
    with pytest.raises(kind, match=f"(?s){text}"):
        call()


def test_a_mistake_is_in_the_line_that_makes_the_optimizer() -> None:
    with pytest.raises(pg.DomainError) as caught:
        pg.optim.adam(-1.0)
    assert caught.value.line is not None
    assert caught.value.line.code == "pg.optim.adam(-1.0)"


def test_many_rates_at_once() -> None:
    def end(rate: Any) -> Any:
        opt, start = pg.optim.chain(pg.optim.clip_by_norm(1.0), pg.optim.adam(rate)), np.ones(2)

        def step(carry: Any, _: None) -> tuple[Any, None]:
            return opt.update(2 * carry[0], carry[1], carry[0]), None

        return pg.scan(step, (start, opt.init(start)), length=5)[0][0]

    rates = np.array([1e-3, 0.1])
    np.testing.assert_allclose(pg.vmap(end)(rates), [end(rate) for rate in rates], rtol=1e-12)
