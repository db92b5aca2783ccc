"""What all layers have: settings, pickles, dtypes, errors that name them, and the same program as without them."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from helpers import needs_compiler
from layer_cases import CASES, parameters

import pygraph as pg
from pygraph import nn

KEY = pg.random.key(0)
LAYERS = {name: case for name, case in CASES.items() if isinstance(case.layer, nn.Layer)}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_pickles_compares_and_hashes(name: str) -> None:
    layer = LAYERS[name].layer
    copy = pickle.loads(pickle.dumps(layer))
    assert copy == layer
    assert hash(copy) == hash(layer)
    with pytest.raises(AttributeError):
        layer.bias = 3


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_written_as_it_was_made(name: str) -> None:
    layer = LAYERS[name].layer
    names = {name: getattr(nn, name) for name in nn.__all__}
    assert eval(repr(layer), names) == layer


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_float32(name: str) -> None:
    case = LAYERS[name]

    def whole(key: Any, x: Any, options: Any) -> Any:
        params, state = case.layer.init(key, x.shape[1:], dtype="float32")
        running = nn.Running(state)
        y = case.layer(params, x, state=running, key=key, **options)
        return y, case.layer(params, x, state=state, **options), params, state, running.value

    def small(x: Any) -> Any:
        return x.astype(np.float32) if x.dtype.kind == "f" else x

    graph = pg.trace(whole, KEY, small(case.x), {key: small(x) for key, x in case.options.items()})
    assert {x.dtype.name for x in graph.outputs} == {"float32"}


@pytest.mark.parametrize("name", LAYERS)
def test_an_empty_batch(name: str) -> None:
    case = LAYERS[name]
    params, state = case.layer.init(KEY, case.x.shape[1:])
    options = {key: x[:0] if key != "mask" else x for key, x in case.options.items()}
    full = case.layer(params, case.x, state=state, **case.options)
    assert case.layer(params, case.x[:0], state=state, **options).shape == (0, *full.shape[1:])


#: Cases with kinks where the parameters of the formula are: differences are taken across them.
_KINKS = ("relu", "max_pool", "model", "embedding")


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name in LAYERS if not any(kink in name for kink in _KINKS)])
def test_derivatives_of_both_modes_and_of_second_order(name: str) -> None:
    case = LAYERS[name]
    params, state = parameters(case)

    def loss(params: Any, x: Any) -> Any:
        running = nn.Running(state) if case.is_training else state
        return pg.sum(pg.sin(case.layer(params, x, state=running, **case.options)))

    pg.check_grads(loss, (params, case.x), order=2)


@pytest.mark.deep
@needs_compiler
@pytest.mark.parametrize("name", LAYERS)
def test_batched_over_models_and_in_both_tiers(name: str) -> None:
    """Three models at once, and native code: what each gives alone in the interpreter."""
    case = LAYERS[name]
    params, state = parameters(case)

    def run(params: Any, x: Any) -> Any:
        running = nn.Running(state) if case.is_training else state
        y = case.layer(params, x, state=running, **case.options)
        return y, running.value if case.is_training else ()

    several = pg.tree_map(lambda p: np.stack([p, 0.5 * p, -p]), params)
    expected = [pg.compile(run, backend="vm")(pg.tree_map(lambda p, at=at: p[at], several), case.x) for at in range(3)]
    together = pg.vmap(run)(several, np.stack([case.x] * 3))
    native = pg.compile(run, backend="native")(params, case.x)
    for whole, *each, alone in zip(*map(pg.tree_leaves, (together, *expected, native)), strict=True):
        np.testing.assert_allclose(whole, np.stack(each), rtol=1e-11, atol=1e-13)
        np.testing.assert_array_equal(alone, each[0])


def test_a_layer_may_be_an_argument_of_a_compiled_function() -> None:
    traces: list[int] = []

    @pg.compile
    def run(layer: Any, params: Any, x: Any) -> Any:
        traces.append(1)
        return layer(params, x)

    layer = nn.linear(2, 1)
    params, _ = layer.init(KEY)
    x = np.array([[1.0, 2.0]])
    for _ in range(2):
        np.testing.assert_allclose(run(layer, params, x), x @ params["weight"], rtol=1e-15)
    assert len(traces) == 1
    other, _ = nn.linear(2, 1, bias=False).init(KEY)
    run(nn.linear(2, 1, bias=False), other, x)
    assert len(traces) == 2


def test_a_layer_adds_nothing_to_the_program() -> None:
    model = nn.sequential(
        *(nn.conv(1, 2, 3, padding="SAME"), nn.relu, nn.max_pool(2), nn.flatten), nn.linear(8, 4), nn.dropout(0.5)
    )
    params, _ = model.init(KEY, (4, 4, 1))

    def layers(params: Any, x: Any) -> Any:
        return pg.sum(pg.logsumexp(model(params, x), -1))

    def plain(params: Any, x: Any) -> Any:
        filters, dense = params[0], params[4]
        h = pg.max_pool(pg.relu(pg.conv(x, filters["weight"], padding="SAME") + filters["bias"]), 2, 2)
        return pg.sum(pg.logsumexp(h.reshape(3, -1) @ dense["weight"] + dense["bias"], -1))

    texts = [
        re.sub(
            r"  #.*|graph \w+|program \w+",
            "",
            pg.compile(pg.trace(pg.value_and_grad(f), params, np.ones((3, 4, 4, 1)))).disassemble(),
        )
        for f in (layers, plain)
    ]
    assert "CONVOLVE" in texts[0].upper()
    assert texts[0].splitlines()[1:] == texts[1].splitlines()[1:]


def test_inputs_of_any_layout_and_kind() -> None:
    layer = nn.linear(3, 2)
    params, _ = layer.init(KEY)
    x = np.arange(6.0).reshape(2, 3)
    expected = layer(params, x)
    assert np.array_equal(layer(params, x.tolist()), expected)
    np.testing.assert_allclose(layer(params, np.asfortranarray(x)), expected, rtol=1e-15)
    np.testing.assert_allclose(layer(params, x[0]), expected[0], rtol=1e-15)
    np.testing.assert_allclose(pg.vmap(layer, in_axes=(None, 0))(params, x), expected, rtol=1e-15)


def test_a_layer_of_ones_own() -> None:
    class scale(nn.Layer):
        def create(self, key: Any, shape: Any, dtype: Any) -> Any:
            return {"factor": np.full(shape[-1:], 2.0, dtype)}, ()

        def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
            if x.shape[-1] != params["factor"].shape[0]:
                self.refuse("too wide", "give less")
            return x * params["factor"]

    class plain:
        """No Layer, but like one."""

        def init(self, key: Any, shape: Any = None, *, dtype: Any = "float64") -> Any:
            return np.ones(shape, dtype), ()

        def __call__(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
            return x + params

    model = nn.sequential(nn.linear(3, 2), scale(), plain(), np.negative)
    params, state = model.init(KEY)
    x = np.ones((1, 3))
    np.testing.assert_allclose(model(params, x, state=state), -(2.0 * (x @ params[0]["weight"]) + 1.0), rtol=1e-15)
    with pytest.raises(pg.ShapeError, match=r"^tracing scale\(\): too wide"):
        scale()(params[1], np.ones((1, 5)))
    assert str(scale()).splitlines()[2].split() == ["scale()", "?", "?", "?"]
    table = [line.split()[0] for line in str(nn.summary(model, (3,))).splitlines()[2:-2]]
    assert table == ["sequential", "linear(3,", "scale()", "plain", "negative"]
    assert str(nn.summary(plain(), (4,))).splitlines()[2].split() == ["plain", "(n,", "4)", "4", "32"]


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "a size": (lambda: nn.linear(3, 0), pg.ShapeError, r"building linear\(3, 0\): outputs is 0"),
    "a size that is no int": (lambda: nn.lstm(3, 2.5), pg.ShapeError, r"building lstm\(3, 2.5\): features is 2.5"),
    "a window": (lambda: nn.conv(1, 1, (3, 0)), pg.ShapeError, r"window is \(3, 0\)"),
    "strides": (lambda: nn.max_pool(2, "a"), pg.ShapeError, r"max_pool\(2, 'a'\): strides is 'a'"),
    "groups": (lambda: nn.conv(3, 4, 1, groups=2), pg.ShapeError, "3 channels and 4 features in 2 groups"),
    "groups of a norm": (lambda: nn.group_norm(2, 3), pg.ShapeError, "3 features in 2 groups"),
    "features": (lambda: nn.layer_norm((3, 0)), pg.ShapeError, r"features is \(3, 0\)"),
    "heads": (lambda: nn.multi_head_attention(6, 4), pg.ShapeError, "6 features for 4 heads"),
    "a rate": (lambda: nn.dropout(1.5), pg.DomainError, r"building dropout\(1.5\): the rate is 1.5"),
    "a rate of attention": (lambda: nn.multi_head_attention(2, 1, dropout=-1), pg.DomainError, "dropout is -1"),
    "no layer": (lambda: nn.sequential(nn.linear(2, 2), 3), pg.DTypeError, "building sequential: layer 1 is 3"),
    "a class": (lambda: nn.residual(nn.linear), pg.DTypeError, "building residual: layer 0 is <class"),
    "a seed": (lambda: nn.linear(2, 3).init(0), pg.DTypeError, r"linear\(2, 3\), split: 0 is a number, not a key"),
    "a dtype": (lambda: nn.linear(2, 3).init(KEY, dtype="int64"), pg.DTypeError, "parameters of dtype int64"),
    "no shape": (lambda: nn.linear(None, 3).init(KEY), pg.ShapeError, r"linear\(None, 3\): inputs is not given"),
    "a shape": (lambda: nn.batch_norm().init(KEY, "a"), pg.ShapeError, "the shape 'a'"),
    "a negative shape": (lambda: nn.batch_norm().init(KEY, (-1,)), pg.ShapeError, "negative size"),
    "a shape of no axis": (lambda: nn.gru(None, 3).init(KEY, ()), pg.ShapeError, "does not say inputs"),
    "another shape": (lambda: nn.linear(2, 3).init(KEY, (4,)), pg.ShapeError, "shape .4,., and inputs is 2"),
    "axes of a conv": (lambda: nn.conv(2, 3, 3).init(KEY, (4, 2)), pg.ShapeError, "or to the layer for signals"),
    "channels": (lambda: nn.conv(None, 4, 1, groups=2).init(KEY, (4, 4, 3)), pg.ShapeError, "3 channels in 2 groups"),
    "a norm's shape": (lambda: nn.layer_norm((3, 2)).init(KEY, (4, 2)), pg.ShapeError, "give one that ends with"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_mistakes_in_a_layer(name: str) -> None:
    make, kind, text = ERRORS[name]
    with pytest.raises(kind, match=text) as caught:
        make()
    assert isinstance(caught.value, pg.GraphError)
    assert "\n  do: " in str(caught.value)
    assert caught.value.line is not None
    assert caught.value.line.file == __file__


def _called(name: str, *shape: int, **options: Any) -> Any:
    case = CASES[name]
    params, state = case.layer.init(KEY, case.x.shape[1:])
    return lambda: case.layer(params, np.zeros(shape), state=state, **options)


CALLS: dict[str, tuple[Any, str]] = {
    "linear": (_called("linear", 2, 4), r"linear\(3, 5\): x has shape \(2, 4\)"),
    "a scalar": (_called("linear"), r"x has shape \(\)"),
    "conv": (_called("conv of images", 2, 4, 4), r"do: give \(n, height, width, 2\)"),
    "conv of channels first": (_called("conv of channels first", 2, 4, 4, 2), r"do: give \(n, 2, height, width\)"),
    "conv_transpose": (_called("conv_transpose", 2, 4, 4, 1), r"conv_transpose.*: x has shape \(2, 4, 4, 1\)"),
    "max_pool": (_called("max_pool", 2, 4), r"max_pool.*: x has shape \(2, 4\)"),
    "batch_norm": (_called("batch_norm in training", 2, 4), "give 3 features along axis -1"),
    "batch_norm without an axis": (_called("batch_norm of channels first", 4), "and axis is 1"),
    "layer_norm": (_called("layer_norm", 2, 4), r"inputs that end with \(5,\)"),
    "layer_norm of two axes": (_called("layer_norm of two axes", 4), r"inputs that end with \(3, 4\)"),
    "group_norm": (_called("group_norm", 2, 4), "give 6 features along axis -1"),
    "rnn": (_called("rnn", 2, 3), r"give \(batch, time, 3\)"),
    "initial": (_called("lstm", 2, 5, 3, initial=np.zeros((2, 4))), r"initial has the shapes \(2, 4\)"),
    "attention": (_called("attention", 2, 3, 4), r"give \(batch, time, 6\)"),
    "memory": (_called("attention", 2, 3, 6, memory=np.ones((1, 3, 6))), r"memory has shape \(1, 3, 6\)"),
    "mask": (_called("attention", 2, 3, 6, mask=np.ones(3, bool)), r"mask has shape \(3,\)"),
    "a mask that does not fit": (_called("attention", 2, 3, 6, mask=np.ones((3, 4), bool)), "a mask of shape"),
    "a layer of several": (_called("model", 2, 6, 6, 1), r"sequential, layer 6, linear\(None, 3\): x has shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_inputs_that_do_not_fit_name_the_layer(name: str) -> None:
    call, text = CALLS[name]
    with pytest.raises(pg.ShapeError, match=text) as caught:
        call()
    assert caught.value.subject
    assert caught.value.advice


def test_inputs_of_another_dtype_and_parameters_of_another_layer() -> None:
    whole = np.ones((2, 3), np.int64)
    params, state = nn.batch_norm(3).init(KEY)
    with pytest.raises(pg.DTypeError, match=r"batch_norm\(3\): x is of dtype int64"):
        nn.batch_norm(3)(params, whole, state=state)
    with pytest.raises(pg.DTypeError, match=r"embedding\(3, 2\): x is of dtype float64"):
        nn.embedding(3, 2)(nn.embedding(3, 2).init(KEY)[0], np.ones(3))
    with pytest.raises(pg.DTypeError, match="the mask is of dtype float64"):
        nn.attention(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)), mask=np.ones((2, 2)))
    with pytest.raises(pg.SignatureError, match=r"linear\(3, 2\): there is no parameter 'weight' in \{'bias': '\*'"):
        nn.linear(3, 2)(params, np.ones((2, 3)))
    with pytest.raises(pg.SignatureError, match="there are 2 layers, and parameters for 1"):
        nn.sequential(nn.tanh, nn.relu)(((),), np.ones(3))
    with pytest.raises(pg.SignatureError, match="there are 1 layers, and states for 2"):
        nn.sequential(nn.batch_norm(3))((params,), np.ones((2, 3)), state=nn.Running((state, state)))
