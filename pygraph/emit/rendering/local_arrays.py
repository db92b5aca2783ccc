"""Arrays that one function needs while it runs: on the stack, or in the workspace of a text that stands alone."""

from __future__ import annotations

from dataclasses import dataclass

from .expressions import SIZES, TYPES

#: Larger arrays of a text that stands alone lie in its workspace.
LARGEST = 256


@dataclass(slots=True)
class Scratch:
    """The part of the workspace that functions use one after another.

    Attributes:
        start: where it begins; None where all arrays are on the stack.
        nbytes: what the function that needs most of it takes.
    """

    start: int | None
    nbytes: int = 0


class LocalArrays:
    """The arrays of one function."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.used = 0

    def declare(self, kind: str, name: str, count: int) -> str:
        """The declaration of an array of `count` elements of a C type, which holds nothing yet."""
        nbytes = count * SIZES[TYPES.index(kind)]
        if self.scratch.start is None or nbytes <= LARGEST:
            return f"{kind} {name}[{count}];"
        at = self.reserve(nbytes)
        return f"{kind} *restrict {name} = PG_AT({kind}, call->arena, {at});"

    def reserve(self, nbytes: int) -> int:
        """Where `nbytes` of the scratch memory lie in the workspace."""
        assert self.scratch.start is not None, "there is no scratch memory"
        at = self.scratch.start + self.used
        self.used += -(-nbytes // 8) * 8
        self.scratch.nbytes = max(self.scratch.nbytes, self.used)
        return at
