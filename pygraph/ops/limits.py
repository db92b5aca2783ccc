"""What a Program can count: limits that shapes and loops are held to when they are traced, and the C loader checks."""

from __future__ import annotations

__all__ = ["MAX_AXES", "MAX_DEPTH", "MAX_ELEMENTS", "MAX_MATRIX", "MAX_STEPS"]

#: The most axes of an array, which is NumPy's limit.
MAX_AXES = 64
#: The most elements of an array, those of a broadcast that is never written out included.
MAX_ELEMENTS = (1 << 57) - 1
#: The most rows or columns of a matrix in a product, which BLAS counts in 32 bits.
MAX_MATRIX = (1 << 31) - 1
#: The most steps of a `scan`.
MAX_STEPS = 1 << 40
#: How deep loops and branches may be nested.
MAX_DEPTH = 64
