"""The regression by L-BFGS arrives at the least squares that linear algebra gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pygraph.examples import diabetes


@pytest.mark.deep  # for the import of scikit-learn
def test_the_weights_are_those_of_least_squares() -> None:
    pytest.importorskip("sklearn")
    params, history = diabetes.train()
    np.testing.assert_allclose(np.append(params["w"], params["b"]), diabetes.least_squares(), rtol=0, atol=1e-7)
    (x, y), (unseen, progression) = diabetes.load_patients()
    assert (x.shape, unseen.shape) == ((353, 10), (89, 10))
    np.testing.assert_allclose([x.mean(axis=0), x.var(axis=0)], [np.zeros(10), np.ones(10)], rtol=1e-12, atol=1e-12)
    residual = progression - unseen @ params["w"] - params["b"]
    r2 = 1.0 - np.sum(residual**2) / np.sum((progression - progression.mean()) ** 2)
    assert history["validation_r2"][-1] == pytest.approx(r2, rel=1e-12)
    assert r2 == pytest.approx(0.519039, abs=1e-5)
    assert history["loss"][0] == pytest.approx(np.mean(y**2), rel=1e-13)


@pytest.mark.deep
def test_the_report_and_the_plot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    diabetes.main(str(tmp_path / "diabetes.png"))
    assert "353 patients to learn from, 89 to test with" in capsys.readouterr().out
    assert (tmp_path / "diabetes.png").read_bytes().startswith(b"\x89PNG")
