"""The C of the table of instructions: opcodes, a struct and a reader of the words of each, and checks of results."""

from __future__ import annotations

from collections.abc import Iterator

from ..lower.fields import (
    Array,
    Field,
    Flag,
    Kernel,
    List,
    Micros,
    Number,
    Numbers,
    Port,
    Several,
    Sizes,
    Use,
    Workspace,
    record_words,
)
from ..lower.instructions import INSTRUCTIONS, Instruction, layout_of, meaning_of, name_of
from ..ops.dtypes import DTYPES, SUFFIXES

_LETTERS = {"T": "PG_SAME", "N": "PG_SAME_NUMBERS"}
_DTYPES = {dtype.name: f"PG_{suffix.upper()}" for dtype, suffix in zip(DTYPES, SUFFIXES, strict=True)}


def c_name(kind: type[Instruction]) -> str:
    """What C's functions of an instruction end with."""
    return kind.__name__.lower()


def number(value: int) -> str:
    """An int as a constant of C."""
    if value == -(2**63):
        return "INT64_MIN"
    return str(value) if abs(value) < 1 << 31 else f"INT64_C({value})"


def structs() -> Iterator[str]:
    """What the words of each instruction say, as a struct; the enum of opcodes and the macros over all of them."""
    yield "/* X(opcode, name) */"
    every = [f"    X({name_of(kind)}, {c_name(kind)})" for kind in INSTRUCTIONS.values()]
    yield " \\\n".join(["#define PG_INSTRUCTIONS(X)", *every])
    yield from ["", "/* X(name) of those with a check by hand */"]
    checked = [f"    X({c_name(kind)})" for kind in INSTRUCTIONS.values() if kind.checked]
    yield from [" \\\n".join(["#define PG_CHECKED(X)", *checked]), "", "enum {"]
    yield from (f"    PG_OP_{name_of(kind)} = {at}," for at, kind in INSTRUCTIONS.items())
    yield "};"
    bases = dict.fromkeys(base for kind in INSTRUCTIONS.values() if (base := _base(kind)) is not None)
    for kind in (*bases, *INSTRUCTIONS.values()):
        yield from ["", f"/* {name_of(kind)}: {meaning_of(kind)} */", f"typedef struct pg_{c_name(kind)}_words {{"]
        base = _base(kind)
        if base is not None:
            yield f"    pg_{c_name(base)}_words {c_name(base)};"
        own = layout_of(kind).keys() - (layout_of(base) if base is not None else {})
        yield from (f"    {_member(name, field)};" for name, field in layout_of(kind).items() if name in own)
        yield f"}} pg_{c_name(kind)}_words;"


def _base(kind: type[Instruction]) -> type[Instruction] | None:
    """The class whose fields come first, which several instructions have in common."""
    base = kind.__mro__[1]
    return base if base is not Instruction and issubclass(base, Instruction) else None


def _path(kind: type[Instruction], name: str) -> str:
    """Where the struct of an instruction has a field."""
    base = _base(kind)
    return f"{c_name(base)}.{name}" if base is not None and name in layout_of(base) else name


def _member(name: str, field: Field) -> str:
    match field:
        case Numbers(type=made):
            return f"struct {{ int64_t {', '.join(made._fields)}; }} {name}"
        case Sizes():
            return f"pg_sizes {name}"
        case Array():
            return f"pg_operand {name}"
        case Several() | List() | Micros() | Port():
            return f"pg_list {name}"
        case _:
            return f"int64_t {name}"


def readers() -> Iterator[str]:
    """The functions that read words, and those of instructions that nothing else is to be made of."""
    for kind in INSTRUCTIONS.values():
        name = c_name(kind)
        yield f"int pg_read_{name}(pg_loader *l, const int64_t *words, int64_t n, pg_{name}_words *x) {{"
        yield f'    pg_words w = words_of(l, "{name_of(kind)}", words, n);'
        for member, field in kind.layout.items():
            yield from (f"    {line}" for line in _taken(kind, member, field))
        yield from ["    return end_of_words(&w);", "}", ""]
        if not kind.by_hand:
            yield from _decoder(kind)


