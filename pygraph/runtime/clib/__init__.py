"""The C library: loading Programs, the memory of running calls, and runs that Ctrl-C can end.

Read `library.py` (load, run, and the exceptions made of status codes), `context.py` (the memory of a call), then
`duration.py`, `interrupt.py` and `watch.py` (which runs go to a helper thread so that Python sees signals), and the two
settings: `threads.py`, `tapes.py`.

Boundary: only here is `_core` imported.
"""
