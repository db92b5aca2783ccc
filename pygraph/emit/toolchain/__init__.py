"""From C text to a loaded library: which compiler, in which folder, and found again on disk.

Read `compiler.py`, `child.py` (runs it), `workfolder.py` (where), `cache.py` (what is kept).

Boundary: nothing here knows what the text computes.
"""
