"""What every call of an Executable shares: its Program, its pool of contexts, and the general call path.

A Runner refers to nothing that refers back to it, so that the memory of an Executable goes with its last reference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import NonFiniteError
from ...graph.node import Node
from ...lower.program import Segment
from ...ops.dtypes import is_float
from ..clib import library
from ..clib.context import Context, ContextPool, contiguous, follow_default_threads, is_small
from ..compile.notes import JacobianNote, MemoryNote
from ..compile.pipeline import BuildOptions, Built
from .callpath import fast_view, write_call
from .kept import ports_of
from .non_finite import non_finite_report
from .outputs import check_out, overlaps

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Options:
    """How an Executable was compiled; see `Executable`, and `Stats` for `jacobian` and `memory`."""

    threads: int | None
    stages: BuildOptions
    backend: str
    jacobian: JacobianNote | None
    memory: MemoryNote | None


class Runner:
    """A built graph and the contexts that run it.

    Attributes:
        built: the compiled graph.
        options: how it was compiled.
        primals, values: positions among the Program's ports of the inputs and outputs of a call.
        pool: contexts for calls.
    """

    __slots__ = ("built", "options", "pool", "primals", "values")

    def __init__(self, built: Built, options: Options) -> None:
        self.built, self.options = built, options
        self.primals, self.values = ports_of(built.program, Segment.FORWARD)
        self.pool = ContextPool(functools.partial(new_context, built, options))
        if options.threads is None:
            follow_default_threads(self.pool)

    def fast_call(
        self,
        general: Callable[..., Any],
        weak: Sequence[type | None] | None = None,
        unchanged: Callable[[], bool] | None = None,
    ) -> Callable[..., Any]:
        """The fastest way to call with arguments by position; `general` gets every call that is not that simple.

        With `weak` a Python number is taken where it names the number's type, and nowhere else; without, a number is
        taken where it has the input's dtype.
        """
        built = self.built
        if self.options.stages.check_finite:
            return general
        return write_call(
            [built.program.inputs[i] for i in self.primals],
            [built.program.outputs[i] for i in self.values],
            built.signature.forms,
            built.graph.output_tree,
            self.pool,
            built.library,
            general,
            weak,
            unchanged,
        )

    def general(self, /, *args: Any, **named: Any) -> Any:
        """A call with any arguments that the signature accepts, and `out`."""
        out = None if "out" in self.built.signature.names else named.pop("out", None)
        leaves = self.built.signature.leaves(args, named)
        if out is None and any(isinstance(leaf, Node) for leaf in leaves):
            return self.built.graph.inlined(leaves)
        arrays = self.checked(leaves)
        if out is None:
            return self.built.graph.unflatten(self._run(arrays, [None] * len(self.values)))
        ports = [self.built.program.outputs[i] for i in self.values]
        targets = self.results(out)
        # A run that may fail must not have touched `out`, and results must not overwrite inputs still to be read.
        bound = [
            not self.built.fallible and not is_small(port) and not overlaps(target, arrays)
            for port, target in zip(ports, targets, strict=True)
        ]
        direct = [target if here else None for target, here in zip(targets, bound, strict=True)]
        for target, result in zip(targets, self._run(arrays, direct), strict=True):
            if result is not target:
                target[...] = result
        return out

    def results(self, out: Any) -> list[Array]:
        """The arrays of `out`, one for each output; of None new ones."""
        types = [(port.shape, port.dtype) for port in (self.built.program.outputs[i] for i in self.values)]
        return [np.empty(*each) for each in types] if out is None else check_out(self.built.graph, out, types)

    def run_leaves(self, leaves: Sequence[Any]) -> Any:
        """A call with the leaves of all arguments in one list."""
        return self.built.graph.unflatten(self._run(self.checked(leaves), [None] * len(self.values)))

    def _run(self, arrays: Sequence[Array], outs: Sequence[Array | None]) -> list[Any]:
        context = self.pool.acquire()
        try:
            for i, array in zip(self.primals, arrays, strict=True):
                context.load(i, array)
            for i, out in zip(self.values, outs, strict=True):
                context.prepare(i, out)
            context.run(Segment.FORWARD)
            return [context.take(i) for i in self.values]
        finally:
            self.pool.release(context)

    def arguments(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Array]:
        """The checked, contiguous arrays of a call's arguments.

        Raises:
            SignatureError: an argument does not fit.
            NonFiniteError: one holds inf or nan, with `check_finite`.
        """
        return self.checked(self.built.signature.leaves(args, named))

    def checked(self, leaves: Sequence[Any]) -> list[Array]:
        """As `arguments`, of the leaves of all arguments in one list."""
        signature = self.built.signature
        arrays = contiguous([signature.array(i, leaf) for i, leaf in enumerate(leaves)])
        if self.options.stages.check_finite:
            for parameter, array in zip(signature.parameters, arrays, strict=True):
                if is_float(array.dtype) and not np.isfinite(array).all():
                    subject = f"{self.built.graph.name}, input {parameter.name!r} : {parameter.type_text}"
                    problem = "the argument already holds inf or nan"
                    raise NonFiniteError(problem, "clean the data before the call", stage="running", subject=subject)
        return arrays


def new_context(built: Built, options: Options) -> Context:
    """A context that no pool knows of yet."""
    program = built.program
    context = Context(built.library, program, options.threads or library.pool_threads(), options.stages.check_finite)
    primals, values = ports_of(program, Segment.FORWARD)
    if options.stages.check_finite:
        context.report = functools.partial(non_finite_report, built, options.stages)
    context.fast = fast_view(context, primals, values)
    return context
