"""jvp and vjp on expressions without loops: values, zeros, shapes, dtypes, errors, nesting and linear time."""

from __future__ import annotations

import numpy as np
import pytest
from numeric import check, derivative_graphs, like, run

from pygraph import ops
from pygraph.autodiff import jvp, vjp
from pygraph.autodiff.unbroadcast import sum_to
from pygraph.errors import DTypeError, ShapeError
from pygraph.graph import Node, constant, var, walk
from pygraph.ops.row import TABLE, Family, Op

RNG = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


X, Y = var("x", (3, 4)), var("y", (4,))
CASES = {
    "product": (np.sum(X * Y), [X, Y]),
    "quotient": (X / (Y * Y + 1.0), [X, Y]),
    "broadcast both ways": ((X[:, :1] + Y) * X, [X, Y]),
    "matmul": (X @ Y, [X, Y]),
    "matmul batched": (np.reshape(X, (3, 2, 2)) @ np.reshape(Y, (2, 2)), [X, Y]),
    "transposed": (X.T @ X, [X]),
    "slices": (X[1:, ::-2] * X[:2, 1::2] + X[0, 0], [X]),
    "every element": (Y[0] * Y[1] + np.sin(Y[2]) * Y[0], [Y]),
    "overlapping slices": (Y[:3] * Y[1:] + Y[::2][0], [Y]),
    "concatenate": (np.concatenate([X, X[:1] * 2.0]) * Y, [X, Y]),
    "select": (ops.where(X > 0, X * Y, np.exp(X)), [X, Y]),
    "softmax": (ops.softmax(X * Y, axis=1), [X, Y]),
    "variance": (np.var(X, axis=0) * np.mean(Y), [X, Y]),
    "product of elements": (np.prod(X, axis=1), [X]),
    "extremes": (np.max(X, axis=0) - np.min(X * Y), [X, Y]),
    "defined by others": (ops.logsumexp(X, axis=1), [X]),
    "take": (ops.take(X, np.array([0, 2, 0]), axis=0) * Y, [X, Y]),
    "scatter": (X.at[np.array([1, 1])].add(np.stack([Y, Y * Y])), [X, Y]),
    "several": (np.tanh(X) * np.sum(X), [X]),
    "same twice": (X * X + X, [X]),
}


@pytest.mark.parametrize("name", CASES)
def test_against_finite_differences(name: str) -> None:
    output, wrt = CASES[name]
    check([output], wrt, [normal(*x.shape) for x in wrt])


def test_several_outputs_share_the_sweep() -> None:
    outputs = [np.sum(np.exp(Y)), Y * Y, np.exp(Y)[0]]
    check(outputs, [Y], [normal(4)])


def test_what_does_not_depend_is_none() -> None:
    z = var("z")
    assert jvp([Y * 2.0, z], [Y], [None]) == [None, None]
    assert jvp([z], [Y], [like(Y, "t")]) == [None]
    assert vjp([Y * 2.0], [z], [like(Y, "s")]) == [None]
    assert vjp([Y * 2.0], [Y], [None]) == [None]


def test_integers_and_bools_carry_nothing() -> None:
    n, b = var("n", (4,), "int64"), var("b", (4,), "bool")
    output = ops.where(b, Y * n, Y)
    assert vjp([output], [n, b], [like(Y, "s")]) == [None, None]
    assert vjp([n * 2], [n], [like(n, "s")]) == [None]
    assert jvp([n * 2], [n], [like(n, "t")]) == [None]
    through = ops.astype(ops.astype(Y, "int64"), "float64")
    assert vjp([through], [Y], [like(Y, "s")]) == [None]


def test_nondiff_ops_stop_the_derivative() -> None:
    assert vjp([np.floor(Y) * 2.0], [Y], [like(Y, "s")]) == [None]
    assert vjp([ops.stop_gradient(Y)], [Y], [like(Y, "s")]) == [None]


def test_variable_that_is_an_output() -> None:
    t, s = like(Y, "t"), like(Y, "s")
    assert jvp([Y], [Y], [t])[0] is t
    assert vjp([Y], [Y], [s])[0] is s


def test_variables_are_independent_of_one_another() -> None:
    inner = Y * 2.0
    t = like(Y, "t")
    assert jvp([inner * 3.0], [Y, inner], [t, None]) == [None]
    s = like(Y, "s")
    pulled = vjp([inner * inner * Y], [Y, inner], [s])
    values = normal(4), normal(4)
    found = run([Y, s], pulled, values)
    np.testing.assert_allclose(found[0], values[1] * (2 * values[0]) ** 2)
    np.testing.assert_allclose(found[1], values[1] * 2 * (2 * values[0]) * values[0])


