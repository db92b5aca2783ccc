"""`pg.scipy.minimize`: SciPy's results from exact derivatives: all methods, containers, bounds and constraints."""

from __future__ import annotations

import pickle
import sys
from functools import wraps
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, rosen, rosen_der, rosen_hess, rosen_hess_prod

import pygraph as pg

START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
GRADIENTS = ("cg", "bfgs", "l-bfgs-b", "tnc", "slsqp")
PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov")
MATRICES = ("trust-exact", "trust-constr")


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def quadratic(x: Any, matrix: Any, vector: Any) -> Any:
    return 0.5 * x @ matrix @ x - vector @ x


class Point(NamedTuple):
    a: Any
    b: Any


@pytest.mark.parametrize("method", [*GRADIENTS, *PRODUCTS, *MATRICES])
def test_a_method_does_the_same_as_with_derivatives_by_hand(method: str) -> None:
    by_hand: dict[str, Any] = {"jac": rosen_der}
    if method in PRODUCTS:
        by_hand["hessp"] = rosen_hess_prod
    elif method in MATRICES:
        by_hand["hess"] = rosen_hess
    found = pg.scipy.minimize(rosenbrock, START, method=method)
    wanted = scipy.optimize.minimize(rosen, START, method=method, **by_hand)
    assert found.success
    assert abs(found.nfev - wanted.nfev) <= 2  # the last bits of a gradient are not the same
    assert {*found} == {*wanted}
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-5)
    np.testing.assert_allclose(found.x, 1, rtol=1e-3)


@pytest.mark.parametrize(
    "method", ["nelder-mead", "powell", *[pytest.param(name, marks=pytest.mark.deep) for name in ("cobyla", "cobyqa")]]
)
def test_a_method_without_derivatives_gets_the_values(method: str) -> None:
    start, options = START[:2], {"maxiter": 60}
    found = pg.scipy.minimize(rosenbrock, start, method=method, options=options)
    wanted = scipy.optimize.minimize(rosen, start, method=method, options=options)
    assert found.nfev == wanted.nfev
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-5)


def test_dogleg_on_a_convex_function() -> None:
    def convex(x: Any) -> Any:
        return np.sum(np.exp(x) - 2 * x) + np.sum(x**2)

    found = pg.scipy.minimize(convex, np.zeros(3), method="dogleg")
    wanted = scipy.optimize.minimize(
        lambda x: float(convex(x)),
        np.zeros(3),
        method="dogleg",
        jac=lambda x: np.exp(x) - 2 + 2 * x,
        hess=lambda x: np.diag(np.exp(x) + 2),
    )
    assert found.success
    assert found.nit == wanted.nit
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-8)


def test_exact_gradients_need_fewer_evaluations_than_differences() -> None:
    exact = pg.scipy.minimize(rosenbrock, START)
    differences = pg.scipy.minimize(rosenbrock, START, jac=False)
    plain = scipy.optimize.minimize(rosen, START)
    assert differences.nfev == plain.nfev
    assert exact.nfev * 4 < plain.nfev
    assert np.abs(exact.jac).max() < 1e-5


def test_the_value_and_the_gradient_are_computed_once_for_each_point() -> None:
    seen = []

    def watched(x: Any) -> Any:
        return np.sum(x**4) + pg.sin(x[0])

    both = pg.value_and_grad(watched)

    def pair(x: Any) -> Any:
        seen.append(1)
        return both(x)

    found = pg.scipy.minimize(pair, START, jac=True)
    assert len(seen) == 1  # a trace
    again = pg.scipy.minimize(watched, START)
    np.testing.assert_array_equal(found.x, again.x)
    executable = both.executable(START)
    assert found.nfev == again.nfev
    assert executable.stats.instructions > 0


