"""Products with SciPy's sparse arrays against SciPy and the dense product; derivatives, batches, dtypes, formats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import pygraph as pg

RNG = np.random.default_rng(0)
DENSE = RNG.normal(size=(4, 3)) * (RNG.random((4, 3)) < 0.5)
FORMATS = [
    kind for form in ("csr", "csc", "coo", "dia", "bsr", "lil", "dok") for kind in (f"{form}_array", f"{form}_matrix")
]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_on_both_sides(kind: str) -> None:
    A = getattr(scipy.sparse, kind)(DENSE)
    right, left = RNG.normal(size=3), RNG.normal(size=4)
    got = pg.compile(lambda x, y: (A @ x, y @ A))(right, left)
    np.testing.assert_allclose(got[0], DENSE @ right, rtol=1e-13)
    np.testing.assert_allclose(got[1], left @ DENSE, rtol=1e-13)


@pytest.mark.parametrize("shape", [(), (2,), (0,), (5, 2)])
def test_leading_axes_batches_and_derivatives(shape: tuple[int, ...]) -> None:
    A = scipy.sparse.csr_array(DENSE)
    x, y = RNG.normal(size=(*shape, 3, 2)), RNG.normal(size=(*shape, 2, 4))
    got = pg.compile(lambda x, y: (np.matmul(A, x), y @ A))(x, y)
    np.testing.assert_allclose(got[0], DENSE @ x, rtol=1e-14)
    np.testing.assert_allclose(got[1], y @ DENSE, rtol=1e-14)
    if shape:
        np.testing.assert_array_equal(pg.vmap(lambda x: A @ x)(x), got[0])
    if 0 not in shape and len(shape) < 2:
        pg.check_grads(lambda x, y: (A @ np.sin(x), y**2 @ A), (x, y))


def test_jacobians_are_the_matrix() -> None:
    A = scipy.sparse.csr_array(DENSE)
    for jacobian in (pg.jacfwd, pg.jacrev):
        np.testing.assert_array_equal(jacobian(lambda x: A @ x)(np.ones(3)), DENSE)
    np.testing.assert_array_equal(pg.jacobian(lambda x: A @ x, sparse=True)(np.ones(3)).toarray(), DENSE)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "bool"])
@pytest.mark.parametrize("other", ["float64", "float32", "int64", "int32"])
def test_dtypes_are_numpys(dtype: str, other: str) -> None:
    A = scipy.sparse.csr_array((DENSE != 0).astype(dtype))
    x = np.arange(3).astype(other)
    got = pg.compile(lambda x: A @ x)(x)
    assert got.dtype == np.result_type(dtype, other)
    np.testing.assert_array_equal(got, A.toarray().astype("float64") @ x)


def test_edges() -> None:
    empty = scipy.sparse.csr_array((2, 3))
    twice = scipy.sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(1, 2))
    unsorted = scipy.sparse.csr_array((np.array([1.0, 2.0]), np.array([2, 0]), np.array([0, 2])), shape=(1, 3))
    assert pg.compile(lambda x: empty @ x)(np.ones(3)).tolist() == [0.0, 0.0]
    assert pg.compile(lambda x: twice @ x)(np.array([5.0, 7.0])).tolist() == [21.0]
    assert pg.compile(lambda x: unsorted @ x)(np.array([1.0, 2.0, 3.0])).tolist() == [5.0]
    assert pg.matmul(twice.tocsr(), np.array([5.0, 7.0])).tolist() == [21.0]
    assert pg.compile(lambda x: twice.tocsr().dot(x))(np.array([5.0, 7.0])).tolist() == [21.0]


def test_what_does_not_fit() -> None:
    A = scipy.sparse.csr_array(DENSE)

    def said(f: Any, x: Any) -> str:
        with pytest.raises(pg.GraphError) as caught:
            pg.compile(f)(x)
        return str(caught.value)

    assert "matmul: operands of shapes (4, 3) and (4,) differ in the axis that is summed: 3 and 4" in said(
        lambda x: A @ x, np.ones(4)
    )
    assert "operands of shapes (3,) and (4, 3)" in said(lambda x: x @ A, np.ones(3))
    assert "A.astype('int64')" in said(lambda x: (A != 0) @ x, np.ones(3, bool))
