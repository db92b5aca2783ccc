"""The data set of `digits.py`: 1,797 handwritten digits, as images of 8 × 8 pixels."""

from __future__ import annotations

import gzip
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt


def load_digits() -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The images, float64 of shape (1797, 8, 8) from 0 (paper) to 1 (ink), and the digits, int64 of shape (1797,).

    Source and licence are in the head of the file: UCI Machine Learning Repository, CC BY 4.0.
    """
    packed = files(__package__).joinpath("data/handwritten_digits.csv.gz").read_bytes()
    lines = gzip.decompress(packed).decode("ascii").splitlines()
    table = np.array([line.split(",") for line in lines if line[0].isdigit()], dtype=np.int64)
    return table[:, 1:].reshape(-1, 8, 8) / 16.0, table[:, 0].copy()


Split = tuple[npt.NDArray[Any], npt.NDArray[Any]]


def training_and_test() -> tuple[Split, Split]:
    """The digits to learn from, and every fifth one, to test with: 1,437 and 360 pairs of image and digit."""
    images, digits = load_digits()
    held_out = np.arange(len(digits)) % 5 == 0
    return (images[~held_out], digits[~held_out]), (images[held_out], digits[held_out])
