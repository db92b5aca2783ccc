"""Graph → Program: flat instructions over planned memory.

Read `format.py` (the instructions and limits) and `program.py`, then `lowering.py` and the stages in their order:
`regions.py` (fusion), `rematerialise.py` (what later segments recompute), `in_place_concatenation.py`, `steps.py`
(instructions that speak of values), `plan.py` (memory), `encode.py` (words). `decode.py` and `listing.py` read a
Program back.

Boundary: nothing here calls C or knows how an instruction is run.
"""

from .listing import disassemble
from .lowering import lower
from .program import NodeInfo, Port, Program, Segment

__all__ = ["NodeInfo", "Port", "Program", "Segment", "disassemble", "lower"]
