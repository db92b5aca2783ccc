"""C text from the rows and from Programs: exported files, and what the native tier compiles.

Read `c_program.py` (a Program as C functions), `frames.py` (where values are) and `expressions.py` (operations as C),
then one file for each kind of instruction, `c_loop.py`, `c_reduce.py` and the others; loops are written by
`loop_values.py`, `loop_nest.py` and `tiles.py`. `export.py` makes the portable file, `native_source.py` the text that
the native tier compiles with `toolchain`; `tables.py` generates the headers in csrc/generated.

Boundary: operations are spelled by their rows and the library's headers; none gets a second meaning here.
"""
