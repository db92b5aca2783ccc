"""Compiled functions inside the graphs of other systems: `pg.interop.torch(f)` and `pg.interop.jax(f)`.

Read `border.py` (what both need of a function), then `torch_function.py` and `jax_function.py`. The other system is
imported when its function is called.

Boundary: the public interface alone; results of calls are NumPy arrays, which all systems take.
"""

from __future__ import annotations

from .jax_function import jax
from .torch_function import torch

__all__ = ["jax", "torch"]
