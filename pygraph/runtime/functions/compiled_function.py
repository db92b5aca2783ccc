"""`CompiledFunction`: a function that is traced once for each signature of its arguments, and runs in C."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...collector import paused
from ...concurrency import Cache, ensure_imported
from ...errors import DTypeError, SignatureError
from ...graph.arguments import as_argument
from ...graph.graph import Graph
from ...graph.node import Node
from ...graph.recording import is_recording
from ...graph.trace import function_name, leaf_names, leaf_type, record
from ...graph.trace_context import UNDECIDED, Notes, collected, current, entered
from ...graph.tree import flatten, unflatten
from ...graph.verify import check_enabled
from ...graph.weak import WEAK_TYPES, is_weak
from ..compile.notes import JacobianNote
from .frozen_numbers import watched
from .reachable import constants_of, kinds_of, reads_of, rules_of
from .reads import Reads
from .shared import shared_executable

if TYPE_CHECKING:
    from ..call.executable import Executable

#: How many signatures of one function stay compiled, and about how much memory they may hold together.
CACHE_SIZE = 64
CACHE_BYTES = 1 << 30


class _Entry(NamedTuple):
    """What a signature was compiled to, and what the function read then; None where it is compiled for good, or where
    that can't be told, and it is traced at every call."""

    executable: Executable
    reads: Reads | None


