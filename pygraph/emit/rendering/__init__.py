"""C text of what all instructions are made of: values, places in memory, names, comments and functions.

Read `expressions.py` (operations and constants), `frames.py` (where values are), `combiners.py` (what reductions
combine with), `function.py` and `text.py` (functions), `names.py`, `comments.py`, and `headers.py` (the library's own
headers, of which the text takes what it names).

Boundary: nothing here knows an instruction's work.
"""
