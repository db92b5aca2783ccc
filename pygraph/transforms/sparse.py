"""Sparse Jacobians and Hessians of functions as SciPy matrices whose structure is the same at every call."""

from __future__ import annotations

import copy
import functools
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autodiff.jacobians.compressed_jacobian import PLANS, Compressed, compressed_hessian, compressed_jacobian
from ..autodiff.jacobians.local_jacobian import local_jacobian
from ..autodiff.jacobians.pattern import Index, Pattern
from ..autodiff.jacobians.sparsity import jacobian_sparsity
from ..concurrency import Cache, ensure_imported
from ..errors import DTypeError, ShapeError, SignatureError, UnsupportedError, shown
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.rewriting import substitute
from ..graph.trace import function_name, trace
from ..graph.trace_context import Notes, note
from ..ops.dtypes import is_float
from ..runtime.functions.compiled_function import CACHE_SIZE, CompiledFunction, _Signatures
from ..runtime.native.backends import checked_backend
from .evaluation_point import Function, positions_of, record_point, refusal, require_function

if TYPE_CHECKING:
    from ..runtime.call.executable import Executable

__all__ = ["SparseFunction", "SparsePlan", "sparse_hessian", "sparse_jacobian", "sparsity"]


def sparsity(f: Function, *args: Any, argnums: int | Sequence[int] = 0) -> Any:
    """The structure of the Jacobian of a function, found from its graph: no number of `args` is used.

    An entry that is not in it is zero for every input: where a branch or an index depends on the input, the entries of
    everything that it may pick are included.

    Args:
        f: a function of arrays.
        args: its arguments, arrays or `pg.spec(shape, dtype)`, in any containers.
        argnums: which argument to differentiate with respect to, or several.

    Returns:
        A `scipy.sparse.csr_array` of bool, of shape (elements of the result, elements of the argument); the leaves of
        containers, and several arguments, are flattened in C order and put end to end.

    Raises:
        UnsupportedError: SciPy is not installed.
        DTypeError: the argument is not floating.

    Example:
        >>> pg.sparsity(lambda x: x[1:] * x[:-1], pg.spec((4,))).toarray().astype(int)
        array([[1, 1, 0, 0],
               [0, 1, 1, 0],
               [0, 0, 1, 1]])
    """
    _csr_array("sparsity", f)
    graph = trace(f, *args)
    wrt = _variables("sparsity", f, graph, positions_of("sparsity", f, argnums, len(args)))
    local = local_jacobian(graph.outputs, wrt)
    pattern = jacobian_sparsity(graph.outputs, wrt) if local is None else local.pattern
    return _Structure(pattern).matrix(np.ones(pattern.nnz, np.bool_), _csr_array("sparsity", f))


def sparse_jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    mode: str = "auto",
    *,
    sparsity: Any = None,
    values_only: bool = False,
    backend: str = "auto",
) -> SparseFunction:
    """The Jacobian of a function as a sparse matrix, without its zeros.

    A function that does the same small computation many times (for each observation, element or grid point, of which
    each reads few of the variables) has the entries of its small blocks computed as expressions, all lanes at once. Of
    others, few products with the matrix are taken: one for each colour of columns or rows. The structure and the
    program are made at the first call with a signature. Each call then runs once through C, which gives the entries in
    their order.

    Args:
        f: a function of arrays.
        argnums: which argument to differentiate with respect to; several are placed side by side in the matrix.
        has_aux: whether `f` returns (output, aux).
        mode: "local" (the small blocks), "forward" (column colours), "reverse" (row colours), "coloured" (the cheapest
            of these and both together), or "auto": the cheapest of all, and of the dense matrix where it is full.
        sparsity: where the matrix has entries, a SciPy matrix or an array of its shape: its stored, or non-zero, ones.
            The result has exactly these, whether they are zero or not, and the function is not searched for others:
            that there are none is a promise. By default the structure is found from the graph (`pg.sparsity`).
        values_only: return the entries alone, an array, in the order of `structure`.
        backend: as for `pg.compile`, which takes this function too.

    Returns:
        A function of the same arguments that returns a `scipy.sparse.csr_array` of shape (elements of the result,
        elements of the argument), leaves flattened in C order and put end to end; or (matrix, aux). Entries that happen
        to be zero are stored, so that the structure is the same at every call. `out=` takes a matrix that an earlier
        call returned (or the array, with `values_only`) and fills it; see `SparseFunction`.

    Raises (when called):
        UnsupportedError: SciPy is not installed, the arguments are expressions, or the mode is not for this function;
        DTypeError: the argument is not floating; ShapeError: `sparsity` has another shape.

    Example:
        >>> jacobian = pg.sparse_jacobian(lambda x: x[1:] * x[:-1])
        >>> jacobian(np.array([1.0, 2.0, 3.0])).toarray()
        array([[2., 1., 0.],
               [0., 3., 2.]])
        >>> pg.sparse_jacobian(lambda x: x[1:] * x[:-1], mode="forward").plan(np.ones(1000)).stats["tangents"]
        2
    """
    if mode not in PLANS:
        advice = f"give {', '.join(map(repr, PLANS))}"
        raise refusal(SignatureError, "sparse_jacobian", f, f"mode={shown(mode)}", advice)
    checked_backend(backend, False)
    kind = SparseKind("sparse_jacobian", argnums, has_aux, mode, "both", sparsity, values_only)
    return SparseFunction(kind, f, {"backend": backend}, roots=(f,))


