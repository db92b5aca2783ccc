"""The values of a LOOP, each assigned once, over dimensions of one meaning each: outer, rows or inner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from ...lower.fields import Access, Reduced
from ...lower.format import SlotKind
from ...lower.instructions import Loop
from ..rendering.expressions import SIZES, TYPES, guard_text, is_cheap, micro_text
from ..rendering.frames import Places

_BYTE = 4  # the code of the dtype whose elements are single bytes
#: From so many operations on, a map copies what lies apart in memory to blocks and from blocks.
MANY = 8


class Group(IntEnum):
    """What a dimension is to a reduction; those of a map are all outer."""

    OUTER = 0
    ROWS = 1
    INNER = 2


@dataclass(frozen=True, slots=True)
class Dim:
    """A dimension of the iteration space: its number, size and group; `var` counts it in C."""

    number: int
    size: int
    group: Group

    @property
    def var(self) -> str:
        return f"i{self.number}"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Memory that loads and stores of one address and type share."""

    name: str
    dtype: int
    address: str
    written: bool
    alone: bool  # nothing else reaches what is written through it

    @property
    def declaration(self) -> str:
        const = "" if self.written else "const "
        star = "*restrict " if self.alone else "*"
        return f"{const}{TYPES[self.dtype]} {star}{self.name} = {self.address};"


class Memory(NamedTuple):
    """What a pointer points to: where, whether it is written, and whether nothing else reaches what is written."""

    access: Access
    write: bool
    alone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A load of memory or of counts, an operation, or a literal (which is none of these).

    Attributes:
        name: its variable in C, or the literal.
        dims: numbers of the dimensions it varies with.
        strides: of a load, by dimension.
        counts: of a load of counts: the first one.
        apart: the operation runs on whole blocks in a function of its own: it has a form that vectorises under a guard,
            or it is one of several that take many registers.
        spread: a load whose elements lie apart in memory, copied to a block first: compilers vectorise what
            reads the block.
    """

    name: str
    dtype: int
    dims: frozenset[int]
    pointer: str = ""
    strides: tuple[int, ...] = ()
    counts: int | None = None
    micro: int = -1
    dtype_in: int = -1
    sources: tuple[Value, ...] = ()
    node: int = -1
    apart: bool = False
    spread: bool = False

    @property
    def loaded(self) -> bool:
        """Whether it is a load, which each walk that uses it repeats."""
        return bool(self.pointer) or self.counts is not None

    def load_text(self, dims: Sequence[Dim]) -> str:
        """The expression of a load in loops over `dims`; from counts that 32 bits hold, converting vectorises."""
        if self.counts is None:
            return f"{self.pointer}[{index_text(self.strides, dims)}]"
        kind, reach = TYPES[self.dtype], sum(abs(self.strides[dim.number]) * (dim.size - 1) for dim in dims)
        counted = "int32_t" if kind != "int64_t" and abs(self.counts) + reach < 2**31 else "int64_t"
        text = index_text(self.strides, dims, str(self.counts) if self.counts else "", f"({counted})")
        return text if kind == counted else f"({kind})({text})"

    @property
    def text(self) -> str:
        """The expression of an operation."""
        expression = micro_text(self.micro, self.dtype_in, self.dtype, [x.name for x in self.sources])
        return f"(uint8_t)({expression})" if self.dtype == _BYTE else expression


@dataclass(frozen=True, slots=True)
class Store:
    """A value written over the whole space.

    Attributes:
        aliased: over elements that a load reads.
        spread: to places that lie apart, from a block that holds the value.
    """

    value: Value
    pointer: str
    strides: tuple[int, ...]
    aliased: bool
    spread: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """A value that is reduced."""

    value: Value
    reduce: Reduced


@dataclass(slots=True)
class Values:
    """What a LOOP computes: live values in order, and what becomes of them."""

    dims: list[Dim]
    pointers: list[Pointer] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)

    def group(self, group: Group) -> list[Dim]:
        """The dimensions of a group, the outermost first."""
        return [dim for dim in self.dims if dim.group is group]


def index_text(strides: Sequence[int], dims: Iterable[Dim], origin: str = "", cast: str = "") -> str:
    """An element's index: the sum of strides times variables, these with a cast before them, after `origin`."""
    text = origin
    for dim in dims:
        stride = strides[dim.number]
        if stride == 0:
            continue
        var = cast + dim.var
        factor = var if abs(stride) == 1 else f"{var} * {abs(stride)}"
        sign = "-" if stride < 0 else "+"
        text = f"{text} {sign} {factor}" if text else factor if stride > 0 else f"-{factor}"
    return text or "0"


