"""C text from the rows and from Programs: exported files, and what the native tier compiles.

Read `c_program.py` (a Program as C functions); below it, each importing from those before it, `rendering` (values,
places and functions as text), `loops` (nested loops), `instructions` (one file for each kind) and `optional_outputs.py`
(what is left out for a caller that gives no memory). `export.py` makes the portable file, of `export_unit.py` (one
Program in it), `export_header.py`, `workspace.py` and `stack_bound.py`; `native_source.py` the text that the native
tier compiles with `toolchain`; both take `prelude.py`. `text_parts.py` divides a long text among compilers; `tables.py`
and `instruction_tables.py` generate the headers in csrc/generated.

Boundary: operations are spelled by their rows and the library's headers; none gets a second meaning here.
"""
