"""Reading a derivative: the chain rule of one evaluation as a table."""

from .chain import Edge, Explanation, Step, explain

__all__ = ["Edge", "Explanation", "Step", "explain"]