def sparse_hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    mode: str = "auto",
    triangle: str = "both",
    sparsity: Any = None,
    values_only: bool = False,
    backend: str = "auto",
) -> SparseFunction:
    """The Hessian of a scalar function as a sparse matrix: the Jacobian of its gradient, with half the work.

    Args:
        f: returns a floating scalar, or (scalar, aux) with `has_aux`.
        argnums: which argument to differentiate with respect to; several make one matrix with all their blocks.
        has_aux: whether `f` returns other values besides the one to differentiate.
        mode: "local" or "coloured" (few tangents of the gradient, by a star colouring), or "auto", as for
            `sparse_jacobian`.
        triangle: which entries to return: "lower" or "upper" with the diagonal, or "both".
        sparsity, values_only, backend: as for `sparse_jacobian`; the mirror images of entries are entries.

    Returns:
        A function of the same arguments that returns a `scipy.sparse.csr_array` with as many rows and columns as the
        argument has elements, symmetric to the last bit (or one triangle of that); or (matrix, aux). Its structure is
        the same at every call.

    Raises (when called):
        UnsupportedError: SciPy is not installed, the arguments are expressions, or the mode is not for this function;
        ShapeError: `f` returns no scalar, or `sparsity` has another shape; DTypeError: an argument or the value is not
        floating.

    Example:
        >>> pg.sparse_hessian(lambda x: np.sum(x[1:] * x[:-1] ** 2))(np.array([1.0, 2.0, 3.0])).toarray()
        array([[4., 2., 0.],
               [2., 6., 4.],
               [0., 4., 0.]])
    """
    for name, value, allowed in (
        ("mode", mode, ("auto", "local", "coloured")),
        ("triangle", triangle, ("both", "lower", "upper")),
    ):
        if value not in allowed:
            advice = f"give {', '.join(map(repr, allowed))}"
            raise refusal(SignatureError, "sparse_hessian", f, f"{name}={shown(value)}", advice)
    checked_backend(backend, False)
    kind = SparseKind("sparse_hessian", argnums, has_aux, mode, triangle, sparsity, values_only)
    return SparseFunction(kind, f, {"backend": backend}, roots=(f,))


