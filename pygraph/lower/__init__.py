"""Graph → Program: flat instructions over planned memory.

Read `format.py` (the instructions and limits), `program.py`, then `lowering.py`, which lists the stages: each has a
file of its own, works on the data of `body.py`, and is checked against `specification.py`. Operations on single
elements, of which a graph may have a million, are no objects: `regions.py` places them as rows of `scalars.py`, of
which `scalar_steps.py` makes those of a `ScalarBlock` in `steps.py`; `plan.py` gives their cells (`arena_cells.py`)
places. `memory_plan.py` shows the plan; `decode.py` and `listing.py` read a Program back.

Boundary: nothing here calls C or knows how an instruction is run.
"""

from .listing import disassemble
from .lowering import lower
from .memory_plan import MemoryPlan, PlannedValue, memory_plan
from .program import NodeInfo, NodeTable, Port, Program, Segment

__all__ = [
    "MemoryPlan",
    "NodeInfo",
    "NodeTable",
    "PlannedValue",
    "Port",
    "Program",
    "Segment",
    "disassemble",
    "lower",
    "memory_plan",
]
