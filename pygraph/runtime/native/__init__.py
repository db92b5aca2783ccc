"""The native tier: which Programs get native code, and when.

Read `backends.py` (the names a user may choose), `payoff.py` (what native code would gain and cost), `tiering.py` (the
build, at once or in the background, and the switch between two calls).

Boundary: `emit` writes the C and runs the compiler.
"""
