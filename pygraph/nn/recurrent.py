"""`rnn`, `lstm`, `gru`: a state that goes along the time axis of sequences, as a loop that runs in C."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

import pygraph as pg

from .initializers import drawn_by, gated
from .layer import Layer, array, settings

__all__ = ["gru", "lstm", "rnn"]

Draw = str | Callable[..., Any]


class _Recurrent(Layer):
    """What the three share: parameters of `gates` parts, and the loop."""

    inputs: int | None
    features: int
    return_sequences: bool
    reverse: bool
    bias: bool
    weight_init: Draw
    recurrent_init: Draw
    bias_init: Draw
    gates: ClassVar[int] = 1
    needs_key = False

    def __post_init__(self) -> None:
        self.require_sizes("inputs", "features")

    @property
    def needs_shape(self) -> bool:
        return self.inputs is None

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        inputs = self.size_of(self.inputs, shape, -1, "inputs")
        keys, n = pg.random.split(key, 3), self.features
        params = {
            "weight": gated(self.weight_init, keys[0], (inputs, n), self.gates, dtype),
            "recurrent": gated(self.recurrent_init, keys[1], (n, n), self.gates, dtype),
        }
        if self.bias:
            params["bias"] = drawn_by(self.bias_init, keys[2], (self.gates * n,), dtype)
        return params, ()

    def apply(
        self, params: Any, x: Any, *, state: Any = (), key: Any = None, initial: Any = None, return_state: bool = False
    ) -> Any:
        x, weight = array(x), self.parameter(params, "weight")
        if x.ndim != 3 or x.shape[-1] != weight.shape[0]:
            self.refuse(f"x has shape {x.shape}", f"give (batch, time, {weight.shape[0]})")
        if initial is None:
            initial = self.initial((x.shape[0],), np.result_type(x.dtype, weight.dtype))
        self._check_initial(initial, (x.shape[0], self.features))
        y, last = _loops(self, params, x, initial)
        return (y, last) if return_state else y

    def step(self, params: Any, carry: Any, x: Any) -> tuple[Any, Any]:
        """One step of time: (next carry, result), of a carry as in `initial` and an input (…, inputs).

        What a loop of your own calls, such as one that samples.
        """
        x = array(x)
        if x.ndim < 1 or x.shape[-1] != self.parameter(params, "weight").shape[0]:
            self.refuse(f"x has shape {x.shape}", f"give (…, {params['weight'].shape[0]})")
        carry = self._next(params, carry, self._projected(params, x))
        return carry, self._result(carry)

    def initial(self, batch: tuple[int, ...] = (), dtype: Any = "float64") -> Any:
        """The carry before the first step: zeros, of shape (*batch, features)."""
        return np.zeros((*batch, self.features), dtype)

    def _projected(self, params: Any, x: Any) -> Any:
        """What the gates get of the inputs: for all times at once."""
        made = x @ params["weight"]
        return made + self.parameter(params, "bias") if self.bias else made

    @abstractmethod
    def _next(self, params: Any, carry: Any, projected: Any) -> Any:
        """The carry after a step."""

    def _result(self, carry: Any) -> Any:
        """What a step returns of the carry."""
        return carry

    def _parts(self, gates: Any) -> list[Any]:
        n = self.features
        return [gates[..., at * n : (at + 1) * n] for at in range(self.gates)]

    def _check_initial(self, initial: Any, shape: tuple[int, ...]) -> None:
        wanted, given = (pg.tree_map(np.shape, x) for x in (self.initial(shape[:1]), initial))
        if wanted != given:
            self.refuse(f"initial has the shapes {given!r}", f"give {wanted!r}")

    def _run(self, params: Any, x: Any, initial: Any) -> tuple[Any, Any]:
        def body(carry: Any, projected: Any) -> tuple[Any, Any]:
            carry = self._next(params, carry, projected)
            return carry, self._result(carry) if self.return_sequences else None

        projected = self._projected(params, pg.moveaxis(x, 1, 0))
        initial = pg.tree_map(lambda h: pg.astype(h, projected.dtype), initial)
        last, sequence = pg.scan(body, initial, projected, reverse=self.reverse)
        return pg.moveaxis(sequence, 0, 1) if self.return_sequences else self._result(last), last


def _looped(layer: _Recurrent, params: Any, x: Any, initial: Any) -> tuple[Any, Any]:
    return layer._run(params, x, initial)


#: The loop over arrays, compiled once for each layer and signature; expressions are recorded.
_loops = pg.compile(_looped, static_argnums=0)


@settings
@dataclass(frozen=True, repr=False)
class rnn(_Recurrent):
    """h ← activation(x W + b + h U) for each step of time, from h = 0.

    Args:
        inputs: the size of the last axis of x; None: that of the shape that `init` is given.
        features: the size of h.
        activation: a function of an array.
        return_sequences: whether the result has h of each step, or the last one alone.
        reverse: whether steps go from the last to the first.
        bias: whether there is a b.
        weight_init, recurrent_init, bias_init: initialisers of W, U and b.

    Parameters: {"weight": (inputs, features), "recurrent": (features, features), "bias": (features,)}. PyTorch's
    weights are transposes of ours, and the sum of its two biases is b.

    x: (batch, time, inputs); the result: (batch, time, features), or (batch, features). A call takes `initial=`, the
    first h, (batch, features), and `return_state=True`, to get (result, last h). `layer.step(params, h, x)` is one
    step.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> layer = pg.nn.rnn(3, 4)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.ones((2, 5, 3))).shape
        (2, 5, 4)
    """

    inputs: int | None
    features: int
    _: KW_ONLY
    activation: Callable[[Any], Any] = pg.tanh
    return_sequences: bool = True
    reverse: bool = False
    bias: bool = True
    weight_init: Draw = "glorot_uniform"
    recurrent_init: Draw = "orthogonal"
    bias_init: Draw = "zeros"

    def _next(self, params: Any, carry: Any, projected: Any) -> Any:
        return self.activation(projected + carry @ self.parameter(params, "recurrent"))


@settings
@dataclass(frozen=True, repr=False)
class lstm(_Recurrent):
    """Long short-term memory: a state h and a cell c, with gates (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    i, f, g, o = the four parts of x W + b + h U; c ← sigmoid(f) c + sigmoid(i) tanh(g); h ← sigmoid(o) tanh(c), for
    each step of time, from zeros.

    Args:
        forget_bias: what is added to the part of b that belongs to f when it is made (Jozefowicz et al. 2015).
        inputs, features, return_sequences, reverse, bias, weight_init, recurrent_init, bias_init: as for `rnn`.

    Parameters: {"weight": (inputs, 4 features), "recurrent": (features, 4 features), "bias": (4 features,)}, the gates
    in PyTorch's order.

    x and result: as for `rnn`. A call takes `initial=`, the first (h, c), each (batch, features), and
    `return_state=True`, to get (result, last (h, c)). `layer.step(params, (h, c), x)` is one step.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> layer = pg.nn.lstm(3, 4, return_sequences=False)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.ones((2, 5, 3))).shape
        (2, 4)
    """

    inputs: int | None
    features: int
    _: KW_ONLY
    forget_bias: float = 1.0
    return_sequences: bool = True
    reverse: bool = False
    bias: bool = True
    weight_init: Draw = "glorot_uniform"
    recurrent_init: Draw = "orthogonal"
    bias_init: Draw = "zeros"
    gates = 4

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        params, state = super().create(key, shape, dtype)
        if self.bias:
            is_forget = np.repeat(np.array([False, True, False, False]), self.features)
            params["bias"] = params["bias"] + np.where(is_forget, self.forget_bias, 0.0).astype(dtype)
        return params, state

    def initial(self, batch: tuple[int, ...] = (), dtype: Any = "float64") -> Any:
        """The carry before the first step, (h, c): zeros, each of shape (*batch, features)."""
        return super().initial(batch, dtype), super().initial(batch, dtype)

    def _next(self, params: Any, carry: Any, projected: Any) -> Any:
        h, c = carry
        i, f, g, o = self._parts(projected + h @ self.parameter(params, "recurrent"))
        c = pg.sigmoid(f) * c + pg.sigmoid(i) * pg.tanh(g)
        return pg.sigmoid(o) * pg.tanh(c), c

    def _result(self, carry: Any) -> Any:
        return carry[0]


@settings
@dataclass(frozen=True, repr=False)
class gru(_Recurrent):
    """Gated recurrent units (Cho et al. 2014, arXiv:1406.1078), with the reset gate behind the product, as in cuDNN.

    r, z = sigmoid of the first two parts of x W + b + h U; n = tanh((x W + b)ₙ + r ((h U)ₙ + d)), of the third parts;
    h ← (1 - z) n + z h, for each step of time, from h = 0.

    Args:
        inputs, features, return_sequences, reverse, bias, weight_init, recurrent_init, bias_init: as for `rnn`.

    Parameters: {"weight": (inputs, 3 features), "recurrent": (features, 3 features), "bias": (3 features,),
    "recurrent_bias": (features,)}, the last one being d; the gates in PyTorch's order.

    x and result: as for `rnn`, and so a call's `initial=` and `return_state=True`, and `layer.step(params, h, x)`.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> layer = pg.nn.gru(3, 4)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> y, h = layer(params, np.ones((2, 5, 3)), return_state=True)
        >>> y.shape, bool(np.all(y[:, -1] == h))
        ((2, 5, 4), True)
    """

    inputs: int | None
    features: int
    _: KW_ONLY
    return_sequences: bool = True
    reverse: bool = False
    bias: bool = True
    weight_init: Draw = "glorot_uniform"
    recurrent_init: Draw = "orthogonal"
    bias_init: Draw = "zeros"
    gates = 3

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        params, state = super().create(key, shape, dtype)
        if self.bias:
            params["recurrent_bias"] = drawn_by(self.bias_init, pg.random.fold_in(key, 3), (self.features,), dtype)
        return params, state

    def _next(self, params: Any, carry: Any, projected: Any) -> Any:
        r, z, n = self._parts(projected)
        hr, hz, hn = self._parts(carry @ self.parameter(params, "recurrent"))
        hn = hn + self.parameter(params, "recurrent_bias") if self.bias else hn
        n = pg.tanh(n + pg.sigmoid(r + hr) * hn)
        return n + pg.sigmoid(z + hz) * (carry - n)