def loop_values(loop: Loop, places: Places) -> Values:
    """The values of a LOOP of at least one element."""
    sizes, groups, factors = _refined(loop)
    found = Values([Dim(i, size, group) for i, (size, group) in enumerate(zip(sizes, groups, strict=True))])
    names, pointers = _pointers(loop, places)
    registers: dict[int, Value] = {}
    copies = loop.split is None and len(loop.micros) >= MANY
    for k, load in enumerate(loop.loads):
        strides = _strides(load, factors)
        spread = copies and _is_spread(strides)
        dims = frozenset(i for i, stride in enumerate(strides) if stride)
        known = None if dims else places.constant(load.slot, load.offset)
        if known is not None:
            registers[load.register] = Value(known, load.dtype, frozenset())
        elif places.counts(load.slot):
            registers[load.register] = Value(f"v{k}", load.dtype, dims, strides=strides, counts=load.offset)
        else:
            pointer = names[load.slot, load.offset, load.dtype]
            registers[load.register] = Value(f"v{k}", load.dtype, dims, pointer, strides, spread=spread)
    made = []
    dear = sum(not is_cheap(m.micro) for m in loop.micros)
    for k, m in enumerate(loop.micros, len(loop.loads)):
        sources = tuple(registers[x] for x in m.sources)
        dims = frozenset[int]().union(*(x.dims for x in sources))
        guarded = guard_text(m.micro, m.dtype_in, [""]) is not None
        apart = len(sources) == 1 and (guarded or (dear > 1 and not is_cheap(m.micro)))
        value = Value(f"v{k}", m.dtype_out, dims, "", (), None, m.micro, m.dtype_in, sources, m.node, apart)
        registers[m.target] = value
        made.append(value)
    # A register may be written again after it was stored from: what a store sees is the last value.
    for store in loop.stores:
        pointer = names[store.slot, store.offset, store.dtype]
        aliased = any(_address(places, x) == _address(places, store) for x in loop.loads)
        value, strides = registers[store.register], _strides(store, factors)
        spread = copies and _is_spread(strides)
        found.stores.append(Store(value, pointer, strides, aliased, spread))
    found.folds = [Fold(registers[r.register], r) for r in loop.reduces]
    _keep_live(found, made)
    used = {value.pointer for value in found.values} | {store.pointer for store in found.stores}
    for name, (access, write, alone) in pointers.items():
        if name in used:
            address = places.pointer(access.slot, access.offset, write)
            found.pointers.append(Pointer(name, access.dtype, address, write, alone))
    return found


def _keep_live(found: Values, made: list[Value]) -> None:
    """The loads and operations that something is made of, in order."""
    live = {store.value for store in found.stores} | {fold.value for fold in found.folds}
    for value in reversed(made):
        if value in live:
            live.update(value.sources)
    loads = sorted((x for x in live if x.loaded), key=lambda x: int(x.name[1:]))
    found.values = [*loads, *(x for x in made if x in live)]


def _address(places: Places, access: Access) -> tuple[SlotKind, int, int]:
    return places.address(access.slot, access.offset * SIZES[access.dtype])


def _pointers(loop: Loop, places: Places) -> tuple[dict[tuple[int, int, int], str], dict[str, Memory]]:
    """A pointer for each address and type: its name by slot, offset and dtype, and what it points to by its name."""
    pointers: dict[str, Memory] = {}
    written = {_address(places, store) for store in loop.stores}
    types: dict[tuple[SlotKind, int, int], set[int]] = {}
    for access in (*loop.loads, *loop.stores):
        types.setdefault(_address(places, access), set()).add(access.dtype)
    names: dict[tuple[int, int, int], str] = {}
    known: dict[tuple[tuple[SlotKind, int, int], int], str] = {}
    for letter, accesses in (("x", loop.loads), ("y", loop.stores)):
        for access in accesses:
            address = _address(places, access)
            name = known.get((address, access.dtype))
            if name is None:
                write = address in written
                name = known[address, access.dtype] = f"{letter}{sum(n[0] == letter for n in known.values())}"
                pointers[name] = Memory(access, write, len(types[address]) == 1)
            names[access.slot, access.offset, access.dtype] = name
    return names, pointers


def _refined(loop: Loop) -> tuple[list[int], list[Group], list[tuple[int, int]]]:
    """Dimensions cut where a group ends, without those of one element: sizes, groups, and for each the dimension it
    is a part of and how many elements of that one a step of it is."""
    _, rows, inner = loop.split or (0, 1, 1)
    borders = (inner, rows * inner) if loop.split else ()
    sizes: list[int] = []
    groups: list[Group] = []
    factors: list[tuple[int, int]] = []
    below = 1  # elements of the space inside of the dimension
    for at in range(len(loop.dims) - 1, -1, -1):
        left, factor = loop.dims[at], 1
        while left > 1:
            part = min([border // below for border in borders if below < border < below * left], default=left)
            group = Group.OUTER if not loop.split or below >= rows * inner else Group(1 + (below < inner))
            sizes.append(part)
            groups.append(group)
            factors.append((at, factor))
            left //= part
            factor *= part
            below *= part
    return sizes[::-1], groups[::-1], factors[::-1]


def _is_spread(strides: Sequence[int]) -> bool:
    """Whether neighbours in the innermost dimension lie apart."""
    return bool(strides) and abs(strides[-1]) > 1


def _strides(access: Access, factors: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(access.strides[at] * factor for at, factor in factors)
