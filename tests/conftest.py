"""Settings of the whole test session: where graphs are verified, a cache of its own, the hypothesis profiles."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the benchmarks; last, behind an installed pygraph
if "PYGRAPH_CACHE" not in os.environ:  # the user's own stays as it is
    os.environ["PYGRAPH_CACHE"] = tempfile.mkdtemp(prefix="pygraph-tests-")
    atexit.register(shutil.rmtree, os.environ["PYGRAPH_CACHE"], ignore_errors=True)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: the tests of Ctrl-C need it
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import HealthCheck, settings

#: The rooms in whose tests every stage is verified after every pass, which is a third of the time of all tests. CI's
#: native run has it everywhere, and whoever sets PYGRAPH_CHECK=1.
VERIFIED = frozenset({"autodiff", "fuzz", "graph", "lower", "made_up", "optimize"})
_ASKED = "PYGRAPH_CHECK" in os.environ


@pytest.hookimpl(tryfirst=True)  # before the fixtures
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not _ASKED:
        os.environ["PYGRAPH_CHECK"] = str(int(item.path.parent.name in VERIFIED))


settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