class _Signatures:
    """The Executables of one function by signature, the least recently used dropped first.

    It refers to its CompiledFunction weakly, so that the memory goes with the function's last reference.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        options: Mapping[str, Any],
        cache_size: int,
        wrt_all: bool,
        shared: bool = False,
        roots: tuple[Any, ...] | None = None,
        at_point: bool = False,
    ) -> None:
        self.function = function
        self.at_point = at_point
        self.roots = roots
        self.options = dict(options)
        self.shared = shared
        self.cache_size = cache_size
        self.wrt_all = wrt_all
        self.entries: Cache[Hashable, _Entry] = Cache(cache_size, CACHE_BYTES)
        self.owner: weakref.ref[CompiledFunction] | None = None

    @functools.cached_property
    def parameters(self) -> inspect.Signature | None:
        """The function's parameters, asked for where one goes by keyword; None for some functions written in C."""
        try:
            return inspect.signature(self.function)
        except (TypeError, ValueError):
            return None

    def call(self, /, *args: Any, **named: Any) -> Any:
        """A call with any arguments: finds or makes the Executable; inlines among expressions."""
        values, keywords = self._placed(args, named)
        leaves, form = flatten(values)
        if any(isinstance(leaf, Node) for leaf in leaves):
            return self.function(*args, **named)
        values, leaves = _as_arrays(values, leaves, form)
        found = self._find(values, keywords, leaves, form)
        if isinstance(found, Graph):
            return found.inlined(leaves)
        executable, reads = found
        owner = self.owner() if self.owner is not None else None
        if owner is not None and not keywords and self.cache_size:
            if self.roots is not None and reads is None:
                owner.__call__ = self.call
            else:
                weak = [type(leaf) if is_weak(leaf) else None for leaf in leaves]
                owner.__call__ = executable.fast_call(self.call, weak, None if reads is None else reads.guard())
        return executable.run_leaves(leaves)

    def executable(self, /, *args: Any, **named: Any) -> Executable | Graph:
        """The Executable for these arguments; the traced graph where the function closes over expressions."""
        values, keywords = self._placed(args, named)
        leaves, form = flatten(values)
        values, leaves = _as_arrays(values, leaves, form)
        found = self._find(values, keywords, leaves, form)
        return found if isinstance(found, Graph) else found.executable

    def _placed(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        """All arguments in one tuple, and the names of those at its end that only go by keyword."""
        if not named:
            return args, ()
        if self.parameters is not None:
            try:
                bound = self.parameters.bind(*args, **named)
            except TypeError as error:
                name = function_name(self.function)
                advice = f"call it as {name}{self.parameters}"
                raise SignatureError(str(error), advice, stage="calling", subject=name) from error
            args, named = bound.args, bound.kwargs
        keywords = tuple(sorted(named))
        return (*args, *(named[key] for key in keywords)), keywords

    def _find(
        self, values: tuple[Any, ...], keywords: tuple[str, ...], leaves: Sequence[Any], form: Any
    ) -> _Entry | Graph:
        try:
            types = [_type_of(leaf) for leaf in leaves]
        except DTypeError:
            names = leaf_names(self.function, values)  # only now: it takes longer than the rest
            try:
                types = [leaf_type(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
            except DTypeError as error:
                error.complete("calling", function_name(self.function))
                raise
        key = (keywords, form, *types)
        try:
            hash(form)
        except TypeError as error:
            problem = f"an argument's container has a static field that can't be told apart: {error}"
            advice = "make fields that are not arrays hashable: tuples for lists, frozen dataclasses"
            raise SignatureError(problem, advice, stage="calling", subject=function_name(self.function)) from error
        found = self.entries.get(key)
        if found is not None and self.roots is not None:
            if found.reads is not None and found.reads.unchanged():
                return found
            found = None
        if found is not None and is_recording():
            # What the function closes over may have become an expression since: only recording it tells.
            graph = self._traced(values, keywords)
            return graph if graph.free else found
        if found is not None:
            return found
        before = None if self.roots is None else reads_of((*self.roots, *kinds_of(form)))
        made = self._compiled(values, keywords)
        if isinstance(made, Graph):
            return made
        if self.roots is None:  # another thread may have been first: its Executable stays
            return self.entries.add(key, _Entry(made, None), made.held_bytes)
        if before is not None and before.unchanged():  # also by the trace
            before.borrow(constants_of(made.graph))
        else:
            before = None
        found = _Entry(made, before)
        self.entries.put(key, found, made.held_bytes)
        return found

    def _traced(self, values: tuple[Any, ...], keywords: tuple[str, ...]) -> Graph:
        with paused():
            given: object = self.function
            state = (
                given._signatures if isinstance(given, CompiledFunction) else self
            )  # it would only call its function
            function = (
                _by_position(state.function, keywords, len(values), self.parameters) if keywords else state.function
            )
            with watched(state.function):
                graph = record(function, values, state.at_point)
        if check_enabled():
            graph.verify("traced")
        return graph

    def _compiled(self, values: tuple[Any, ...], keywords: tuple[str, ...]) -> Executable | Graph:
        ensure_imported("pygraph.runtime.call.executable")
        from ..call.executable import Executable  # loads the C library: at the first compilation, not at import

        around, options = current().plan, self.options
        budget = options.get("memory_budget")
        with paused(), collected() as notes:
            later = budget is not None or around is not None
            with entered(plan=UNDECIDED if later else None):
                graph = self._traced(values, keywords)
            if graph.free:
                return _decided(graph, around) if later else graph
            if later and budget is None:  # called on arrays while another function is traced: the plan is that one's
                graph = _decided(graph, None)
            wrt = range(len(values)) if self.wrt_all else None

            def make() -> Executable:
                return Executable(graph, wrt, notes=notes, **options)

            if self.shared and budget is None:
                jacobian = notes.get(JacobianNote)
                key = (wrt, jacobian and jacobian.key, tuple(sorted(options.items())))
                made = shared_executable(graph, key, make, () if wrt is None else rules_of(graph))
            else:
                made = make()
            self._noted(made, notes)
            return made

    def _noted(self, made: Executable, notes: Notes) -> None:
        """For classes that keep more of an Executable: what was noted while it was traced."""


def _decided(graph: Graph, plan: Any) -> Graph:
    """`graph` with its transformations written out by the plan of the trace around it, unless that is undecided too."""
    if plan is UNDECIDED:
        return graph
    ensure_imported("pygraph.autodiff.deferral")
    from ...autodiff.deferral import written_graph

    return written_graph(graph, plan)


def _as_arrays(values: tuple[Any, ...], leaves: list[Any], form: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """Arguments and their leaves with what is like an array as one."""
    arrays = [as_argument(leaf) for leaf in leaves]
    if all(array is leaf for array, leaf in zip(arrays, leaves, strict=True)):
        return values, leaves
    return unflatten(form, arrays), arrays


def _type_of(leaf: Any) -> Hashable:
    """What tells arguments apart: shape and dtype, or the dtype alone of a Python number."""
    if type(leaf) is np.ndarray:
        return leaf.shape, leaf.dtype
    if type(leaf) in WEAK_TYPES:  # tells 2.0 from np.float64(2.0), which decides dtypes as an array does
        return WEAK_TYPES[type(leaf)]
    return leaf_type(leaf, "")


def _by_position(
    function: Callable[..., Any], keywords: tuple[str, ...], count: int, parameters: inspect.Signature | None
) -> Callable[..., Any]:
    """`function` with the arguments `keywords` taken by position, after the others."""
    positional = count - len(keywords)

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        return function(*values[:positional], **dict(zip(keywords, values[positional:], strict=True)))

    names = list(parameters.parameters)[:positional] if parameters is not None else []
    names += [f"argument{i}" for i in range(len(names), positional)]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in (*names, *keywords)])  # type: ignore[attr-defined]
    return call


class CompiledFunction:
    """A function that runs in C: traced once for each signature of its arguments (container, shapes, dtypes).

    Made by `pg.compile`. Arguments are arrays, Python numbers or containers of them. Python numbers are weak, as in
    NumPy: beside a float32 array 2.0 stays float32, and np.float64(2.0) does not. What the function closes over is a
    constant from the first call with a signature on; those of transformations, as `pg.grad(f)`, are traced again when
    it has changed. Called with expressions, or closing over them, it records its operations instead, as a plain
    function does.
    """

    __slots__ = ("__call__", "__dict__", "__weakref__", "_made", "_signatures")

    __call__: Callable[..., Any]

    def __init__(
        self,
        function: Callable[..., Any],
        options: Mapping[str, Any],
        cache_size: int = CACHE_SIZE,
        wrt_all: bool = False,
        shared: bool = False,
        roots: tuple[Any, ...] | None = None,
        made: tuple[Callable[..., Any], tuple[Any, ...]] | None = None,
        at_point: bool = False,
    ) -> None:
        """Wrap `function`.

        Args:
            function: what to compile.
            options: of the Executables.
            cache_size: how many signatures stay compiled; with 0 the function is traced at every call.
            wrt_all: plan the reverse and tangent sweeps, for all arguments.
            shared: functions whose traces are equal share Executables.
            roots: what the function was made from: it is traced again when what these read has changed. None: what it
                reads is constant from the first call with a signature on.
            made: what makes an equal one, and its arguments: how it pickles, where `function` itself does not.
            at_point: see `graph.trace.record`.
        """
        functools.update_wrapper(self, function)
        self._made = made
        self._signatures = _Signatures(function, options, cache_size, wrt_all, shared, roots, at_point)
        self._signatures.owner = weakref.ref(self)
        self.__call__ = self._signatures.call

    @property
    def function(self) -> Callable[..., Any]:
        """The Python function."""
        return self._signatures.function

    @property
    def roots(self) -> tuple[Any, ...]:
        """The functions that it was made from."""
        roots = self._signatures.roots
        return (self.function,) if roots is None else roots

    @property
    def at_point(self) -> bool:
        """Whether it begins with recording a function on its arguments: see `graph.trace.record`."""
        return self._signatures.at_point

    @property
    def executables(self) -> tuple[Executable, ...]:
        """The compiled signatures, the least recently used first."""
        return tuple(entry.executable for entry in self._signatures.entries.values())

    def executable(self, /, *args: Any, **named: Any) -> Executable:
        """The Executable that a call with these arguments runs.

        Raises:
            SignatureError: the function closes over expressions, so it has none.
        """
        found = self._signatures.executable(*args, **named)
        if isinstance(found, Graph):
            names = ", ".join(node.attrs["name"] for node in found.free)
            problem = f"the function depends on {names} of an enclosing trace"
            raise SignatureError(problem, "pass them as arguments", stage="compiling", subject=found.name)
        return found

    def export_c(
        self,
        path: str | os.PathLike[str],
        name: str,
        /,
        *args: Any,
        null_arguments: bool = True,
        dtype: Any = None,
        assume_finite: bool | None = None,
        **named: Any,
    ) -> tuple[Path, Path]:
        """Write what runs for these example arguments as C99; see `Executable.export_c`.

        Args:
            path, name, null_arguments, dtype, assume_finite: as there.
            args, named: arguments, of which only the types count; without any, those of the only compiled signature.

        Example:
            >>> import tempfile
            >>> area = pg.compile(lambda r: np.pi * r**2)
            >>> [file.name for file in area.export_c(tempfile.mkdtemp(), "area", 1.0)]
            ['area.c', 'area.h']
        """
        exe = self.example(*args, **named)
        return exe.export_c(path, name, null_arguments=null_arguments, dtype=dtype, assume_finite=assume_finite)

    def example(self, /, *args: Any, **named: Any) -> Executable:
        """The Executable for example arguments; without any, that of the only compiled signature.

        Raises:
            SignatureError: no arguments, and none or several signatures.
        """
        made, parameters = self.executables, self._signatures.parameters
        if not args and not named and parameters is not None and parameters.parameters:
            if len(made) == 1:
                return made[0]
            title = function_name(self.function)
            problem = f"nothing says what arguments {title} takes: it is compiled for {len(made)} signatures"
            advice = f"give example arguments of {title}; only their shapes and dtypes count"
            raise SignatureError(problem, advice, stage="exporting", subject=title)
        return self.executable(*args, **named)

    def clear(self) -> None:
        """Forget all compiled signatures."""
        self._signatures.entries.clear()
        self.__call__ = self._signatures.call

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {function_name(self.function)}, {len(self._signatures.entries)} signatures>"

    def __copy__(self) -> CompiledFunction:
        return self

    def __deepcopy__(self, memo: Any) -> CompiledFunction:
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        function: Any = self.function
        while function is not None:
            name = str(getattr(function, "__qualname__", ""))
            here: Any = sys.modules.get(getattr(function, "__module__", None) or "")
            for part in name.split("."):
                here = getattr(here, part, None)
            if here is self:  # a decorated function pickles by its name, as a plain one does
                return name
            function = getattr(function, "__wrapped__", None)
        if self._made is not None:
            return self._made
        function, state = self.function, self._signatures
        return CompiledFunction, (function, state.options, state.cache_size, state.wrt_all, state.shared, state.roots)


def traced_at_each_call(
    function: Callable[..., Any], wrt_all: bool = False, at_point: bool = False
) -> CompiledFunction:
    """`function` compiled for one use: traced at every call, so that it sees what it closes over as it is then."""
    return CompiledFunction(function, {"threads": None, "check_finite": False}, 0, wrt_all, True, at_point=at_point)
