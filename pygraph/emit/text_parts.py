"""C texts in parts: functions that several compiler processes may share, of a text that one compiles as well."""

from __future__ import annotations

#: What a text with parts has before them.
HEAD = """\
/* With PG_UNITS, a compiler makes one unit of this text: number 0 is all but the parts, of which the others have a
 * share each. */
#ifndef PG_UNITS
#define PG_UNITS 0
#define PG_UNIT 0
#endif
#if !PG_UNITS
#define PG_HERE(part) 1
#define PG_PART PG_NOINLINE
#else
#define PG_HERE(part) (PG_UNIT == 1 + (part) % PG_UNITS)
#ifdef __GNUC__
#define PG_PART __attribute__((visibility("hidden")))
#else
#define PG_PART
#endif
#endif"""

_BEGIN = "#if PG_HERE("


class Parts:
    """Numbers the parts of a text."""

    def __init__(self) -> None:
        self.count = 0

    def part(self, declaration: str, definition: str) -> str:
        """The next part: a function, which is declared where it is not compiled; both are without their linkage."""
        number, self.count = self.count, self.count + 1
        return f"{_BEGIN}{number})\nPG_PART {definition}\n#else\nPG_PART {declaration};\n#endif"


def main(text: str) -> str:
    """What is only in the unit that has no parts, of a text with parts."""
    return f"#if PG_UNIT == 0\n{text}\n#endif"


def parts_of(text: str) -> int:
    """How many parts a text has."""
    return text.count(_BEGIN)


def unit_flags(unit: int, units: int) -> tuple[str, ...]:
    """What tells a compiler which unit to make, of one without parts and `units` with a share of them."""
    return (f"-DPG_UNITS={units}", f"-DPG_UNIT={unit}")
