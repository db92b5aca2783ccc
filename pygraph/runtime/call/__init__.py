"""Calls of a loaded Program: arguments in, results out, on the fast path written for it or on the general one.

Read `executable.py` (the object a user calls), `runner.py` (what its calls share, and the general path), `callpath.py`
(the fast path as generated Python), then the special calls: `bound.py`, `outputs.py` (`out=`), `kept.py` (`forward`).

Boundary: memory and the run itself belong to `runtime.clib`.
"""
