"""Sparse Jacobians and Hessians of functions as SciPy matrices whose structure stays from call to call."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autodiff.compressed import Compressed, compressed_hessian, compressed_jacobian
from ..autodiff.pattern import Index, Pattern
from ..autodiff.sparsity import jacobian_sparsity
from ..concurrency import ensure_imported
from ..errors import DTypeError, GraphError, ShapeError, SignatureError, UnsupportedError
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.trace import function_name, trace
from ..graph.tree import TreeDef, flatten, unflatten
from ..graph.where import describe
from ..ops.dtypes import is_float
from ..runtime.collector import paused
from ..runtime.compile import CACHE_SIZE, _by_position, _Signatures
from .point import Function, positions_of, refusal

if TYPE_CHECKING:
    from ..runtime.executable import Executable

__all__ = ["SparseFunction", "SparsePlan", "sparse_hessian", "sparse_jacobian", "sparsity"]

#: Makes the expression of a matrix's entries from the outputs, the variables and the mode.
Engine = Callable[[Sequence[Node], Sequence[Node]], Compressed]


def sparsity(f: Function, *args: Any, argnums: int | Sequence[int] = 0) -> Any:
    """The structure of the Jacobian of a function, found from its graph: no number of `args` is used.

    An entry that is not in it is zero for every input: where a branch or an index depends on the input, all that it
    may pick is in.

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
    pattern = jacobian_sparsity(graph.outputs, wrt)
    return _Structure.of(pattern).matrix(np.ones(pattern.nnz, np.bool_), _csr_array("sparsity", f))


def sparse_jacobian(
    f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False, mode: str = "auto"
) -> SparseFunction:
    """The Jacobian of a function as a sparse matrix, from few products with it: one for each colour of columns or rows.

    The structure, the colours and the program are made at the first call with a signature. Each call then runs once
    through C, which gives the entries in their order.

    Args:
        f: a function of arrays.
        argnums: which argument to differentiate with respect to; several stand side by side in the matrix.
        has_aux: whether `f` returns (output, aux).
        mode: "forward" (column colours), "reverse" (row colours), or "auto": the cheapest of these and both together.

    Returns:
        A function of the same arguments that returns a `scipy.sparse.csr_array` of shape (elements of the result,
        elements of the argument), leaves flattened in C order and put end to end; or (matrix, aux). Entries that happen
        to be zero are stored, so that the structure is the same at every call.

    Raises (when called):
        UnsupportedError: SciPy is not installed, or the arguments are expressions; DTypeError: the argument is not
        floating.

    Example:
        >>> jacobian = pg.sparse_jacobian(lambda x: x[1:] * x[:-1])
        >>> jacobian(np.array([1.0, 2.0, 3.0])).toarray()
        array([[2., 1., 0.],
               [0., 3., 2.]])
        >>> jacobian.plan(np.ones(1000)).stats["tangents"]
        2
    """
    if mode not in ("auto", "forward", "reverse"):
        problem = f"mode={mode!r}"
        raise refusal(SignatureError, "sparse_jacobian", f, problem, 'give "auto", "forward" or "reverse"')
    return SparseFunction("sparse_jacobian", f, argnums, has_aux, functools.partial(compressed_jacobian, mode=mode))


