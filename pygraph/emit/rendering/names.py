"""C identifiers from the user's names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: Words that C or C++ keeps for itself, names that standard headers or compilers define as macros.
_RESERVED = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl complex const const_cast
constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false float for
friend goto if imaginary inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq
private protected public register reinterpret_cast restrict return short signed sizeof static static_assert
static_cast struct switch template this thread_local throw true try typedef typeid typename typeof union unsigned
char8_t char16_t char32_t concept consteval constinit co_await co_return co_yield requires
using virtual void volatile wchar_t while xor xor_eq
NULL EOF I INFINITY NAN BUFSIZ EDOM EILSEQ ERANGE DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS
errno stdin stdout stderr assert unix linux i386 main memcpy memset
"""
RESERVED = frozenset(_RESERVED.split())
#: What macros of C's headers look like, which a caller may have included: INT64_MAX, M_PI, FP_NAN, SIGINT.
_MACRO = re.compile(
    r"[A-Z0-9_]+_(MAX|MIN|WIDTH|BIT)|SIG[A-Z]+|"
    r"(M|FP|MATH|HUGE|FLT|DBL|LDBL|DECIMAL|SIG|RAND|EXIT|SEEK|TMP|FILENAME|FOPEN|MB|CLOCKS|TIME|LC|L|ATOMIC)_[A-Z0-9_]+"
)
#: What the parameters, members and local variables beside a user's names in emitted functions are called.
PARAMETERS = frozenset(["arena", "call", "f", "status", "wanted", "workspace"])


def identifier(text: str) -> str:
    """A C identifier that reads like `text`: `params[0].w` becomes params_0_w, α becomes alpha.

    Example:
        >>> identifier("params[0].w"), identifier("α̂"), identifier("1/x"), identifier("double")
        ('params_0_w', 'alpha', 'x1_x', 'double_')
    """
    word = re.sub(r"[^A-Za-z0-9]+", "_", "".join(map(_ascii, unicodedata.normalize("NFKD", text)))).strip("_")
    if not word or word[0].isdigit():
        word = "x" + word
    taken = word in RESERVED or word in PARAMETERS or _MACRO.fullmatch(word) or word.lower().startswith("pg_")
    return word + "_" if taken else word


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.combining(character):
        return ""
    name = unicodedata.name(character, "")
    return name.split()[-1].lower() if " LETTER " in name else "_"


def identifiers(texts: Iterable[str]) -> list[str]:
    """A C identifier for each text, no two the same.

    Example:
        >>> identifiers(["x", "x", "x_2"])
        ['x', 'x_2', 'x_2_2']
    """
    return distinct(map(identifier, texts))


def distinct(words: Iterable[str]) -> list[str]:
    """The words, numbered where they came before."""
    taken: set[str] = set()
    names = []
    for word in words:
        name = word
        number = 2
        while name in taken:
            name = f"{word}_{number}"
            number += 1
        taken.add(name)
        names.append(name)
    return names
