"""What a Program and the C library must agree in, as one number that both carry."""

from __future__ import annotations

from functools import lru_cache

from ..ops.dtypes import DTYPES
from ..ops.table import rows_text, spelled
from .format import CONSTANTS, FORMAT_VERSION, SlotKind, Status
from .instructions import INSTRUCTIONS

_PRIME = 2**64 - 59  # the largest prime below 2^64


@lru_cache(maxsize=1)
def table_hash() -> int:
    """64 bits that change with any row, number or limit; the C library holds its own copy.

    The text of all of them as one large number modulo a prime: a change keeps the hash with a chance of about 2^-64.
    """
    numbers = [[(member.name, int(member)) for member in kind] for kind in (SlotKind, Status)]
    instructions = [(number, kind.__name__, kind.layout) for number, kind in INSTRUCTIONS.items()]
    constants = [(constant.name, constant.value) for constant in CONSTANTS]
    text = spelled((FORMAT_VERSION, numbers, instructions, constants, [dtype.name for dtype in DTYPES], rows_text()))
    return int.from_bytes(b"\1" + text.encode(), "big") % _PRIME
