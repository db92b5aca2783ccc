"""Training loops, written with the public interface only.

Read `stochastic.py`.

Boundary: nothing is imported but `pygraph` itself and NumPy.
"""

from .stochastic import sgd_epoch

__all__ = ["sgd_epoch"]
