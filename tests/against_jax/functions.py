"""Operations that pygraph and JAX have both, alone or with one other: each written once, against a namespace `m`.

`m` holds NumPy's names, the activations, the control flow and the transformations. The values stay away from kinks and
ties, where a derivative is a matter of taste.
"""

from __future__ import annotations

import numpy as np
from cases import Uniform, add, positive, real, unit

# --- elementwise, one operand

add("negative", lambda m, x: -x, real(3))
add("absolute", lambda m, x: m.abs(x), real(4))
add("sign", lambda m, x: x * m.sign(x), real(4))
add("square", lambda m, x: m.square(x), real(3))
add("reciprocal", lambda m, x: m.reciprocal(x), positive(3))
add("sqrt", lambda m, x: m.sqrt(x), positive(3))
add("cbrt", lambda m, x: m.cbrt(x), real(3))
add("exp", lambda m, x: m.exp(x), real(3))
add("expm1", lambda m, x: m.expm1(x), real(3))
add("exp2", lambda m, x: m.exp2(x), real(3))
add("log", lambda m, x: m.log(x), positive(3))
add("log1p", lambda m, x: m.log1p(x), unit(3))
add("log2", lambda m, x: m.log2(x), positive(3))
add("log10", lambda m, x: m.log10(x), positive(3))
add("sin", lambda m, x: m.sin(x), real(3))
add("cos", lambda m, x: m.cos(x), real(3))
add("tan", lambda m, x: m.tan(x), unit(3))
add("arcsin", lambda m, x: m.arcsin(x), unit(3))
add("arccos", lambda m, x: m.arccos(x), unit(3))
add("arctan", lambda m, x: m.arctan(x), real(3))
add("sinh", lambda m, x: m.sinh(x), real(3))
add("cosh", lambda m, x: m.cosh(x), real(3))
add("tanh", lambda m, x: m.tanh(x), real(3))
add("arcsinh", lambda m, x: m.arcsinh(x), real(3))
add("arccosh", lambda m, x: m.arccosh(x), Uniform((3,), 1.2, 3.0))
add("arctanh", lambda m, x: m.arctanh(x), unit(3))
add("erf", lambda m, x: m.erf(x), real(3))
add("erfc", lambda m, x: m.erfc(x), real(3))
add("gammaln", lambda m, x: m.gammaln(x), positive(3))
add("digamma", lambda m, x: m.digamma(x), positive(3))
add("polygamma", lambda m, x: m.polygamma(1, x), positive(3))
add("floor and ceil", lambda m, x: x * m.floor(x) + m.ceil(x), real(4))
add("round and trunc", lambda m, x: x * m.round(3 * x) + m.rint(x) * m.trunc(x), real(4))

# --- activations

add("sigmoid", lambda m, x: m.sigmoid(3 * x), real(4))
add("relu", lambda m, x: m.relu(x), real(4))
add("softplus", lambda m, x: m.softplus(5 * x), real(4))
add("silu", lambda m, x: m.silu(x), real(4))
add("gelu", lambda m, x: m.gelu(x), real(4))
add("gelu by tanh", lambda m, x: m.gelu(x, approximate="tanh"), real(4))
add("elu", lambda m, x: m.elu(x, 0.7), real(4))
add("leaky_relu", lambda m, x: m.leaky_relu(x, 0.1), real(4))
add("softmax", lambda m, x: m.softmax(x), real(4))
add("softmax by rows", lambda m, x: m.softmax(x, axis=1), real(2, 3))
add("softmax by columns", lambda m, x: m.softmax(x, axis=0), real(2, 3))
add("log_softmax", lambda m, x: m.log_softmax(x, axis=-1), real(2, 3))
add("logsumexp", lambda m, x: m.logsumexp(x), real(4))
add("logsumexp by columns", lambda m, x: m.logsumexp(x, axis=0), real(3, 2))
add("logsumexp of large numbers", lambda m, x: m.logsumexp(x + 1000.0, axis=1, keepdims=True), real(2, 3))

# --- elementwise, two operands and more

