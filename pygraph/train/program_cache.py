"""Programs of training that are compiled once for equal graphs, so that the next training of a model starts at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

import pygraph as pg

#: How many are kept, of those whose constants are no larger than this: an array that a loss closes over stays alive.
_LIMIT, _CONSTANT_BYTES = 32, 1 << 20

_known: OrderedDict[Any, pg.Executable] = OrderedDict()
_lock = threading.Lock()


def program(function: Callable[..., Any], options: dict[str, Any], *args: Any) -> pg.Executable:
    """`function`, traced for arguments of these types, as an Executable: of an equal graph, if there is one.

    Args:
        function: of containers of arrays.
        options: `threads` and `backend` of `pg.compile`.
        args: the arguments, or ones of equal types.
    """
    graph = pg.trace(function, *args)
    key = (graph, *sorted(options.items()))
    with _lock:
        found = _known.get(key)
        if found is not None:
            _known.move_to_end(key)
            return found
    made = pg.compile(graph, **options)
    if made.stats.constant_bytes <= _CONSTANT_BYTES:
        with _lock:
            _known[key] = made
            while len(_known) > _LIMIT:
                _known.popitem(last=False)
    return made


class Programs:
    """A function of (…, data, …) with one Program for each shape of the data; all else keeps its types."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._function, self._options = function, options
        self._made: dict[Any, pg.Executable] = {}

    def __call__(self, data: Any, *args: Any) -> Any:
        """Run on `args`, of which `data` is one."""
        return self._of(data, args)(*args)

    def run(self, data: Any, args: tuple[Any, ...], out: Any) -> None:
        """Run on `args`, of which `data` is one, and write the results to the arrays of `out`."""
        self._of(data, args)(*args, out=out)

    def _of(self, data: Any, args: tuple[Any, ...]) -> pg.Executable:
        key = tuple((np.shape(leaf), leaf.dtype) for leaf in pg.tree_leaves(data))
        found = self._made.get(key)
        if found is None:
            if len(self._made) == _LIMIT:
                self._made.clear()
            found = self._made[key] = program(self._function, self._options, *args)
        return found
