"""The memory that loops of a run-time length may take to record their steps for the reverse mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...concurrency import ensure_imported
from ...errors import SignatureError, shown


def set_tape_limit(nbytes: Any) -> None:
    """Set how many bytes of steps a running call may record for the reverse mode of `pg.while_loop`.

    Args:
        nbytes: at least 0; at import it is 2**30. A loop that needs more raises `LimitError`.

    Raises:
        SignatureError: `nbytes` is not an integer of 0 or more.

    Example:
        >>> pg.set_tape_limit(2**30)
    """
    if isinstance(nbytes, bool) or not isinstance(nbytes, (int, np.integer)) or not 0 <= nbytes < 2**62:
        problem = f"a limit is an integer from 0 to 2**62 - 1, in bytes, not {shown(nbytes)}"
        raise SignatureError(problem, "give 2**30 for 1 GiB", stage="configuring", subject="set_tape_limit")
    ensure_imported("pygraph.runtime.clib.library")
    from . import library  # loads the C library: not at import

    library.set_tape_limit(int(nbytes))
