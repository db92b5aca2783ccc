"""NumPy's random generators used while a function is recorded: their numbers become constants, and a warning says so.

What is seen: NumPy's global generator, which `np.random.normal` and its like draw from, by its state before and after;
and `Generator` and `RandomState` objects that the function, or one that it calls, names as a global or in a closure.
A generator that is made inside of the function, or kept in a container or an object, is not seen; nor is the second
of two normal numbers that NumPy's global generator makes at once.
"""

from __future__ import annotations

import dis
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...graph.source import is_user_code
from ...graph.trace import function_name

__all__ = ["watched"]

#: Functions that are looked through.
_LIMIT = 200
#: Where it was said already.
_SAID: set[tuple[str, int]] = set()


@contextmanager
def watched(function: Callable[..., Any]) -> Iterator[None]:
    """Warn where `function`, recorded within the block, drew numbers of NumPy's: once for each line."""
    if "numpy.random" not in sys.modules:
        yield
        return
    module = sys.modules["numpy.random"]
    sources = [("", module.mtrand._rand), *_generators(function, (module.Generator, module.RandomState))]
    before = [_state(generator) for _, generator in sources]
    yield
    for (name, generator), state in zip(sources, before, strict=True):
        if _state(generator) != state:
            _warn(function, name)
            return


def _state(generator: Any) -> str | bytes:
    source = getattr(generator, "_bit_generator", None) or generator.bit_generator
    if type(source).__name__ == "MT19937":  # whose attribute `state` takes 0.2 ms: as NumPy's mt19937.h has it
        import ctypes

        return ctypes.string_at(source.ctypes.state_address, 4 * 624 + ctypes.sizeof(ctypes.c_int))
    return repr(source.state)


def _functions(root: Callable[..., Any]) -> Iterator[tuple[types.FunctionType, dict[str, Any]]]:
    """The functions that can be reached from one by names in their code, and what these names stand for."""
    pending: list[Any] = [root]
    seen: set[int] = set()
    while pending and len(seen) < _LIMIT:
        function = pending.pop()
        function = getattr(function, "__func__", function)
        if not isinstance(function, types.FunctionType) or id(function) in seen:
            continue
        seen.add(id(function))
        named: dict[str, Any] = {}
        with suppress(ValueError):  # a variable that is not assigned yet
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                named[name] = cell.cell_contents
        if is_user_code(function.__code__):
            space = function.__globals__
            named |= {
                name: space[name] for code in _codes(function.__code__) for name in code.co_names if name in space
            }
        pending += named.values()
        yield function, named


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _generators(root: Callable[..., Any], kinds: tuple[type, ...]) -> list[tuple[str, Any]]:
    return [(name, x) for _, named in _functions(root) for name, x in named.items() if isinstance(x, kinds)]


def _warn(function: Callable[..., Any], name: str) -> None:
    """Warn at the line that names the generator, or `random`; else where the user's function begins."""
    own = [found for found, _ in _functions(function) if is_user_code(found.__code__)]
    wanted = {name} if name else {"random"}
    for found in own:
        for code in _codes(found.__code__):
            line = code.co_firstlineno
            starts = dict(dis.findlinestarts(code))
            for instruction in dis.get_instructions(code):
                line = starts.get(instruction.offset) or line
                if instruction.argval in wanted and instruction.opname.startswith("LOAD_"):
                    _say(function_name(found), code.co_filename, line)
                    return
    if own:
        _say(function_name(own[0]), own[0].__code__.co_filename, own[0].__code__.co_firstlineno)


def _say(name: str, file: str, line: int) -> None:
    if (file, line) in _SAID:
        return
    text = (
        f"NumPy drew random numbers while {name} was recorded: a compiled function keeps them as constants, the same "
        "at every call, and a transformed one is recorded anew each time. Draw with a key that is an argument, as in "
        "pg.random.normal(key, shape), or give the numbers as an argument"
    )
    _SAID.add((file, line))
    warnings.warn_explicit(text, UserWarning, file, line)
