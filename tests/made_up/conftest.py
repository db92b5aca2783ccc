"""The copy of the project with what is made up, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import instruction_texts
import kernel_texts
import pytest
from project_copy import Copy


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The sources, with two kernels and an instruction added."""
    made = Copy(tmp_path_factory.mktemp("project"))
    kernel_texts.add(made)
    instruction_texts.add(made)
    return made


@pytest.fixture(scope="session")
def installed(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which they are installed."""
    return copy.installed(tmp_path_factory.mktemp("installed"))
