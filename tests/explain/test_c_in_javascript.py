"""Functions of the C library in JavaScript: in a headless Chromium they compute what the rows' references compute."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from explain.chromium import Chromium, chromium

from pygraph.explain.page.c_functions import definitions, name_of
from pygraph.explain.page.c_translation import javascript
from pygraph.ops.row import TABLE

__all__ = ["chromium"]  # the fixture

FLOAT = np.dtype("float64")
ARITHMETIC = Path(definitions.__code__.co_filename).parent / "script" / "arithmetic.js"
ROWS = [x for x in TABLE.values() if x.pointwise and x.c is not None and not x.casts and "f" in x.kinds and not x.attrs]
#: Rows whose C function has what is not translated: arithmetic of pointers, and keys of random numbers.
LEFT_OUT = {"log_gamma_draw", "poisson_draw", "gammainc", "gammaincc", "beta_density", "betainc", "betaincc", "stdtr"}
FEW = ("erf", "gelu", "softplus", "gammaln", "floor_divide", "round", "maximum")


@pytest.mark.parametrize(
    "name", [x.name if x.name in FEW else pytest.param(x.name, marks=pytest.mark.deep) for x in ROWS]
)
def test_rows_are_what_their_references_are(chromium: Chromium, name: str) -> None:
    row = TABLE[name]
    template = javascript(row, FLOAT, FLOAT)
    assert (template is None) == (name in LEFT_OUT)
    if template is None:
        return
    random = np.random.default_rng(0)
    columns = [np.append(random.uniform(*interval[:2], 50), 0.5 * sum(interval[:2])) for interval in row.domain]
    text = chromium.run(
        f"(() => {{{ARITHMETIC.read_text(encoding='utf-8')}{definitions(template)}\n"
        f"const columns = {json.dumps([list(x) for x in columns])};"
        "return columns[0].map((_, i) => { const [a, b, c] = columns.map((x) => x[i]); "
        f"return String(Number({template})); }}); }})()"
    )
    with np.errstate(all="ignore"):
        expected = np.asarray(row.computed(*columns), FLOAT)
    np.testing.assert_allclose([float(x) for x in text], expected, rtol=2e-12, atol=1e-15)


def test_what_is_translated() -> None:
    assert name_of("exp") == "Math.exp"
    assert name_of("erf") == "pg_erf_f64"
    assert name_of("gammainc") is None  # it goes through a table by a pointer
    assert name_of("nothing") is None
    text = definitions("v[1]=pg_erf_f64(v[0]);")
    assert text.count("function pg_erf_f64(x)") == 1
    assert "pg_gelu_f64" not in text
