"""Constants in C: literals, and arrays that all functions of a text share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .expressions import SIZES, TYPES, literal


@dataclass(slots=True)
class ConstantArrays:
    """The arrays of constants that a text holds, each once.

    Attributes:
        prefix: of their names.
        numbers: by dtype and bytes, in the order in which they were asked for.
    """

    prefix: str
    numbers: dict[tuple[int, bytes], int] = field(default_factory=dict)

    def name(self, dtype: int, data: bytes) -> str:
        """The name of an array."""
        return f"{self.prefix}_constant{self.numbers.setdefault((dtype, data), len(self.numbers))}"

    def text(self, code: str) -> str:
        """The arrays that `code` names."""
        named = {int(number) for number in re.findall(rf"\b{self.prefix}_constant(\d+)\b", code)}
        arrays = [(number, *key) for key, number in self.numbers.items() if number in named]
        return "\n".join(
            array_text(f"static const {TYPES[dtype]} {self.prefix}_constant{number}", elements(dtype, data))
            for number, dtype, data in arrays
        )


@dataclass(frozen=True, slots=True)
class Constants:
    """How C reaches the constants of a Program.

    Attributes:
        data: the constants.
        arrays: what the text holds; None where they come with `call->constants`.
    """

    data: memoryview
    arrays: ConstantArrays | None

    def pointer(self, offset: int, nbytes: int, dtype: int) -> str:
        """The first element of `nbytes` of constants."""
        if self.arrays is None:
            return f"PG_AT(const {TYPES[dtype]}, call->constants, {offset})"
        if nbytes == 0:
            return f"(const {TYPES[dtype]} *)0"
        return self.arrays.name(dtype, bytes(self.data[offset : offset + nbytes]))

    def element(self, offset: int, dtype: int) -> str:
        """One constant as a literal."""
        return literal(dtype, bytes(self.data[offset : offset + SIZES[dtype]]))


def elements(dtype: int, data: bytes) -> list[str]:
    """The literals of an array."""
    size = SIZES[dtype]
    return [literal(dtype, data[at : at + size]) for at in range(0, len(data), size)]


def array_text(head: str, values: list[str]) -> str:
    """The definition of an array of at least one element; `head` is its type and name."""
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) > 110:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return "\n".join([f"{head}[{len(values)}] = {{", *lines, line.rstrip(","), "};"])