@dataclass(frozen=True, eq=False)
class SparseKind:
    """Which sparse derivative of a function is meant; the arguments of `sparse_jacobian` and `sparse_hessian`."""

    name: str
    argnums: int | Sequence[int]
    has_aux: bool
    mode: str
    triangle: str
    sparsity: Any
    values_only: bool

    def compressed(self, f: Function, outputs: Sequence[Node], wrt: Sequence[Node]) -> Compressed:
        """The entries as an expression."""
        found: Compressed | None
        if self.name == "sparse_jacobian":
            pattern = self._given(f, sum(prod(y.shape) for y in outputs), sum(prod(x.shape) for x in wrt))
            found = compressed_jacobian(outputs, wrt, self.mode, pattern)
        else:
            if len(outputs) != 1 or outputs[0].shape:
                problem = (
                    f"the function returned {', '.join(x.type_text for x in outputs) or 'nothing'}, not one scalar"
                )
                raise refusal(ShapeError, self.name, f, problem, "return a scalar, or use pg.sparse_jacobian")
            if not is_float(outputs[0].dtype):
                problem = f"the function returned {outputs[0].type_text}"
                raise refusal(DTypeError, self.name, f, problem, "return a floating scalar")
            size = sum(prod(x.shape) for x in wrt)
            found = compressed_hessian(outputs[0], wrt, self.mode, self._given(f, size, size), self.triangle)
        if found is None:
            problem = (
                "mode 'local' is for functions that compute each part of the result from few elements, without loops"
            )
            raise refusal(UnsupportedError, self.name, f, problem, "give 'auto' or 'coloured'")
        return found

    def _given(self, f: Function, rows: int, columns: int) -> Pattern | None:
        """The pattern that the user gave."""
        given = self.sparsity
        if given is None:
            return None
        if not hasattr(given, "tocoo"):
            given = np.asarray(given)
        if given.shape != (rows, columns):
            problem = f"sparsity has the shape {tuple(given.shape)}, and the matrix {(rows, columns)}"
            raise refusal(ShapeError, self.name, f, problem, "give a matrix with a row for each element of the result")
        if isinstance(given, np.ndarray):
            at, across = np.nonzero(given)
            return Pattern.of_entries(at, across, (rows, columns))
        entries = given.tocoo()
        return Pattern.of_entries(entries.row, entries.col, (rows, columns))


@dataclass(frozen=True, eq=False)
class SparsePlan:
    """What a sparse derivative does for one signature.

    Attributes:
        executable: the program; its first output is the entries.
        compressed: the pattern, how its entries are found, and the costs of the alternatives.
    """

    executable: Executable
    compressed: Compressed

    @property
    def stats(self) -> dict[str, Any]:
        """The products that a call makes, those that each other way would, and the figures of the executable.

        Keys: those of `Executable.stats`, `shape`, `nnz`, `colouring` ("column", "row", "bidirectional" or "star";
        "local" or "dense" where there is none), `tangents`, `cotangents`, and `costs`: (tangents, cotangents) of the
        plans that were made, by "local", "dense", "forward", "reverse", "bidirectional", "star".
        """
        found = self.compressed
        return {
            **asdict(self.executable.stats),
            "shape": found.pattern.shape,
            "nnz": found.pattern.nnz,
            "colouring": found.kind,
            "tangents": found.tangents,
            "cotangents": found.cotangents,
            "costs": dict(found.costs),
        }


