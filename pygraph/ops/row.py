"""What an operation's row holds, the checks made when it is registered, and the table of all rows."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import GraphError
from .expr import Batch, Batches, Expr, Jvp, Jvps, MaskRule, Operand, Partial, ProductMaskRule, Transpose, Vjp, Vjps
from .kernel import Kernel
from .strides import Strided

Shape = tuple[int, ...]
DType = np.dtype[Any]
Attrs = Mapping[str, Any]
#: Shape and dtype of one result.
Result = tuple[Shape, DType]
Interval = tuple[float, float]
T = TypeVar("T")


class Family(enum.Enum):
    """How an operation's derivative is written; both modes and batching follow from it."""

    LEAF = "leaf"  # inputs and constants
    ELEMENTWISE = "elementwise"  # one partial derivative per operand
    LINEAR = "linear"  # a transpose per linear operand; the JVP is the op itself
    BILINEAR = "bilinear"  # two transposes; linear in each of two operands alone
    CUSTOM = "custom"  # jvp and vjp written out


class RegistrationError(GraphError):
    """A row that lacks a rule, or whose name is taken."""


#: From these prices on an operation is a division or the like, and a function: one that is called by the scalar loop,
#: and takes the same time native. Views are free.
DIVISION, DEAR = 2, 3


class Choice(NamedTuple):
    """A partial derivative that is `value` where the bool `where` holds, and zero by structure elsewhere."""

    where: Expr
    value: Operand


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """One operation: all that the other packages know of it.

    Calling an `Op` applies it: on expressions it records a node, on NumPy arrays alone it returns the value of
    its reference.

    Attributes:
        name: unique name, also the name of the public function where there is one.
        family: which derivative rule the row carries.
        arity: number of operands, or None for any number (at least one).
        doc: one or two sentences: the formula, its source where not obvious, behaviour at 0, inf and nan.
        attrs: leaves: the attributes that their nodes have, with their types.
        parameters: the operands' names, which `doc` uses; by default the first of x, y, z.
        kinds: operand dtypes it accepts, letters of `dtypes.KINDS` ("f" floats, "i" integers, "b" bool).
        to_float: the kinds of operands that become float64 where it takes floats alone.
        result: result dtype: "same" as the (promoted) operands, "floating" for the floating one of the same size, a
            dtype name, or a function of (dtypes, attrs).
        shape: result shape from (operand shapes, attrs); pointwise rows broadcast.
        reference: the NumPy definition, called as reference(*arrays, **attrs).
        interpret: rows with sub-graphs, whose reference refuses: interpret(run, *values, **attrs) -> the results, where
            run(body, values) evaluates one.
        partials: ELEMENTWISE: per operand, partial(out, *operands) -> expression, number or `Choice`, or None where
            nondiff.
        transpose: LINEAR, BILINEAR: transpose(cotangent, node, i) -> cotangent of operand i.
        linear_in: LINEAR: the operands it is (jointly) linear in; the others carry no derivative.
        mask: LINEAR: mask(node, masks) -> where the result may differ from zero, from where its linear operands may:
            per operand a bool expression that broadcasts with it, True or False (see `masks`). None: everywhere.
        product_mask: BILINEAR: product_mask(node, i, mask) -> the mask of the result where operand `i` has one, and the
            mask that the other operand needs for what it is multiplied by; None for neither.
        view: LINEAR: it moves no data: view(operand, shape, attrs) -> the offset and the strides with which the result,
            of `shape`, is read where the operand lies (which has an offset, a shape and strides); None where no strides
            express it, so that a copy is made. A leaf with a view is seen in the array of all ints (`views.counter`).
        parts: LINEAR: its operands lie in the result as they are, one over those before it, and zeros where none is:
            parts(shapes, shape, attrs) -> the offset and the strides of each there.
        moves: LINEAR: each element of the result is one of a linear operand, or zero (in another dtype where it casts),
            so that it may be masked later; its reference moves whatever stands for the elements.
        repeats: LINEAR: the result is the operand broadcast to the result's shape.
        chooses: LINEAR: each element is that of operand 1 where operand 0 holds, and that of operand 2 elsewhere.
        gaps: LINEAR, CUSTOM: what leaves elements zero that nothing reaches: "f" the row itself, "t" its transpose or
            vjp, or both.
        jvp: CUSTOM: jvp(node, tangents) -> tangent; tangents may hold None for zero.
        vjp: CUSTOM: vjp(node, cotangent) -> one cotangent or None per operand.
        settled: CUSTOM: what its rules make of tangents and cotangents is linear in them by value only, so that masks
            are applied before.
        batch: rows that are not pointwise: batch(node, operands, batched, size) -> the op on a whole batch at once,
            with a new leading axis of `size` in the result; `operands` stand for node.inputs and have that axis where
            `batched` says so, which is at least once. Rows with several results return a pair: the results, and
            whether each has the axis. Pointwise rows need none: their operands' ranks are aligned.
        casts: its result has the dtype that its attribute `dtype` names; C has an expression for each pair of dtypes.
        c: the C expression of one element in terms of a, b, c (operands), T (element type) and M(name) (the
            function pg_<name>_<dtype>); a dict by kind letter where it differs; None where no loop computes it.
        fast: (guard, expression) in C: where `guard` holds for a whole block, `expression` gives the same bits as `c`
            and vectorises.
        defined: the condition on finite operands under which the value is finite too, overflow apart: Python in the
            operands' names and the attributes', with abs and floor; empty where it always is.
        smooth: the same for the derivative, where that asks for more.
        cure: what else may be written where these do not hold.
        price: with `c`: how long an element takes in a loop over arrays, about, in units of an addition (0.3 ns).
        flops: flops(node) -> its operations, where they aren't one for each element of the result, or of a reduction's
            operand.
        exact: every bit of the result follows from the operands, by IEEE 754 or because it is one of them, so that
            NumPy and C agree, where some are floating; where none is, all rows are.
        ulps: pointwise rows of one C function: how far its values may be from the exact ones, for float64 and float32,
            in units in the last place, as a test holds them; None where no test does.
        floor: errors of its floating results count in ulps of at least this size: near a zero, where it cancels.
        diagonal: the value on an operand twice: "a" the operand itself, "1" or "0" (true or false) where it is not nan;
            empty where it is none of these.
        vanishes: "any" or "all": the value is zero where any, or all, of the operands are zero by structure; said by
            the rows that sums and products of derivatives consist of.
        opposite: rows with a bool result: the name of the one whose result is false where this one's is true, and true
            where it is false, for nan too.
        define: the op in terms of other ops, define(*operands, **attrs); such an op needs no C of its own.
        domain: per operand, the interval tests sample from.
        samples: rows that are not pointwise: samples(rng, dtype) -> operands and attributes of applications that tests
            make; None where they follow from the kernel's signature, or are written in the tests.
        edges: whether tests also feed 0, inf, nan and subnormals.
        nondiff: the op has no derivative (its result is constant almost everywhere, or not floating).
        promote: operands are brought to one dtype when recorded; otherwise each keeps its own.
        differs: operands that keep their own dtype when `promote` (a condition, an index).
        combiner: reductions: what combining two elements is called, in listings and in C; empty for all other rows.
        identity: reductions: the value of an empty reduction by kind letter, as C text.
        neutral: reductions: what combines with every value to just that value, likewise, where the identity does not.
        accumulator: reductions: the C type in which elements combine by kind letter, where it is not their own.
        loop: it runs a sub-graph step by step: its attributes are body, n_consts and n_carry, and others by its kind.
            The body's inputs are for the last of its operands.
        unbounded: loops whose number of steps is known at run time only; their results after the carry are stacks.
        branch: it runs one of the sub-graphs `bodies`, by the number that operand 0 is, on its other operands.
        fails: it may fail at run time, as it also may where its kernel can.
        title: how users know the op, where that is not its name.
        notation: how a formula writes it: a format of its operands and attributes, as "{0} + {1}"; by default it is its
            name before the operands. Where an attribute that it leaves out is true, the default stands. Where it
            depends on more: notation(operand shapes, attrs) -> a format of the operands, empty for the default.
        kernel: the C function that computes the op where no loop does; see `kernel_rows.kernel_rules` for what follows
            from it.
        results: ops with several results: their (shape, dtype) from (operand nodes, attrs); `shape` is then unused.
        follows: ops with operands that follow from the first, which they are given so that it is done once, and which
            carry no derivative: their numbers, and what computes them from all operands.
        updates: ops whose results are operands with some elements replaced, so that they may take over the memory of
            these: the operands' numbers, from (attrs, number of operands).

    These follow from others:
        whole_view: whether it is a view that shows every element of its operand.
        transparent: whether its value is its operand, so that only its derivative is another one.
        sums: whether it is a reduction that adds: the one that is linear.
        pointwise: whether each result element depends on one (broadcast) element of each operand, and a loop makes it.
        cheap: whether a loop makes an element in a few machine instructions, so that it may do so wherever it is used
            rather than keep the result.
        fallible: whether it may fail at run time.
    """

    name: str
    family: Family
    arity: int | None
    doc: str
    attrs: Mapping[str, type] | None = None
    parameters: tuple[str, ...] = ()
    kinds: str = "fib"
    to_float: str = "i"
    result: str | Callable[[Sequence[DType], Attrs], DType] = "same"
    shape: Callable[[Sequence[Shape], Attrs], Shape] | None = None
    reference: Callable[..., Any] | None = None
    interpret: Callable[..., Sequence[Any]] | None = None
    partials: tuple[Callable[..., Partial] | None, ...] = ()
    transpose: Transpose | None = None
    linear_in: tuple[int, ...] | None = None
    mask: MaskRule | None = None
    product_mask: ProductMaskRule | None = None
    view: Callable[[Strided, Shape, Attrs], tuple[int, Shape] | None] | None = None
    parts: Callable[[Sequence[Shape], Shape, Attrs], Sequence[tuple[int, Shape]]] | None = None
    moves: bool = False
    repeats: bool = False
    chooses: bool = False
    gaps: str = ""
    jvp: Jvp | Jvps | None = None
    vjp: Vjp | Vjps | None = None
    settled: bool = False
    batch: Batch | Batches | None = None
    casts: bool = False
    c: str | Mapping[str, str] | None = None
    fast: tuple[str, str] | None = None
    defined: str = ""
    smooth: str = ""
    cure: str = ""
    price: int = 1
    flops: Callable[[Expr], int] | None = None
    exact: bool = False
    ulps: tuple[float, float] | None = None
    floor: float = 0.0
    diagonal: str = ""
    vanishes: str = ""
    opposite: str = ""
    define: Callable[..., Operand] | None = None
    domain: tuple[Interval, ...] = ()
    samples: Callable[[np.random.Generator, DType], Iterable[tuple[Sequence[npt.NDArray[Any]], Attrs]]] | None = None
    edges: bool = True
    nondiff: bool = False
    promote: bool = True
    differs: tuple[int, ...] = ()
    combiner: str = ""
    identity: Mapping[str, str] | None = None
    neutral: Mapping[str, str] | None = None
    accumulator: Mapping[str, str] | None = None
    results: Callable[[Sequence[Expr], Attrs], Sequence[Result]] | None = None
    loop: bool = False
    unbounded: bool = False
    branch: bool = False
    fails: bool = False
    title: str = ""
    notation: str | Callable[[Sequence[Shape], Attrs], str] = ""
    kernel: Kernel | None = None
    follows: tuple[tuple[int, ...], Callable[..., Sequence[Any]]] | None = None
    updates: Callable[[Attrs, int], Sequence[int]] | None = None
    whole_view: bool = field(init=False)
    transparent: bool = field(init=False)
    sums: bool = field(init=False)
    pointwise: bool = field(init=False)
    cheap: bool = field(init=False)
    fallible: bool = field(init=False)

    def __post_init__(self) -> None:
        if not self.parameters and self.arity is not None and self.arity <= 3:
            self._follows("parameters", ("x", "y", "z")[: self.arity])
        self._follows("whole_view", self.view is not None and not self.gaps and self.arity != 0)
        self._follows("transparent", self.c == "a" and self.arity == 1)
        self._follows("sums", bool(self.combiner) and self.family is Family.LINEAR)
        self._follows("pointwise", not self.combiner and (self.c is not None or self.define is not None))
        self._follows("cheap", self.pointwise and self.c is not None and self.price < DEAR)
        self._follows("fallible", self.fails or (self.kernel is not None and bool(self.kernel.failures)))

    def _follows(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def updated(self, attrs: Attrs, operands: Sequence[T]) -> list[T]:
        """The operands of one of its applications whose memory the results may take over."""
        return [] if self.updates is None else [operands[i] for i in self.updates(attrs, len(operands))]

    def notation_for(self, shapes: Sequence[Shape], attrs: Attrs) -> str:
        """How a formula writes an application: a format of its operands and attributes; empty: by its name."""
        if not isinstance(self.notation, str):
            return self.notation(shapes, attrs)
        return "" if any(value for key, value in attrs.items() if f"{{{key}" not in self.notation) else self.notation

    def computed(self, *arrays: Any, **attrs: Any) -> Any:
        """The value on NumPy arrays, by the reference or the definition."""
        compute = self.reference if self.reference is not None else self.define
        assert compute is not None, f"op {self.name} has neither a reference nor a definition"
        return compute(*arrays, **attrs)

    def __call__(self, *operands: Operand, **attrs: Any) -> Expr:
        result: Expr = _recorder(self, operands, attrs)
        return result

    def several(self, *operands: Operand, **attrs: Any) -> tuple[Expr, ...]:
        """The results of applying a row that has several, as calling it gives them, too."""
        results: tuple[Expr, ...] = _recorder(self, operands, attrs)
        return results

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], Op], tuple[str]]:
        return lookup, (self.name,)


