"""The fast path of a call: a Python function written for one Program, with nothing left to look up or loop over.

For a Program with two array inputs and one 0-d output the text reads

    def call(*args, **named):
        if len(args) == 2 and not named:
            a0, a1 = args
            if (type(a0) is ndarray and a0.dtype is d0 and a0.shape == s0
                and type(a1) is ndarray and a1.dtype is d1 and a1.shape == s1):
                try:
                    context = pop()
                except IndexError:
                    context = make()
                try:
                    pointer, i0, i1, o0 = context.fast
                    i0[...] = a0
                    i1[...] = a1
                    if run(pointer, 0):
                        raise failure(pointer)
                    return o0[()]
                finally:
                    push(context)
        return general(*args, **named)

Small inputs are copied to the context, large ones bound; anything unusual goes to `general`, which checks fully.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

import numpy as np

from ..lower.program import Port
from ..ops.dtypes import float64, int64
from . import library
from .context import Context, ContextPool, is_small
from .library import Library

#: The written function counts as a file of this package, so that error texts pass over it to the user's line.
_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "<call>")
#: Programs with more inputs and outputs than this take the general path.
MAX_PORTS = 64

Call = Callable[..., Any]


def fast_view(context: Context, inputs: Sequence[int], outputs: Sequence[int]) -> tuple[Any, ...]:
    """What the written function unpacks: the pointer, views of small inputs, then views or copiers of small outputs."""
    views = [view for i in inputs if (view := context.input_view(i)) is not None]
    takers = [view.copy if view.ndim else view for i in outputs if (view := context.output_view(i)) is not None]
    return (context.pointer, *views, *takers)


def write_call(
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    result: str,
    pool: ContextPool,
    loaded: Library,
    general: Call,
    unflatten: Callable[[list[Any]], Any],
) -> Call:
    """The call path for these ports of segment 0.

    Args:
        inputs, outputs: ports of the forward segment, in the order of the call.
        result: how values make the result: "one", "tuple", or "tree" through `unflatten`.
        pool: where contexts come from and go back to, also after an exception.
        loaded: the Program, for the exceptions of failed runs.
        general: takes every call whose arguments are not exactly the declared arrays.
        unflatten: builds the output tree from a list of values.
    """
    if not inputs or not outputs or len(inputs) + len(outputs) > MAX_PORTS:
        return general
    namespace: dict[str, Any] = {
        "ndarray": np.ndarray,
        "empty": np.empty,
        "run": library.run,
        "bind": library.bind,
        "address": library.address,
        "pop": pool.free.pop,
        "push": pool.free.append,
        "make": pool.make,
        "failure": loaded.failure,
        "general": general,
        "unflatten": unflatten,
    }
    for i, port in enumerate(inputs):
        namespace |= {f"d{i}": port.dtype, f"s{i}": port.shape, f"t{i}": port.dtype.type, f"p{i}": port.slot}
    for i, port in enumerate(outputs):
        namespace |= {f"e{i}": port.dtype, f"z{i}": port.shape, f"q{i}": port.slot}
    exec(_code(tuple(map(_input_kind, inputs)), tuple(map(_output_kind, outputs)), result), namespace)
    call: Call = namespace.pop("call")  # left there, the function would be part of a reference cycle
    return call


def _input_kind(port: Port) -> str:
    if not is_small(port):
        return "large"
    if port.shape:
        return "array"
    return {float64: "float", int64: "int"}.get(port.dtype, "scalar")


def _output_kind(port: Port) -> str:
    return "large" if not is_small(port) else "array" if port.shape else "scalar"


_SCALAR = "type(a{i}) is t{i} or type(a{i}) is ndarray and a{i}.dtype is d{i} and a{i}.shape == ()"
#: Whether a<i> is exactly what input i asks for.
_CHECKS = {
    "array": "type(a{i}) is ndarray and a{i}.dtype is d{i} and a{i}.shape == s{i}",
    "large": "type(a{i}) is ndarray and a{i}.dtype is d{i} and a{i}.shape == s{i}"
    " and a{i}.flags.c_contiguous and a{i}.flags.aligned",
    "scalar": f"({_SCALAR})",
    "float": f"(type(a{{i}}) is float or {_SCALAR})",
    "int": f"(type(a{{i}}) is int and -0x8000000000000000 <= a{{i}} <= 0x7FFFFFFFFFFFFFFF or {_SCALAR})",
}
_LOADS = {"array": "i{i}[...] = a{i}", "large": "bind(pointer, p{i}, address(a{i}))"}
_PREPARES = {"large": ("r{i} = empty(z{i}, e{i})", "bind(pointer, q{i}, address(r{i}))")}
_VALUES = {"array": "o{i}()", "scalar": "o{i}[()]", "large": "r{i}"}


@functools.lru_cache(maxsize=256)
def _code(inputs: tuple[str, ...], outputs: tuple[str, ...], result: str) -> CodeType:
    arguments = "".join(f"a{i}, " for i in range(len(inputs)))
    views = "".join(f", i{i}" for i, kind in enumerate(inputs) if kind != "large")
    takers = "".join(f", o{i}" for i, kind in enumerate(outputs) if kind != "large")
    values = ", ".join(_VALUES[kind].format(i=i) for i, kind in enumerate(outputs))
    results = {"one": values, "tuple": f"({values},)", "tree": f"unflatten([{values}])"}
    lines = [
        "def call(*args, **named):",
        f"    if len(args) == {len(inputs)} and not named:",
        f"        {arguments}= args",
        "        if (" + "\n            and ".join(_CHECKS[kind].format(i=i) for i, kind in enumerate(inputs)) + "):",
        "            try:",
        "                context = pop()",
        "            except IndexError:",
        "                context = make()",
        "            try:",
        f"                pointer{views}{takers}{'' if views or takers else ','} = context.fast",
        *(f"                {_LOADS.get(kind, 'i{i}[()] = a{i}').format(i=i)}" for i, kind in enumerate(inputs)),
        *(f"                {line.format(i=i)}" for i, kind in enumerate(outputs) for line in _PREPARES.get(kind, ())),
        "                if run(pointer, 0):",
        "                    raise failure(pointer)",
        f"                return {results[result]}",
        "            finally:",
        "                push(context)",
        "    return general(*args, **named)",
    ]
    return compile("\n".join(lines), _FILE, "exec")
