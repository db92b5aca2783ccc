"""What compiling prints on standard error under PYGRAPH_DEBUG=1..5.

1: one line per graph, and lines of Python loops that would better be a scan; 2: each pass and stage with its time,
"(unchanged)" where it changed nothing; 3: the graph after each pass that changed it, the memory plan and the Program;
4: each rewrite; 5: the same of the bodies of loops and branches, which lower levels leave out.
"""

from __future__ import annotations

import os
import warnings


def asked() -> int:
    """The level that the environment asks for; a text that is none is warned of."""
    text = os.environ.get("PYGRAPH_DEBUG", "")
    if text and not (text.isascii() and text.isdigit()):
        warnings.warn(f"PYGRAPH_DEBUG={text} is not a level; give 0 to 5", RuntimeWarning, stacklevel=2)
        return 0
    return int(text or 0)
