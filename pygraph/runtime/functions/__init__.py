"""Compiled functions: traced once per signature of their arguments, and again when what they read has changed.

Read `compiled_function.py` (`pg.compile`), then `reachable.py` and `reads.py` (what a function reads besides its
arguments, and whether that has changed), `shared.py` (Executables looked up by the structure of their graphs).

Boundary: `runtime.compile` decides what becomes of a graph.
"""
