"""What emitting one instruction gives: C functions, the statement that runs them, and functions shared by many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Function:
    """The C of one instruction.

    Attributes:
        text: its static functions; empty where the call is all.
        call: the statement that runs it, inside a function that has `call` and `f`.
        helpers: static functions by name that several instructions share; each is written once, in order of first
            mention, before all texts.
    """

    text: str
    call: str
    helpers: Mapping[str, str] = field(default_factory=dict)