add("sum of two", lambda m, x, y: x + 2.0 * y, real(3), real(3))
add("product of two", lambda m, x, y: x * y, real(2, 2), real(2))
add("quotient", lambda m, x, y: x / y, real(3), positive(3))
add("quotient, broadcast both ways", lambda m, x, y: x / y, real(3, 1), positive(2))
add("integer powers", lambda m, x: x**3 - x**2 + x**-1 + 2 * x**0, positive(3))
add("half-integer powers", lambda m, x: x**0.5 + x**-1.5, positive(3))
add("power of two", lambda m, x, y: x**y, positive(3), real(3))
add("power of a number", lambda m, x: 2.5**x, real(3))
add("mod", lambda m, x, y: m.mod(x, y), real(4), positive(4))
add("floor_divide", lambda m, x, y: x * (x // y), real(3), positive(3))
add("maximum", lambda m, x, y: m.maximum(x, y), real(4), real(4))
add("minimum", lambda m, x, y: m.minimum(x, m.sin(y)), real(4), real(4))
add("arctan2", lambda m, x, y: m.arctan2(x, y), real(4), real(4))
add("hypot", lambda m, x, y: m.hypot(x, y), real(3), real(3))
add("logaddexp", lambda m, x, y: m.logaddexp(x, y), real(3), real(3))
add("clip", lambda m, x: m.clip(x, -0.5, 0.5) * x, real(4))
add("clip between arrays", lambda m, x, y: m.clip(x, y - 1.0, y + 0.5), real(4), real(4))
add("where", lambda m, x, y: m.where(x > y, x * y, m.exp(y)), real(4), real(4))
add("where on a mask", lambda m, x: m.where((x > -1.0) & ~(x > 1.0), x**2, -x), real(5))
add("guarded where", lambda m, x: m.where(x > 0.0, m.log(m.where(x > 0.0, x, 1.0)), 0.0), real(4))
add("stop_gradient", lambda m, x: x * m.stop_gradient(m.sin(x)), real(3))

# --- reductions

add("sum", lambda m, x: m.sum(x), real(2, 3))
add("sum by rows", lambda m, x: m.sum(x**2, axis=1), real(2, 3))
add("sum over two axes", lambda m, x: m.sum(m.sin(x), axis=(0, 2)), real(2, 2, 2))
add("sum with kept axes", lambda m, x: x / m.sum(m.exp(x), axis=0, keepdims=True), real(2, 3))
add("mean", lambda m, x: m.mean(x**3), real(2, 3))
add("mean by columns", lambda m, x: (x - m.mean(x, axis=0)) ** 2, real(3, 2))
add("prod", lambda m, x: m.prod(x), real(4))
add("prod with a zero", lambda m, x: m.prod(x), np.array([1.5, 0.0, -2.0]))
add("prod by rows", lambda m, x: m.prod(m.cos(x), axis=1), real(2, 3))
add("var", lambda m, x: m.var(x), real(4))
add("var by columns", lambda m, x: m.var(x, axis=0, ddof=1), real(3, 2))
add("std", lambda m, x: m.std(x, axis=-1), real(2, 3))
add("max", lambda m, x: m.max(x), real(5))
add("max by rows", lambda m, x: m.max(x**2, axis=1, keepdims=True) * x, real(2, 3))
add("min by columns", lambda m, x: m.min(m.sin(x), axis=0), real(3, 2))
add("euclidean norm", lambda m, x: m.sqrt(m.sum(x**2)), real(4))
add("any and all", lambda m, x: m.where(m.any(x > 0.0), x, -x) + m.where(m.all(x > -3.0), x**2, x), real(3))

# --- all elements up to each, differences

add("cumsum", lambda m, x: m.cumsum(x, axis=1), real(2, 4))
add("cumprod", lambda m, x: m.cumprod(x), real(5))
add("cumprod with zeros", lambda m, x: m.cumprod(x), np.array([1.5, 0.0, -2.0, 0.0, 3.0]))
add("diff", lambda m, x: m.diff(x**2, n=2), real(5))
add("gradient of samples", lambda m, x: m.gradient(x**2), real(5))
add("trapezoid", lambda m, x, y: m.trapezoid(x, y), real(5), real(5))

# --- order

add("sort", lambda m, x: m.sort(x, axis=0) * m.sin(x), real(4, 3))
add("median", lambda m, x: m.median(x**3), real(6))
add("median by rows", lambda m, x: m.median(x, axis=1), real(2, 5))
add("quantile", lambda m, x: m.quantile(x, m.array([0.2, 0.7]), axis=0), real(5, 2))
add("percentile", lambda m, x: m.percentile(x, 30.0), real(7))
add("sorted by another", lambda m, x, y: x[m.argsort(y)] ** 2, real(5), real(5))
add("largest by argmax", lambda m, x: x[m.argmax(x)] ** 2, real(5))

# --- arguments of reductions, statistics

add("sum of some", lambda m, x: m.sum(x**2, axis=1, where=np.array([True, False, True])), real(2, 3))
add("mean of some", lambda m, x: m.mean(x**2, where=np.array([True, False, True])), real(2, 3))
add("max with a start", lambda m, x: m.max(x, axis=0, initial=0.25) * x, real(3, 2))
add("var by correction", lambda m, x: m.var(x, axis=0, correction=1), real(4, 2))
add("nansum", lambda m, x: m.nansum(m.where(x > 0.0, np.nan, x) ** 2), real(5))
add("nanmean", lambda m, x: m.nanmean(m.where(x > 1.0, np.nan, x)), real(6))
add("average", lambda m, x, y: m.average(x, weights=y), real(4), positive(4))
add("cov", lambda m, x: m.cov(x), real(2, 5))
add("corrcoef", lambda m, x: m.corrcoef(x), real(2, 5))
add("ptp", lambda m, x: m.ptp(x, axis=1), real(2, 4))

# --- samples

add("interp", lambda m, x, y: m.interp(x, np.array([-2.0, 0.0, 0.5, 2.0]), y), real(5), real(4))
add("convolve", lambda m, x, y: m.convolve(x, y, mode="same"), real(5), real(3))
add("correlate", lambda m, x, y: m.correlate(x, y, mode="valid"), real(5), real(3))
add("polyval", lambda m, x, y: m.polyval(x, y), real(4), real(3))
add("polymul", lambda m, x, y: m.polymul(x, y), real(3), real(4))

# --- shape

add("reshape", lambda m, x: m.reshape(x, (3, 2)) ** 2, real(2, 3))
add("ravel", lambda m, x: m.ravel(m.sin(x)), real(2, 2))
add("transpose", lambda m, x: m.transpose(x) * m.sin(x.T), real(2, 3))
add("transpose of three axes", lambda m, x: m.transpose(x, (2, 0, 1)) ** 2, real(1, 2, 3))
add("moveaxis and swapaxes", lambda m, x: m.swapaxes(m.moveaxis(x, 0, -1), 0, 1) ** 3, real(2, 1, 3))
add("expand_dims and squeeze", lambda m, x: m.squeeze(m.expand_dims(m.exp(x), 1), axis=1), real(3))
add("broadcast_to", lambda m, x: m.broadcast_to(x, (2, 3)) * m.sin(x), real(3))
add("concatenate", lambda m, x, y: m.concatenate([x, m.sin(y), x * x], axis=0), real(2), real(3))
add("concatenate by columns", lambda m, x, y: m.concatenate([x * y[:, :2], y], axis=1), real(2, 2), real(2, 3))
add("stack", lambda m, x, y: m.stack([x * y, m.cos(x), y], axis=1), real(2), real(2))
add("flip", lambda m, x: m.flip(x, axis=0) * x, real(4))
add("full and ones_like", lambda m, x: m.full((3,), 2.0) * x + m.ones_like(x) - m.zeros_like(x), real(3))

# --- indexing and updates

add("an element", lambda m, x: x[1] * x[-1], real(4))
add("a slice", lambda m, x: x[1:] * x[:-1], real(4))
add("a slice with a step", lambda m, x: m.sin(x[::2]) * 2.0, real(5))
add("a slice backwards", lambda m, x: x[::-1] ** 2, real(4))
add("a row and a column", lambda m, x: x[0] * x[:, 1], real(3, 3))
add("newaxis", lambda m, x: x[:, None] * x[None, :], real(3))
add("an ellipsis", lambda m, x: x[..., 0] ** 2, real(2, 2, 2))
add("an array of indices", lambda m, x: x[np.array([2, 0, 2])] ** 2, real(3))
add("two arrays of indices", lambda m, x: m.sin(x[np.array([0, 1]), np.array([1, 2])]), real(2, 3))
add("indices broadcast", lambda m, x: x[np.array([[1], [0]]), np.array([0, 2])] ** 2, real(2, 3))
add("rows by index", lambda m, x: x[np.array([1, 1, 0])] * x[0], real(2, 2))
add("take", lambda m, x: m.take(x**2, np.array([1, 0, 1]), axis=1), real(2, 3))
add("an index that is computed", lambda m, x: x[m.astype(x[0] > 0.0, "int64")] ** 2, real(3))
add("set an element", lambda m, x: (x * x).at[1].set(x[0]), real(3))
add("set a slice", lambda m, x, y: x.at[1:3].set(m.sin(y)) * x, real(4), real(2))
add("set a row", lambda m, x, y: x.at[0].set(y * y), real(2, 3), real(3))
add("set a column to a number", lambda m, x: m.exp(x).at[:, 1].set(2.0), real(2, 3))
add("set by index", lambda m, x, y: x.at[np.array([2, 0])].set(y**2), real(3), real(2))
add("add to an element", lambda m, x: x.at[2].add(x[0] * x[1]), real(3))
add("add to a slice", lambda m, x, y: (x**2).at[::2].add(y * x[1]), real(4), real(2))
add("add by equal indices", lambda m, x, y: x.at[np.array([1, 1, 0])].add(y**2), real(3), real(3))
add("add to a place that is computed", lambda m, x: x.at[m.astype(x[1] > 0.0, "int64")].add(x[2] ** 2), real(3))
add("multiply a slice", lambda m, x, y: (x**2).at[1:].multiply(y * x[0]), real(4), real(3))
add("divide an element", lambda m, x, y: x.at[1].divide(y), real(3), positive())
add("raise a row to a power", lambda m, x, y: x.at[0].power(y), positive(2, 3), real(3))
add("bound a slice from below", lambda m, x, y: x.at[::2].max(y), real(4), real(2))
add("bound by equal indices", lambda m, x, y: x.at[np.array([2, 2, 0])].min(y), real(3), real(3))
add("get by a mode", lambda m, x: x.at[np.array([4, -1, 0])].get(mode="fill", fill_value=2.0) ** 2, real(3))
add("take along an axis", lambda m, x: m.take_along_axis(x**2, np.array([[1], [0]]), axis=1), real(2, 3))

# --- products and linear algebra

add("inner product", lambda m, x, y: x @ y, real(3), real(3))
add("matrix times vector", lambda m, a, x: a @ x, real(2, 3), real(3))
add("vector times matrix", lambda m, x, a: x @ m.sin(a), real(2), real(2, 3))
add("matrix product", lambda m, a, b: m.matmul(a, b), real(2, 3), real(3, 2))
add("product with a transpose", lambda m, a: a.T @ a, real(3, 2))
add("product of three", lambda m, a, b: m.tanh(a @ b) @ a, real(2, 2), real(2, 2))
add("stacked products", lambda m, a, b: a @ b, real(2, 2, 2), real(2, 2, 1))
add("stack times one matrix", lambda m, a, b: a @ b, real(2, 1, 2), real(2, 2))
add("dot", lambda m, a, x: m.dot(a, x), real(2, 2), real(2))
add("quadratic form", lambda m, a, x: x @ a @ x, real(3, 3), real(3))
add("matrix power", lambda m, a: a @ a @ a, real(2, 2))
add("determinant of 2 x 2", lambda m, a: a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0], real(2, 2))
add("trace of a product", lambda m, a, b: m.sum(a * b.T), real(2, 3), real(3, 2))
add("outer product", lambda m, x, y: x[:, None] @ y[None, :], real(2), real(3))
add("cosine of an angle", lambda m, x, y: x @ y / m.sqrt((x @ x) * (y @ y)), real(3), real(3))
add("pairwise distances", lambda m, x: m.sum((x[:, None] - x[None]) ** 2, axis=-1), real(3, 2))
add("Gram matrix of a kernel", lambda m, x: m.exp(-((x[:, None] - x[None, :]) ** 2)), real(3))

# --- linear algebra

EYE = 3.0 * np.eye(3)
SPREAD = np.diag([1.0, 6.0, 12.0])
add("solution of a system", lambda m, a, b: m.linalg.solve(a + EYE, b), unit(3, 3), real(3))
add("solutions of systems", lambda m, a, b: m.linalg.solve(a + EYE, b), unit(2, 3, 3), real(3, 2))
add("inverse", lambda m, a: m.linalg.inv(a + EYE), unit(3, 3))
add("determinant", lambda m, a: m.linalg.det(a), real(4, 4))
add("logarithm of a determinant", lambda m, a: m.linalg.slogdet(a - 3.0 * np.eye(4))[1], unit(4, 4))
add("Cholesky factor", lambda m, a: m.linalg.cholesky(a @ a.T + EYE), real(3, 3))
add("lower triangle solved", lambda m, a, b: m.linalg.solve_triangular(a + EYE, b, lower=True), unit(3, 3), real(3))
add("upper, transposed", lambda m, a, b: m.linalg.solve_triangular(a + EYE, b, trans=1), unit(3, 3), real(3, 2))
add(
    "solution by Cholesky",
    lambda m, a, b: m.linalg.cho_solve((m.linalg.cholesky(a @ a.T + EYE), True), b),
    real(3, 3),
    real(3),
)
add("LU factors", lambda m, a: m.linalg.lu(a + SPREAD)[1:], unit(3, 3))
add("QR factors", lambda m, a: tuple(m.linalg.qr(a + SPREAD[:, :2])), unit(3, 2))
add("QR of a wide matrix", lambda m, a: m.linalg.qr(a + SPREAD[:2])[1], unit(2, 3))
add("eigenvalues", lambda m, a: m.linalg.eigvalsh(a + a.T + SPREAD), unit(3, 3))
add("eigenvectors", lambda m, a: m.linalg.eigh(a + a.T + SPREAD)[1] ** 2, unit(3, 3))
add("singular values", lambda m, a: m.linalg.svd(a + SPREAD[:, :2], compute_uv=False), unit(3, 2))
add("singular vectors", lambda m, a: m.linalg.svd(a + SPREAD, full_matrices=False)[0] ** 2, unit(3, 3))
add("pseudoinverse", lambda m, a: m.linalg.pinv(a + SPREAD[:, :2]), unit(3, 2))
add("matrix exponential", lambda m, a: m.linalg.expm(a), unit(2, 2))
add("norms of rows", lambda m, a: m.linalg.norm(a, axis=1), real(2, 3))
add("norm of order 3", lambda m, x: m.linalg.norm(x, 3), real(3))
add("nuclear norm", lambda m, a: m.linalg.norm(a + SPREAD, "nuc"), unit(3, 3))
add("spectral norm", lambda m, a: m.linalg.norm(a + SPREAD, 2), unit(3, 3))
add("power of a matrix", lambda m, a: m.linalg.matrix_power(a, 5), unit(2, 2))
add("negative power of a matrix", lambda m, a: m.linalg.matrix_power(a + 3.0 * np.eye(2), -2), unit(2, 2))
add("product in the best order", lambda m, a, b, x: m.linalg.multi_dot([a, b, x]), real(2, 3), real(3, 2), real(2))

# --- convolutions and pooling

add("conv", lambda m, x, k: m.conv(x, k, (1, 1)), real(1, 3, 3, 2), real(2, 2, 2, 2))
add("conv, strided and padded", lambda m, x, k: m.conv(x, k, (2, 1), "SAME"), real(1, 3, 4, 1), real(3, 2, 1, 2))
add(
    "conv in groups, dilated",
    lambda m, x, k: m.conv(x, k, (2,), ((1, 2),), (3,), (2,), 2),
    real(1, 4, 4),
    real(2, 2, 4),
)
add("conv_transpose", lambda m, x, k: m.conv_transpose(x, k, (2,), "SAME"), real(2, 3, 2), real(3, 2, 1))
add("conv_transpose, valid", lambda m, x, k: m.conv_transpose(x, k, (3,), "VALID"), real(1, 2, 2), real(2, 2, 2))
add("max_pool", lambda m, x: m.max_pool(x, (2, 2), (1, 2), "SAME"), real(1, 3, 3, 2))
add("avg_pool", lambda m, x: m.avg_pool(x, (2,), (1,), "SAME"), real(1, 4, 2))
