"""Graph → Program: regions, memory plan, encoding."""

from .lowering import lower
from .program import NodeInfo, Port, Program, Segment

__all__ = ["NodeInfo", "Port", "Program", "Segment", "lower"]
