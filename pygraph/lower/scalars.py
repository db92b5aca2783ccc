"""Operations on single elements, in columns: as they are placed in regions, and as the steps that are emitted."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..ops.dtypes import CODES
from ..ops.row import Op
from ..ops.table import micro_op
from .arena_cells import Cells
from .format import MICRO_WORDS
from .program import Micro

if TYPE_CHECKING:
    from ..graph.node import Node
    from .steps import Value
    from .views import Access

#: So many scalar micro-operations are worked on together: what that takes besides them is small beside a large graph.
AT_ONCE = 1 << 13
#: Of a placed row: it computes nothing, its cell holds an element of an array or an input.
ELEMENT = -1
#: Where micro-operation and dtypes stand in their number, see `kind_of`.
_SHIFTS, _MASKS = np.array((8, 4, 0)), np.array((-1, 15, 15))


def kind_of(micro: int, dtype_in: int, dtype_out: int) -> int:
    """A micro-operation and the codes of its dtypes as one number."""
    return micro << 8 | dtype_in << 4 | dtype_out


@cache
def operation_kind(op: Op, dtype_in: np.dtype[Any], dtype_out: np.dtype[Any]) -> int:
    """The same of a row on operands, the last of which has the dtype `dtype_in`."""
    return kind_of(micro_op(op), CODES[dtype_in], CODES[dtype_out])


class PlacedScalars:
    """The operations of a body on single elements, in the order in which they run: row i makes cell i; row 0 is none.

    Attributes:
        kinds: what each does, or ELEMENT.
        a, b, c: the rows whose cells it reads; 0: none.
        nodes: what it computes; None where its cell holds an element of what lies in memory.
        accesses: by row, where elements lie that are in no cell as far as is known. A row that has a node as well is a
            view or a reduction of this one element: another name for its cell.
    """

    __slots__ = ("a", "accesses", "b", "c", "kinds", "nodes")

    def __init__(self) -> None:
        self.kinds = array("i", [ELEMENT])
        self.a, self.b, self.c = array("i", [0]), array("i", [0]), array("i", [0])
        self.nodes: list[Node | None] = [None]
        self.accesses: dict[int, Access] = {}

    def __len__(self) -> int:
        return len(self.kinds)

    def element(self, access: Access, node: Node | None) -> int:
        """A further row for an element that `access` reads; `node` is another name for it."""
        row = len(self.kinds)
        self.accesses[row] = access
        self.kinds.append(ELEMENT)
        self.a.append(0)
        self.b.append(0)
        self.c.append(0)
        self.nodes.append(node)
        return row

    def clear(self) -> None:
        """Forget the rows, once the steps are made of them."""
        for column in (self.kinds, self.a, self.b, self.c, self.nodes):
            del column[1:]
        self.accesses.clear()

    def node(self, row: int) -> Node | None:
        """The operation of a row; None where it only names or loads an element."""
        return None if row >= len(self.nodes) or row in self.accesses else self.nodes[row]


class ScalarRows:
    """The scalar micro-operations of a body, in the order of its steps. Operands and results are numbers of cells.

    Attributes:
        cells: the cells of the body.
        kinds: micro-operations with their dtypes, see `kind_of`.
        targets: the cells that they write; 0: it is a store.
        a, b, c: the cells that they read; `a` is 0 in a load.
        nodes: the numbers of the nodes they come from.
        moves: the rows of loads and stores.
        memory, places: of each of these, the array or port that it reads or writes, and the byte offset there.
    """

    __slots__ = ("a", "b", "c", "cells", "kinds", "memory", "moves", "nodes", "places", "targets")

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.kinds, self.targets, self.nodes = array("i"), array("i"), array("i")
        self.a, self.b, self.c = array("i"), array("i"), array("i")
        self.moves, self.places = array("i"), array("q")
        self.memory: list[Value] = []

    def __len__(self) -> int:
        return len(self.kinds)

    def load(self, cell: int, value: Value, offset: int, node: int) -> None:
        """Add a load of an element of `value` into a cell."""
        self._add(Micro.LOAD, cell, 0, value, offset, node)

    def store(self, cell: int, value: Value, offset: int, node: int) -> None:
        """Add a store of a cell to an element of `value`."""
        self._add(Micro.STORE, 0, cell, value, offset, node)

    def store_all(self, cells: Sequence[int], values: Sequence[Value], nodes: Sequence[int]) -> None:
        """Add a store of each of some cells to the first element of its value."""
        first, none = len(self.kinds), array("i", [0]) * len(cells)
        self.moves.extend(range(first, first + len(cells)))
        self.memory.extend(values)
        self.places.extend([0] * len(cells))
        codes = [CODES[value.dtype] for value in values]
        self.kinds.extend([kind_of(Micro.STORE, code, code) for code in codes])
        self.a.extend(cells)
        for column in (self.targets, self.b, self.c):
            column.extend(none)
        self.nodes.extend(nodes)

    def _add(self, micro: int, target: int, source: int, value: Value, offset: int, node: int) -> None:
        self.move(len(self.kinds), value, offset)
        dtype = CODES[value.dtype]
        self.kinds.append(kind_of(micro, dtype, dtype))
        self.targets.append(target)
        self.a.append(source)
        self.b.append(0)
        self.c.append(0)
        self.nodes.append(node)

    def move(self, row: int, value: Value, offset: int) -> None:
        """Note that a row, which is there or is added next, loads or stores an element of `value`."""
        self.moves.append(row)
        self.memory.append(value)
        self.places.append(offset)

    def words(self, first: int, end: int) -> NDArray[np.int64]:
        """The words of some, as `MicroOperation` says them, once cells have offsets; slots are left out."""
        found = np.empty((end - first, MICRO_WORDS), np.int64)
        offsets = np.frombuffer(self.cells.offsets, np.int64)
        kinds, *columns = (x[first:end] for x in (self.kinds, self.targets, self.a, self.b, self.c))
        found[:, :3] = np.frombuffer(kinds, np.intc)[:, None] >> _SHIFTS & _MASKS
        found[:, 3:] = offsets[np.array(columns).T] >> 3  # a cell has 8 bytes; that of number 0 gives -1
        return found