def test_a_function_is_compiled_once_until_what_it_reads_changes() -> None:
    scale = {"by": 1.0}

    def f(x: Any, centre: Any, power: int) -> Any:
        return np.sum((x - centre) ** power) * scale["by"]

    def compiled() -> list[Any]:
        return [exe for _, flat in f.__dict__["__pygraph_scipy__"] for exe in flat.value_and_gradient.executables]

    for centre in (1.0, 2.0, 3.0):
        found = pg.scipy.minimize(f, np.zeros(2), args=(np.full(2, centre), 2))
        np.testing.assert_allclose(found.x, centre, rtol=1e-6)
    (first,) = compiled()
    pg.scipy.minimize(f, np.zeros(2), args=(np.full(2, 0.5), 4), options={"maxiter": 2})
    assert compiled()[0] is first
    assert len(compiled()) == 2  # an integer is known to the function
    scale["by"] = 0.25
    found = pg.scipy.minimize(f, np.zeros(2), args=(np.full(2, 2.0), 2), method="trust-exact")
    np.testing.assert_allclose(found.hess, 0.5 * np.eye(2))


@pytest.mark.parametrize("method", ["bfgs", pytest.param("trust-ncg", marks=pytest.mark.deep), "trust-constr"])
def test_containers(method: str) -> None:
    def f(p: Any) -> Any:
        return np.sum((p["w"] @ np.array([1.0, 2.0]) - p["bias"].b - 3) ** 2) + np.sum(p["w"] ** 2) + p["bias"].a ** 4

    seen = []
    start = {"w": np.zeros((3, 2), np.float32), "bias": Point(1, np.ones(3))}
    found = pg.scipy.minimize(f, start, method=method, callback=lambda x, *state: seen.append(x))
    assert found.success
    assert type(found.x["bias"]) is Point
    assert found.x["w"].shape == (3, 2)
    assert found.x["w"].dtype == np.float64
    gradient = found.grad if method == "trust-constr" else found.jac
    assert {key: np.shape(value) for key, value in gradient["bias"]._asdict().items()} == {"a": (), "b": (3,)}
    assert seen[-1]["w"].shape == (3, 2)
    assert np.max(np.abs(pg.ravel_pytree(gradient)[0])) < 1e-3
    order = pg.ravel_pytree(start)[0].size
    assert order == pg.ravel_pytree(found.x)[0].size == 10


def test_a_callback_of_the_intermediate_result_gets_containers() -> None:
    seen = []

    def callback(intermediate_result: Any) -> None:
        seen.append(intermediate_result.x["a"])
        if len(seen) == 2:
            raise StopIteration

    start = {"a": np.array([[3.0, -2.0]]), "b": 1.0}
    found = pg.scipy.minimize(lambda p: np.sum(np.cosh(p["a"])) + p["b"] ** 2, start, callback=callback, method="BFGS")
    assert found.status == 99
    assert [x.shape for x in seen] == [(1, 2)] * 2


@pytest.mark.parametrize("x0", [2.0, [2.0], (2,), np.array([2]), np.float32(2.0)])
def test_numbers_and_lists_of_numbers_are_arrays(x0: Any) -> None:
    found = pg.scipy.minimize(lambda x: (x - 1) ** 2, x0)
    wanted = scipy.optimize.minimize(lambda x: (x[0] - 1) ** 2, np.asarray(x0, float))
    assert found.x.shape == wanted.x.shape == (1,)
    np.testing.assert_allclose(found.x, 1)


def test_an_array_of_two_axes_keeps_its_shape() -> None:
    found = pg.scipy.minimize(lambda x: np.sum((x @ x.T - np.eye(2)) ** 2), [[1.0, 0.2, 0.1], [0.1, 2.0, 0.3]])
    assert found.x.shape == found.jac.shape == (2, 3)
    np.testing.assert_allclose(found.x @ found.x.T, np.eye(2), atol=1e-5)
    assert found.hess_inv.shape == (6, 6)


