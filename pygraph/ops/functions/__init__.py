"""NumPy's functions as compositions of rows; a module is imported when one of its functions is first used.

`FUNCTIONS` is the only list of their names: a function is here `pg.name`, `np.name` of an expression where NumPy has
it, and a method where `np.ndarray` has it. Parameters have NumPy's names and order. Read `arranging.py` as an example.

Boundary: rows, and what they share (`common.py`); rows themselves are in the modules above, since importing numbers
them. What NumPy has in a namespace of its own is in a package of that name (`linalg`).
"""

from __future__ import annotations

from ..later import Later

FUNCTIONS = Later(
    __name__,
    {
        "arranging": "fliplr flipud roll rot90 tile",
        "cumulative": "cummax cummin cumprod cumsum cumulative_prod cumulative_sum logcumsumexp nancumprod nancumsum",
    },
)
