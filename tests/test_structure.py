"""The structure of the package, read from its files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pygraph

PACKAGE = Path(pygraph.__file__).parent


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.stem for path in PACKAGE.rglob("*.py") if path.stem not in ("__init__", "__main__"))
    assert [name for name, count in names.items() if count > 1] == []