@pytest.mark.parametrize(
    "method", [None, "slsqp", *[pytest.param(name, marks=pytest.mark.deep) for name in ("tnc", "trust-constr")]]
)
def test_bounds(method: str | None) -> None:
    bounds = [(-2, 2), (None, 0.5), (0, None), (-1, 0.25), (0.1, 0.1)]
    found = pg.scipy.minimize(rosenbrock, START, bounds=bounds, method=method)
    wanted = scipy.optimize.minimize(rosen, START, jac=rosen_der, bounds=bounds, method="l-bfgs-b", tol=1e-10)
    np.testing.assert_allclose(found.x, wanted.x, atol=2e-3 if method else 1e-4)
    assert found.fun == pytest.approx(wanted.fun, rel=1e-4)


def test_bounds_of_a_container() -> None:
    def f(p: Any) -> Any:
        return np.sum((p["a"] - 5) ** 2) + (p["b"] + 5) ** 2

    start = {"a": np.zeros((2, 2)), "b": 0.0}
    lower, upper = {"a": 0.0, "b": -1.0}, {"a": np.array([1.0, 2.0]), "b": np.inf}
    for bounds in ((lower, upper), Bounds([0, 0, 0, 0, -1], [1, 2, 1, 2, np.inf]), [*[(0, 1), (0, 2)] * 2, (-1, None)]):
        found = pg.scipy.minimize(f, start, bounds=bounds)
        np.testing.assert_allclose(found.x["a"], [[1, 2], [1, 2]])
        assert found.x["b"] == -1
    found = pg.scipy.minimize(f, start, bounds=(-3, upper))
    assert found.x["b"] == -3
    with pytest.raises(pg.ShapeError, match="a bound does not have the form"):
        pg.scipy.minimize(f, start, bounds=({"a": 0.0}, upper))


def _tutorial(method: str, given: dict[str, Any], constraints: Any, module: Any, f: Any) -> Any:
    return module.minimize(
        f, [0.5, 0.0], method=method, constraints=constraints, bounds=Bounds([0, -0.5], [1, 2]), **given
    )


@pytest.mark.parametrize("method", ["slsqp", "trust-constr", pytest.param("cobyqa", marks=pytest.mark.deep)])
def test_constraints_as_in_the_tutorial_of_scipy(method: str) -> None:
    """Rosenbrock's function under quadratic and linear constraints: x = (0.4149, 0.1701) in SciPy's tutorial."""

    def quadratics(x: Any) -> Any:
        return np.stack([x[0] ** 2 + x[1], x[0] ** 2 - x[1]])

    linear = LinearConstraint([[1, 2], [2, 1]], [-np.inf, 1], [1, 1])
    exact = [linear, NonlinearConstraint(quadratics, -np.inf, 1)]
    old = [
        {"type": "ineq", "fun": lambda x, one: one - quadratics(x), "args": (1.0,)},
        {"type": "ineq", "fun": lambda x: 1 - x[0] - 2 * x[1]},
        {"type": "eq", "fun": lambda x: 2 * x[0] + x[1] - 1},
    ]
    for constraints in {"slsqp": (old,), "trust-constr": (exact, old), "cobyqa": (exact,)}[method]:
        found = _tutorial(method, {}, constraints, pg.scipy, rosenbrock)
        np.testing.assert_allclose(found.x, [0.41494531, 0.17010937], atol=1e-4)
    if method == "slsqp":
        wanted = _tutorial(method, {"jac": rosen_der}, old, scipy.optimize, rosen)
        assert found.nfev == wanted.nfev


@pytest.mark.deep
def test_exact_hessians_of_constraints_take_fewer_steps_than_updates() -> None:
    def volume(x: Any) -> Any:
        return np.exp(x[0]) * x[1] ** 2 * x[2]

    def surface(x: Any) -> Any:
        return np.sum(x**2) + np.sum(x**4) - x[0] * x[2]

    limit = NonlinearConstraint(volume, 3.0, 3.0)
    found = pg.scipy.minimize(surface, np.ones(3), method="trust-constr", constraints=limit)
    updated = NonlinearConstraint(volume, 3.0, 3.0, hess=scipy.optimize.SR1())
    other = pg.scipy.minimize(
        surface, np.ones(3), method="trust-constr", constraints=updated, hess=scipy.optimize.SR1()
    )
    assert found.nit < other.nit
    np.testing.assert_allclose(found.x, other.x, atol=1e-5)
    assert volume(found.x) == pytest.approx(3.0, abs=1e-8)
    given = NonlinearConstraint(volume, 3.0, 3.0, jac=pg.grad(volume), hess=lambda x, v: v[0] * pg.hessian(volume)(x))
    again = pg.scipy.minimize(surface, np.ones(3), method="trust-constr", constraints=given)
    assert again.nit == found.nit


