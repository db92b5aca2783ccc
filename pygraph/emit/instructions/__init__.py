"""One instruction as C text: a file for each kind.

Read `c_loop.py` and `c_reduce.py` (written with `loops`), `c_matmul.py`, `c_call.py`, `c_scalar.py`
with `liveness.py`, and `c_control.py` (what runs bodies). `uses.py` says which slots an instruction reads and writes.

Boundary: each gives a Function and puts none in place; `c_program.py` does.
"""
