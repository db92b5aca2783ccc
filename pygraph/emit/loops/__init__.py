"""Nested loops as C text.

Read `loop_values.py` (the values of a LOOP over its dimensions), `loop_nest.py` (the loops that compute them),
`tiles.py` (loops cut into tiles, so that some operations run block by block) and `tasks.py` (parts of the work that
threads may take).

Boundary: which instruction a nest belongs to is decided in `instructions`.
"""