def _taken(kind: type[Instruction], name: str, field: Field) -> Iterator[str]:
    """The statements that take a field from the words."""
    said, target = f'"{name.replace("_", " ")}"', f"&x->{_path(kind, name)}"
    match field:
        case Number(low=low, high=high):
            yield f"take_number(&w, {said}, {number(low)}, {number(high)}, {target});"
        case Kernel():
            yield f"take_number(&w, {said}, 0, PG_KERNEL_COUNT - 1, {target});"
        case Flag():
            yield f"take_number(&w, {said}, 0, 1, {target});"
        case Workspace():
            yield f"take_number(&w, {said}, -1, l->body->n_slots - 1, {target});"
        case Numbers(type=made, low=low):
            for member in made._fields:
                yield f'take_number(&w, "{name} {member}", {low}, PG_MAX_ELEMENTS, {target}.{member});'
        case Sizes():
            yield f"take_sizes(&w, {said}, {target});"
        case Several():
            yield f"take_list(&w, {said}, 1, -1, {target});"
        case Micros():
            yield f"take_list(&w, {said}, PG_MICRO_WORDS, -1, {target});"
        case Port():
            yield f"take_list(&w, {said}, 2, 1, {target});"
        case List(record=record, strides=strides, like=like):
            width = str(record_words(record)) + (f" + x->{_path(kind, strides)}.n" if strides else "")
            yield f"take_list(&w, {said}, {width}, {f'x->{_path(kind, like)}.n' if like else '-1'}, {target});"
        case Array(use=use, dtype=dtype, core=core, batch=batch):
            sizes = [size.strip() for size in core.split("*")] if core else []
            unknown = [size for size in [*sizes, batch] if size and size not in kind.layout]
            assert not unknown, f"{kind.__name__}.{name}: no field is called {unknown}"
            product = (
                f"{len(sizes)}, (const int64_t[]){{{', '.join(f'x->{_path(kind, size)}' for size in sizes) or '1'}}}"
            )
            around = f"&x->{_path(kind, batch)}" if batch else "NULL"
            writes = int(use is not Use.READ)
            expected = _LETTERS.get(dtype) or _DTYPES[dtype]
            yield f"take_array(&w, {said}, {writes}, {expected}, {around}, {product}, {target});"
        case _:
            raise TypeError(f"{kind.__name__}.{name} is a {field!r}, which has no reader")


def _decoder(kind: type[Instruction]) -> Iterator[str]:
    name = c_name(kind)
    yield f"int pg_decode_{name}(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {{"
    yield f"    pg_{name}_words *x = pg_keep(l, 1, sizeof *x);"
    yield from ["    if (x == NULL) return PG_MEMORY;", "    out->data = x;"]
    if kind.checked:
        yield f"    const int status = pg_read_{name}(l, words, n, x);"
        yield f"    return status == PG_OK ? pg_check_{name}(l, x) : status;"
    else:
        yield f"    return pg_read_{name}(l, words, n, x);"
    yield from ["}", ""]


def finite_checks() -> Iterator[str]:
    """The functions that look for inf and nan in what such instructions have written."""
    for kind in INSTRUCTIONS.values():
        if kind.by_hand:
            continue
        name = c_name(kind)
        yield f"int pg_finite_{name}(const pg_place *place, const void *data) {{"
        yield from [f"    const pg_{name}_words *x = data;", "    int status = PG_OK;"]
        written = [(at, x) for at, x in kind.layout.items() if isinstance(x, Array) and x.use is not Use.READ]
        for at, (member, field) in enumerate(written):
            batch = f"&x->{_path(kind, field.batch)}" if field.batch else "NULL"
            operand = f"&x->{_path(kind, member)}"
            yield f"    if (status == PG_OK) status = pg_finite_operand(place, {at}, {batch}, {operand});"
        yield from ["    return status;", "}", ""]