def test_a_variable_given_twice() -> None:
    s, t = like(Y, "s"), like(Y, "t")
    first, second = vjp([Y * Y], [Y, Y], [s])
    assert first is second
    doubled, single = jvp([Y * Y], [Y, Y], [t, t])[0], jvp([Y * Y], [Y], [t + t])[0]
    assert doubled is single


def test_float32_stays_float32() -> None:
    x = var("x", (3,), "float32")
    output = np.sum(np.sin(x) * 2.0 / (1.0 + x**2))
    derivative_graphs([output], [x])
    mixed = ops.astype(x, "float64") * 2.0
    derivative_graphs([mixed], [x])


def test_wrong_derivatives_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"differentiating .*tangent of type float64\[3\] for .* float64\[4\]"):
        jvp([Y], [Y], [var("t", (3,))])
    with pytest.raises(DTypeError, match=r"cotangent of type float32\[4\]"):
        vjp([Y * 2.0], [Y], [var("s", (4,), "float32")])


def test_partials_that_are_numbers_make_no_products() -> None:
    s = like(Y, "s")
    assert vjp([Y + 1.0], [Y], [s])[0] is s
    difference = vjp([1.0 - Y], [Y], [s])[0]
    assert difference is not None
    assert difference.op.name == "negative"


def test_perturbations_are_not_confused() -> None:
    """d/dx (x * d/dy (x + y) at y = 1) is 1: the inner derivative sees x as a constant."""
    x, y = var("x"), var("y")
    one = constant(1.0)
    inner = jvp([x + y], [y], [one])[0]
    assert inner is not None
    outer = jvp([x * inner], [x], [one])[0]
    assert run([x], [outer], [np.float64(5.0)])[0] == 1.0
    product = vjp([x * x * y], [y], [one])[0]
    assert product is not None
    second = vjp([product * y], [x], [one])[0]
    np.testing.assert_allclose(run([x, y], [second], [3.0, 2.0])[0], 2 * 3.0 * 2.0)


@pytest.mark.parametrize("first", ["forward", "reverse"])
@pytest.mark.parametrize("second", ["forward", "reverse"])
def test_hessians_agree_in_every_mix(first: str, second: str) -> None:
    x = var("x")
    one = constant(1.0)

    def derivative(mode: str, y: Node) -> Node:
        found = (jvp if mode == "forward" else vjp)([y], [x], [one])[0]
        assert found is not None
        return found

    result = derivative(second, derivative(first, np.sin(x * x) * x))
    value = 0.7
    c, s = np.cos(value**2), np.sin(value**2)
    expected = 2 * value * c * 3 - 4 * value**3 * s + 0 * c
    np.testing.assert_allclose(run([x], [result], [value])[0], expected, rtol=1e-12)