#: All rows by name, in the order of registration.
TABLE: dict[str, Op] = {}


def lookup(name: str) -> Op:
    """The row called `name`; raises KeyError when there is none."""
    return TABLE[name]


def register(op: Op) -> Op:
    """Add a row to the table.

    Raises:
        RegistrationError: the name is taken, or a rule that the family asks for is missing.
    """

    def refused(problem: str, advice: str) -> RegistrationError:
        return RegistrationError(problem, advice, stage="registering", subject=f"op {op.name!r}")

    missing = []
    if op.name in TABLE:
        raise refused("it is registered already", "give it another name")
    if op.reference is None and op.define is None and op.family is not Family.LEAF:
        missing.append("reference")
    if op.shape is None and op.results is None:
        missing.append("shape")
    if op.c is not None and op.define is not None:
        raise refused("it gives both a C expression and a definition", "leave one of them out")
    if not op.nondiff:
        if op.family is Family.ELEMENTWISE and len(op.partials) != op.arity and op.define is None:
            missing.append("a partial for each operand")
        if op.family in (Family.LINEAR, Family.BILINEAR) and op.transpose is None:
            missing.append("transpose")
        if op.family is Family.CUSTOM and (op.jvp is None or op.vjp is None):
            missing.append("jvp and vjp")
    if op.pointwise and op.arity is not None and len(op.domain) != op.arity:
        missing.append("a sampling domain for each operand")
    if missing:
        raise refused(f"it lacks {', '.join(missing)}", "give that, or say nondiff=True where it has no derivative")
    if bool(op.combiner) != (op.identity is not None):
        raise refused("a reduction has both a combiner and an identity", "give both, or neither")
    if op.batch is None and op.family not in (Family.LEAF, Family.ELEMENTWISE) and not op.pointwise:
        raise refused("it lacks batch, the rule for a batch of operands", "give batch=")
    TABLE[op.name] = op
    return op


def _unbound(op: Op, operands: Sequence[Operand], attrs: Attrs) -> Any:
    raise GraphError("pygraph.graph is not imported yet", "import pygraph", stage="tracing", subject=op.name)


_recorder: Callable[[Op, Sequence[Operand], Attrs], Any] = _unbound


def bind_recorder(recorder: Callable[[Op, Sequence[Operand], Attrs], Any]) -> None:
    """Tell the rows how an application is recorded (called once, by `pygraph.graph`)."""
    global _recorder
    _recorder = recorder
