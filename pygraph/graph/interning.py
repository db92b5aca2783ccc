"""Equal expressions are one node: the tables that say which nodes there are.

A trace has a table of its own, which ends with it, as has the compilation of a graph: one dictionary, which no other
thread writes to unless it takes part in that trace. What is recorded outside of any trace, and every variable, is in a
table that all share and that keeps nothing alive. So a graph may hold two equal nodes that different tables knew;
`rewriting.unified` makes them one before it is compiled.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import TypeAlias

from .node import Node
from .trace_context import current, entered

__all__ = ["SHARED", "Key", "SharedTable", "Table", "interning", "known"]

#: An op, its static arguments in a fixed order, and its operands: the very tuples of a node. Operands are told apart by
#: identity.
Key: TypeAlias = tuple[Hashable, ...]
#: The nodes of one trace.
Table: TypeAlias = "dict[Key, Node]"


class _Interned(weakref.ref[Node]):
    """What the shared table holds, so that a node goes with its last use.

    A weakref.WeakValueDictionary would need a lock: it has no `setdefault` in one step.
    """

    __slots__ = ("key",)

    key: Key


class SharedTable:
    """Nodes that anything outside of traces may ask for, as long as something else holds them.

    It is used as a dictionary is, by threads, signal handlers and finalisers at once.
    """

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[Key, _Interned] = {}

    def get(self, key: Key) -> Node | None:
        """The node that is there."""
        reference = self._entries.get(key)
        return None if reference is None else reference()

    def setdefault(self, key: Key, node: Node) -> Node:
        """The node that is there, or `node`, which is put there.

        Another thread, or what interrupted this one, may have made an equal one meanwhile.
        """
        reference = _Interned(node, self._forget)
        reference.key = key
        while True:
            kept = self._entries.setdefault(key, reference)
            found = kept()
            if found is not None:
                return found
            self._forget(kept)

    def _forget(self, reference: weakref.ref[Node]) -> None:
        """Take a node that has ended from the table.

        Another thread may put an equal one there between the two lines: then it is made once more when it is next
        needed, and two equal nodes are computed as two.
        """
        key = reference.key  # type: ignore[attr-defined]
        if self._entries.get(key) is reference:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)


#: What no trace has for itself.
SHARED = SharedTable()


def known(node: Node) -> Node:
    """The node that is known here for what `node` computes: itself, from now on, where there was none."""
    table = current().table
    return (SHARED if table is None else table).setdefault((node.op, node.items, node.inputs), node)


def interning() -> entered:
    """Within the block nodes are known to a table of its own."""
    return entered(table={})
