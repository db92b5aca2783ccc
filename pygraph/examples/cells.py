"""The data set of the first two lessons: 569 cells of the Wisconsin Diagnostic Breast Cancer set."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt


def load_cells() -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The cells in file order: (mean area / 1000, 1.0 where malignant else 0.0), both float64 of shape (569,).

    Source and licence are in the head of the file: UCI Machine Learning Repository, CC BY 4.0.
    """
    text = files(__package__).joinpath("data/breast_cancer_wisconsin.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and line[0].isdigit()]
    table = np.array(rows, dtype=np.float64)
    return table[:, 0].copy(), table[:, 1].copy()
