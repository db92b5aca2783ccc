"""The unknowns of a solver: a container of arrays on the user's side, a vector of float64 on SciPy's."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["DecisionVariables", "same_form", "unravelled"]


class Piece:
    """Where in the vector a leaf is; in containers it is a leaf itself."""

    __slots__ = ("shape", "start", "stop")

    def __init__(self, start: int, stop: int, shape: tuple[int, ...]) -> None:
        self.start, self.stop, self.shape = start, stop, shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Piece) and (self.start, self.shape) == (other.start, other.shape)

    def __hash__(self) -> int:
        return hash((self.start, self.shape))


class DecisionVariables:
    """The start of a solver, and the way between containers like it and vectors.

    A list or tuple of numbers is an array, as it is for SciPy, and a number an array of one element; other lists and
    tuples, and dicts, namedtuples and dataclasses are containers. Leaves become float64.

    Attributes:
        start: all leaves as one new vector, in the order of `pg.ravel_pytree`.
        pieces: the container with a `Piece` in the place of each leaf; None for an array of one axis.
        is_container: whether it is more than one array.
        dtype: of the vector, float64.
    """

    def __init__(self, x0: Any, subject: str, name: str = "x0") -> None:
        self.subject, self.name = f"pg.scipy.{subject}", name
        leaves = pg.tree_leaves(x0)
        self.is_container = _is_container(x0, leaves)
        if not self.is_container:
            x0 = np.atleast_1d(self._array(x0))
            leaves = [x0]
        arrays = [self._array(leaf) for leaf in leaves]
        self.start = np.concatenate([leaf.ravel() for leaf in arrays]) if arrays else np.zeros(0)
        if not self.start.size:
            raise pg.ShapeError(f"{name} has no elements", "give a start", stage="calling", subject=self.subject)
        self.shape = arrays[0].shape
        self.pieces: Any = None
        if self.is_container:
            stops = accumulate(leaf.size for leaf in arrays)
            parts = iter([Piece(stop - x.size, stop, x.shape) for x, stop in zip(arrays, stops, strict=True)])
            self.pieces = pg.tree_map(lambda _: next(parts), x0)
        elif len(self.shape) > 1:
            self.pieces = Piece(0, self.start.size, self.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self.start.size

    def unravel(self, vector: Any) -> Any:
        """The container whose leaves are the parts of a vector: of an array, views; of an expression, expressions."""
        return unravelled(self.pieces, vector)

    def ravel(self, given: Any, what: str) -> Any:
        """The vector of a container of this form, in which a leaf may be what broadcasts to it; of a number for all
        elements; or of a flat array."""
        if isinstance(given, (int, float, np.generic)):
            return np.full(self.size, float(given))
        if not self.is_container or (isinstance(given, np.ndarray) and given.ndim == 1):
            array = np.asarray(given, float)
            if array.shape == (self.size,):
                return array
            try:
                return np.broadcast_to(array, self.shape).ravel()
            except ValueError as error:
                raise self._mismatch(what, f"has shape {array.shape}") from error
        try:
            leaves = pg.tree_map(
                lambda piece, x: np.broadcast_to(np.asarray(x, float), piece.shape), self.pieces, given
            )
        except (pg.GraphError, ValueError) as error:
            raise self._mismatch(what, "does not have the form of it") from error
        return np.concatenate([leaf.ravel() for leaf in pg.tree_leaves(leaves)])

    def put_back(self, result: Any, names: tuple[str, ...]) -> Any:
        """A result of SciPy with the container in place of each vector that it has under one of the `names`."""
        if self.pieces is not None:
            for name in names:
                value = result.get(name)
                if isinstance(value, np.ndarray) and value.shape == (self.size,):
                    result[name] = self.unravel(value)
        return result

    def _mismatch(self, what: str, problem: str) -> pg.ShapeError:
        advice = f"give a container like {self.name}, or a vector of its {self.size} elements"
        return pg.ShapeError(f"{what} {problem}", advice, stage="calling", subject=self.subject)

    def _array(self, leaf: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        try:
            array = np.asarray(leaf)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "fiub":
            problem = f"{self.name} has an element of type {type(leaf).__name__}, dtype {array.dtype}"
            raise pg.DTypeError(problem, "give real numbers", stage="calling", subject=self.subject)
        return array.astype(np.float64)


def unravelled(pieces: Any, vector: Any) -> Any:
    """`vector` in the container of `pieces`; itself where that is None."""
    if pieces is None:
        return vector
    return pg.tree_map(lambda piece: _part(vector, piece), pieces)


def _part(vector: Any, piece: Piece) -> Any:
    part: Any = np.reshape(vector[piece.start : piece.stop], piece.shape)
    return part[()] if isinstance(part, np.ndarray) else part  # of no axes: a number


def same_form(tree: Any, other: Any) -> bool:
    """Whether two containers of hashable leaves are equal, kinds of containers included."""
    try:
        equal = pg.tree_map(lambda x, y: type(x) is type(y) and x == y, tree, other)
    except pg.GraphError:
        return False
    return all(leaf is True for leaf in pg.tree_leaves(equal))


def _is_container(x0: Any, leaves: list[Any]) -> bool:
    """Whether `x0` is a container, and not what NumPy takes as one array."""
    if len(leaves) == 1 and leaves[0] is x0:
        return False
    if type(x0) not in (list, tuple) or not leaves:
        return True
    if any(np.ndim(leaf) for leaf in leaves):
        return True
    try:
        return np.asarray(x0).dtype.kind == "O"
    except ValueError:  # ragged
        return True
