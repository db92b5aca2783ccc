"""The sweep of pendulums: by processes of joblib and Dask, with the bits of this one."""

from __future__ import annotations

import numpy as np
import pytest

from pygraph.examples import parallel_sweep


@pytest.mark.deep  # it starts processes that import all of this
@pytest.mark.parametrize("name", parallel_sweep.WAYS)
def test_processes_give_the_bits_of_this_one(name: str) -> None:
    pytest.importorskip(name)
    run, states = parallel_sweep.executable(), parallel_sweep.starts(np.array([0.5, 1.0, 3.0]))
    found = parallel_sweep.WAYS[name](run, states)
    assert len(found) == 3
    for mine, state in zip(found, states, strict=True):
        for there, here in zip(mine, run(state), strict=True):
            np.testing.assert_array_equal(there, here)
