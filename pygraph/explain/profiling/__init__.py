"""Profiles of Executables: what each instruction takes and what bounds it, and the memory they use, as pictures.

Read `instruction_work.py` (bytes and operations of an instruction), `machine.py` (what this machine can do, measured),
`profile.py` (a `Profile` and its table), `flame.py` (the chart); `memory_picture.py` (the arena over
time).

Boundary: `runtime.call.timing` runs and times; here is only said what its figures mean.
"""
