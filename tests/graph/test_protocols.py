"""NEP 13 and NEP 18: np.* on expressions, and the text of every refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.errors import UnsupportedError
from pygraph.graph import Graph, Node, var
from pygraph.graph.reference import evaluate

A = np.random.default_rng(3).uniform(0.2, 0.9, (2, 3))

SUPPORTED: dict[str, Callable[[Any], Any]] = {
    "ufuncs": lambda x: np.tanh(np.exp(x) - np.log1p(x)),
    "array first": lambda x: np.multiply(A, x),
    "scalar first": lambda x: np.float64(2.0) * x,
    "true_divide": lambda x: np.true_divide(1.0, x),
    "remainder": lambda x: np.remainder(x, 0.3),
    "absolute": lambda x: np.absolute(-x),
    "fabs": lambda x: np.fabs(-x),
    "rint": lambda x: np.rint(3.0 * x),
    "matmul": lambda x: np.matmul(x, A.T),
    "bitwise": lambda x: (np.bitwise_and(x > 0.3, x < 0.6), np.invert(x > 0.5), np.bitwise_xor(x > 0.3, True)),
    "add.reduce": lambda x: np.add.reduce(x),
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1, keepdims=True),
    "maximum.reduce": lambda x: np.maximum.reduce(x, None),
    "minimum.reduce": lambda x: np.minimum.reduce(x, axis=-1),
    "logical.reduce": lambda x: (np.logical_and.reduce(x > 0.3), np.logical_or.reduce(x > 0.8, axis=1)),
    "types": lambda x: np.zeros(2, np.result_type(x, "float32")) + np.can_cast(x, "float32") + x[0, 0],
    "common type": lambda x: x.astype(np.common_type(x, np.zeros(2, np.float32))),
    "sum by position": lambda x: np.sum(x, 0),
    "sum by name": lambda x: np.sum(x, keepdims=True, axis=1),
    "sum with defaults": lambda x: np.sum(x, 0, None, None, True),
    "dtype by position": lambda x: (np.sum(x, 0, "float32"), pg.mean(x, 1, "float32"), x.prod(0, "float32")),
    "out": lambda x: np.sum(x, 1, out=np.zeros(2, like=x)) + np.mean(x, axis=1, out=np.ones(2, like=x)),
    "mean, std, var": lambda x: (np.mean(x, axis=0), np.std(x, ddof=1), np.var(x, 1)),
    "amax": lambda x: (np.amax(x, 0), np.amin(x), np.max(x), np.min(x, axis=1)),
    "where": lambda x: np.where(x > 0.5, x, 0.0),
    "clip by position": lambda x: np.clip(x, 0.3, 0.6),
    "clip by name": lambda x: np.clip(x, a_min=None, a_max=0.6),
    "concatenate": lambda x: np.concatenate([x, A], axis=1),
    "stack": lambda x: np.stack([x, 2.0 * x, A]),
    "reshape": lambda x: np.reshape(x, (3, -1)),
    "transpose": lambda x: (np.transpose(x), np.transpose(x, (1, 0))),
    "dot": lambda x: np.dot(x, A.T),
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "expand_dims": lambda x: np.squeeze(np.expand_dims(x, 1), 1),
    "flip": lambda x: np.flip(x, axis=0),
    "round": lambda x: (np.round(10.0 * x), np.around(x, 1)),
    "ravel": lambda x: np.ravel(x),
    "copy": lambda x: np.copy(x),
    "like": lambda x: (np.zeros_like(x), np.ones_like(x), np.full_like(x, 0.5)),
    "any, all": lambda x: (np.any(x > 0.5, axis=0), np.all(x > 0.1)),
    "form": lambda x: np.ones(np.shape(x)) * np.ndim(x) * np.size(x) * np.size(x, 1) * x,
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_numpy_functions_record_what_numpy_computes(name: str) -> None:
    x = var("x", A.shape)
    outputs = SUPPORTED[name](x)
    results = evaluate(Graph([x], outputs), A)
    wanted = SUPPORTED[name](A)
    several = isinstance(wanted, tuple)
    for result, value in zip(results if several else [results], wanted if several else [wanted], strict=True):
        assert (result.shape, result.dtype) == (value.shape, value.dtype)
        np.testing.assert_allclose(result, value)


def test_form_is_known_when_recording() -> None:
    x = var("x", (2, 3))
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert np.isrealobj(x)
    assert not np.iscomplexobj(x)
    assert np.full_like(x, 1, dtype="int32", shape=(4,)).dtype == np.int32


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "function": (lambda x: np.fft.fft(x), "numpy.fft.fft is not supported by pygraph"),
    "function of numpy": (lambda x: np.unique(x), "numpy.unique is not supported by pygraph"),
    "linalg": (lambda x: np.linalg.eigvals(x), "numpy.linalg.eigvals is not supported by pygraph"),
    "ufunc": (lambda x: np.isnat(x), "numpy.isnat is not supported by pygraph"),
    "out": (lambda x: np.add(x, 1.0, out=np.zeros((2, 3))), "argument 'out' of numpy.add is not supported"),
    "where": (lambda x: np.add(x, 1.0, where=A > 0.5), "argument 'where' of numpy.add is not supported"),
    "dtype": (lambda x: np.add(x, 1.0, dtype="float32"), "argument 'dtype' of numpy.add is not supported"),
    "casting": (lambda x: np.add(x, 1.0, casting="no"), "argument 'casting' of numpy.add is not supported"),
    "order": (lambda x: np.exp(x, order="F"), "argument 'order' of numpy.exp is not supported"),
    "accumulate": (lambda x: np.subtract.accumulate(x), "numpy.subtract.accumulate is not supported"),
    "outer": (lambda x: np.multiply.outer(x, x, dtype=float), "argument 'dtype' of numpy.multiply.outer is not"),
    "at": (lambda x: np.add.at(np.zeros(3), [0], x), "numpy.add.at writes into its first argument"),
    "reduceat": (lambda x: np.add.reduceat(x, [0, 1]), "numpy.add.reduceat is not supported"),
    "reduce of others": (lambda x: np.subtract.reduce(x), "numpy.subtract.reduce is not supported"),
    "sum with out": (lambda x: np.sum(x, out=np.zeros(())), "argument 'out' of numpy.sum is not supported"),
    "concatenate with casting": (
        lambda x: np.concatenate([x, x], casting="no"),
        "argument 'casting' of numpy.concatenate is not supported",
    ),
    "one-argument where": (lambda x: np.where(x > 0.5), "numpy.where with these arguments"),
    "copyto": (lambda x: np.copyto(np.zeros((2, 3)), x), "numpy.copyto is not supported"),
    "save": (lambda x: np.array2string(x), "numpy.array2string is not supported"),
}


def test_the_third_argument_of_a_sum_is_a_dtype() -> None:
    with pytest.raises(pg.DTypeError, match="True is not a dtype"):
        pg.sum(A, 0, True)
    with pytest.raises(pg.SignatureError, match="too many positional arguments"):
        pg.max(A, 0, True)


def test_out_has_the_shape_of_the_result() -> None:
    with pytest.raises(pg.ShapeError, match=r"out has shape \(2, 3\), the result \(2,\)"):
        pg.trace(lambda x: np.sum(x, 1, out=np.zeros_like(x)), A)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_is_named(name: str) -> None:
    f, text = REFUSED[name]
    with pytest.raises(UnsupportedError) as error:
        f(var("x", (2, 3)))
    message = str(error.value)
    assert message.startswith("tracing ")
    assert text in message
    assert "at: test_protocols.py:" in message
    assert "do: " in message


def test_the_operands_are_shown() -> None:
    x = var("x", (2, 3))
    with pytest.raises(UnsupportedError, match=r"operands: float64\[2, 3\]"):
        np.fft.fft(x)
    with pytest.raises(UnsupportedError, match=r"operands: float64\[2, 3\], float64\[2, 3\]"):
        np.intersect1d(x, A)


def test_ufuncs_of_others() -> None:
    special = pytest.importorskip("scipy.special")
    x = var("x", 3)
    assert special.erf(x).op.name == "erf"
    with pytest.raises(UnsupportedError, match=r"scipy\.special\.jv is not supported by pygraph"):
        special.jv(0.5, x)
    add = np.frompyfunc(lambda a, b: a - b, 2, 1)
    with pytest.raises(UnsupportedError, match="is not supported by pygraph"):
        add(x, x)


def test_numpy_checks_its_own_arguments() -> None:
    with pytest.raises(TypeError):
        np.sum(var("x"), axes=0)  # type: ignore[call-overload]


def test_nothing_becomes_an_object_array() -> None:
    x = var("x", 3)
    for result in (np.ones(3) + x, np.float32(1) * x, x - np.ones(3), np.ones((3, 3)) @ x, np.ones(3) < x):
        assert isinstance(result, Node)


def test_fabs_is_floating() -> None:
    smallest = np.array([-3, np.iinfo(np.int64).min])
    found = pg.compile(np.fabs)(smallest)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.fabs(smallest))
    assert pg.compile(np.fabs)(np.array([-2.5], "float32")).dtype == np.float32
    with pytest.raises(pg.DTypeError, match="fabs"):
        np.fabs(pg.var("b", (2,), "bool"))
