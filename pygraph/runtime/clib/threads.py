"""The default number of worker threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...concurrency import ensure_imported
from ...errors import SignatureError, shown


def set_threads(n: int) -> None:
    """Set the default number of worker threads; results do not depend on it.

    Args:
        n: at least 1. At import it is the number of CPUs that this process may use.

    Raises:
        SignatureError: `n` is not a positive integer.

    Example:
        >>> pg.set_threads(2)
    """
    count = checked_threads(n)
    ensure_imported("pygraph.runtime.clib.context")
    from .context import renew_default_pools  # loads the C library: not at import

    renew_default_pools(count)


def checked_threads(n: Any) -> int:
    """`n` as a positive int; raises SignatureError otherwise."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n < 2**31:
        problem = f"threads must be a positive integer, not {shown(n)}"
        advice = "give 1 to 256 (more do not run), or None for the default"
        raise SignatureError(problem, advice, stage="compiling", subject="threads")
    return int(n)
