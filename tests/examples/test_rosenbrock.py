"""The sparse Hessian of the Rosenbrock function, entry by entry, and the Newton steps made with it."""

from __future__ import annotations

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import rosenbrock


def test_every_entry_of_the_hessian() -> None:
    x = rosenbrock.start()
    matrix = rosenbrock.hessian(x)
    assert matrix.shape == (1000, 1000)
    assert matrix.nnz == 2998
    main, beside = np.zeros(1000), -400.0 * x[:-1]
    main[:-1] += 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    main[1:] += 200.0
    np.testing.assert_allclose(matrix.diagonal(), main, rtol=1e-12)
    np.testing.assert_allclose(matrix.diagonal(1), beside, rtol=1e-12)
    np.testing.assert_array_equal(matrix.diagonal(-1), matrix.diagonal(1))


def test_it_equals_the_dense_hessian() -> None:
    x = rosenbrock.start()[:40]
    np.testing.assert_allclose(
        rosenbrock.hessian(x).toarray(), pg.hessian(rosenbrock.rosenbrock)(x), rtol=1e-12, atol=1e-12
    )


def test_three_tangents_are_enough() -> None:
    coloured = pg.sparse_hessian(rosenbrock.rosenbrock, mode="coloured")
    stats = coloured.plan(rosenbrock.start()).stats
    assert (stats["colouring"], stats["tangents"], stats["cotangents"]) == ("star", 3, 0)
    assert rosenbrock.hessian.plan(rosenbrock.start()).stats["colouring"] == "local"


def test_a_newton_step_solves_the_dense_system() -> None:
    x = rosenbrock.start()
    gradient = pg.grad(rosenbrock.rosenbrock)(x)
    expected = np.linalg.solve(rosenbrock.hessian(x).toarray(), -gradient)
    np.testing.assert_allclose(rosenbrock.newton_step(x), expected, rtol=1e-9, atol=1e-12)


def test_newton_reaches_the_minimum() -> None:
    iterates = rosenbrock.minimise(rosenbrock.start())
    assert len(iterates) <= 15
    np.testing.assert_allclose(iterates[-1].x, 1.0, atol=1e-10)
    assert iterates[-1].value < 1e-18


def test_it_says_when_it_has_not_converged() -> None:
    with pytest.raises(RuntimeError, match="has not converged after 2 steps"):
        rosenbrock.minimise(rosenbrock.start(), most=2)


def test_without_scipy_it_says_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosenbrock, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"^This example needs SciPy, .*: pip install 'pygraph-ad\[sparse\]'$"):
        rosenbrock.main()