def test_constraints_of_containers() -> None:
    def f(p: Any) -> Any:
        return np.sum(p["x"] ** 2) + p["y"] ** 2

    constraint = {"type": "eq", "fun": lambda p: {"sum": np.sum(p["x"]) - 1, "y": p["y"] - p["x"][0]}}
    found = pg.scipy.minimize(f, {"x": np.zeros(2), "y": 2.0}, constraints=constraint)
    np.testing.assert_allclose([*found.x["x"], found.x["y"]], [1 / 3, 2 / 3, 1 / 3], atol=1e-6)


def test_given_derivatives_are_used() -> None:
    calls: list[str] = []

    def jac(x: Any, matrix: Any, vector: Any) -> Any:
        calls.append("jac")
        return matrix @ x - vector

    def hess(x: Any, matrix: Any, vector: Any) -> Any:
        calls.append("hess")
        return matrix

    def hessp(x: Any, p: Any, matrix: Any, vector: Any) -> Any:
        calls.append("hessp")
        return matrix @ p

    matrix, vector = np.diag([1.0, 2.0, 3.0]), np.ones(3)
    args = (matrix, vector)
    for method, given in (
        ("bfgs", {"jac": jac}),
        ("trust-exact", {"hess": hess}),
        ("trust-ncg", {"hessp": hessp}),
        ("trust-constr", {"jac": jac, "hess": hess}),
        ("trust-constr", {"hess": "2-point"}),
        ("trust-constr", {"jac": "3-point", "hess": scipy.optimize.BFGS()}),
        ("newton-cg", {"jac": jac}),
    ):
        calls.clear()
        found = pg.scipy.minimize(quadratic, np.zeros(3), args, method, **given)
        np.testing.assert_allclose(found.x, [1, 0.5, 1 / 3], atol=1e-4)
        assert {*calls} == {name for name, value in given.items() if callable(value)}


def test_a_custom_minimiser_gets_vectors_and_derivatives() -> None:
    def newton(fun: Any, x0: Any, args: Any, jac: Any, hessp: Any, **options: Any) -> Any:
        hessian = np.stack([hessp(x0, basis) for basis in np.eye(x0.size)])
        x = x0 - np.linalg.solve(hessian, jac(x0))
        return scipy.optimize.OptimizeResult(x=x, fun=fun(x), success=True, jac=jac(x))

    found = pg.scipy.minimize(lambda p: p["a"] ** 2 + (p["a"] - p["b"] + 1) ** 2, {"a": 2.0, "b": 3.0}, method=newton)
    assert found.x["a"] == pytest.approx(0, abs=1e-12)
    assert found.x["b"] == pytest.approx(1)


def test_a_large_sparse_hessian_is_sparse_and_a_large_full_one_is_not() -> None:
    from pygraph.scipy.decision_variables import DecisionVariables
    from pygraph.scipy.fixed_arguments import FixedArguments
    from pygraph.scipy.flat_function import flat_function
    from pygraph.scipy.second_derivatives import curvature

    def second(f: Any, x: Any) -> Any:
        variables, arguments = DecisionVariables(x, "minimize"), FixedArguments()
        return curvature(flat_function(f, variables, arguments, "scalar"), variables, (), arguments.inputs)(x)

    x = np.linspace(-1.0, 1.0, 100)
    sparse = second(rosenbrock, x)
    assert sparse.nnz == 3 * 100 - 2
    np.testing.assert_allclose(sparse.toarray(), rosen_hess(x))

    def full(x: Any) -> Any:
        return np.sum(x) ** 4

    assert second(full, x).shape == (100, 100)
    many = np.linspace(0.0, 0.01, 1001)
    operator = second(full, many)
    np.testing.assert_allclose(operator @ np.ones(1001), np.full(1001, 12 * np.sum(many) ** 2 * 1001))


