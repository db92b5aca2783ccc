"""The library's C headers as text: what a piece of C needs of them, found by the identifiers that it names."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

#: The headers that emitted text may name things of; each brings those that it includes.
ROOTS = ("pg_int.h", "pg_convert.h", "pg_math.h", "pg_calls.h")

_IDENTIFIER = re.compile(r"\b[pP][gG]_\w+")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LOCAL = re.compile(r'#include "([^"]+)"')
_MACRO = re.compile(r"#define (\w+)(?:\(([^)]*)\))?")
_INVOCATION = re.compile(r"(\w+)\((.*)\)\s*", re.DOTALL)
_FUNCTION = re.compile(r"\b([A-Za-z_]\w*)\s*[(\[]")


@dataclass(slots=True)
class _Leaf:
    """One macro, function, type or table. Without names it is a pragma, which goes where its surroundings go."""

    text: str
    names: frozenset[str]
    uses: frozenset[str]


@dataclass(slots=True)
class _Choice:
    """An #if … #endif: each branch is the line that opens it and what it holds."""

    branches: list[tuple[str, list[_Paragraph]]]


@dataclass(slots=True)
class _Paragraph:
    """A comment and what it is about."""

    comment: str = ""
    items: list[_Leaf | _Choice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Library:
    """All headers, each after those that it includes, and the leaves by the names that they define."""

    files: tuple[tuple[_Paragraph, ...], ...]
    leaves: Mapping[str, tuple[_Leaf, ...]]


def folder() -> Path:
    """Where the headers are: in emit/include in an installed copy, in csrc/ in a checkout."""
    emit = Path(__file__).resolve().parents[1]
    installed = emit / "include"
    return installed if installed.is_dir() else emit.parents[1] / "csrc"


def read(name: str) -> str:
    """The text of one header."""
    return (folder() / name).read_text(encoding="utf-8")


def conditions(name: str) -> str:
    """A header of conditions that a compiler must meet: its comment and lines, without its guard and includes."""
    text = read(name)
    guarded = text[text.index("#define ") : text.rindex("#endif")].split("\n", 1)[1]
    lines = [line for line in guarded.split("\n") if line and not line.startswith("#include")]
    return "\n".join([text[: text.index("#ifndef ")].rstrip(), *lines])


def select(text: str, *more: str) -> str:
    """The functions, macros, types and tables of the headers that `text` needs, with their comments, in a valid order.

    What the headers include of C's own library is not part of it: math.h, stdint.h and string.h come before.

    Args:
        text: C.
        more: further headers that `text` may name things of.

    Example:
        >>> "pg_sqrt_f64(double x) { return sqrt(x); }" in select("y = pg_sqrt_f64(x);")
        True
    """
    library = _library(more)
    needed: set[str] = set()
    pending = library.leaves.keys() & set(_IDENTIFIER.findall(text))
    while pending:
        needed |= pending
        pending = {use for name in pending for leaf in library.leaves[name] for use in leaf.uses} - needed
    parts: list[str] = []
    for head, *rest in library.files:
        found = [part for paragraph in rest if (part := _render(paragraph, needed, False))]
        parts += [head.comment, *found] if found else []
    return "\n\n".join(parts) + "\n" if parts else ""


def has(name: str) -> bool:
    """Whether the headers that any text may use define `name`."""
    return name in _library(()).leaves


def pieces(name: str) -> tuple[str, ...]:
    """The texts that define `name`: several where it depends on the compiler, none where no header does."""
    return tuple(leaf.text for leaf in _library(()).leaves.get(name, ()))


@lru_cache(maxsize=64)
def stamp(header: str, macro: str, *arguments: str) -> str:
    """The functions that a macro of a header stamps, written out.

    Example:
        >>> "PG_INLINE void total(" in stamp("pg_reduce.h", "PG_DEFINE_ACCUMULATE", "float", "double", "add", "total")
        True
    """
    parser = _Parser(read(header))
    parser.file()
    return _written_out(*parser.stamps[macro], arguments)


def _written_out(names: Sequence[str], body: str, arguments: Sequence[str]) -> str:
    """The body of a macro with its arguments in place of their names."""
    given = dict(zip(names, arguments, strict=True))
    filled = re.sub(r"\w+", lambda found: given.get(found[0], found[0]), body)
    return textwrap.dedent(re.sub(r"\s*##\s*", "", filled)).strip("\n")


def _render(paragraph: _Paragraph, needed: set[str], chosen: bool) -> str:
    """What is needed of a paragraph; with `chosen`, of one inside an #if that is: then pragmas too."""
    texts = []
    for item in paragraph.items:
        if isinstance(item, _Choice):
            texts.append(_render_choice(item, needed))
        elif not needed.isdisjoint(item.names) or (chosen and not item.names):
            texts.append(item.text)
    texts = [text for text in texts if text]
    return "\n".join([paragraph.comment, *texts] if texts and paragraph.comment else texts)


def _render_choice(choice: _Choice, needed: set[str]) -> str:
    if all(needed.isdisjoint(leaf.names) for leaf in _leaves([choice])):
        return ""
    lines = []
    for opening, paragraphs in choice.branches:
        lines += [opening, *(part for paragraph in paragraphs if (part := _render(paragraph, needed, True)))]
    return "\n".join([*lines, "#endif"])


def _leaves(items: Iterable[_Leaf | _Choice]) -> Iterator[_Leaf]:
    for item in items:
        if isinstance(item, _Leaf):
            yield item
        else:
            for _, paragraphs in item.branches:
                for paragraph in paragraphs:
                    yield from _leaves(paragraph.items)


@lru_cache(maxsize=8)
def _library(more: tuple[str, ...]) -> _Library:
    names: list[str] = []

    def visit(name: str) -> None:
        if name not in names:
            for included in _LOCAL.findall(read(name)):
                visit(included)
            names.append(name)

    for root in (*ROOTS, *more):
        visit(root)
    files = tuple(tuple(_Parser(read(name)).file()) for name in names)
    leaves: dict[str, tuple[_Leaf, ...]] = {}
    for file in files:
        for leaf in _leaves(item for paragraph in file for item in paragraph.items):
            for name in leaf.names:
                leaves[name] = (*leaves.get(name, ()), leaf)
    for name in leaves:
        for leaf in leaves[name]:
            leaf.uses &= leaves.keys()
    return _Library(files, leaves)


class _Parser:
    """Cuts a header into paragraphs, and writes out the functions that it stamps by macros."""

    def __init__(self, text: str, stamps: dict[str, tuple[list[str], str]] | None = None) -> None:
        self.lines = text.split("\n")
        self.at = 0
        self.stamps = {} if stamps is None else stamps

    def file(self) -> list[_Paragraph]:
        """The paragraphs of a whole header; the first holds only what is said of the file."""
        end = max(i for i, line in enumerate(self.lines) if line == "#endif")  # of the include guard
        head = self._comment()
        assert self.lines[self.at].startswith("#ifndef "), "the comment of a header stands before its guard"
        self.at += 2
        del self.lines[end:]
        return [_Paragraph(head), *self.paragraphs()]

    def paragraphs(self) -> list[_Paragraph]:
        """Up to the end, or to the line that ends a branch of an #if."""
        found = [_Paragraph()]
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith(("#else", "#elif", "#endif")):
                break
            if not line:
                found.append(_Paragraph())
                self.at += 1
            elif line.startswith("/*"):
                if found[-1].items:
                    found.append(_Paragraph())
                found[-1].comment = "\n".join(filter(None, [found[-1].comment, self._comment()]))
            elif line.startswith("#if"):
                found[-1].items.append(self._choice())
            elif line.startswith("#"):
                found[-1].items += self._directive()
            else:
                found[-1].items += self._declaration()
        return [paragraph for paragraph in found if paragraph.items]

    def _comment(self) -> str:
        start = self.at
        while "*/" not in self.lines[self.at]:
            self.at += 1
        self.at += 1
        return "\n".join(self.lines[start : self.at])

    def _choice(self) -> _Choice:
        branches = []
        while not self.lines[self.at].startswith("#endif"):
            opening = self.lines[self.at]
            self.at += 1
            branches.append((opening, self.paragraphs()))
        self.at += 1
        choice = _Choice(branches)
        for leaf in _leaves([choice]):  # what the conditions name decides which of its texts counts
            leaf.uses = leaf.uses.union(*(_IDENTIFIER.findall(opening) for opening, _ in branches))
        return choice

    def _directive(self) -> list[_Leaf | _Choice]:
        start = self.at
        while self.lines[self.at].endswith("\\"):
            self.at += 1
        self.at += 1
        text = "\n".join(self.lines[start : self.at])
        if text.startswith(("#include", "#undef")):
            return []
        macro = _MACRO.match(text)
        if macro is None:
            return [_Leaf(text, frozenset(), frozenset())]
        body = text[macro.end() :]
        stamps = {"static", "PG_INLINE", "PG_NOINLINE", *self.stamps}  # what brings functions, itself or by another
        if macro[2] is not None and not stamps.isdisjoint(re.findall(r"\w+", body)):
            plain = re.sub(r"[ ]*\\\n", "\n", body)
            self.stamps[macro[1]] = ([name.strip() for name in macro[2].split(",")], plain)
        return [_leaf(text, frozenset([macro[1]]))]

    def _declaration(self) -> list[_Leaf | _Choice]:
        start = self.at
        while True:
            self.at += 1
            text = "\n".join(self.lines[start : self.at])
            code = _COMMENT.sub("", text)
            if code.count("(") == code.count(")") and code.count("{") == code.count("}"):
                break
        invocation = _INVOCATION.fullmatch(code)
        if invocation is not None and invocation[1] in self.stamps:
            names, body = self.stamps[invocation[1]]
            inner = _Parser(_written_out(names, body, _arguments(invocation[2])), self.stamps)
            return [item for paragraph in inner.paragraphs() for item in paragraph.items]
        return [_leaf(text, frozenset(_declared(code)))]


def _declared(code: str) -> list[str]:
    """The names that a declaration brings."""
    if code.startswith("enum"):
        return re.findall(r"\w+", code[code.index("{") :])
    if code.startswith(("typedef", "struct")):
        return re.findall(r"struct (\w+)", code)[:1] + re.findall(r"(\w+);$", code)
    found = _FUNCTION.search(code)
    assert found is not None, f"what is declared in {code!r}?"
    return [found[1]]


def _leaf(text: str, names: frozenset[str]) -> _Leaf:
    return _Leaf(text, names, frozenset(_IDENTIFIER.findall(_COMMENT.sub("", text))))


def _arguments(text: str) -> list[str]:
    """The arguments of a macro's invocation."""
    found, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [argument.strip() for argument in found]
