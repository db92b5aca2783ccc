"""`summary`: the table of a model's layers, with what each one returns and how much it has to learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import pygraph as pg

from .call_record import LayerCall, RecordsCalls, Watched, sizes

__all__ = ["Summary", "summary"]

#: The most columns of a table, and the indentation of a layer inside of another.
COLUMNS, INDENT = 100, 2
#: What to do about what a table does not say.
HINT = "? depends on the shape of an input: pg.nn.summary(model, shape)"


@dataclass(frozen=True, repr=False)
class Summary:
    """What `summary` returns; `str()` and a notebook or prompt show it as a table.

    Attributes:
        rows: (depth, name, output shape, parameters, bytes) for each layer; a shape has None for the batch, and is None
            itself where it is unknown. The parameters of layers inside a layer are those layers' alone; None: unknown.
        parameters, bytes: of the model, each parameter counted once; None: unknown.
        state, state_bytes: how many numbers the running statistics are, and their bytes; None: unknown.
        dtype: of the parameters, the name.
    """

    rows: tuple[tuple[int, str, tuple[int | None, ...] | None, int | None, int | None], ...]
    parameters: int | None
    bytes: int | None
    state: int | None
    state_bytes: int | None
    dtype: str

    def __str__(self) -> str:
        depths = [*(row[0] for row in self.rows[1:]), 0]
        body = []
        for (depth, name, shape, count, size), following in zip(self.rows, depths, strict=True):
            numbers = ("", "") if following > depth and not count else (_number(count), _number(size))
            body.append((" " * INDENT * depth + name, _shape_text(shape), *numbers))
        total = [("total", "", _number(self.parameters), _number(self.bytes))]
        if self.state:
            total.append(("running statistics", "", _number(self.state), _number(self.state_bytes)))
        table = _table(("layer", "output", f"parameters, {self.dtype}", "bytes"), body, total)
        is_whole = self.parameters is not None and all(row[2] is not None for row in self.rows)
        return table if is_whole else f"{table}\n{HINT}"

    def __repr__(self) -> str:
        return str(self)


def summary(model: Any, shape: Any = None, *, dtype: Any = "float64") -> Summary:
    """The layers of a model in a table: their output shapes, parameters and bytes.

    Nothing is computed: the model is traced once, for a batch of inputs of this shape.

    Args:
        model: a layer, or any object with `init` and a call like a layer's.
        shape: of one input, without the batch axis; may be left out where the layers say it, as `linear` does, or to
            see the layers alone.
        dtype: of the parameters, float64 or float32.

    Raises:
        ShapeError: inputs of this shape do not fit the model; the text names the layer.

    Example:
        >>> print(pg.nn.summary(pg.nn.sequential(pg.nn.linear(64, 128), pg.nn.relu, pg.nn.linear(128, 10)), (64,)))
        layer              output    parameters, float64   bytes
        --------------------------------------------------------
        sequential         (n, 10)
          linear(64, 128)  (n, 128)                8,320  66,560
          relu             (n, 128)                    0       0
          linear(128, 10)  (n, 10)                 1,290  10,320
        --------------------------------------------------------
        total                                      9,610  76,880
    """
    given = getattr(model, "input_shape", None) if shape is None else shape
    name = np.dtype(dtype).name
    if given is not None:
        try:
            return _traced(model, given, name)
        except pg.GraphError:
            if shape is not None:
                raise
    return _listed(model, name)


def _traced(model: Any, shape: Any, dtype: str) -> Summary:
    """The summary by a trace of the model, for a batch of a size that stands for any."""
    sizes_of_one = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    counts: list[tuple[int, int]] = []
    calls: list[LayerCall] = []

    def whole(key: Any, x: Any) -> Any:
        params, state = model.init(key, sizes_of_one, dtype=dtype)
        counts.extend((sizes(params), sizes(state)))
        return model(params, x, state=Watched(state, calls) if isinstance(model, RecordsCalls) else state)

    inputs = pg.spec((1, *sizes_of_one), getattr(model, "input_dtype", None) or dtype)
    graph = pg.trace(whole, pg.spec((), "int64"), inputs)
    if not calls:  # it is no Layer
        result = graph.outputs[0].shape if len(graph.outputs) == 1 else None
        calls.append(LayerCall(type(model).__name__, result, *counts[0]))
    return Summary(tuple(_rows(calls, 0)), *counts[0], *counts[1], dtype)


def _listed(model: Any, dtype: str) -> Summary:
    """The summary without the shape of an input."""
    call, params, state = _listing(model, dtype)
    return Summary(tuple(_rows([call], 0)), *_sizes(params), *_sizes(state), dtype)


def _listing(layer: Any, dtype: str) -> tuple[LayerCall, Any, Any]:
    """A layer and those inside it, with parameters where no shape is needed to make them."""
    if not hasattr(layer, "init"):
        return LayerCall(getattr(layer, "__name__", repr(layer))), (), ()
    params = state = None
    if not getattr(layer, "needs_shape", True):
        made: list[Any] = []

        def init(key: Any) -> Any:
            made.extend(layer.init(key, dtype=dtype))
            return made

        pg.trace(init, pg.spec((), "int64"))
        params, state = made
    call = LayerCall(getattr(layer, "label", type(layer).__name__), None, *_sizes(params))
    inner = getattr(layer, "inner_layers", ())
    for name, part in zip(getattr(layer, "inner_names", ("",) * len(inner)), inner, strict=True):
        call.inner.append(_listing(part, dtype)[0])
        call.inner[-1].name = name + call.inner[-1].name
    return call, params, state


def _sizes(tree: Any) -> tuple[int | None, int | None]:
    return (None, None) if tree is None else sizes(tree)


def _rows(
    calls: Sequence[LayerCall], depth: int
) -> Iterator[tuple[int, str, tuple[int | None, ...] | None, int | None, int | None]]:
    for call in calls:
        shape = None if call.shape is None else (None, *call.shape[1:])
        yield depth, call.name, shape, _own(call, "parameters"), _own(call, "bytes")
        yield from _rows(call.inner, depth + 1)


def _own(call: LayerCall, what: str) -> int | None:
    """What a layer has beside the layers inside it; 0 where these are called several times."""
    whole, inner = getattr(call, what), [getattr(part, what) for part in call.inner]
    return None if whole is None or None in inner else max(whole - sum(inner), 0)


def _shape_text(shape: tuple[int | None, ...] | None) -> str:
    if shape is None:
        return "?"
    return f"({', '.join('n' if size is None else str(size) for size in shape)}{',' if len(shape) == 1 else ''})"


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _table(head: tuple[str, ...], body: Sequence[tuple[str, ...]], total: Sequence[tuple[str, ...]]) -> str:
    """Lines of columns: the first two to the left, the others to the right; long names are cut."""
    lines = [head, *body, *total]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    widths[1] = min(widths[1], 40)
    widths[0] = min(widths[0], COLUMNS - sum(widths[1:]) - 2 * (len(head) - 1))

    def line(cells: tuple[str, ...]) -> str:
        cells = tuple(c if len(c) <= w else f"{c[: w - 1]}…" for c, w in zip(cells, widths, strict=True))
        aligned = [c.ljust(w) if at < 2 else c.rjust(w) for at, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(aligned).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(head) - 1))
    return "\n".join([line(head), rule, *map(line, body), rule, *map(line, total)])