@pytest.mark.deep
def test_a_large_problem_with_sparse_derivatives() -> None:
    def circles(x: Any) -> Any:
        return x[::2] ** 2 + x[1::2] ** 2

    found = pg.scipy.minimize(
        rosenbrock,
        np.full(300, 0.5),
        method="trust-constr",
        bounds=[(-2, 2)] * 300,
        constraints=NonlinearConstraint(circles, 1.0, 1.0),
        options={"maxiter": 200},
    )
    assert found.success
    assert scipy.sparse.issparse(found.jac[0])
    np.testing.assert_allclose(circles(found.x), 1, atol=1e-8)
    assert found.optimality < 1e-6
    assert found.fun < rosenbrock(np.full(300, 0.5**0.5))


def test_functions_with_kept_derivatives_pickle_and_are_wrapped() -> None:
    pg.scipy.minimize(rosenbrock, START)

    @wraps(rosenbrock)
    def other(x: Any) -> Any:
        return np.sum((x - 2) ** 2)

    np.testing.assert_allclose(pg.scipy.minimize(other, START).x, 2, rtol=1e-6)
    assert pickle.loads(pickle.dumps(rosenbrock)) is rosenbrock
    kept = rosenbrock.__dict__["__pygraph_scipy__"]
    assert len(kept) >= 1
    assert len(pickle.loads(pickle.dumps(kept))) == 0


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (
            lambda: pg.scipy.minimize(rosenbrock, START, method="magic"),
            pg.SignatureError,
            "do: give one of nelder-mead",
        ),
        (lambda: pg.scipy.minimize(lambda x: x, START), pg.ShapeError, "not a scalar"),
        (lambda: pg.scipy.minimize(lambda x: x, START, method="nelder-mead"), pg.ShapeError, "not a scalar"),
        (lambda: pg.scipy.minimize(lambda x: (x[0], x[1]), START), pg.ShapeError, "not a scalar"),
        (lambda: pg.scipy.minimize(rosenbrock, []), pg.ShapeError, "x0 has no elements"),
        (lambda: pg.scipy.minimize(rosenbrock, START + 1j), pg.DTypeError, "give real numbers"),
        (lambda: pg.scipy.minimize(rosenbrock, {"a": "b"}), pg.DTypeError, "give real numbers"),
        (lambda: pg.scipy.minimize(3, START), pg.SignatureError, "give a function"),
        (lambda: pg.scipy.minimize(rosenbrock, START, jac="cs"), pg.SignatureError, "jac='cs'"),
        (lambda: pg.scipy.minimize(rosenbrock, START, jac=True), pg.SignatureError, "no pair"),
        (lambda: pg.scipy.minimize(lambda x: (x[0], x[:2]), START, jac=True), pg.ShapeError, "gradient of 2 elements"),
        (lambda: pg.scipy.minimize(rosenbrock, START, jac=lambda x: x[:2]), pg.ShapeError, "the gradient has shape"),
        (
            lambda: pg.scipy.minimize(rosenbrock, START, constraints={"type": "less", "fun": np.sum}),
            pg.SignatureError,
            "give {'type': 'eq'",
        ),
        (lambda: pg.scipy.minimize(lambda x: float(x[0]), START), pg.TracedValueError, "float()"),
    ],
)
def test_mistakes(call: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    assert words in text
    assert "do:" in text


def test_a_missing_scipy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(pg.UnsupportedError, match=r"pygraph-ad\[scipy\]"):
        pg.scipy.minimize(rosenbrock, START)
