"""Program → numbers: the only package that touches the C library.

Read in the order of a call, from above: `functions` (a function, traced once per signature), `compile` (a Graph made a
loaded Program), `call` (Executable, and how its arguments reach C), `native` (which Programs get native code, and
when), `clib` (the C library). Each imports only those after it.

Boundary: no graph is rewritten here, and no other package of pygraph imports `_core`.
"""
