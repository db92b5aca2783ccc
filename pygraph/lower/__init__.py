"""Graph → Program: regions, memory plan, encoding."""

from .listing import disassemble
from .lowering import lower
from .program import NodeInfo, Port, Program, Segment

__all__ = ["NodeInfo", "Port", "Program", "Segment", "disassemble", "lower"]
