"""A call bound to its arrays: nothing is checked or copied any more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy.typing as npt

from ...errors import StateError
from ...lower.program import Segment
from ..clib.context import Context
from ..compile.pipeline import Built
from .callpath import write_collect

Array = npt.NDArray[Any]

_FORWARD = int(Segment.FORWARD)


class BoundCall:
    """What `Executable.bind` returns: call it without arguments.

    Attributes:
        inputs: the bound arrays, in the order of the inputs' leaves; those of numbers were made for them.
        outputs: the arrays that every call overwrites, in the graph's container; 0-d outputs are 0-d arrays here.
    """

    __slots__ = ("__call__", "inputs", "outputs")

    __call__: Callable[[], Any]

    def __init__(
        self,
        context: Context,
        built: Built,
        arrays: Sequence[Array],
        results: Sequence[Array],
        primals: Sequence[int],
        values: Sequence[int],
        check: Callable[[], object] | None,
    ) -> None:
        """Bind `context` to arrays and to those of the results; `check` runs before each call, where given."""
        program = built.program
        self.inputs = tuple(arrays)
        for i, array in zip(primals, arrays, strict=True):
            if array.size:
                context.bind(program.inputs[i], array)
        for i, result in zip(values, results, strict=True):
            if result.size:
                context.bind(program.outputs[i], result)
        self.outputs = built.graph.unflatten(results)
        idle = deque([context])  # holds the context while no thread runs it
        pointer, run, settle = context.pointer, built.library.run, context.settle
        outputs, scalars = self.outputs, any(not result.ndim for result in results)
        collect = write_collect(results, built.graph.output_tree)

        def call() -> Any:
            try:
                taken = idle.pop()
            except IndexError:
                raise _busy(built) from None
            try:
                if check is not None:
                    check()
                if run(pointer, _FORWARD):
                    settle()
                return collect() if scalars else outputs
            finally:
                idle.append(taken)

        self.__call__ = call

    def __reduce__(self) -> NoReturn:
        """Neither copied nor pickled: what it is bound to can't be."""
        problem = "a bound call is tied to the memory of its arrays, which a copy would not have"
        raise StateError(problem, "bind again: exe.bind(...)", stage="copying", subject="bound call")

    __copy__ = __reduce__

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__reduce__()


def _busy(built: Built) -> StateError:
    problem = "this bound call is running: in another thread, or in what a signal handler interrupts"
    return StateError(
        problem,
        "bind once in each thread, and once for the handler",
        stage="calling",
        subject=f"{built.graph.name}.bind",
    )
