"""Compiled functions: traced once per signature of their arguments, and again when what they read has changed.

Read `compile_function.py` (`pg.compile`), `compiled_function.py` and `static_arguments.py`; then `reachable.py` and
`reads.py` (what a function reads besides its arguments, and whether that has changed), and `shared.py` (Executables
looked up by the structure of their graphs).

Boundary: `runtime.compile` decides what becomes of a graph.
"""
