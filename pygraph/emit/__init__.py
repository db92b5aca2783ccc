"""C text from the rows and from Programs: exported files, and what the native tier compiles.

Read `c_program.py` (a Program as C functions); below it, each importing from those before it, `rendering` (values,
places and functions as text), `loops` (nested loops) and `instructions` (one file for each kind). `export.py` makes the
portable file, with `workspace.py`, `native_source.py` the text that the native tier compiles with `toolchain`, both
with `prelude.py`; `text_parts.py` divides a long text among compilers; `tables.py` and `instruction_tables.py` generate
the headers in csrc/generated.

Boundary: operations are spelled by their rows and the library's headers; none gets a second meaning here.
"""
