"""Results, new statistics and derivatives of each layer are PyTorch's: as recorded, and computed where it is there."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, computed

RECORDED = np.load(Path(__file__).with_name("torch_layers.npz"))
found_once = functools.cache(lambda name: computed(CASES[name]))


def check(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert np.shape(found[key]) == value.shape, key
        assert np.asarray(found[key]).dtype == value.dtype, key
        np.testing.assert_allclose(found[key], value, rtol=1e-10, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_the_recorded_values(name: str) -> None:
    prefix = f"{name}: "
    expected = {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}
    check(found_once(name), expected)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: the recorded values are compared")
@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_the_values_that_torch_computes(name: str) -> None:
    from torch_layers import reference

    check(found_once(name), reference(name))


def test_each_recorded_value_belongs_to_a_case() -> None:
    assert {key.partition(": ")[0] for key in RECORDED.files} == CASES.keys()
