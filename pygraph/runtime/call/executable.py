"""Executable: a compiled graph that is called like a function, and keeps a forward evaluation for its derivatives."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autodiff.checkpoint_plan import Plan
from ...concurrency import Turn, ensure_imported
from ...errors import StateError, UnsupportedError, named
from ...graph.graph import Drawing, Graph, constant_bytes
from ...graph.source import type_text
from ...graph.trace_context import Notes
from ...graph.tree import unflatten
from ...lower import Program, Segment, disassemble
from ..clib.library import isa, pool_threads
from ..clib.threads import checked_threads
from ..compile.budget import within
from ..compile.notes import JacobianNote
from ..compile.pipeline import BuildOptions, build, planned_memory, seed_signature, tangent_signature
from ..compile.signature import refuse
from ..compile.stats import Stats
from ..native.backends import checked_backend, effective_backend
from ..native.tiering import prepare
from .bound import BoundCall
from .kept import Kept
from .outputs import overlaps
from .runner import Options, Runner, new_context
from .seeing import MemoryPicture, Page, views

if TYPE_CHECKING:
    from ...autodiff.jacobians.pattern import Pattern
    from ...emit.export_unit import Exported

#: About what a node of a graph takes, with its line, its key and its attributes.
NODE_BYTES = 1000


def _first_call(runner: Runner, owner: weakref.ref[Executable]) -> Callable[..., Any]:
    """The call of an Executable until it is first used: many are only called by a function that has a path of its own.

    The Executable is referred to weakly, so that it is no part of a cycle.
    """

    def call(*args: Any, **named: Any) -> Any:
        written, executable = runner.fast_call(runner.general), owner()
        if executable is not None:
            executable.__call__ = written
        return written(*args, **named)

    return call


class _PerThread(threading.local):
    """What `forward` kept in this thread."""

    kept: Kept | None = None


class Executable:
    """A graph compiled for its signature. Any number of threads may call it at once.

    Made by `pg.compile(graph)`. Arguments are given by position or by name; each is an array of exactly the declared
    shape and dtype, or a Python number or list that keeps its kind in that dtype. Outputs come back in the graph's
    container: new arrays, and NumPy scalars where they are 0-d. `out=` (an array, or a container of them like the
    output) takes the results instead; where it overlaps an input, the result is still the right one.

    Raises on a call:
        SignatureError: wrong number, name, form, shape or dtype of an argument, or an `out` that does not fit.
        IndexRangeError: an index computed at run time lies outside its axis.
        NonFiniteError: with `check_finite=True`.

    Example:
        >>> x = pg.var("x", (3,))
        >>> exe = pg.compile(pg.Graph([x], np.sum(x * x)), wrt=["x"])
        >>> exe(np.array([1.0, 2.0, 3.0]))
        np.float64(14.0)
        >>> exe.forward(np.array([1.0, 2.0, 3.0])), exe.reverse()
        (np.float64(14.0), (array([2., 4., 6.]),))
    """

    __slots__ = (
        "__call__",
        "__weakref__",
        "_built",
        "_local",
        "_runner",
        "_seed_signature",
        "_spare",
        "_tangent_signature",
    )

    __call__: Callable[..., Any]

    def __init__(
        self,
        graph: Graph,
        wrt: Iterable[Any] | None = None,
        threads: int | None = None,
        check_finite: bool = False,
        fuse: bool = True,
        optimise: bool = True,
        backend: str = "auto",
        memory_budget: int | None = None,
        notes: Notes | None = None,
        assume_finite: bool = False,
    ) -> None:
        """Compile `graph`.

        Args:
            graph: what to run.
            wrt: names of the inputs (or arguments) to differentiate, for `forward`, `reverse` and `jvp`.
            threads: worker threads of a call; None follows `pg.set_threads`.
            check_finite: raise NonFiniteError at the first operation that makes inf or nan; slower.
            fuse: run elementwise regions as one loop; turned off only to test that it changes nothing.
            optimise: rewrite the graph first; turned off only to test that it changes nothing.
            backend, memory_budget, assume_finite: as `pg.compile` has them.
            notes: what was noted while the graph was traced, for `stats`; what its plan changes is added.
        """
        threads = None if threads is None else checked_threads(threads)
        backend = checked_backend(backend, check_finite)
        effective_backend(backend, check_finite)  # an error in the environment is said before anything is done
        stages, memory = BuildOptions(check_finite, fuse, optimise, assume_finite), None
        notes = Notes() if notes is None else notes
        if memory_budget is None:
            built = build(graph, wrt, stages, Plan())
        else:
            built, memory = within(memory_budget, graph, wrt, stages, notes)
        self._adopt(Runner(built, Options(threads, stages, backend, notes.get(JacobianNote), memory)))

    def _adopt(self, runner: Runner) -> None:
        """Become the Executable of `runner`; build native code, or watch what runs would gain by it.

        Raises:
            BackendError: native code is asked for and is not available.
        """
        self._runner, self._built = runner, runner.built
        self._local = _PerThread()
        self._spare: deque[Kept] = deque()
        if runner.built.variables is not None:
            self._seed_signature = seed_signature(runner.built)
            self._tangent_signature = tangent_signature(runner.built)
        self.__call__ = _first_call(runner, weakref.ref(self))
        options = runner.options
        prepare(runner.built.library, effective_backend(options.backend, options.stages.check_finite))

    def fast_call(
        self,
        general: Callable[..., Any],
        weak: Sequence[type | None] | None = None,
        unchanged: Callable[[], bool] | None = None,
    ) -> Callable[..., Any]:
        """The fastest way to call this Executable; `general` gets every call that is not by position and exact.

        `weak` tells for each leaf of the arguments which type of Python number it must be, or None where it is none;
        without it a number is taken where it has the input's dtype. While `unchanged()` is false `general` gets every
        call.
        """
        return self._runner.fast_call(general, weak, unchanged)

    def run_leaves(self, leaves: Sequence[Any]) -> Any:
        """A call with the leaves of all arguments in one list."""
        return self._runner.run_leaves(leaves)

    # --- calls ---------------------------------------------------------------------------------------------------

    def bind(self, /, *args: Any, **named: Any) -> BoundCall:
        """A call with these arrays themselves, whose current contents each call reads: the lowest latency.

        The outputs are allocated once, or given by `out`, as for a call; every call overwrites them, one that fails
        too, and returns the same arrays (0-d outputs are new NumPy scalars). A bound call belongs to one thread at a
        time. A number gets a 0-d array of its own, which is found in `inputs` and may be written to:
        `fast.inputs[0][...] = 3.0`.

        Raises:
            SignatureError: an argument that is neither a number nor an array of the right shape and dtype, C-contiguous
                and aligned; an `out` that does not fit, or shares memory with an argument.

        Example:
            >>> x = pg.var("x", (2,))
            >>> a = np.array([1.0, 2.0])
            >>> double = pg.compile(pg.Graph([x], 2.0 * x)).bind(a)
            >>> a[0] = 5.0
            >>> double()
            array([10.,  4.])
        """
        signature, runner = self._built.signature, self._runner
        out = None if "out" in signature.names else named.pop("out", None)
        leaves = signature.leaves(args, named)
        arrays = [self._bindable(i, leaf) for i, leaf in enumerate(leaves)]
        results = runner.results(out)
        if any(overlaps(result, arrays) for result in results):
            problem = "out shares memory with an argument, which a bound call would overwrite while it reads it"
            raise refuse(f"{signature.title}.bind", problem, "give arrays of their own")
        check = (lambda: runner.checked(arrays)) if runner.options.stages.check_finite else None
        return BoundCall(
            new_context(self._built, runner.options), self._built, arrays, results, runner.primals, runner.values, check
        )

    def _bindable(self, i: int, leaf: Any) -> np.ndarray[Any, Any]:
        """The array that leaf `i` of a bound call is: itself, or a new 0-d one for a number."""
        signature = self._built.signature
        array: np.ndarray[Any, Any] = signature.array(i, leaf)
        if isinstance(leaf, (bool, int, float, np.generic)):
            return np.copy(array)
        same = array is leaf
        if same and array.flags.c_contiguous and array.flags.aligned:
            return array
        name = signature.parameters[i].name
        if same:
            reason, advice = "is not C-contiguous and aligned", f"give np.ascontiguousarray({name})"
        else:
            reason = f"is {named(leaf)}"
            advice = f"give np.array({name}, {array.dtype.name!r})"
        problem = f"argument {name!r} {reason}, and can't be bound: writing to it would not reach the call"
        raise refuse(f"{signature.title}.bind", problem, f"{advice}, and write to that array")

    # --- kept evaluations ----------------------------------------------------------------------------------------

    def forward(self, /, *args: Any, **named: Any) -> Any:
        """Evaluate, and keep the intermediates in this thread for `reverse` and `jvp`.

        Returns:
            The outputs, as a call does.

        Raises:
            StateError: compiled without `wrt`.
        """
        self._require_wrt("forward")
        arrays = self._runner.arguments(args, named)
        # A run that may fail goes to another context, so that a failed one leaves what was kept before.
        previous = self._local.kept
        kept = None if self._built.fallible else previous
        if kept is None:
            kept = self._spare_kept()
        else:
            self._local.kept = None
        values = kept.run(Segment.FORWARD, arrays)
        self._local.kept = kept
        if previous is not None and previous is not kept:
            self._spare.append(previous)
        return self._built.graph.unflatten(values)

    def keep(self, /, *args: Any, **named: Any) -> tuple[Any, KeptCall]:
        """Evaluate, and return the outputs and the kept evaluation itself, which any thread may use."""
        self._require_wrt("keep")
        kept = Kept(new_context(self._built, self._runner.options), self._built.program)
        values = kept.run(Segment.FORWARD, self._runner.arguments(args, named))
        return self._built.graph.unflatten(values), KeptCall(self, kept)

    def reverse(self, seed: Any = None) -> tuple[Any, ...]:
        """The reverse sweep over what `forward` kept in this thread.

        Args:
            seed: a cotangent shaped like the output, in its container (None at outputs that are not floating);
                1.0 when there is one output, a floating scalar.

        Returns:
            One gradient per entry of `wrt`.

        Raises:
            StateError: before `forward` in this thread, or compiled without `wrt`.
            SignatureError: a seed that does not fit, or none where one is needed.

        Example:
            >>> x = pg.var("x")
            >>> exe = pg.compile(pg.Graph([x], x ** 3), wrt=["x"])
            >>> exe.forward(2.0), exe.reverse(), exe.reverse(10.0)
            (np.float64(8.0), (np.float64(12.0),), (np.float64(120.0),))
        """
        kept = self._taken("reverse")
        try:
            return self._reverse(kept, seed)
        finally:
            self._local.kept = kept

    def jvp(self, /, *tangents: Any, **named: Any) -> Any:
        """The outputs' tangents for tangents of the `wrt` inputs, over what `forward` kept in this thread.

        Args:
            tangents: one per entry of `wrt`, shaped like it; also by name, as `d_x`.

        Returns:
            Tangents in the output's container, None at outputs that are not floating.

        Raises:
            StateError: before `forward` in this thread, or compiled without `wrt`.
            SignatureError: tangents that do not fit.
            UnsupportedError: a derivative in the graph is given for reverse mode only.
        """
        kept = self._taken("jvp")
        try:
            return self._tangent(kept, tangents, named)
        finally:
            self._local.kept = kept

    def _reverse(self, kept: Kept, seed: Any) -> tuple[Any, ...]:
        signature = self._seed_signature
        if seed is None:
            parameters = signature.parameters
            if len(self._built.graph.outputs) != 1 or len(parameters) != 1 or parameters[0].shape:
                advice = f"give a cotangent shaped like the output: {signature}"
                raise refuse(signature.title, "only a single floating scalar output has a default seed, 1.0", advice)
            seeds = [np.ones((), parameters[0].dtype)]
        else:
            seeds = signature.arrays((seed,), {})
        gradients = iter(kept.run(Segment.REVERSE, seeds))
        return tuple(
            unflatten(variable.form, [next(gradients) for _ in variable.positions])
            for variable in self._built.variables or ()
        )

    def _tangent(self, kept: Kept, tangents: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if self._built.no_tangent is not None:
            raise self._built.no_tangent.again_as(UnsupportedError)
        found = iter(kept.run(Segment.TANGENT, self._tangent_signature.arrays(tangents, named)))
        built = self._built
        return built.graph.unflatten(
            [next(found) if i in built.seeded else None for i in range(len(built.graph.outputs))]
        )

    def _require_wrt(self, method: str) -> None:
        if self._built.variables is None:
            first = next(iter(self._built.signature.names), "x")
            problem = "the Executable was compiled without derivatives"
            advice = f'name the inputs to differentiate: pg.compile(graph, wrt=["{first}"])'
            raise StateError(problem, advice, stage="calling", subject=f"{self._built.graph.name}.{method}")

    def _taken(self, method: str) -> Kept:
        """This thread's kept evaluation, out of reach of anything that interrupts the sweep."""
        self._require_wrt(method)
        kept = self._local.kept
        if kept is None:
            problem = "nothing is kept in this thread"
            raise StateError(
                problem,
                "call forward(...) in this thread first",
                stage="calling",
                subject=f"{self._built.graph.name}.{method}",
            )
        self._local.kept = None
        return kept

    def _spare_kept(self) -> Kept:
        try:
            return self._spare.pop()
        except IndexError:
            return Kept(new_context(self._built, self._runner.options), self._built.program)

    # --- what it is ----------------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The graph as given."""
        return self._built.graph

    @property
    def program(self) -> Program:
        """The Program that runs."""
        return self._built.program

    @property
    def stats(self) -> Stats:
        """Sizes and costs; `print(exe.stats)` is a table."""
        program, library, options = self._built.program, self._built.library, self._runner.options
        native, jacobian = library.is_native and not options.stages.check_finite, options.jacobian
        memory = options.memory
        return Stats(
            name=self._built.graph.name,
            nodes=self._built.nodes,
            instructions=program.instructions,
            micro_operations=program.micro_operations,
            fused_regions=program.fused_regions,
            arena_bytes=program.arena_bytes,
            cached_bytes=program.cached_bytes,
            constant_bytes=len(program.constants),
            program_bytes=program.words.nbytes,
            flops=program.flops,
            compile_seconds=self._built.seconds,
            threads=options.threads or pool_threads(),
            isa=isa(),
            backend="native" if native else "vm",
            native_seconds=library.native_seconds,
            native_cache_hit=library.native_cache_hit,
            jacobian_mode=None if jacobian is None else jacobian.mode,
            jacobian_costs=None if jacobian is None else dict(jacobian.costs),
            jacobian_chunk=None if jacobian is None else jacobian.chunk,
            memory_budget=None if memory is None else memory.budget,
            rematerialised=None if memory is None else memory.rematerialised,
            memory_plans=None if memory is None else dict(memory.tried),
        )

    def export_c(
        self,
        path: str | os.PathLike[str],
        name: str,
        *,
        null_arguments: bool = True,
        dtype: Any = None,
        assume_finite: bool | None = None,
    ) -> tuple[Path, Path]:
        """Write the Program as C99, NAME.c and NAME.h, for a target that has neither Python nor pygraph.

        The header declares NAME_forward; of an Executable with `wrt` also NAME_reverse and NAME_jvp, and NAME_values,
        which computes the outputs alone in a smaller workspace. Its comments say what each takes, and its macros how
        large the arrays and the caller's workspaces are. The C code needs only libm, allocates nothing and keeps
        nothing outside the workspace. Compiled for the same instruction set it gives the same bits, except for large
        matrix products, which it sums in order. It does not check for inf and nan. `pg.export_c` writes several
        functions into one file.

        Args:
            path: an existing folder.
            name: a C identifier, which everything in the files starts with.
            null_arguments: a caller may give NULL for an input, which stands for zeros, and for an output, which leaves
                out what is computed for it alone. Without, the file has no arrays of zeros and the workspace no room
                for outputs that are left out.
            dtype: "float32": everything that is float64 is float32 in C, inputs, constants and outputs too.
            assume_finite: as `pg.compile` has it; by default as this was compiled.

        Returns:
            The paths of NAME.c and NAME.h.

        Raises:
            ValueError: `name` is not a C identifier, or one that C uses itself.
            OSError: the files can't be written.
            UnsupportedError: derivatives through a `pg.while_loop` without a limit; the text names its line.

        Example:
            >>> import tempfile
            >>> x = pg.var("x", (3,))
            >>> exe = pg.compile(pg.Graph([x], np.sum(x * x)), wrt=["x"])
            >>> [file.name for file in exe.export_c(tempfile.mkdtemp(), "squares")]
            ['squares.c', 'squares.h']
        """
        ensure_imported("pygraph.emit.export")
        from ...emit.export import check_name, export  # at the first export, not at import

        check_name(name)
        return export([self.exported(name, dtype=dtype, assume_finite=assume_finite)], path, name, null_arguments)

    def exported(
        self,
        name: str,
        values: str = "",
        pattern: Pattern | None = None,
        dtype: Any = None,
        assume_finite: bool | None = None,
    ) -> Exported:
        """What an export writes of it, for `pg.export_c`.

        Args:
            name: what its names in C start with.
            values: the C function of its outputs where it has no derivatives; NAME_forward where this is empty.
            pattern: of a sparse matrix whose entries are its first output.
            dtype, assume_finite: as `export_c` has them.
        """
        ensure_imported("pygraph.runtime.call.exporting")
        from .exporting import exported

        own = self._runner.options.stages
        options = own if assume_finite is None else replace(own, assume_finite=assume_finite)
        return exported(self._built, own, options, name, values, pattern, dtype)

    @property
    def held_bytes(self) -> int:
        """About how much memory it keeps: its graph and Program, the arrays in them, and a context."""
        program = self._built.program
        code = 4 * program.words.nbytes + NODE_BYTES * len(self._built.graph.nodes)
        return code + program.arena_bytes + max(len(program.constants), constant_bytes(self._built.graph))

    def disassemble(self) -> str:
        """The Program as text, one instruction a line."""
        return disassemble(self._built.program)

    def memory(self) -> MemoryPicture:
        """The arena over time: what each value holds, its bytes, its first and last use, where it lies, why it is kept.

        It prints as a table, and notebooks, `.svg(path)` and `.to_html(path)` show it as a picture: each value as a
        rectangle over the steps in which it is used.

        Uses are counted in the steps of the Program, of which a scalar region has one for each operation. The plan is
        made by compiling once more, and takes as long.

        Example:
            >>> x = pg.var("x", (100,))
            >>> exe = pg.compile(pg.Graph([x], np.sum(np.sin(x)) * x))
            >>> print(exe.memory())
            memory of body 0: 1 values, arena 64 bytes
              value                 bytes  first  last  offset
              reduce_sum : float64      8      0     1       0
        """
        plan = planned_memory(self._built, self._runner.options.stages)
        return views.memory(plan, self._built.graph.name)  # type: ignore[no-any-return]

    def profile(self, /, *args: Any, tier: str | None = None, seconds: float = 0.4, **named: Any) -> Page:
        """Run with these arguments, and time each instruction; compiled with `wrt`, both sweeps of ones too.

        Args:
            args, named: as in a call.
            tier: "vm", "native", or by default the one that calls use now.
            seconds: about how long the runs may take, besides some tenths of a second in which this machine is measured
                for the first time, and the compilation of native code with a clock in it.

        Returns:
            What prints as a table (the slowest instructions first, with their share, bytes and operations, the user's
            line, and which of memory, arithmetic and dispatch bounds them); `.rows` has all, and `.to_html(path)` a
            chart by the user's functions.

        Raises:
            SignatureError: as a call; or another tier, or no positive number of seconds.
            BackendError: native code is asked for and is not available.

        Example:
            >>> exe = pg.compile(pg.trace(lambda x: np.sum(np.sin(x)), np.ones(100)))
            >>> profile = exe.profile(np.ones(100), tier="vm", seconds=0.01)
            >>> [row.text for row in profile.rows]
            ['loop 100: sin, sum (2)']
        """
        ensure_imported("pygraph.runtime.call.profiling")
        from .profiling import measured  # at the first profile, not at import

        return measured(self._runner, args, named, tier, seconds)

    def draw(self, room: int = 60, unfolded: str | Iterable[str] = ()) -> Drawing:
        """A drawing of what runs, as of `Graph.draw`: optimised, with the segments of `wrt`, and what is kept marked.

        It is made by compiling once more, and takes as long.

        Example:
            >>> exe = pg.compile(pg.trace(lambda x: np.sum(np.sin(x)), np.ones(3)), wrt=["x"])
            >>> "kept" in exe.draw().svg()
            True
        """
        ensure_imported("pygraph.runtime.call.profiling")
        from .profiling import drawn

        return drawn(self._runner, room, unfolded)

    def __repr__(self) -> str:
        outputs = ", ".join(type_text(node.shape, node.dtype) for node in self._built.graph.outputs)
        wrt = "" if self._built.variables is None else f", wrt={[variable.name for variable in self._built.variables]}"
        return f"<Executable {self._built.signature} -> {outputs}{wrt}>"

    def __copy__(self) -> Executable:
        """The same Program with contexts of its own; what `forward` kept is not copied."""
        copy = object.__new__(Executable)
        copy._adopt(Runner(self._built, self._runner.options))
        return copy

    def __deepcopy__(self, memo: Any) -> Executable:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the graph and the options; compiled again where it is loaded."""
        variables = self._built.variables
        wrt = None if variables is None else tuple(variable.name for variable in variables)
        return _rebuilt, (self._built.graph, wrt, self._runner.options, self._built.plan)


class KeptCall:
    """One kept forward evaluation, with its sweeps; one thread at a time runs, others wait.

    Raises on a call:
        StateError: in a signal handler or finaliser that interrupts a sweep of the same evaluation in its thread.
    """

    __slots__ = ("_executable", "_kept", "_turn")

    def __init__(self, executable: Executable, kept: Kept) -> None:
        self._executable = executable
        self._kept = kept
        self._turn = Turn(functools.partial(_interrupted, executable._built.graph.name))

    def reverse(self, seed: Any = None) -> tuple[Any, ...]:
        """As `Executable.reverse`."""
        with self._turn:
            return self._executable._reverse(self._kept, seed)

    def jvp(self, *tangents: Any) -> Any:
        """As `Executable.jvp`."""
        with self._turn:
            return self._executable._tangent(self._kept, tangents, {})


def _interrupted(name: str) -> StateError:
    problem = "a signal handler or finaliser asks for a sweep in the middle of another one of the same evaluation"
    advice = "evaluate once more for the handler: pg.vjp or pg.linearize"
    return StateError(problem, advice, stage="calling", subject=name)


def _rebuilt(graph: Graph, wrt: tuple[str, ...] | None, options: Options, plan: Plan) -> Executable:
    made = object.__new__(Executable)
    made._adopt(Runner(build(graph, wrt, options.stages, plan), options))
    return made
