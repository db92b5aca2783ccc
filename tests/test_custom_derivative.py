"""custom_derivative: either rule and both, in all modes, transformations and loops; and what it refuses."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg

X = np.array([-1.0, 0.5, 2.0])


def sine_rule(p: Any, t: Any) -> Any:
    return np.sin(p[0]) * p[1], t[0] * np.cos(p[0]) * p[1] + np.sin(p[0]) * t[1]


def sine_back(p: Any, ct: Any) -> Any:
    return ct * np.cos(p[0]) * p[1], ct * np.sin(p[0])


def sine(x: Any, y: Any) -> Any:
    return np.sin(x) * y


FORWARD = (lambda x, y: (sine(x, y), (x, y))), (lambda r, ct: sine_back(r, ct))
VARIANTS: dict[str, Any] = {
    "jvp": pg.custom_derivative(sine, jvp=sine_rule),
    "vjp": pg.custom_derivative(sine, vjp=sine_back),
    "pair": pg.custom_derivative(sine, vjp=FORWARD),
    "both": pg.custom_derivative(sine, jvp=sine_rule, vjp=FORWARD),
}
REVERSE = [
    lambda f: pg.hessian(lambda x: np.sum(f(x, x * 2.0)))(X),  # forward mode over what vjp gave
    lambda f: pg.hvp(f, (0.3, 2.0), (1.0, -1.0)),
    lambda f: f(0.3, 2.0),
    lambda f: pg.grad(f, (0, 1))(0.3, 2.0),
    lambda f: pg.grad(pg.grad(pg.grad(f)))(0.3, 2.0),
    lambda f: pg.grad(lambda x: pg.grad(f, 1)(x, x))(0.3),
    lambda f: pg.vjp(f, 0.3, 2.0)[1](3.0),
    lambda f: pg.jacrev(lambda x: f(x, x * 2.0))(X),
    lambda f: pg.vmap(f)(X, X * 2.0),
    lambda f: pg.vmap(pg.grad(f, (0, 1)))(X, X * 2.0),
    lambda f: pg.vmap(pg.grad(f, (0, 1)), (0, None))(X, 2.0),
    lambda f: pg.grad(lambda y: np.sum(pg.vmap(f, (0, None))(X, y)))(2.0),
    lambda f: pg.vmap(pg.vmap(pg.grad(f, (0, 1)), (None, 0)), (0, None))(X, X),
    lambda f: pg.grad(lambda y: np.sum(pg.vmap(pg.vmap(f, (None, 0)), (0, None))(X * y, X)))(2.0),
    lambda f: pg.grad(lambda c: pg.scan(lambda c, x: (f(c, x), None), c, X)[0])(0.3),
    lambda f: pg.vmap(pg.grad(lambda c: pg.scan(lambda c, x: (f(c, x), f(x, c)), c, X)[0]))(X),
    lambda f: pg.grad(lambda c: np.sum(pg.scan(lambda c, x: (pg.grad(f)(c, x), f(x, c)), c, X)[1]))(0.3),
]
BOTH = [
    lambda f: pg.jvp(f, (0.3, 2.0), (1.0, -1.0)),
    lambda f: pg.jacfwd(lambda x: f(x, x * 2.0))(X),
    lambda f: pg.linearize(f, 0.3, 2.0)[1](1.0, -1.0),
    lambda f: pg.vmap(lambda x, y: pg.jvp(f, (x, y), (y, x)))(X, X * 2.0),
    lambda f: pg.vmap(lambda x: pg.jvp(f, (x, 2.0), (1.0, 0.5)), 0)(X),
    lambda f: pg.jvp(lambda x: np.sum(pg.vmap(f, (0, None))(X, x)), (2.0,), (1.0,)),
    lambda f: pg.jvp(lambda c: pg.scan(lambda c, x: (f(c, x), f(x, c)), c, X), (0.3,), (1.0,)),
    lambda f: pg.jvp(pg.grad(lambda x: pg.jvp(f, (x, x), (1.0, 0.0))[1]), (0.3,), (1.0,)),
]


def assert_alike(one: Any, other: Any) -> None:
    if isinstance(one, (tuple, list)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_alike(a, b)
    else:
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("call", REVERSE)
@pytest.mark.parametrize("name", VARIANTS)
def test_reverse_mode(name: str, call: Callable[[Any], Any]) -> None:
    assert_alike(call(VARIANTS[name]), call(sine))


@pytest.mark.parametrize("call", BOTH)
@pytest.mark.parametrize("name", ["jvp", "both"])
def test_forward_mode(name: str, call: Callable[[Any], Any]) -> None:
    assert_alike(call(VARIANTS[name]), call(sine))


@pytest.mark.parametrize("name", ["vjp", "pair"])
def test_forward_mode_is_refused_where_there_is_only_a_vjp(name: str) -> None:
    for call in BOTH:
        with pytest.raises(
            pg.UnsupportedError, match=r"(?s)custom_derivative\(sine\): forward mode.*at: test_custom.*do: give jvp"
        ):
            call(VARIANTS[name])


def test_the_rule_is_what_counts() -> None:
    """The derivative is the given one, not that of the value."""
    f = pg.custom_derivative(lambda x: x * x, jvp=lambda p, t: (p[0] * p[0], 10.0 * t[0]))
    assert (f(3.0), pg.grad(f)(3.0), pg.jvp(f, (3.0,), (1.0,))[1], pg.grad(pg.grad(f))(3.0)) == (9.0, 10.0, 10.0, 0.0)
    g = pg.custom_derivative(lambda x: x, vjp=lambda p, ct: (np.clip(ct, -1.0, 1.0),))
    np.testing.assert_array_equal(pg.grad(lambda x: np.sum(g(x) * np.array([5.0, 0.5, -3.0])))(X), [1.0, 0.5, -1.0])
    np.testing.assert_array_equal(pg.vmap(pg.grad(lambda x: g(x) * 5.0))(X), [1.0, 1.0, 1.0])


def test_it_may_use_itself() -> None:
    f = pg.custom_derivative(np.exp, jvp=lambda p, t: (f(*p), t[0] * f(*p)))
    np.testing.assert_allclose(pg.grad(pg.grad(pg.grad(f)))(0.5), np.exp(0.5))
    g = pg.custom_derivative(np.exp, vjp=(lambda x: (g(x), g(x)), lambda y, ct: (ct * y,)))
    np.testing.assert_allclose(pg.grad(pg.grad(pg.grad(g)))(0.5), np.exp(0.5))


def test_what_is_computed_once() -> None:
    """The value and its rule share what they have in common."""
    f = pg.custom_derivative(np.exp, vjp=(lambda x: (f(x), f(x)), lambda y, ct: (ct * y,)))
    listing = str(pg.value_and_grad(lambda x: np.sum(f(x))).executable(X).disassemble())
    assert listing.count("exp") == 1


def test_containers_integers_and_missing_cotangents() -> None:
    def f(params: Any, n: Any) -> Any:
        return {"y": params["w"] * n, "k": n + 1, "z": params["b"][0]}

    def rule(p: Any, t: Any) -> Any:
        assert t[1] is None
        return f(*p), {"y": t[0]["w"] * p[1], "k": None, "z": t[0]["b"][0]}

    def back(p: Any, ct: Any) -> Any:
        assert ct["k"] is None
        return {"w": ct["y"] * p[1], "b": (ct["z"],)}, None

    params = {"w": np.array([1.0, 2.0]), "b": (3.0,)}
    for g in (pg.custom_derivative(f, jvp=rule), pg.custom_derivative(f, vjp=back)):
        found = pg.grad(lambda p, n, g=g: np.sum(g(p, n)["y"] ** 2) + g(p, n)["z"])(params, 3)
        np.testing.assert_allclose(found["w"], [18.0, 36.0])
        assert found["b"] == (1.0,)
        assert g(params, 3)["k"] == 4
        assert g(params, n=3)["k"] == 4
    nothing = pg.custom_derivative(lambda x, y: x * y, vjp=lambda p, ct: (None, ct * p[0]))
    assert pg.grad(nothing, (0, 1))(2.0, 3.0) == (0.0, 2.0)


def test_float32_is_kept() -> None:
    f = VARIANTS["jvp"]
    gradient = pg.grad(lambda x: np.sum(f(x, x)))(X.astype("float32"))
    assert gradient.dtype == np.float32


def test_an_implicit_fixed_point() -> None:
    """z = cos(a z), by many steps of a loop; its derivative from the implicit function theorem, with no loop."""

    def solve(a: Any) -> Any:
        return pg.scan(lambda z, _: (np.cos(a * z), None), 0.5, length=200)[0]

    def back(z_a: Any, ct: Any) -> Any:
        z, a = z_a
        return (-ct * z * np.sin(a * z) / (1.0 + a * np.sin(a * z)),)

    implicit = pg.custom_derivative(solve, vjp=(lambda a: (solve(a), (solve(a), a)), back))
    for a in (0.3, 0.8):
        np.testing.assert_allclose(pg.grad(implicit)(a), pg.grad(solve)(a), rtol=1e-10)
    np.testing.assert_allclose(pg.vmap(pg.grad(implicit))(X / 3.0), pg.vmap(pg.grad(solve))(X / 3.0), rtol=1e-8)


def test_executables_with_wrt_and_pickles() -> None:
    x, y = pg.var("x"), pg.var("y")
    graph = pg.Graph([x, y], VARIANTS["jvp"](x, y), name="f")
    for exe in (pg.compile(graph, wrt=["x", "y"]), pickle.loads(pickle.dumps(pg.compile(graph, wrt=["x", "y"])))):
        assert_alike(exe.forward(0.3, 2.0), sine(0.3, 2.0))
        assert_alike(exe.reverse(), pg.grad(sine, (0, 1))(0.3, 2.0))
        assert_alike(exe.jvp(1.0, -1.0), pg.jvp(sine, (0.3, 2.0), (1.0, -1.0))[1])
    exe = pg.compile(pg.Graph([x, y], VARIANTS["vjp"](x, y), name="f"), wrt=["x", "y"])
    exe.forward(0.3, 2.0)
    with pytest.raises(pg.UnsupportedError, match="forward mode"):
        exe.jvp(1.0, -1.0)
    assert_alike(exe.reverse(), pg.grad(sine, (0, 1))(0.3, 2.0))


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "error", "text"),
    [
        (
            {"jvp": lambda p, t: (p[0], t[0][:1])},
            pg.ShapeError,
            r"the tangent is float64\[1\] where the function has float64\[3\]",
        ),
        (
            {"jvp": lambda p, t: (p[0], t[0] > 0)},
            pg.DTypeError,
            r"the tangent is bool\[3\] where the function has float64\[3\]",
        ),
        ({"jvp": lambda p, t: (p[0][0], t[0])}, pg.ShapeError, "the output of the jvp is float64 where"),
        ({"jvp": lambda p, t: (p[0], (t[0], t[0]))}, pg.ShapeError, r"the tangent has the form \(\*, \*\), not \*"),
        ({"jvp": lambda p, t: t[0]}, pg.GraphError, "the jvp returned one expression"),
        ({"jvp": lambda p, t: (p[0], t[0] * t[0])}, pg.UnsupportedError, "the jvp is not linear in its tangents"),
        (
            {"jvp": lambda p, t: (p[0], pg.cond(t[0][0] > 0, lambda t: t, lambda t: 2.0 * t, t[0]))},
            pg.UnsupportedError,
            "the jvp is not linear in its tangents",
        ),
        (
            {"jvp": lambda p, t: (p[0], pg.fori_loop(0, 2, lambda i, c: c * c, t[0]))},
            pg.UnsupportedError,
            "the jvp is not linear in its tangents",
        ),
        (
            {"vjp": lambda p, ct: (ct[0],)},
            pg.ShapeError,
            r"the cotangent is float64 where the function has float64\[3\]",
        ),
        ({"vjp": lambda p, ct: (pg.astype(ct, "float32"),)}, pg.DTypeError, r"the cotangent is float32\[3\] where"),
        ({"vjp": lambda p, ct: ct}, pg.GraphError, r"the vjp returned \* for 1 argument"),
        ({"vjp": lambda p, ct: (ct, ct)}, pg.GraphError, r"the vjp returned \(\*, \*\) for 1 argument"),
        ({"vjp": lambda p, ct: ({"x": ct},)}, pg.ShapeError, r"the cotangent has the form {'x': \*}, not \*"),
        (
            {"vjp": (lambda x: x, lambda r, ct: (ct,))},
            pg.GraphError,
            "the forward rule returned one expression",
        ),
        (
            {"vjp": (lambda x: (x[:1], x), lambda r, ct: (ct,))},
            pg.ShapeError,
            r"the output of the forward rule is float64\[1\] where",
        ),
    ],
)
def test_rules_are_checked_when_traced(rules: Any, error: type[Exception], text: str) -> None:
    f = pg.custom_derivative(lambda x: x * 2.0, **rules)
    for _ in range(2):  # a failed check is made again
        with pytest.raises(
            error, match=rf"(?s)tracing custom_derivative\(lambda_\): {text}.*at: test_custom_derivative.py:\d+.*do: "
        ):
            f(X)


@pytest.mark.parametrize("rules", [{}, {"jvp": 3}, {"vjp": (np.sin,) * 3}, {"vjp": (None, 2)}])
def test_rules_that_are_none(rules: Any) -> None:
    with pytest.raises(pg.SignatureError, match=r"(?s)custom_derivative\(sine\): it needs a jvp, a vjp or both.*do: "):
        pg.custom_derivative(sine, **rules)


def test_closures_over_a_trace_are_refused() -> None:
    def value(x: Any) -> Any:
        return pg.custom_derivative(lambda y: x * y, jvp=lambda p, t: (p[0], t[0]))(2.0 * x)

    def rule(x: Any) -> Any:
        return pg.custom_derivative(lambda y: y, jvp=lambda p, t: (p[0], t[0] * x))(2.0 * x)

    for f in (value, rule):
        with pytest.raises(
            pg.UnsupportedError, match=r"(?s)'lambda_' uses 'x', which is none of its arguments.*do: pass it"
        ):
            pg.grad(f)(1.0)


def test_keyword_only_arguments_are_refused() -> None:
    def f(x: Any, *, y: Any) -> Any:
        return x * y

    with pytest.raises(pg.SignatureError, match=r"(?s)'y' goes by keyword only"):
        pg.custom_derivative(f, vjp=lambda p, ct: (ct,))(1.0, y=2.0)


def test_explaining_shows_one_step() -> None:
    found = pg.explain(VARIANTS["jvp"], 1.0, 2.0)
    assert [edge.rule for edge in found.edges] == ["by the function's own rule"] * 2


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_constants_that_are_not_floating_stay_results_of_the_rule(dtype: str) -> None:
    h = pg.custom_derivative(
        lambda k: (k | k, ~k) if dtype == "bool" else (k + 1, k * k), jvp=lambda p, t: (h(*p), (None, None))
    )
    k = np.array([1, 0], dtype)

    def f(y: Any) -> Any:
        first, second = h(pg.where(y > -1e9, k, k))
        return y * first + second

    expected = 1.5 * (k if dtype == "bool" else k + 1) + (~k if dtype == "bool" else k * k)
    np.testing.assert_array_equal(pg.compile(f)(1.5), expected)
    single = pg.custom_derivative(lambda k: k + 1, jvp=lambda p, t: (p[0] + 1, t[0]))
    assert pg.compile(lambda y: y * single(pg.where(y > -1e9, 1, 1)))(1.5) == 3.0
    assert pg.grad(lambda y: y * single(pg.where(y > -1e9, 1, 1)))(1.5) == 2.0


def _times_cubed(x: Any, t: Any) -> Any:
    """t x³ by a loop whose condition depends on x, not on the tangent."""
    steps = lambda c: (c[0] + 1, c[1] * np.sin(x) * (x / np.sin(x)))  # noqa: E731
    return pg.while_loop(lambda c: c[0] < 3 + 0 * x, steps, (0.0, t))[1]


LINEAR: dict[str, Any] = {
    "cond": lambda x, t: pg.cond(x > 0, lambda t: 4.0 * x**3 * t, lambda t: t * 4.0 * x * x * x, t),
    "switch": lambda x, t: pg.switch(pg.astype(x > 0, "int64"), [lambda t: -t, lambda t: 4.0 * x**3 * t], t),
    "scan": lambda x, t: 4.0 * pg.scan(lambda c, _: (c * np.exp(np.log(x)), None), t, np.zeros(3))[0],
    "fori_loop": lambda x, t: 4.0 * pg.fori_loop(0, 3, lambda i, c: c * np.exp(np.log(x)), t),
    "while_loop": lambda x, t: 4.0 * _times_cubed(x, t),
    "a loop in a branch": lambda x, t: pg.cond(x > 0, lambda t: 4.0 * _times_cubed(x, t), lambda t: -t, t),
}


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_jvp_may_have_branches_and_loops(name: str) -> None:
    f = pg.custom_derivative(lambda x: x**4, jvp=lambda p, t: (p[0] ** 4, LINEAR[name](p[0], t[0])))
    np.testing.assert_allclose(pg.grad(f)(2.0), 32.0, rtol=1e-12)
    np.testing.assert_allclose(pg.jacfwd(f)(2.0), 32.0, rtol=1e-12)
    np.testing.assert_allclose(pg.grad(pg.grad(f))(2.0), 48.0, rtol=1e-12)
    np.testing.assert_allclose(pg.vmap(pg.grad(f))(np.array([1.0, 2.0])), [4.0, 32.0], rtol=1e-12)
    np.testing.assert_allclose(pg.grad(lambda x: np.where(x > 0, f(x), 0.0))(2.0), 32.0, rtol=1e-12)
