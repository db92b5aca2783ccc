"""Random graphs over all rows, grown node by node with their values, so that most of them stay finite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import apply_row, is_exact
from ops.samples import accepted, rows, structure_cases

from pygraph import ops
from pygraph.errors import DomainError, DTypeError, UnsupportedError
from pygraph.graph import Graph, Node, constant, scan, switch, var, walk, while_loop
from pygraph.graph.record_checkpoint import checkpoint
from pygraph.graph.reference import Value, evaluate_nodes
from pygraph.ops.counting import iota
from pygraph.ops.dtypes import DTYPES, KINDS
from pygraph.ops.row import TABLE, Op, lookup

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

#: Values above this are not built upon, unless the graph is allowed to be wild.
LARGEST = 1e4
#: Rows with a kink or a jump: the smallest error of an operand may change their value or their derivative.
KINKS = frozenset({"mod", "maximum", "minimum", "absolute", "reduce_max", "reduce_min"})
#: Constant exponents, also beyond those that are multiplied out when they are written as x ** n.
EXPONENTS = (3.0, 2.5, -0.5, -3.0, 1.5, -2.0, 5.0, 7.0)
SMOOTH_NONDIFF = frozenset({"stop_gradient", "isfinite", "isnan", "isinf"})


@dataclass(frozen=True, eq=False)
class Sample:
    """A random graph and arguments for it."""

    graph: Graph
    arrays: list[Array]

    def __str__(self) -> str:
        return f"{self.graph}\narguments: {self.arrays}"


class Grower:
    """Grows a graph; node i depends on the seed and on i alone, so that a smaller graph is a part of a larger one."""

    def __init__(self, seed: int, large: bool) -> None:
        self.seed = seed
        rng = np.random.default_rng([seed, 0])
        #: The sizes of axes that this graph's shapes are made of.
        self.sizes = tuple(int(n) for n in rng.choice([2, 3, 4, 5, 7], 3, replace=False))
        if large:
            self.sizes = (int(rng.integers(20_000, 80_000)), *self.sizes[1:])
        elif rng.random() < 0.08:
            self.sizes = (*self.sizes[:2], 0)
        self.wild = rng.random() < 0.15
        self.inputs: list[Node] = []
        self.nodes: list[Node] = []
        self._pool: set[Node] = set()
        self.env: dict[Node, Value] = {}
        self.exact: dict[Node, bool] = {}
        self.rng = rng

    # --- the nodes there are -----------------------------------------------------------------------------------------

    def value(self, node: Node) -> Array:
        found = self.env[node]
        assert not isinstance(found, tuple)
        return np.asarray(found)

    def keep(self, node: Any) -> bool:
        """Take a new node into the pool, if its value is one to build upon."""
        if not isinstance(node, Node) or prod(node.shape) > 400_000 or len(node.shape) > 5:
            return False
        evaluate_nodes([node], self.env)
        for x in walk([node]):
            if x not in self.exact:
                self.exact[x] = all(self.exact[y] for y in x.inputs) and (x.results is None and is_exact(x.op, x.dtype))
        value = self.value(node)
        if not self.wild and value.dtype.kind == "f" and not np.all(np.abs(value) <= LARGEST):
            return False
        if node not in self._pool:
            self._pool.add(node)
            self.nodes.append(node)
        return True

    def pick(self, kinds: str = "fib", test: Callable[[Node], bool] | None = None) -> Node | None:
        """A node of these kinds, later ones more often; None where there is none."""
        found = [x for x in self.nodes if KINDS[x.dtype] in kinds and (test is None or test(x))]
        if not found:
            return None
        back = min(int(self.rng.exponential(4.0)), len(found) - 1)
        return found[len(found) - 1 - back] if self.rng.random() < 0.8 else found[int(self.rng.integers(len(found)))]

    def random_shape(self) -> Shape:
        rank = int(self.rng.choice([0, 1, 2, 3], p=[0.25, 0.35, 0.3, 0.1]))
        shape = [int(self.rng.choice(self.sizes)) if self.rng.random() < 0.85 else 1 for _ in range(rank)]
        while prod(shape) > 100_000:
            shape.pop()
        return tuple(shape)

    def random_array(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        match KINDS[dtype]:
            case "b":
                return np.asarray(self.rng.random(shape) < 0.5)
            case "i":
                return self.rng.integers(-4, 5, shape).astype(dtype)
        value = self.rng.uniform(-2, 2, shape)
        return np.asarray(np.round(value, 2) if self.rng.random() < 0.2 else value).astype(dtype)

    def random_dtype(self) -> np.dtype[Any]:
        return DTYPES[int(self.rng.choice(5, p=[0.5, 0.2, 0.12, 0.08, 0.1]))]

    # --- growing -----------------------------------------------------------------------------------------------------

    def grow(self, count: int) -> None:
        """Add nodes until the graph has `count`, counting the first few variables."""
        attempt = 0
        while len(self.nodes) < count and attempt < 4 * count:
            attempt += 1
            self.rng = np.random.default_rng([self.seed, attempt])
            if len(self.inputs) < 3 or (len(self.inputs) < 6 and self.rng.random() < 0.05):
                self.add_input()
            elif self.rng.random() < 0.05:
                self.keep(constant(self.random_array(self.random_shape(), self.random_dtype())))
            else:
                self.add_operation()

    def add_input(self) -> None:
        dtype = DTYPES[0] if not self.inputs else self.random_dtype()
        node = var(f"x{len(self.inputs)}", self.random_shape(), dtype)
        self.inputs.append(node)
        self.env[node] = self.random_array(node.shape, dtype)
        self.exact[node] = True
        self.nodes.append(node)

    def add_operation(self) -> None:
        names = ACTIONS if self.rng.random() < 0.45 else POINTWISE
        name = names[int(self.rng.integers(len(names)))]
        try:
            with np.errstate(all="ignore"):
                made = STRUCTURE[name](self) if name in STRUCTURE else _row(self, TABLE[name])
        except (DomainError, DTypeError, UnsupportedError):  # these dtypes are refused, or a power, as they should be
            return
        for node in made if isinstance(made, (list, tuple)) else [made]:
            if node is not None:
                self.keep(node)

    def firm(self, op: Op, operands: Sequence[Node]) -> bool:
        """Whether errors in the last bit of the operands leave this row's value and derivative what they are."""
        if not (op.nondiff and op.name not in SMOOTH_NONDIFF) and op.name not in KINKS:
            return True
        if all(self.exact[x] for x in operands):
            return True
        if op.name not in KINKS or op.name == "mod":
            return False
        values = [self.value(x).astype(np.float64) for x in operands]
        if len(values) == 2:
            return bool(np.all(np.abs(values[0] - values[1]) > 1e-5))
        if op.name == "absolute":
            return bool(np.all(np.abs(values[0]) > 1e-5))
        return bool(np.all(np.diff(np.sort(values[0], axis=None)) > 1e-5))

    def into(self, x: Node, low: float, high: float) -> Any:
        """x, or x scaled and moved into an interval where its values leave it."""
        value = self.value(x).astype(np.float64)
        if not value.size or (np.all(value >= low) and np.all(value <= high)):
            return x
        if not np.all(np.isfinite(value)):
            return None
        width = float(value.max() - value.min())
        scale = min(1.0, 0.9 * (high - low) / width) if width > 0 else 1.0
        scale = float(np.floor(scale * 1024.0) / 1024.0) if scale > 0.01 else scale
        shift = (low + high) / 2 - scale * float(value.max() + value.min()) / 2
        return x * scale + float(np.round(shift, 6))

    def pointwise(self, op: Op) -> Any:
        """A pointwise row on nodes whose shapes broadcast, or a Python number."""
        assert op.arity is not None
        if op.name == "convert":
            return self.convert()
        kinds = op.kinds + ("i" if op.kinds == "f" else "")
        chosen: list[Any] = []
        shape: Shape = ()
        for i in range(op.arity):
            if i in op.differs:
                chosen.append(self.pick("b", lambda x, s=shape: broadcasts(x.shape, s)))  # type: ignore[misc]
            elif i > 0 and self.rng.random() < 0.25 and "f" in op.kinds:
                plain = op.nondiff or op.name in KINKS
                chosen.append(float(np.round(self.rng.uniform(0.5, 2.0), 2)) if plain else self.number())
                continue
            else:
                chosen.append(self.pick(kinds, lambda x, s=shape: broadcasts(x.shape, s)))  # type: ignore[misc]
            if chosen[-1] is None:
                return None
            shape = np.broadcast_shapes(shape, chosen[-1].shape)
        nodes = [x for x in chosen if isinstance(x, Node)]
        if not nodes or not self.firm(op, nodes):
            return None
        attrs = {"exponent": float(self.rng.choice(EXPONENTS))} if op.name == "constant_power" else {}
        floating = any(x.dtype.kind == "f" for x in nodes)  # integers have a power of their own
        apply = ops.power if op.name == "power" and floating else op  # which writes some exponents as products
        result = apply(*chosen, **attrs)
        evaluate_nodes([result], self.env)
        value = self.value(result)
        if self.wild or value.dtype.kind != "f" or np.all(np.abs(value) <= LARGEST):
            return result
        guarded = [
            self.into(x, *interval) if isinstance(x, Node) and i not in op.differs else x
            for i, (x, interval) in enumerate(zip(chosen, op.domain, strict=True))
        ]
        return None if any(x is None for x in guarded) else apply(*guarded, **attrs)

    def number(self) -> Any:
        """A constant operand: a Python number or NumPy's, a whole or half one, one of its own, or a special one."""
        kind = int(self.rng.integers(5))
        value = float(np.round(self.rng.uniform(0.5, 2.0), 2))
        if kind == 1:
            value = float(self.rng.integers(-4, 7))
        elif kind == 2:
            value = float(self.rng.integers(-7, 8)) / 2
        elif kind == 3:
            value = float(self.rng.uniform(-3, 3))
        elif kind == 4 and self.wild:
            value = float(self.rng.choice([np.inf, -np.inf, np.nan, -0.0, 1e-310, 1e300]))
        made = (float, np.float64, np.float32, np.array, lambda v: int(v) if np.isfinite(v) else v)
        with np.errstate(over="ignore"):
            return made[int(self.rng.integers(len(made)))](value)

    def convert(self) -> Any:
        x = self.pick()
        dtype = self.random_dtype()
        if x is None or x.dtype == dtype:
            return None
        if (
            KINDS[x.dtype] == "f"
            and KINDS[dtype] != "f"
            and not (self.exact[x] and np.all(np.abs(self.value(x)) < 1e9))
        ):
            return None
        return ops.astype(x, dtype)

    def finish(self) -> Sample:
        """The graph: what nothing else uses is an output, and at times also an input, a constant, a view, one twice."""
        rng = np.random.default_rng([self.seed, 1 << 20])
        used = {x for node in walk(self.nodes) for x in node.inputs}
        outputs = [node for node in self.nodes if node not in used][-6:]
        for node in self.nodes:
            if rng.random() < 0.05 and len(outputs) < 9:
                outputs.append(node)
        if rng.random() < 0.2:
            outputs.append(outputs[int(rng.integers(len(outputs)))])
        if rng.random() < 0.1:
            outputs.append(constant(np.arange(6.0).reshape(2, 3)))
        if rng.random() < 0.1:
            outputs.append(self.inputs[int(rng.integers(len(self.inputs)))])
        if rng.random() < 0.1:
            outputs.append(ops.transpose(outputs[0]))
        return Sample(Graph(self.inputs, tuple(outputs), name=f"fuzz{self.seed}"), [self.value(x) for x in self.inputs])


