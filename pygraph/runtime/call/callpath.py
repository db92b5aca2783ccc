"""The fast path of a call: a Python function written for one Program, with nothing left to look up or loop over.

For arguments (params, x), where params is a dict of two arrays, and a 0-d output, the text reads

    def call(*args, **named):
        if len(args) != 2 or named:
            return general(*args, **named)
        x0, a2 = args
        if type(x0) is not c0 or len(x0) != 2 or c1 not in x0 or c2 not in x0:
            return general(*args, **named)
        a0 = x0[c1]
        a1 = x0[c2]
        if not (type(a0) is ndarray and a0.dtype is d0 and a0.shape == s0
                and ...):
            return general(*args, **named)
        try:
            context = pop()
        except IndexError:
            context = make()
        try:
            pointer, i0, i1, i2, o0 = context.fast
            i0[...] = a0
            i1[...] = a1
            i2[...] = a2
            if run(pointer, 0):
                settle(pointer)
            return o0[()]
        finally:
            push(context)

Small inputs are copied to the context, large ones bound; anything unusual goes to `general`, which checks fully.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt

from ...graph.trace_context import active
from ...graph.tree import Static, TreeDef, unflatten
from ...lower.program import Port
from ...ops.dtypes import float64, int64
from ..clib import library
from ..clib.context import Context, ContextPool, is_small
from ..clib.library import Library

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
    forms: Sequence[TreeDef],
    result: TreeDef,
    pool: ContextPool,
    loaded: Library,
    general: Call,
    weak: Sequence[type | None] | None = None,
    unchanged: Callable[[], bool] | None = None,
) -> Call:
    """The call path for these ports of segment 0.

    Args:
        inputs, outputs: ports of the forward segment, in the order of the call.
        forms: of the arguments, whose leaves are the inputs.
        result: the form of the result, whose leaves are the outputs.
        pool: where contexts come from and go back to, also after an exception.
        loaded: the Program, which runs, and settles what runs say.
        general: takes every call whose arguments are not exactly the declared containers and arrays, and, with `weak`,
            every call while a function is being recorded.
        weak: for each input the type of Python number it must be, or None where it must be none; without it a
            float64 or int64 input may also be given as a number.
        unchanged: tells whether the Program is still that of the function; while it is not, `general` takes every call.
    """
    if not inputs or len(inputs) + len(outputs) > MAX_PORTS:
        return general
    taken = [_input_kind(port) for port in inputs]
    if weak is not None:
        taken = [_exact_kind(kind, number) for kind, number in zip(taken, weak, strict=True)]
    kinds = tuple(taken), tuple(map(_output_kind, outputs))
    code, constants = _written(*kinds, tuple(forms), result, weak is not None, unchanged is not None)
    namespace: dict[str, Any] = {
        "ndarray": np.ndarray,
        "empty": np.empty,
        "run": loaded.run,
        "bind": library.bind,
        "address": library.address,
        "pop": pool.free.pop,
        "push": pool.free.append,
        "make": pool.make,
        "settle": loaded.settle,
        "general": general,
        "unchanged": unchanged,
        "tracing": active,
        "static": Static,
        "unflatten": unflatten,
        **{f"c{i}": constant for i, constant in enumerate(constants)},
    }
    for i, port in enumerate(inputs):
        namespace |= {f"d{i}": port.dtype, f"s{i}": port.shape, f"t{i}": port.dtype.type, f"p{i}": port.slot}
    for i, port in enumerate(outputs):
        namespace |= {f"e{i}": port.dtype, f"z{i}": port.shape, f"q{i}": port.slot}
    exec(code, namespace)
    call: Call = namespace.pop("call")  # left there, the function would be part of a reference cycle
    return call


def _input_kind(port: Port) -> str:
    if not is_small(port):
        return "large"
    if port.shape:
        return "array"
    return {float64: "float", int64: "int"}.get(port.dtype, "scalar")


def _exact_kind(kind: str, number: type | None) -> str:
    """The kind of an input that is known to be a Python number, or known not to be one."""
    if number is not None:
        return f"weak {number.__name__}"
    return "scalar" if kind in ("float", "int") else kind


def _output_kind(port: Port) -> str:
    return "large" if not is_small(port) else "array" if port.shape else "scalar"


_ARRAY = "type(a{i}) is ndarray and (a{i}.dtype is d{i} or a{i}.dtype == d{i})"
_SCALAR = f"type(a{{i}}) is t{{i}} or {_ARRAY} and a{{i}}.shape == ()"
#: Whether a<i> is exactly what input i asks for.
_CHECKS = {
    "array": f"{_ARRAY} and a{{i}}.shape == s{{i}}",
    "large": f"{_ARRAY} and a{{i}}.shape == s{{i}} and a{{i}}.flags.c_contiguous and a{{i}}.flags.aligned",
    "scalar": f"({_SCALAR})",
    "float": f"(type(a{{i}}) is float or {_SCALAR})",
    "int": f"(type(a{{i}}) is int and -0x8000000000000000 <= a{{i}} <= 0x7FFFFFFFFFFFFFFF or {_SCALAR})",
}
_CHECKS |= {
    "weak float": "type(a{i}) is float",
    "weak int": "type(a{i}) is int and -0x8000000000000000 <= a{i} <= 0x7FFFFFFFFFFFFFFF",
    "weak bool": "type(a{i}) is bool",
}
_LOADS = {"array": "i{i}[...] = a{i}", "large": "bind(pointer, p{i}, address(a{i}))"}
_PREPARES = {"large": ("r{i} = empty(z{i}, e{i})", "bind(pointer, q{i}, address(r{i}))")}
_VALUES = {"array": "o{i}()", "scalar": "o{i}[()]", "large": "r{i}"}
_REFUSE = "        return general(*args, **named)"


@functools.lru_cache(maxsize=256)
def _written(
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    forms: tuple[TreeDef, ...],
    result: TreeDef,
    exact: bool,
    guarded: bool,
) -> tuple[CodeType, tuple[Any, ...]]:
    """The compiled text, and the constants c0, c1, … that it refers to."""
    constants: list[Any] = []
    names: list[str] = []
    opened: list[str] = []
    leaves = (f"a{i}" for i in range(len(inputs)))
    for i, form in enumerate(forms):
        names.append(next(leaves) if form.kind is None else f"x{i}")
        opened += _opening(form, names[i], leaves, constants)
    views = "".join(f", i{i}" for i, kind in enumerate(inputs) if kind != "large")
    takers = "".join(f", o{i}" for i, kind in enumerate(outputs) if kind != "large")
    values = (_VALUES[kind].format(i=i) for i, kind in enumerate(outputs))
    checks = "\n            and ".join(_CHECKS[kind].format(i=i) for i, kind in enumerate(inputs))
    lines = [
        "def call(*args, **named):",
        f"    if len(args) != {len(forms)} or named{' or tracing()' * exact}{' or not unchanged()' * guarded}:",
        _REFUSE,
        f"    {', '.join(names)}, = args",
        *opened,
        f"    if not ({checks}):",
        _REFUSE,
        "    try:",
        "        context = pop()",
        "    except IndexError:",
        "        context = make()",
        "    try:",
        f"        pointer{views}{takers}, = context.fast",
        *(f"        {_LOADS.get(kind, 'i{i}[()] = a{i}').format(i=i)}" for i, kind in enumerate(inputs)),
        *(f"        {line.format(i=i)}" for i, kind in enumerate(outputs) for line in _PREPARES.get(kind, ())),
        "        if run(pointer, 0):",
        "            settle(pointer)",
        f"        return {_building(result, values, constants)}",
        "    finally:",
        "        push(context)",
    ]
    return compile("\n".join(lines), _FILE, "exec"), tuple(constants)


def write_collect(results: Sequence[npt.NDArray[Any]], result: TreeDef) -> Callable[[], Any]:
    """A function that puts `results` in their container; of 0-d ones the present values, as NumPy scalars."""
    constants: list[Any] = []
    values = (f"r{i}" if array.ndim else f"r{i}[()]" for i, array in enumerate(results))
    text = f"lambda: {_building(result, values, constants)}"
    namespace: dict[str, Any] = {
        "unflatten": unflatten,
        **{f"r{i}": array for i, array in enumerate(results)},
        **{f"c{i}": constant for i, constant in enumerate(constants)},
    }
    collect: Callable[[], Any] = eval(compile(text, _FILE, "eval"), namespace)
    return collect


def _constant(constants: list[Any], value: Any) -> str:
    """The name of a constant of the written text."""
    constants.append(value)
    return f"c{len(constants) - 1}"


def _opening(form: TreeDef, name: str, leaves: Iterator[str], constants: list[Any]) -> list[str]:
    """Lines that take the container `name` of this form apart, or hand the call over when it is another."""
    if form.kind is None:
        return []
    if form.kind is type(None):
        return [f"    if {name} is not None:", _REFUSE]
    wrong, parts = [f"type({name}) is not {_constant(constants, form.kind)}"], []
    if issubclass(form.kind, dict):
        wrong.append(f"len({name}) != {len(form.keys)}")
        for key in form.keys:
            constant = _constant(constants, key)
            wrong.append(f"{constant} not in {name}")
            parts.append(f"{name}[{constant}]")
    elif issubclass(form.kind, (tuple, list)):
        wrong.append(f"len({name}) != {len(form.children)}")
        parts += [f"{name}[{i}]" for i in range(len(form.children))]
    else:
        wrong += [f"static({name}.{field}) != {_constant(constants, value)}" for field, value in form.static]
        parts += [f"{name}.{field}" for field in form.keys]
    lines = [f"    if {' or '.join(wrong)}:", _REFUSE]
    for i, (child, part) in enumerate(zip(form.children, parts, strict=True)):
        inner = next(leaves) if child.kind is None else f"{name}_{i}"
        lines += [f"    {inner} = {part}", *_opening(child, inner, leaves, constants)]
    return lines


def _building(form: TreeDef, values: Iterator[str], constants: list[Any]) -> str:
    """An expression that builds the container of this form from the next of `values`."""
    if form.kind is None:
        return next(values)
    if form.kind is type(None):
        return "None"
    parts = [_building(child, values, constants) for child in form.children]
    listed = ", ".join(parts)
    if form.kind is tuple:
        return f"({listed},)" if parts else "()"
    if form.kind is list:
        return f"[{listed}]"
    if form.kind is dict:
        keys = [_constant(constants, key) for key in form.keys]
        return "{" + ", ".join(f"{key}: {part}" for key, part in zip(keys, parts, strict=True)) + "}"
    one_level = TreeDef(form.kind, form.keys, (TreeDef(None),) * len(parts), form.static)
    return f"unflatten({_constant(constants, one_level)}, [{listed}])"