class SparseFunction:
    """A function that returns a sparse derivative of another; planned once for each signature of its arguments.

    Attributes:
        values: the entries alone, as a compiled function: it is the fastest to call, and can be called among
            expressions, compiled, differentiated and batched.
    """

    def __init__(
        self,
        kind: SparseKind,
        f: Function,
        options: Mapping[str, Any],
        cache_size: int = CACHE_SIZE,
        roots: tuple[Any, ...] | None = None,
    ) -> None:
        require_function(kind.name, f)
        functools.update_wrapper(self, f)
        self._roots = roots
        self._kind, self._f, self._options, self._cache_size = kind, f, dict(options), cache_size
        self.values = _Values(kind, f, self._options, cache_size, roots)
        self._only: tuple[Executable, _Details] | None = None

    def __call__(self, *args: Any, out: Any = None, **named: Any) -> Any:
        """The matrix for these arguments, and aux where asked for.

        Args:
            out: a matrix of this structure, as an earlier call returned it, to fill and return; or the array of its
                entries, with `values_only`. Not with `has_aux`.
        """
        kind = self._kind
        if out is not None:
            return self._filled(out, args, named)
        if kind.values_only:
            return self.values(*args, **named)
        make = _csr_array(kind.name, self._f)
        found = self.values(*args, **named)
        details = self._details(args, named, found)
        if not kind.has_aux:
            return details.structure.matrix(found, make)
        return details.structure.matrix(found[0], make), found[1]

    def structure(self, *args: Any, **named: Any) -> Any:
        """Where the matrix has entries, as a `scipy.sparse.csr_array` of bool; only the arguments' types are used."""
        _, details = self._planned(args, named)
        structure = details.structure
        return structure.matrix(np.ones(len(structure.indices), np.bool_), _csr_array(self._kind.name, self._f))

    def plan(self, *args: Any, **named: Any) -> SparsePlan:
        """How a call with these arguments is done; only their types are used."""
        executable, details = self._planned(args, named)
        return SparsePlan(executable, details.compressed)

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
        """Write the entries for these example arguments as C99, and where they lie as arrays; see `pg.export_c`.

        Example:
            >>> import tempfile
            >>> jacobian = pg.sparse_jacobian(lambda x: x[1:] * x[:-1])
            >>> [file.name for file in jacobian.export_c(tempfile.mkdtemp(), "chain", np.ones(3))]
            ['chain.c', 'chain.h']
        """
        ensure_imported("pygraph.emit.export")
        from ..emit.export import check_name, export  # at the first export, not at import

        check_name(name)
        plan = self.plan(*args, **named)
        made = plan.executable.exported(name, "", plan.compressed.pattern, dtype, assume_finite)
        return export([made], path, name, null_arguments)

    def recompiled(self, options: Mapping[str, Any], cache_size: int) -> SparseFunction:
        """The same with other options of `pg.compile`, which calls this."""
        return SparseFunction(self._kind, self._f, options, cache_size, None)

    @property
    def roots(self) -> tuple[Any, ...]:
        """The functions that it was made from."""
        return (self._f,)

    def _details(self, args: tuple[Any, ...], named: Mapping[str, Any], found: Any) -> _Details:
        if any(isinstance(x, Node) for x in (found if self._kind.has_aux else (found,))):
            problem = "a sparse matrix can't be recorded"
            advice = "use pg.jacfwd or pg.jacrev in a trace, or the entries alone: values_only=True"
            raise refusal(UnsupportedError, self._kind.name, self._f, problem, advice)
        signatures = self.values.signatures
        made = tuple(signatures.entries.values())
        if len(made) == 1:  # it is the one that was called
            return signatures.details[made[0].executable]
        return self._planned(args, named)[1]

    def _planned(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Executable, _Details]:
        executable = self.values.executable(*args, **named)
        return executable, self.values.signatures.details[executable]

    def _filled(self, out: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        kind = self._kind
        if kind.has_aux:
            raise refusal(SignatureError, kind.name, self._f, "out= and has_aux=True", "leave one of them out")
        executable, details = self._planned(args, named)
        data = out
        if not kind.values_only:
            details.structure.require(out, kind.name, self._f)
            data = out.data
        values, _ = self.values.signatures._placed(args, named)
        executable(*values, out=data)
        return out

    def __copy__(self) -> SparseFunction:
        return self

    def __deepcopy__(self, memo: Any) -> SparseFunction:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return SparseFunction, (self._kind, self._f, self._options, self._cache_size, self._roots)

    def __repr__(self) -> str:
        return f"<{self._kind.name} of {function_name(self._f)}, {len(self.values.signatures.entries)} signatures>"


class _Values(CompiledFunction):
    """The entries of a sparse derivative, and aux where asked for."""

    def __init__(
        self,
        kind: SparseKind,
        f: Function,
        options: Mapping[str, Any],
        cache_size: int,
        roots: tuple[Any, ...] | None,
    ) -> None:
        plans: _Plans = Cache(8)

        def recorded(*args: Any, **named: Any) -> Any:
            positions = positions_of(kind.name, f, kind.argnums, len(args))
            point = record_point(kind.name, f, positions, args, named, kind.has_aux)

            def entries(outputs: Sequence[Node], _: Sequence[Node]) -> list[Node]:
                return [_planned(plans, kind, f, outputs, point.variables)]

            (data,) = point.transformed(entries)
            return (data, point.aux_value()) if kind.has_aux else data

        functools.update_wrapper(recorded, f)
        recorded.__name__ = recorded.__qualname__ = f"{kind.name}_{function_name(f)}"
        super().__init__(recorded, {"threads": None, "check_finite": False, **options}, cache_size)
        self.signatures = _SparseSignatures(recorded, self._signatures.options, cache_size, roots)
        self._signatures = self.signatures
        self._signatures.owner = weakref.ref(self)
        self.__call__ = self._signatures.call


#: The plans of matrices by the graphs of their functions, with the variables that they are in terms of.
_Plans = Cache[Graph, tuple[Sequence[Node], Compressed]]


def _planned(plans: _Plans, kind: SparseKind, f: Function, outputs: Sequence[Node], variables: Sequence[Node]) -> Node:
    """The entries of a matrix as an expression of the variables, by a plan that is made once for each graph; noted."""
    graph = Graph.from_parts(variables, outputs)
    known, found = plans.get(graph) or (variables, None)
    if found is None:
        found = kind.compressed(f, outputs, variables)
        known, found = plans.add(graph, (variables, found))
    note(found)
    (data,) = substitute([found.data], dict(zip(known, variables, strict=True)))
    return data


class _SparseSignatures(_Signatures):
    """The Executables of a sparse derivative by signature, and what is known of each beside it."""

    def __init__(
        self,
        function: Function,
        options: Mapping[str, Any],
        cache_size: int,
        roots: tuple[Any, ...] | None,
    ) -> None:
        super().__init__(function, options, cache_size, False, True, roots, at_point=True)
        self.details: weakref.WeakKeyDictionary[Executable, _Details] = weakref.WeakKeyDictionary()

    def _noted(self, made: Executable, notes: Notes) -> None:
        compressed = notes.get(Compressed)
        assert compressed is not None
        self.details[made] = _Details(compressed, _Structure(compressed.pattern))


@dataclass(frozen=True, eq=False)
class _Details:
    """What belongs to an Executable of a sparse derivative."""

    compressed: Compressed
    structure: _Structure


class _Structure:
    """A pattern in the integers that SciPy prefers, and matrices of it."""

    def __init__(self, pattern: Pattern) -> None:
        small = max(pattern.nnz, *pattern.shape) <= np.iinfo(np.int32).max
        dtype = np.dtype("int32" if small else "int64")
        self.shape = pattern.shape
        self.indptr: Index = pattern.indptr.astype(dtype)
        self.indices: Index = pattern.indices.astype(dtype)
        self._first: Any = None

    def matrix(self, data: Any, make: Callable[..., Any]) -> Any:
        """A matrix of these entries. It has index arrays of its own, as SciPy has methods that change them in place.

        SciPy's constructor looks at every index. It does so once: later matrices are copies of the first one's
        attributes, with arrays of their own.
        """
        indices, indptr = self.indices.copy(), self.indptr.copy()
        first = self._first
        if first is not None and type(first) is make:
            matrix = first.__class__.__new__(first.__class__)
            matrix.__dict__.update(first.__dict__)
            matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
            return matrix
        matrix = make((data, indices, indptr), shape=self.shape, copy=False)
        matrix.has_canonical_format = True  # as every row ascends, without a second entry for a place
        if {"data", "indices", "indptr"} <= vars(matrix).keys():
            self._first = copy.copy(matrix)
            self._first.data = self._first.indices = self._first.indptr = None
        return matrix

    def require(self, out: Any, name: str, f: Function) -> None:
        """Raise SignatureError unless `out` is a matrix with these entries."""
        same = (
            getattr(out, "format", "") == "csr"
            and out.shape == self.shape
            and np.array_equal(out.indptr, self.indptr)
            and np.array_equal(out.indices, self.indices)
        )
        if not same:
            problem = "out is not a csr matrix with the entries of the result"
            raise refusal(SignatureError, name, f, problem, "give a matrix that an earlier call returned")


def _csr_array(name: str, f: Function) -> Callable[..., Any]:
    """`scipy.sparse.csr_array`, or the error that says how to get it."""
    try:
        ensure_imported("scipy.sparse")
        from scipy.sparse import csr_array
    except ImportError as error:
        problem = "it returns a scipy.sparse.csr_array, and SciPy can't be imported"
        advice = "install the extra: pip install 'pygraph-ad[sparse]'"
        raise UnsupportedError(problem, advice, stage="calling", subject=f"{name}({function_name(f)})") from error
    found: Callable[..., Any] = csr_array
    return found


def _variables(name: str, f: Function, graph: Graph, positions: Sequence[int]) -> list[Node]:
    """The inputs of a traced function that stand for the arguments at `positions`."""
    assert graph.input_tree is not None
    starts = list(accumulate((child.n_leaves for child in graph.input_tree.children), initial=0))
    wrt: list[Node] = []
    for i in positions:
        wrt += graph.inputs[starts[i] : starts[i + 1]]
    for node in wrt:
        if not is_float(node.dtype):
            problem = f"argument {node.attrs['name']!r} is {node.type_text}, which has no derivative"
            advice = "give it as a float (1.0, x.astype('float64')), or leave it out of argnums"
            raise refusal(DTypeError, name, f, problem, advice)
    return wrt