def sparse_hessian(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> SparseFunction:
    """The Hessian of a scalar function as a sparse matrix, from few tangents of its gradient, by a star colouring.

    Args:
        f: returns a floating scalar, or (scalar, aux) with `has_aux`.
        argnums: which argument to differentiate with respect to; several make one matrix with all their blocks.
        has_aux: whether `f` returns other values beside the one to differentiate.

    Returns:
        A function of the same arguments that returns a symmetric `scipy.sparse.csr_array` with as many rows and columns
        as the argument has elements; or (matrix, aux). Its structure is the same at every call.

    Raises (when called):
        UnsupportedError: SciPy is not installed, or the arguments are expressions; ShapeError: `f` returns no scalar;
        DTypeError: an argument or the value is not floating.

    Example:
        >>> pg.sparse_hessian(lambda x: np.sum(x[1:] * x[:-1] ** 2))(np.array([1.0, 2.0, 3.0])).toarray()
        array([[4., 2., 0.],
               [2., 6., 4.],
               [0., 4., 0.]])
    """

    def engine(outputs: Sequence[Node], wrt: Sequence[Node]) -> Compressed:
        if len(outputs) != 1 or outputs[0].shape:
            problem = f"the function returned {', '.join(x.type_text for x in outputs) or 'nothing'}, not one scalar"
            raise refusal(ShapeError, "sparse_hessian", f, problem, "return a scalar, or use pg.sparse_jacobian")
        if not is_float(outputs[0].dtype):
            problem = f"the function returned {outputs[0].type_text}"
            raise refusal(DTypeError, "sparse_hessian", f, problem, "return a floating scalar")
        return compressed_hessian(outputs[0], wrt)

    return SparseFunction("sparse_hessian", f, argnums, has_aux, engine)


@dataclass(frozen=True, eq=False)
class SparsePlan:
    """What a sparse derivative does for one signature.

    Attributes:
        executable: the program; its first output is the entries.
        compressed: the pattern, the colouring and the costs of the alternatives.
    """

    executable: Executable
    compressed: Compressed

    @property
    def stats(self) -> dict[str, Any]:
        """The products that a call makes, those that each other way would, and the figures of the executable.

        Keys: those of `Executable.stats`, `shape`, `nnz`, `colouring` ("column", "row", "bidirectional" or "star"),
        `tangents`, `cotangents`, and `costs`: (tangents, cotangents) by "forward", "reverse", "bidirectional", "star".
        """
        chosen = self.compressed.colouring
        return {
            **asdict(self.executable.stats),
            "shape": self.compressed.pattern.shape,
            "nnz": self.compressed.pattern.nnz,
            "colouring": chosen.kind,
            "tangents": chosen.tangents,
            "cotangents": chosen.cotangents,
            "costs": dict(self.compressed.costs),
        }


class SparseFunction:
    """A function that returns a sparse derivative of another; planned once for each signature of its arguments."""

    def __init__(self, name: str, f: Function, argnums: int | Sequence[int], has_aux: bool, engine: Engine) -> None:
        functools.update_wrapper(self, f)
        self._name, self._f = name, f
        self._signatures = _SparseSignatures(name, f, argnums, has_aux, engine)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The matrix for these arguments, and aux where asked for."""
        make = _csr_array(self._name, self._f)
        executable, details, leaves = self._signatures.planned(args, named)
        data, *aux = executable.run_leaves(leaves)
        matrix = details.structure.matrix(data, make)
        return matrix if details.aux_tree is None else (matrix, unflatten(details.aux_tree, aux))

    def plan(self, *args: Any, **named: Any) -> SparsePlan:
        """How a call with these arguments is done; only their types are used."""
        executable, details, _ = self._signatures.planned(args, named)
        return SparsePlan(executable, details.compressed)

    def __repr__(self) -> str:
        return f"<{self._name} of {function_name(self._f)}, {len(self._signatures.entries)} signatures>"


class _SparseSignatures(_Signatures):
    """The Executables of a sparse derivative by signature, and what is known of each beside it."""

    def __init__(self, name: str, f: Function, argnums: int | Sequence[int], has_aux: bool, engine: Engine) -> None:
        super().__init__(f, {}, CACHE_SIZE, False)
        self.name, self.argnums, self.has_aux, self.engine = name, argnums, has_aux, engine
        self.details: weakref.WeakKeyDictionary[Executable, _Details] = weakref.WeakKeyDictionary()

    def planned(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Executable, _Details, list[Any]]:
        """The Executable for these arguments, its details, and the arguments' leaves."""
        values, keywords = self._placed(args, named)
        leaves, form = flatten(values)
        if any(isinstance(leaf, Node) for leaf in leaves):
            problem = "a sparse matrix can't be recorded"
            raise refusal(UnsupportedError, self.name, self.function, problem, "use pg.jacfwd or pg.jacrev in a trace")
        found = self._find(values, keywords, leaves, form)
        if isinstance(found, Graph):  # recorded again inside a trace, on whose expressions it depends now
            found.require_closed()
            raise AssertionError("only graphs that depend on expressions are not compiled")
        return found, self.details[found], leaves

    def _compiled(self, values: tuple[Any, ...], keywords: tuple[str, ...]) -> Executable:
        ensure_imported("pygraph.runtime.executable")
        from ..runtime.executable import Executable  # loads the C library: at the first compilation, not at import

        name, f = self.name, self.function
        with paused():
            graph = trace(_by_position(f, keywords, len(values), self.parameters), *values)
            graph.require_closed()
            wrt = _variables(name, f, graph, positions_of(name, f, self.argnums, len(values) - len(keywords)))
            outputs, aux, aux_tree = graph.outputs, graph.outputs[:0], None
            if self.has_aux:
                tree = graph.output_tree
                if tree.kind is not tuple or len(tree.children) != 2:
                    problem = f"has_aux=True, and the function returned {tree!r}, not a pair"
                    raise refusal(GraphError, name, f, problem, "return (output, aux)")
                count = tree.children[0].n_leaves
                outputs, aux, aux_tree = outputs[:count], outputs[count:], tree.children[1]
            compressed = self.engine(outputs, wrt)
            recorded = Graph.from_parts(
                graph.inputs,
                [compressed.data, *aux],
                input_tree=graph.input_tree,
                name=f"{name}_{function_name(f)}",
            )
            executable = Executable(recorded)
        self.details[executable] = _Details(compressed, _Structure.of(compressed.pattern), aux_tree)
        return executable


@dataclass(frozen=True, eq=False)
class _Details:
    """What belongs to an Executable of a sparse derivative."""

    compressed: Compressed
    structure: _Structure
    aux_tree: TreeDef | None


@dataclass(frozen=True, eq=False)
class _Structure:
    """A pattern in the integers that SciPy prefers."""

    shape: tuple[int, int]
    indptr: Index
    indices: Index

    @staticmethod
    def of(pattern: Pattern) -> _Structure:
        small = max(pattern.nnz, *pattern.shape) <= np.iinfo(np.int32).max
        dtype = np.dtype("int32" if small else "int64")
        return _Structure(pattern.shape, pattern.indptr.astype(dtype), pattern.indices.astype(dtype))

    def matrix(self, data: Any, make: Callable[..., Any]) -> Any:
        """A matrix of these entries. It has index arrays of its own, as SciPy has methods that change them in place."""
        matrix = make((data, self.indices.copy(), self.indptr.copy()), shape=self.shape, copy=False)
        matrix.has_canonical_format = True  # as every row ascends, without a second entry for a place
        return matrix


def _csr_array(name: str, f: Function) -> Callable[..., Any]:
    """`scipy.sparse.csr_array`, or the error that says how to get it."""
    try:
        ensure_imported("scipy.sparse")
        from scipy.sparse import csr_array
    except ImportError as error:
        problem = "it returns a scipy.sparse.csr_array, and SciPy can't be imported"
        advice = "install the extra: pip install 'pygraph-ad[sparse]'"
        raise UnsupportedError(describe("calling", f"{name}({function_name(f)})", problem, advice)) from error
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
