"""A bound on the stack that functions of an exported text take, from what each of them declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: What a frame has besides locals: the return address, saved registers, arguments of calls, alignment.
_FRAME = 96
#: What a value takes that does not stay in a register; in a loop, which may be vectorised.
_VALUE, _VECTOR = 8, 16

_HEAD = re.compile(r"^(?!typedef|#|struct|enum|/| |\})([^\n;{}]*?)\b(\w+)\(([^;{}]*)\) \{$", re.MULTILINE)
_TYPE = (
    r"(?:double|float|u?int\d+_t|intptr_t|size_t|int|char|void|[A-Za-z]\w*_(?:frame|tape|call|placed|job)\d*|pg_\w+)"
)
_LOCAL = re.compile(
    rf"(?:^|[({{;,])\s*(static )?(?:const )?({_TYPE})\s+[\s*]*(?:const |restrict )*\w+((?:\[\w+\])*)", re.MULTILINE
)
_MORE = re.compile(r",\s+\**\w+ = ")
_CALLED = re.compile(r"\b(\w+)(?=\()|(?<=, )(\w+_task)\b")
_NUMBER = re.compile(r"\b([A-Z]\w+) = (\d+)\b")


@dataclass(frozen=True, slots=True)
class _Function:
    """What a function takes itself, whether it always becomes part of its callers, and what it calls."""

    nbytes: int
    inlined: bool
    calls: tuple[str, ...]


def stack_bound(text: str, entries: Iterable[str]) -> int:
    """The bytes of stack that a call of any of the entries takes at most, compiled with optimisation.

    That is for targets of up to 64 bits whose vectors have at most 16 bytes; functions of the mathematical library come
    on top, where any are called.
    """
    functions = _functions(text)
    known: dict[tuple[str, bool], int] = {}

    def taken(name: str, inlined: bool) -> int:
        """What a function takes with all it calls; or, inlined, what of it is part of its caller."""
        key = name, inlined
        if key not in known:
            found = functions[name]
            inside = [taken(x, True) for x in found.calls if x in functions and functions[x].inlined]
            own = found.nbytes + max(inside, default=0)
            deeper = [taken(x, False) for x in _reached(functions, name)]
            known[key] = own if inlined else own + _FRAME + max(deeper, default=0)
        return known[key]

    return -(-max(taken(entry, False) for entry in entries) // 64) * 64


def _reached(functions: dict[str, _Function], name: str) -> set[str]:
    """The functions that `name` calls, itself or by one that is part of it."""
    found: set[str] = set()
    for called in functions[name].calls:
        if called in functions:
            found |= _reached(functions, called) if functions[called].inlined else {called}
    return found


def _functions(text: str) -> dict[str, _Function]:
    numbers = {name: int(value) for name, value in _NUMBER.findall(text)}
    members = {name: _members(body, numbers) for body, name in re.findall(r"\{([^{}]*)\} (\w+);", text)}
    found: dict[str, _Function] = {}
    heads = list(_HEAD.finditer(text))
    for head in heads:
        end = text.find("\n}", head.end())
        body = text[head.end() : end]
        code = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        nbytes = 8 * (head[3].count(",") + 1)
        values = len(_MORE.findall(code))
        for static, kind, sizes in _LOCAL.findall(code):
            if static:
                continue
            if sizes:
                nbytes += _count(sizes, numbers) * (members.get(kind, 8))
            elif kind in members:
                nbytes += members[kind]
            else:
                values += 1
        for array in re.findall(r"\(void \*const\[\]\)\{([^}]*)\}", code):
            nbytes += 8 * (array.count(",") + 1)
        loops = "for (" in code or "while (" in code
        nbytes += values * (_VECTOR if loops else _VALUE)
        calls = tuple(dict.fromkeys(a or b for a, b in _CALLED.findall(code)))
        previous = found.get(head[2])
        if previous is not None:  # of two branches of an #if, the larger one
            nbytes, calls = max(nbytes, previous.nbytes), tuple(dict.fromkeys((*previous.calls, *calls)))
        found[head[2]] = _Function(nbytes, "INLINE" in head[1], calls)
    return found


def _members(body: str, numbers: dict[str, int]) -> int:
    """The bytes of a struct, at most."""
    return sum(
        8 * _count("".join(re.findall(r"\[\w+\]", line)), numbers) * (line.count(",") + 1) for line in body.split(";")
    )


def _count(sizes: str, numbers: dict[str, int]) -> int:
    count = 1
    for size in re.findall(r"\[(\w+)\]", sizes):
        count *= int(size) if size.isdigit() else numbers[size]
    return count