def broadcasts(left: Shape, right: Shape) -> bool:
    """Whether two shapes broadcast to one that is not too large."""
    try:
        return prod(np.broadcast_shapes(left, right)) <= 200_000
    except ValueError:
        return False


# --- rows that are not pointwise, and some functions made of rows -----------------------------------------------------


def _iota(g: Grower) -> Any:
    dtype = g.random_dtype()
    step = int(g.rng.choice([1, 1, 2, -1, -3]))
    return iota(int(g.rng.choice(g.sizes)), int(g.rng.integers(-5, 6)), step, "int64" if KINDS[dtype] == "b" else dtype)


def _reshape(g: Grower) -> Any:
    x = g.pick()
    assert x is not None
    size = prod(x.shape)
    if size == 0 or g.rng.random() < 0.3:
        return ops.ravel(x)
    factors = [n for n in (2, 3, 4, 5, 7, *g.sizes) if n and size % n == 0]
    if not factors:
        return ops.reshape(x, (1, size))
    first = factors[int(g.rng.integers(len(factors)))]
    return ops.reshape(x, (first, size // first) if g.rng.random() < 0.5 else (size // first, first))


def _transpose(g: Grower) -> Any:
    x = g.pick(test=lambda x: len(x.shape) > 1)
    return None if x is None else ops.transpose(x, tuple(int(a) for a in g.rng.permutation(len(x.shape))))


def _broadcast_to(g: Grower) -> Any:
    x = g.pick(test=lambda x: prod(x.shape) < 1000 and len(x.shape) < 4)
    if x is None:
        return None
    lead = (int(g.rng.choice(g.sizes[1:])),)
    return ops.broadcast_to(x, lead + tuple(g.sizes[1] if n == 1 else n for n in x.shape))


def _places(g: Grower, shape: Shape) -> tuple[Shape, Shape, Shape]:
    """Starts, steps and the shape of a random slice; not every size-0 axis can be sliced to more."""
    starts, steps, part = [], [], []
    for n in shape:
        step = int(g.rng.choice([1, 1, 2, -1, -2]))
        most = -(-n // abs(step))
        count = int(g.rng.integers(1, most + 1)) if most else 0
        reach = (count - 1) * abs(step) if count else 0
        low = int(g.rng.integers(0, n - reach)) if n else 0
        starts.append(low if step > 0 else low + reach)
        steps.append(step)
        part.append(count)
    return tuple(starts), tuple(steps), tuple(part)


def _slice(g: Grower) -> Any:
    x = g.pick(test=lambda x: len(x.shape) > 0)
    if x is None:
        return None
    starts, steps, part = _places(g, x.shape)
    return lookup("slice")(x, starts=starts, steps=steps, shape=part)


def _unslice(g: Grower) -> Any:
    x = g.pick(test=lambda x: len(x.shape) > 0 and prod(x.shape) < 50_000)
    if x is None:
        return None
    steps = tuple(int(g.rng.choice([1, 2, -1])) for _ in x.shape)
    whole = tuple((n - 1) * abs(step) + 2 if n else 2 for n, step in zip(x.shape, steps, strict=True))
    starts = tuple(1 if step > 0 else max((n - 1) * -step, 0) for n, step in zip(x.shape, steps, strict=True))
    return lookup("unslice")(x, starts=starts, steps=steps, shape=whole)


def _concatenate(g: Grower) -> Any:
    x = g.pick(test=lambda x: len(x.shape) > 0)
    if x is None:
        return None
    axis = int(g.rng.integers(len(x.shape)))

    def fits(y: Node) -> bool:
        rest = (*x.shape[:axis], *x.shape[axis + 1 :])
        return len(y.shape) == len(x.shape) and (*y.shape[:axis], *y.shape[axis + 1 :]) == rest

    others = [g.pick(test=fits) for _ in range(int(g.rng.integers(1, 3)))]
    return ops.concatenate([x, *others], axis)


def _index(g: Grower, size: int) -> Any:
    """An int64 index into an axis: constant, or computed from an exact integer of the graph."""
    node = g.pick("i", lambda x: g.exact[x] and 0 < prod(x.shape) < 50 and len(x.shape) < 3)
    if node is not None and g.rng.random() < 0.5:
        return ops.astype(node, np.int64) % size
    shape = [(), (3,), (2, 2), (1,)][int(g.rng.integers(4))]
    return np.asarray(g.rng.integers(-size, size, shape))


def _axis(g: Grower, kinds: str = "fib") -> tuple[Node, int] | None:
    x = g.pick(kinds, lambda x: len(x.shape) > 0 and prod(x.shape) > 0)
    return None if x is None else (x, int(g.rng.integers(len(x.shape))))


def _take(g: Grower) -> Any:
    found = _axis(g)
    return None if found is None else ops.take(found[0], _index(g, found[0].shape[found[1]]), found[1])


def _scatter(g: Grower, name: str) -> Any:
    found = _axis(g, "fib" if name == "scatter_set" else "fi")
    if found is None:
        return None
    x, axis = found
    index = _index(g, x.shape[axis])
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    values = g.pick(
        KINDS[x.dtype], lambda y: broadcasts(y.shape, shape) and np.broadcast_shapes(y.shape, shape) == shape
    )
    if values is None or g.rng.random() < 0.2:
        values = constant(g.random_array(shape, x.dtype))
    return lookup(name)(x, index, ops.broadcast_to(ops.astype(values, x.dtype), shape), axis=axis)


def _wrap_index(g: Grower) -> Any:
    node = g.pick("i", lambda x: g.exact[x])
    return None if node is None else lookup("wrap_index")(ops.astype(node, np.int64) % 9 - 4, size=5)


def _reduce(g: Grower, name: str) -> Any:
    op = lookup(name)
    kinds = "".join(op.identity or "")
    x = g.pick(kinds)
    if x is None or not g.firm(op, [x]):
        return None
    axes = tuple(a for a in range(len(x.shape)) if g.rng.random() < 0.6)
    if name in ("reduce_max", "reduce_min") and 0 in (x.shape[a] for a in axes):
        return None
    if name == "reduce_prod" and prod(x.shape) > 500:
        return None
    result = op(x, axes=axes)
    if g.rng.random() < 0.4:
        return ops.reshape(result, tuple(1 if a in axes else n for a, n in enumerate(x.shape)))
    return result


def _matmul(g: Grower) -> Any:
    x = g.pick("fi", lambda x: len(x.shape) > 0)
    if x is None:
        return None
    y = g.pick(
        "fi",
        lambda y: (
            len(y.shape) > 0
            and y.shape[max(len(y.shape) - 2, 0)] == x.shape[-1]
            and _product_size(x.shape, y.shape) < 300_000
        ),
    )
    if y is None and len(x.shape) > 1 and x.shape[-1] < 50:
        y = ops.transpose(x[0]) if len(x.shape) == 3 and x.shape[0] else ops.transpose(x)
        if len(y.shape) < 2 or y.shape[-2] != x.shape[-1] or _product_size(x.shape, y.shape) > 300_000:
            return None
    if y is None or not broadcasts(x.shape[:-2], y.shape[:-2]):
        return None
    return ops.matmul(x, y)


def _product_size(x: Shape, y: Shape) -> int:
    return prod(x) * (y[-1] if len(y) > 1 else 1) * prod(y[:-2])


#: Steps of loops, by kind of the carry: (carry, slice, closed-over value) -> (carry, y).
_STEPS: Mapping[str, Sequence[Callable[[Any, Any, Any], tuple[Any, Any]]]] = {
    "f": (
        lambda c, x, w: (ops.tanh(c * 0.5 + x), c * x),
        lambda c, x, w: (c * 0.9 + ops.sin(x) * w, (c, x * 2.0)),
        lambda c, x, w: ((c + x) * 0.5, ops.exp(-(c * c))),
        lambda c, x, w: (ops.where(x > 0, c * 0.5, x), ops.broadcast_to(w, c.shape)),
        lambda c, x, w: (ops.sigmoid(c - x + w), None),
    ),
    "i": (lambda c, x, w: ((c + x) % 7, c - x), lambda c, x, w: (ops.maximum(c, x), c * 2)),
    "b": (lambda c, x, w: (ops.logical_xor(c, x), ops.logical_and(c, x)),),
}


def _scan(g: Grower) -> Any:
    xs = g.pick(test=lambda x: 0 < len(x.shape) < 4 and x.shape[0] <= 7 and prod(x.shape) < 1000)
    if xs is None or (KINDS[xs.dtype] == "f" and not g.exact[xs]):  # a step compares with zero
        return None
    init = g.pick(KINDS[xs.dtype], lambda y: y.dtype == xs.dtype and y.shape == xs.shape[1:] and g.exact[y])
    weight = g.pick("f", lambda y: y.shape == () and y.dtype == xs.dtype)
    start = init if init is not None else np.ones(xs.shape[1:], xs.dtype)
    closed = weight if weight is not None else np.ones((), xs.dtype)
    steps = _STEPS[KINDS[xs.dtype]]
    step = steps[int(g.rng.integers(len(steps)))]
    carry, ys = scan(lambda c, x: step(c, x, closed), start, xs, reverse=bool(g.rng.random() < 0.4))
    flat = list(ys) if isinstance(ys, tuple) else [] if ys is None else [ys]
    return [carry, *flat] if g.rng.random() < 0.8 else [carry]


def _branch(g: Grower) -> Any:
    index = g.pick("i", lambda y: y.shape == () and y.dtype == np.int64)
    x = g.pick("f", lambda x: prod(x.shape) < 1000)
    if x is None:
        return None
    chosen = index if index is not None else constant(np.int64(g.rng.integers(-1, 4)))
    closed = g.pick("f", lambda y: y.shape == () and y.dtype == x.dtype)
    branches = [ops.tanh, lambda v: v if closed is None else v * closed, lambda v: ops.sin(v) + ops.cos(v)]
    return switch(chosen, branches, x)


def _number(g: Grower) -> tuple[Any, float, float] | None:
    """An element that no rounding touches, and two numbers near it, between which examples of a batch may lie."""
    x = g.pick("f", lambda x: prod(x.shape) > 0 and g.exact[x])
    if x is None:
        return None
    element = ops.ravel(x)[int(g.rng.integers(prod(x.shape)))]
    evaluate_nodes([element], g.env)
    low, high = sorted(float(np.float32(g.value(element) * factor)) for factor in (0.85, 0.95))
    return element, low, high


def _partial_branch(g: Grower) -> Any:
    """Bodies that fail, or are not finite, on numbers that take another one."""
    x, found = g.pick("f", lambda x: prod(x.shape) < 1000), _number(g)
    if x is None or found is None:
        return None
    s, low, high = found
    below, above = s <= low, s > high
    t, table = ops.astype(s, x.dtype), np.array([0.5, -0.5, 0.25], x.dtype)
    place = ops.where(below | above, 7, 1)
    branches = [
        lambda v: ops.sqrt(low - t) * ops.tanh(v),
        lambda v: v * ops.take(table, place),
        lambda v: ops.log(t - high) + v,
    ]
    return switch(ops.where(below, 0, ops.where(above, 2, 1)), branches, x)


def _partial_loop(g: Grower) -> Any:
    """A step that fails, or is not finite, after the last one; and what does not change in it, where there is none."""
    x, found = g.pick("f", lambda x: prod(x.shape) < 1000), _number(g)
    if x is None or found is None:
        return None
    s, low, high = found
    table = np.array([0.5, -0.5, 0.25], x.dtype)
    last = ops.where(s <= low, 3, ops.where(s > high, 1, 0))

    def step(c: Any) -> Any:
        steady = ops.take(table, ops.where((s > low) & (s <= high), 7, 1)) * x
        return c[0] + 1, ops.sin(c[1]) * ops.take(table, c[0]) + ops.log(ops.astype(last - c[0], x.dtype)) * steady

    return while_loop(lambda c: c[0] < last, step, (0, x), limit=3)[1]


def _checkpoint(g: Grower) -> Any:
    x = g.pick("f", lambda x: prod(x.shape) < 1000)
    if x is None:
        return None
    closed = g.pick("f", lambda y: y.shape == () and y.dtype == x.dtype)
    inside = [lambda v: ops.sin(v) * (2.0 if closed is None else closed), lambda v: (ops.tanh(v), v * 0.5)]
    return checkpoint(inside[int(g.rng.integers(len(inside)))], [x], {})


def _while_loop(g: Grower) -> Any:
    x = g.pick("f", lambda x: prod(x.shape) < 1000)
    if x is None:
        return None
    n = g.pick("i", lambda y: y.shape == () and y.dtype == np.int64)
    count = constant(np.int64(g.rng.integers(0, 4))) if n is None else ops.minimum(n, 3)
    limit = 4 if g.rng.random() < 0.5 else None
    return while_loop(lambda s: s[0] < count, lambda s: (s[0] + 1, ops.tanh(s[1]) * 0.9 + x), (0, x), limit=limit)[1]


def _composite(g: Grower) -> Any:
    x = g.pick("f", lambda x: len(x.shape) > 0 and prod(x.shape) > 0 and np.unique(g.value(x)).size == prod(x.shape))
    if x is None:
        return None
    functions = (ops.softmax, ops.log_softmax, ops.logsumexp, ops.mean, ops.var)
    return functions[int(g.rng.integers(len(functions)))](x, axis=int(g.rng.integers(len(x.shape))))


def _row(g: Grower, op: Op) -> Any:
    """A row without an entry: a pointwise one, or one on its samples, which a value of the graph scales."""
    if op.pointwise and not (op.kernel is not None and op.kernel.failures):
        return g.pointwise(op)
    dtypes = accepted(op)
    dtype = dtypes[int(g.rng.integers(len(dtypes)))]
    cases = [case for case in islice(structure_cases(op, dtype), 60) if sum(x.size for x in case.operands) < 1000]
    case = cases[int(g.rng.integers(len(cases)))]
    node = None if op.nondiff else g.pick("f", lambda x: prod(x.shape) > 0)
    operands: list[Any] = [constant(x) for x in case.operands]
    if node is not None:
        scale = 1.0 + ops.tanh(ops.ravel(node)[int(g.rng.integers(prod(node.shape)))]) / 128.0
        operands = [ops.astype(x * scale, x.dtype) if KINDS[x.dtype] == "f" else x for x in operands]
        if op.follows is not None:
            for place, x in zip(op.follows[0], op.follows[1](*operands), strict=True):
                operands[place] = x
    return apply_row(op, operands, case.attrs)


#: How to add rows that are not pointwise; one without an entry is applied to its samples. "composite" stands for
#: functions of rows, "checkpoint" for a branch of one body that stays one, "partial" for what is only defined where it
#: is run.
STRUCTURE: dict[str, Callable[[Grower], Any]] = {
    "iota": _iota,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "slice": _slice,
    "unslice": _unslice,
    "concatenate": _concatenate,
    "take": _take,
    "scatter_add": lambda g: _scatter(g, "scatter_add"),
    "scatter_set": lambda g: _scatter(g, "scatter_set"),
    "wrap_index": _wrap_index,
    "reduce_sum": lambda g: _reduce(g, "reduce_sum"),
    "reduce_prod": lambda g: _reduce(g, "reduce_prod"),
    "reduce_max": lambda g: _reduce(g, "reduce_max"),
    "reduce_min": lambda g: _reduce(g, "reduce_min"),
    "matmul": _matmul,
    "scan": _scan,
    "branch": _branch,
    "partial_branch": _partial_branch,
    "checkpoint": _checkpoint,
    "while_loop": _while_loop,
    "partial_loop": _partial_loop,
    "composite": _composite,
}
ROWS = rows()
POINTWISE = [name for name in ROWS if TABLE[name].pointwise]
#: Structure rows, those that matter most more often.
_OFTEN = (
    "partial_branch partial_loop slice transpose reduce_sum reduce_sum matmul matmul scan composite take concatenate"
)
ACTIONS = [*STRUCTURE, *_OFTEN.split(), *(x for x in ROWS if x not in STRUCTURE and x not in POINTWISE)]


def grow(seed: int, count: int, large: bool = False) -> Sample:
    """A random graph of about `count` nodes, and arguments for it."""
    grower = Grower(seed, large)
    grower.grow(count)
    return grower.finish()
