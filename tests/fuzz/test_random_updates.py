"""Random loops that update what they carry: C against the reference in all segments, and what both modes say."""

from __future__ import annotations

import pytest
from fuzz.test_random_graphs import check_derivatives, check_values, listed
from fuzz.updates import grow_updates

from pygraph.lower import lower
from pygraph.lower.decode import decode
from pygraph.optimize import optimize


def check(seeds: range) -> int:
    """Compare each; returns how many arrays are updated in place."""
    found = 0
    for seed in seeds:
        sample = grow_updates(seed)
        with listed(sample):
            check_values(sample, seed)
            check_derivatives(sample, seed)
            found += sum(len(body.shares) for body in decode(lower(optimize(sample.graph))))
    return found


def test_random_updates() -> None:
    assert check(range(8)) >= 4


@pytest.mark.deep
def test_many_random_updates() -> None:
    assert check(range(8, 600)) >= 300