def test_an_operation_by_its_definition_alone() -> None:
    """A row with neither partials nor C is differentiated through what it is made of."""
    made_up = Op(
        "made_up",
        Family.ELEMENTWISE,
        2,
        "x * sin(y) + x",
        kinds="f",
        shape=TABLE["add"].shape,
        define=lambda x, y: x * np.sin(y) + x,
        domain=((0.0, 1.0), (0.0, 1.0)),
    )
    output = made_up(X, Y)
    assert output.op is made_up
    tangents, seeds, pushed, pulled = derivative_graphs([output], [X, Y])
    plain = derivative_graphs([X * np.sin(Y) + X], [X, Y])
    values = [normal(3, 4), normal(4)]
    steps = [normal(3, 4), normal(4)]
    np.testing.assert_array_equal(
        run([X, Y, *tangents], pushed, [*values, *steps])[0], run([X, Y, *plain[0]], plain[2], [*values, *steps])[0]
    )
    weight = normal(3, 4)
    for one, other in zip(
        run([X, Y, *seeds], pulled, [*values, weight]), run([X, Y, *plain[1]], plain[3], [*values, weight]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_partials_may_be_any_numbers() -> None:
    numbers = Op(
        "numbers",
        Family.ELEMENTWISE,
        3,
        "2 a + 0 b + c, with partials that are numbers; nothing for c.",
        kinds="f",
        shape=TABLE["add"].shape,
        reference=lambda a, b, c: 2 * a + c,
        partials=(lambda out, a, b, c: 2, lambda out, a, b, c: 0.0, None),
        domain=((0.0, 1.0),) * 3,
    )
    z = like(Y, "z")
    s = like(Y, "s")
    pulled = vjp([numbers(Y, z, z)], [Y, z], [s])
    assert pulled[1] is None
    np.testing.assert_array_equal(run([Y, s], pulled[:1], [normal(4), np.ones(4)])[0], np.full(4, 2.0))
    assert jvp([numbers(Y, z, z)], [z], [s]) == [None]


@pytest.mark.parametrize(
    ("large", "small"),
    [((3, 4), (4,)), ((3, 4), (3, 1)), ((2, 3, 4), (1, 4)), ((5,), ()), ((3, 1), (1, 1)), ((0, 4), (4,))],
)
def test_sum_to_is_the_transpose_of_broadcasting(large: tuple[int, ...], small: tuple[int, ...]) -> None:
    ct = var("ct", large)
    value, probe = normal(*large), normal(*small)
    (result,) = run([ct], [sum_to(ct, small)], [value])
    assert result.shape == small
    np.testing.assert_allclose(np.sum(value * np.broadcast_to(probe, large)), np.sum(result * probe), atol=1e-12)


def test_sum_to_of_a_broadcast_is_a_product() -> None:
    s = var("s")
    repeated = np.broadcast_to(s, (5, 3))
    summed = sum_to(repeated, (3,))
    assert "reduce_sum" not in {node.op.name for node in walk([summed])}
    np.testing.assert_array_equal(run([s], [summed], [2.0])[0], np.full(3, 10.0))


def test_pieces_of_a_vector_are_put_together_in_linear_time() -> None:
    n = 400
    x = var("x", (n,))
    output = x[0] * x[1]
    for i in range(1, n - 1):
        output = output + np.sin(x[i]) * x[i + 1]
    gradient = vjp([output], [x], [constant(1.0)])[0]
    work = sum(int(np.prod(node.shape)) for node in walk([gradient]))
    assert work < 40 * n
    check([output], [x], [normal(n)], order=1)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("bands", [((0, 2), (2, 3), (3, 6)), ((1, 2), (3, 6)), ((0, 2), (0, 2), (2, 6))], ids=str)
def test_bands_across_an_axis_are_joined(axis: int, bands: tuple[tuple[int, int], ...]) -> None:
    """The parts that gates of a recurrent layer take: their cotangents are one array, without zeros that are added."""
    shape = (3, 6, 2) if axis == 1 else (3, 2, 6)
    x = var("x", shape)
    before = (slice(None),) * axis
    squares = np.square(x)
    parts = [np.sum(np.exp(squares[(*before, slice(a, b))])) for a, b in bands]
    output = parts[0] + parts[1] * 2.0 + (parts[2] if len(parts) > 2 else 0.0)
    gradient = vjp([output], [x], [constant(1.0)])[0]
    names = [node.op.name for node in walk([gradient])]
    assert "unslice" not in names
    assert names.count("concatenate") == 1
    assert "concatenate" not in {node.op.name for node in walk([output])}
    check([output], [x], [normal(*shape)], order=1)


def test_bands_that_overlap_are_added() -> None:
    x = var("x", (3, 4))
    output = np.sum(np.exp(x[:, :3])) * np.sum(np.sin(x[:, 1:]))
    assert "unslice" in {node.op.name for node in walk([vjp([output], [x], [constant(1.0)])[0]])}
    check([output], [x], [normal(3, 4)], order=2)


def test_work_grows_linearly() -> None:
    """The derivative of a chain of n operations has a number of nodes proportional to n."""

    def nodes(n: int) -> int:
        x = var("x")
        y: Node = x
        for _ in range(n // 2):
            y = np.sin(y) * x
        return len(walk([vjp([y], [x], [constant(1.0)])[0], jvp([y], [x], [constant(1.0)])[0]]))

    small, large = nodes(200), nodes(2000)
    assert large < 10.5 * small


def test_derivatives_of_very_deep_graphs() -> None:
    x = var("x")
    y: Node = x
    for _ in range(5000):
        y = y * 1.0001 + 0.1
    gradient = vjp([y], [x], [constant(1.0)])[0]
    np.testing.assert_allclose(run([x], [gradient], [0.5])[0], 1.0001**5000, rtol=1e-10)
