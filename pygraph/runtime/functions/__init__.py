"""Compiled functions: traced once per signature of their arguments, and again when what they read has changed.

Read `compiled_function.py` (`pg.compile`), then `reachable.py` and `reads.py` (what a function reads besides its
arguments, and whether it still is so), `shared.py` (Executables found again by the structure of their graphs).

Boundary: `runtime.compile` decides what becomes of a graph.
"""
