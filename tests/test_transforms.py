"""grad, value_and_grad, jvp, vjp, jacfwd, jacrev and scan: on arrays, among expressions, nested, with containers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate


class Layer(NamedTuple):
    w: Any
    b: Any


@dataclass
class Model:
    layers: list[Layer]
    scale: Any


def model(scale: float = 2.0) -> Model:
    generator = np.random.default_rng(0)
    sizes = [(3, 4), (4, 2)]
    return Model([Layer(generator.normal(size=size), generator.normal(size=size[1])) for size in sizes], scale)


def loss(net: Model, x: Any) -> Any:
    for layer in net.layers:
        x = np.tanh(x @ layer.w + layer.b)
    return net.scale * np.sum(x**2)


X = np.random.default_rng(1).normal(size=(5, 3))


# --- values --------------------------------------------------------------------------------------------------------


def test_the_gradient_has_the_form_of_the_argument() -> None:
    gradient = pg.grad(loss)(model(), X)
    assert type(gradient) is Model
    assert type(gradient.layers[0]) is Layer
    assert gradient.layers[1].w.shape == (4, 2)
    np.testing.assert_allclose(gradient.scale, loss(model(1.0), X))
    pg.check_grads(loss, (model(), X))


def test_value_and_grad() -> None:
    value, gradient = pg.value_and_grad(loss)(model(), X)
    np.testing.assert_allclose(value, loss(model(), X))
    np.testing.assert_array_equal(gradient.layers[0].b, pg.grad(loss)(model(), X).layers[0].b)


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 12.0), (1, 4.0), (-1, 4.0), ((0,), (12.0,)), ((1, 0), (4.0, 12.0))],
)
def test_argnums(argnums: Any, expected: Any) -> None:
    def f(x: Any, y: Any) -> Any:
        return x**2 * y

    assert pg.grad(f, argnums)(2.0, 3.0) == expected
    assert pg.jacfwd(f, argnums)(2.0, 3.0) == expected
    assert pg.jacrev(f, argnums)(2.0, 3.0) == expected


def test_auxiliary_results() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**2), {"twice": 2.0 * x, "count": [x.size]}

    data = np.array([1.0, 2.0])
    gradient, aux = pg.grad(f, has_aux=True)(data)
    np.testing.assert_array_equal(gradient, 2.0 * data)
    np.testing.assert_array_equal(aux["twice"], 2.0 * data)
    assert aux["count"] == [2]
    (value, aux), gradient = pg.value_and_grad(f, has_aux=True)(data)
    assert value == 5.0
    assert aux["count"] == [2]
    for jacobian in (pg.jacfwd, pg.jacrev):
        matrix, aux = jacobian(f, has_aux=True)(data)
        np.testing.assert_array_equal(matrix, 2.0 * data)
        np.testing.assert_array_equal(aux["twice"], 2.0 * data)
    value, tangent, aux = pg.jvp(f, (data,), (np.ones(2),), has_aux=True)
    assert (value, tangent) == (5.0, 6.0)
    np.testing.assert_array_equal(aux["twice"], 2.0 * data)
    value, pull, aux = pg.vjp(f, data, has_aux=True)
    np.testing.assert_array_equal(pull(1.0)[0], 2.0 * data)
    np.testing.assert_array_equal(aux["twice"], 2.0 * data)


def test_keyword_arguments_are_not_differentiated() -> None:
    def f(x: Any, *, power: Any, shift: Any = 0.0) -> Any:
        return (x + shift) ** power

    np.testing.assert_allclose(pg.grad(f)(2.0, power=3.0), 12.0)
    np.testing.assert_allclose(pg.grad(f)(x=2.0, power=3.0, shift=1.0), 27.0)


def test_functions_of_numpy_and_of_pygraph() -> None:
    np.testing.assert_allclose(pg.grad(np.sin)(0.5), np.cos(0.5))
    np.testing.assert_allclose(pg.grad(pg.sigmoid)(0.0), 0.25)
    np.testing.assert_allclose(pg.grad(pg.compile(lambda x: x**3))(2.0), 12.0)
    np.testing.assert_allclose(pg.grad(pg.tanh)(np.float32(0.0)), np.float32(1.0))
    assert pg.grad(pg.tanh)(np.float32(0.0)).dtype == np.float32


def test_jvp_of_containers() -> None:
    def f(p: Any, q: Any) -> Any:
        return {"product": p["a"] * q, "count": q > 0.0}

    a, q = np.array([1.0, 2.0]), np.array([3.0, -4.0])
    value, tangent = pg.jvp(f, ({"a": a}, q), ({"a": np.ones(2)}, np.array([0.0, 1.0])))
    np.testing.assert_array_equal(value["product"], a * q)
    np.testing.assert_array_equal(value["count"], [True, False])
    np.testing.assert_array_equal(tangent["product"], q + np.array([0.0, 2.0]))
    assert tangent["count"] is None


def test_vjp_keeps_its_evaluation() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.sin(x) * y, x > y

    x, y = np.array([0.1, 0.2]), np.array([1.0, -2.0])
    (value, flags), pull = pg.vjp(f, x, y)
    (_, _), other = pg.vjp(f, y, x)
    np.testing.assert_allclose(value, np.sin(x) * y)
    np.testing.assert_array_equal(flags, x > y)
    for scale in (1.0, 2.0):
        gx, gy = pull((np.full(2, scale), None))
        np.testing.assert_allclose(gx, scale * np.cos(x) * y)
        np.testing.assert_allclose(gy, scale * np.sin(x))
        np.testing.assert_allclose(other((np.ones(2), None))[1], np.sin(y))


def test_jacobians_nest_outputs_over_inputs() -> None:
    def f(p: Any, x: Any) -> Any:
        return {"y": p["m"] @ x, "s": (p["c"] * x.sum(),)}

    p, x = {"m": np.arange(6.0).reshape(2, 3), "c": 2.0}, np.array([1.0, 2.0, 3.0])
    for jacobian in (pg.jacfwd, pg.jacrev):
        found = jacobian(f, (0, 1))(p, x)
        expected = np.zeros((2, 2, 3))
        expected[0, 0], expected[1, 1] = x, x
        np.testing.assert_array_equal(found["y"][0]["m"], expected)
        np.testing.assert_array_equal(found["y"][0]["c"], np.zeros(2))
        np.testing.assert_array_equal(found["y"][1], p["m"])
        assert found["s"][0][0]["c"] == 6.0
        np.testing.assert_array_equal(found["s"][0][1], np.full(3, 2.0))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 3)])
def test_jacobians_of_any_shape(shape: tuple[int, ...]) -> None:
    data = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
    for jacobian in (pg.jacfwd, pg.jacrev):
        found = jacobian(lambda x: np.sin(x))(data)
        assert found.shape == shape * 2
        np.testing.assert_allclose(found.reshape(data.size, data.size), np.diag(np.cos(data).reshape(-1)))


# --- nesting -------------------------------------------------------------------------------------------------------


def polynomial(x: Any) -> Any:
    return x**5


def slope(f: Callable[[Any], Any], mode: str) -> Callable[[Any], Any]:
    if mode == "jvp":
        return lambda x: pg.jvp(f, (x,), (1.0,))[1]
    if mode == "vjp":
        return lambda x: pg.vjp(f, x)[1](1.0)[0]
    return {"grad": pg.grad, "jacfwd": pg.jacfwd, "jacrev": pg.jacrev}[mode](f)


MODES = ["grad", "jvp", "vjp", "jacfwd", "jacrev"]


@pytest.mark.parametrize("modes", list(itertools.product(MODES, repeat=3)), ids="-".join)
def test_every_nesting_of_three(modes: tuple[str, str, str]) -> None:
    f: Callable[[Any], Any] = polynomial
    for mode in modes:
        f = slope(f, mode)
    np.testing.assert_allclose(f(2.0), 60.0 * 2.0**2)
    graph = pg.trace(f, 1.0)
    np.testing.assert_allclose(evaluate(graph, 2.0), 240.0)
    np.testing.assert_allclose(pg.compile(f)(2.0), 240.0)


def test_nesting_ten_deep() -> None:
    f: Callable[[Any], Any] = lambda x: np.exp(2.0 * x)  # noqa: E731
    for _ in range(10):
        f = pg.grad(f)
    np.testing.assert_allclose(f(0.0), 1024.0)


def test_a_hessian_in_four_ways() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.sin(x) * x[::-1] ** 2)

    x = np.array([0.3, -0.7, 1.1])
    found = [outer(inner(f))(x) for outer in (pg.jacfwd, pg.jacrev) for inner in (pg.jacfwd, pg.jacrev)]
    for hessian in found:
        np.testing.assert_allclose(hessian, found[0], atol=1e-14)
        np.testing.assert_allclose(hessian, hessian.T, atol=1e-14)
    step = 1e-5
    numeric = [(pg.grad(f)(x + step * e) - pg.grad(f)(x - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(found[0], numeric, atol=1e-8)


def test_perturbations_are_not_confused() -> None:
    """The classical trap: d/dx [x · d/dy (x + y)] = 1, not 2."""
    inner = lambda x: pg.grad(lambda y: x + y)(1.0)  # noqa: E731
    assert pg.grad(lambda x: x * inner(x))(1.0) == 1.0
    assert pg.jvp(lambda x: x * pg.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,)) == (1.0, 1.0)
    assert pg.grad(lambda x: pg.grad(lambda y: x * y * y)(x))(3.0) == 6.0 + 6.0


def test_free_variables_are_constants_of_the_inner_derivative() -> None:
    def outer(w: Any) -> Any:
        def inner(x: Any) -> Any:
            return w * x**2 + np.sum(w)

        value, pull = pg.vjp(inner, 3.0)
        return pg.grad(inner)(3.0) + value + pull(1.0)[0] + pg.jvp(inner, (3.0,), (1.0,))[1] + pg.jacfwd(inner)(3.0)

    # value 9w + w, four slopes 6w
    assert pg.grad(outer)(5.0) == 34.0
    assert pg.compile(outer)(5.0) == 170.0


def test_the_same_expression_as_two_arguments() -> None:
    def f(x: Any, y: Any) -> Any:
        return x**2 * y

    assert pg.compile(lambda x: pg.grad(f)(x, x))(3.0) == 18.0
    assert pg.grad(lambda x: pg.grad(f, 1)(x, x))(3.0) == 6.0


def test_compiled_and_uncompiled_agree_to_the_last_bit() -> None:
    step = pg.value_and_grad(loss)
    direct = step(model(), X)
    compiled = pg.compile(lambda net, x: step(net, x))(model(), X)
    assert direct[0] == compiled[0]
    np.testing.assert_array_equal(direct[1].layers[0].w, compiled[1].layers[0].w)


# --- loops ---------------------------------------------------------------------------------------------------------


def test_scan_on_arrays_and_among_expressions() -> None:
    def running(xs: Any, start: Any = 0.0) -> Any:
        return pg.scan(lambda total, x: (total + x, total), start, xs)

    data = np.array([1.0, 2.0, 3.0])
    for run in (running, pg.compile(running)):
        total, before = run(data)
        assert total == 6.0
        np.testing.assert_array_equal(before, [0.0, 1.0, 3.0])
    total, before = pg.scan(lambda c, x: (c + x, c), 0.0, data, reverse=True)
    np.testing.assert_array_equal(before, [5.0, 3.0, 0.0])


def test_scan_without_xs_and_with_containers() -> None:
    def body(carry: Any, _: None) -> Any:
        a, b = carry["pair"]
        return {"pair": (b, a + b)}, {"a": a}

    carry, ys = pg.scan(body, {"pair": (0, 1)}, None, length=10)
    assert carry["pair"] == (55, 89)
    np.testing.assert_array_equal(ys["a"], [0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
    assert ys["a"].dtype == np.int64


def test_scan_keeps_float32_with_python_numbers_in_the_carry() -> None:
    total, _ = pg.scan(lambda c, x: (c + x, None), 0.0, np.ones(4, "float32"))
    assert total == 4.0
    assert total.dtype == np.float32
    assert pg.scan(lambda c, x: (c + x, None), 1, np.ones(4, "float32"))[0] == 5.0


def test_scan_closes_over_expressions() -> None:
    def power(w: Any) -> Any:
        return pg.scan(lambda c, _: (c * w, None), 1.0, None, length=5)[0]

    assert pg.compile(power)(2.0) == 32.0
    assert pg.grad(power)(2.0) == 80.0
    assert pg.grad(pg.grad(power))(2.0) == 160.0
    pg.check_grads(power, (1.3,), order=3)


def test_training_in_one_loop() -> None:
    x = np.linspace(-1.0, 1.0, 64)
    y = 3.0 * x - 0.5

    @pg.compile
    def train(w: Any, b: Any, x: Any, y: Any) -> Any:
        def error(parameters: Any) -> Any:
            return np.mean((parameters[0] * x + parameters[1] - y) ** 2)

        def step(parameters: Any, _: None) -> Any:
            value, gradient = pg.value_and_grad(error)(parameters)
            return tuple(p - 0.5 * g for p, g in zip(parameters, gradient, strict=True)), value

        return pg.scan(step, (w, b), None, length=200)

    (w, b), history = train(0.0, 0.0, x, y)
    np.testing.assert_allclose((w, b), (3.0, -0.5), atol=1e-10)
    assert history[0] > 1.0 > history[-1]
    np.testing.assert_allclose(history[0], np.mean(y**2))


# --- errors --------------------------------------------------------------------------------------------------------


def vector(x: Any) -> Any:
    return x * 2.0


@pytest.mark.parametrize(
    ("call", "kind", "texts"),
    [
        (
            lambda: pg.grad(vector)(np.ones(3)),
            pg.ShapeError,
            ["grad(vector): the function returned float64[3], not a scalar", "pg.jacrev", "def vector"],
        ),
        (lambda: pg.grad(lambda x: (x, x))(1.0), pg.ShapeError, ["returned (*, *), not one scalar", "has_aux=True"]),
        (lambda: pg.grad(lambda x: x > 0.0)(1.0), pg.DTypeError, ["returned bool", "floating scalar"]),
        (lambda: pg.grad(vector)(2), pg.DTypeError, ["argument 'x' is int64, which has no derivative", "def vector"]),
        (lambda: pg.grad(vector)({"a": [1]}), pg.DTypeError, ["argument 'x.a[0]' is int64"]),
        (lambda: pg.jacfwd(vector)(np.arange(3)), pg.DTypeError, ["jacfwd(vector): argument 'x' is int64[3]"]),
        (lambda: pg.vjp(vector, 2), pg.DTypeError, ["vjp(vector): argument 'x' is int64"]),
        (lambda: pg.jvp(vector, (2,), (1.0,)), pg.DTypeError, ["jvp(vector): argument 'x' is int64"]),
        (lambda: pg.jvp(vector, 2.0, 1.0), pg.SignatureError, ["must be tuples", "jvp(f, (x,), (dx,))"]),
        (lambda: pg.jvp(vector, (2.0,), (1.0, 1.0)), pg.ShapeError, ["tangents of the form (*, *)", "(*,)"]),
        (lambda: pg.jvp(vector, (np.ones(2),), (np.ones(3),)), pg.ShapeError, ["shape (3,) for a value of shape (2,)"]),
        (lambda: pg.vjp(vector, np.ones(2))[1](np.ones(3)), pg.SignatureError, ["must have shape (2,), not (3,)"]),
        (lambda: pg.grad(vector, 1)(2.0), pg.SignatureError, ["argnums=1, with 1 argument"]),
        (lambda: pg.grad(vector, (0, 0))(2.0), pg.SignatureError, ["argnums=(0, 0) names an argument twice"]),
        (lambda: pg.grad(vector, has_aux=True)(2.0), pg.GraphError, ["not a pair", "return (output, aux)"]),
        (lambda: pg.grad(lambda x: "text")(2.0), pg.GraphError, ["returned a str"]),
    ],
)
def test_errors_name_the_function_and_what_to_do(
    call: Callable[[], Any], kind: type[Exception], texts: list[str]
) -> None:
    with pytest.raises(kind) as caught:
        call()
    for text in texts:
        assert text in str(caught.value)


def test_gradients_present_themselves() -> None:
    def f(x: Any) -> Any:
        """The square."""
        return x * x

    gradient = pg.grad(f)
    assert gradient.__name__ == "grad_f"
    assert "grad of f" in gradient.__doc__
    assert "The square." in gradient.__doc__
    assert pg.trace(gradient, 1.0).names == ("x",)
