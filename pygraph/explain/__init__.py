"""Reading a derivative: the chain rule of one evaluation as a table."""

from .chain import explain
from .explanation import Edge, Explanation, Step

__all__ = ["Edge", "Explanation", "Step", "explain"]
