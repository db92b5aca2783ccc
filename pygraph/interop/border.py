"""A function of flat arguments as other systems see it: its value and its pullback, for fixed containers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph.trace import spec, trace
from ..graph.tree import TreeDef, flatten, unflatten
from ..ops.dtypes import is_float
from ..runtime.functions.compile_function import compile
from ..transforms import vjp

Types = tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]


class Flat:
    """A function of the leaves of its arguments, and what its results are, for one signature.

    Attributes:
        value: from leaves to a tuple of results.
        results: the container of the results.
        types: the shapes and dtypes of the results.
        argument_types: those of the arguments.
        floating: which arguments have derivatives.
    """

    def __init__(self, f: Callable[..., Any], form: TreeDef, argument_types: Types) -> None:
        def flat(*leaves: Any) -> tuple[Any, ...]:
            return tuple(flatten(f(*unflatten(form, leaves)))[0])

        graph = trace(f, *unflatten(form, [spec(shape, dtype) for shape, dtype in argument_types]))
        self.results = graph.output_tree
        self.types: Types = tuple((y.shape, y.dtype) for y in graph.outputs)
        self.argument_types = argument_types
        self.floating = [is_float(dtype) for _, dtype in argument_types]
        self.value = compile(flat)
        self._flat = flat
        self._pullback: Flat | None = None

    def pullback(self) -> Flat:
        """From the arguments and the cotangents of floating results to those of floating arguments."""
        if self._pullback is None:
            count, chosen = len(self.argument_types), [is_float(dtype) for _, dtype in self.types]

            def pulled(*given: Any) -> tuple[Any, ...]:
                leaves, cotangents = given[:count], given[count:]
                varied = [i for i, known in enumerate(self.floating) if known]

                def of_floats(*floats: Any) -> tuple[Any, ...]:
                    every = list(leaves)
                    for i, x in zip(varied, floats, strict=True):
                        every[i] = x
                    return tuple(y for y, known in zip(self._flat(*every), chosen, strict=True) if known)

                _, pull = vjp(of_floats, *(leaves[i] for i in varied))
                found: tuple[Any, ...] = pull(tuple(cotangents))
                return found

            types = self.argument_types + tuple(x for x, known in zip(self.types, chosen, strict=True) if known)
            self._pullback = Flat(pulled, flatten((0,) * len(types))[1], types)
        return self._pullback


class Signatures:
    """The flat functions of one function by signature."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self._f = f
        self._known: dict[Any, Flat] = {}

    def find(self, form: TreeDef, types: Sequence[tuple[tuple[int, ...], Any]]) -> Flat:
        """The one for arguments in this container, of these shapes and dtypes."""
        key = (form, tuple((tuple(shape), np.dtype(dtype)) for shape, dtype in types))
        found = self._known.get(key)
        return found if found is not None else self._known.setdefault(key, Flat(self._f, *key))
