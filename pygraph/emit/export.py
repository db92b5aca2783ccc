"""Functions as one portable C99 file and its header, with the caller's workspace and no dependency but libm."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import SignatureError, shown
from ..ops.dtypes import SUFFIXES
from . import export_table
from .c_program import joined
from .export_header import header, pattern_arrays, pattern_names
from .export_unit import Exported, Unit, units_of
from .prelude import EXPORT, prelude
from .rendering.constant_arrays import ConstantArrays
from .rendering.expressions import TYPES
from .rendering.names import RESERVED
from .stack_bound import stack_bound

_STANDARD = """
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
"""
#: Headers of C's own library, which a file of the same name would hide.
_HEADERS = frozenset(_STANDARD.split())
#: The library's names, but for its files'.
_OURS = re.compile(r"\b(pg|PG)(?=_\w+(?![\w.]))")


def export(
    functions: Sequence[Exported],
    path: str | os.PathLike[str],
    name: str,
    optional: bool = True,
    metadata: bool = False,
    main: bool = False,
) -> tuple[Path, Path]:
    """Write NAME.c and NAME.h to the folder `path`, with `main` NAME_main.c too; returns where the first two are.

    Args:
        functions: what to write; the names of each start with NAME.
        path: an existing folder.
        name: a C identifier, which all that the file has starts with, visible or not.
        optional: arguments may be NULL.
        metadata: the file has a table of its functions; so it has with `main`.

    Raises:
        SignatureError: two things would have one name.
        UnsupportedError: a node can't be exported.
    """
    source, declared = texts(functions, name, optional, metadata or main)
    files = Path(path) / f"{name}.c", Path(path) / f"{name}.h"
    for file, text in zip(files, (source, declared), strict=True):
        file.write_text(text, encoding="utf-8", newline="\n")
    if main:
        (Path(path) / f"{name}_main.c").write_text(export_table.main_text(name), encoding="utf-8", newline="\n")
    return files


def texts(functions: Sequence[Exported], name: str, optional: bool = True, metadata: bool = False) -> tuple[str, str]:
    """The text of the C file and that of its header."""
    arrays = ConstantArrays(f"{name}_pg")
    found = [
        (exported, units_of(exported, f"{name}_pg{number}", arrays, optional))
        for number, exported in enumerate(functions)
    ]
    _check_distinct(found, name, metadata)
    source = _source(found, arrays, name, optional, metadata)
    entries = [entry.function for _, units in found for unit in units for entry in unit.entries]
    return source, header(found, name, stack_bound(source, entries), optional, metadata)


def check_name(name: Any, subject: str = "the name", ours: str = "") -> None:
    """Raise `SignatureError` for what can't be the name of an export, or of a function that is called `ours` + name."""
    problem = ""
    identifier = isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
    if not identifier or (name in RESERVED and not ours):
        problem = "it is no C identifier"
    elif (not ours and name in _HEADERS) or re.match(r"pg(\d|_|$)", name, re.IGNORECASE):
        problem = f"{name}.h or its names would hide those of C or pygraph"
    if problem:
        advice = "give ASCII letters, digits and underscores that start with a letter, and no word of C, C++ or pygraph"
        raise SignatureError(problem, advice, stage="exporting", subject=f"{subject} {shown(name)}")


def _check_distinct(functions: Sequence[tuple[Exported, Sequence[Unit]]], name: str, metadata: bool) -> None:
    """Raise `SignatureError` where two functions, arrays or macros have one name; macros are in capitals."""
    owners: dict[str, str] = {}
    if metadata:
        owners.update((f"{name}_{word}", f"{name}_the table") for word in export_table.NAMES)
    for exported, units in functions:
        for argument in (x for unit in units for entry in unit.entries for x in entry.arguments):
            if argument.name.startswith(f"{name.upper()}_"):
                problem = f"the argument {argument.name} of {exported.graph.name} looks like a macro of the header"
                advice = f"give the argument a name that does not begin with {name.upper()}_, or the export another one"
                raise SignatureError(problem, advice, stage="exporting", subject=name)
        entries = [entry.function for unit in units for entry in unit.entries]
        for word in {exported.name.upper(), *entries, *pattern_names(exported)}:
            owner = owners.setdefault(word, exported.name)
            if owner != exported.name:
                problem = f"{owner[len(name) + 1 :]!r} and {exported.name[len(name) + 1 :]!r} both make {word}"
                advice = "give names that differ in more than capitals, and by more than the endings of entries"
                raise SignatureError(problem, advice, stage="exporting", subject=name)


def _source(
    functions: Sequence[tuple[Exported, Sequence[Unit]]],
    arrays: ConstantArrays,
    name: str,
    optional: bool,
    metadata: bool,
) -> str:
    units = [unit for _, found in functions for unit in found]
    patterns = [pattern_arrays(x, x.pattern) for x, _ in functions if x.pattern is not None]
    zeros = [*_zeros(units)] if optional else []
    code = joined([unit.core for unit in units]).rstrip("\n")
    table = [export_table.defined(functions, name)] if metadata else []
    body = "\n\n".join([*patterns, *zeros, code, *(unit.text for unit in units), *table])
    text = _without_restrict(f"{_in_doubles(prelude(f'{body} PG_RESTRICT', EXPORT))}\n{body}\n")
    renamed = _OURS.sub(lambda found: f"{name}_pg" if found[0] == "pg" else f"{name.upper()}_PG", text)
    return f'#include "{name}.h"\n\n{renamed}'


def _without_restrict(text: str) -> str:
    """C that C++ takes too: `restrict` by the name that a macro gives it."""
    return re.sub(r"(?<!PG_RESTRICT )\brestrict\b", "PG_RESTRICT", text)


def _in_doubles(text: str) -> str:
    """C in which functions of doubles alone have no float: math.h has NAN and INFINITY as floats."""
    functions = text.split("\n}\n")
    for at, function in enumerate(functions):
        if not re.search(r"\bfloat\b|_f32\b|^#", re.sub(r"/\*.*?\*/", "", function, flags=re.DOTALL), re.MULTILINE):
            functions[at] = re.sub(r"\b(NAN|INFINITY)\b", r"(double)\1", function)
    return "\n}\n".join(functions)


def _zeros(units: Sequence[Unit]) -> Iterator[str]:
    """An array of zeros for each dtype, as large as the largest input of it."""
    largest: dict[int, int] = {}
    for unit in units:
        for argument in (x for entry in unit.entries for x in entry.arguments):
            count = argument.port.nbytes // argument.port.dtype.itemsize
            if not argument.written and count:
                largest[argument.dtype] = max(largest.get(argument.dtype, 0), count)
    for dtype, count in sorted(largest.items()):
        yield f"static const {TYPES[dtype]} pg_zeros_{SUFFIXES[dtype]}[{count}] = {{0}};"
