"""From a Graph to a loaded Program, and what is decided before: its signature and its budget of memory.

Read `pipeline.py` (differentiate, optimise, lower, load), `signature.py` (which arguments are taken), `budget.py` (what
is rematerialised to fit a budget), then what is reported: `notes.py`, `stats.py`.

Boundary: nothing here runs a Program.
"""
