"""Calls of functions that describe many numbers by few: medians, quantiles, counts, and arguments of reductions."""

CALLS = """
np.median(x)
np.median(A)
np.median(A, 0)
np.median(T, axis=(0, 2))
np.median(T, axis=-1, keepdims=True)
np.median(A, keepdims=True)
np.median(e)  # kinks
np.median(c)
np.median(o)
np.median(E, axis=1)
np.median(np.where(x > 1, np.nan, x))  # kinks
np.nanmedian(np.where(A > 1, np.nan, A))
np.nanmedian(np.where(A > 1, np.nan, A), axis=1)  # kinks
np.nanmedian(A, axis=0, keepdims=True)
np.nanmedian(x)
np.quantile(x, 0.3)
np.quantile(x, [0.0, 0.25, 1.0])
np.quantile(A, 0.7, axis=1)
np.quantile(A, [[0.1, 0.5], [0.9, 1.0]], axis=0)
np.quantile(T, [0.2, 0.4], axis=(0, -1), keepdims=True)
np.quantile(x, np.array(0.4))
np.quantile(x, 0.3, method="lower")
np.quantile(x, 0.3, method="higher")
np.quantile(x, [0.3, 0.6], method="midpoint")
np.quantile(A, [0.1, 0.77], axis=1, method="nearest")
np.quantile(x, 0.3, method="weibull")
np.quantile(x, [0.01, 0.3, 0.99], method="hazen")
np.quantile(A, 0.35, axis=0, method="median_unbiased")
np.quantile(x, 0.3, method="normal_unbiased")
np.quantile(x, 0.3, method="interpolated_inverted_cdf")
np.quantile(x, 1.5)
np.quantile(x, -0.5)
np.quantile(np.where(x > 1, np.nan, x), 0.5)  # kinks
np.quantile(c, 0.5)
np.percentile(x, 30)
np.percentile(A, [10, 90], axis=1)
np.percentile(A, 50.0, axis=0, keepdims=True)
np.nanquantile(np.where(A > 1, np.nan, A), 0.3)
np.nanquantile(np.where(A > 2, np.nan, A), [0.3, 0.6], axis=0)  # kinks
np.nanpercentile(np.where(A > 1, np.nan, A), [30, 60])
np.nanpercentile(x, 20)
np.bincount([2, 0, 2])
np.bincount([2, 0, 2], minlength=5)
np.bincount([2, 0, 2], weights=x[:3])
pg.bincount(np.abs(x), length=7)
= np.bincount(np.abs(x), minlength=7)
pg.bincount(k, y[:3], length=4)
= np.bincount(k, y[:3], minlength=4)
np.histogram(x)
np.histogram(A, bins=4)
np.histogram(A, bins=3, range=(-2, 2))
np.histogram(A, bins=[-2.0, 0.0, 0.5, 3.0])
np.histogram(A, bins=[-2, 0, 1, 3], density=True)
np.histogram(x, bins=5, weights=y)  # kinks, refused in bool
np.histogram(x, bins=[-2.0, 0.0, 1.0], weights=y)  # refused in bool
np.histogram(x, bins=3, density=True)
np.histogram(x, bins=[2.0, 0.0])
np.histogram(x, bins=0)
np.histogram(x * 0, bins=2)
np.histogram(e, bins=2)
np.histogram_bin_edges(x, 4)
np.histogram_bin_edges(x, 4, (0, 1))
np.sum(x, dtype=np.float32)  # kinks
np.sum(A, axis=0, dtype=np.int32)  # kinks
np.sum(A, axis=0, dtype=bool)  # kinks
np.sum(A, initial=2)
np.sum(A, axis=1, where=M)
np.sum(A, where=[True, False, True, True], initial=1.5)
np.sum(e, initial=3)
A.sum(0, np.float32)  # kinks
A.sum(axis=1, where=M, keepdims=True)
np.prod(A, axis=1, where=M)
np.prod(x, dtype=np.int32)  # kinks
np.prod(x, initial=2)
A.prod(0, initial=3)
np.mean(A, where=M)
np.mean(A, axis=0, where=M, keepdims=True)
np.mean(x, dtype=np.float32)  # kinks
np.mean(x, dtype=np.int64)  # kinks
A.mean(1, where=M)
np.mean(A, where=False)  # kinks
np.var(A, axis=1, correction=1)
np.var(A, axis=0, ddof=1)
np.var(A, axis=0, ddof=1, correction=1)
np.var(A, where=M)
np.var(A, axis=1, where=M, ddof=1)  # kinks
np.var(A, axis=0, mean=np.mean(A, axis=0, keepdims=True))
np.var(x, dtype=np.float32)  # kinks
np.std(A, axis=1, where=M, keepdims=True)  # kinks
np.std(x, correction=1)
A.var(ddof=1)
A.std(axis=1, correction=1)
np.var(x, ddof=7)  # kinks
np.max(A, axis=0, initial=0)
np.max(A, initial=9, where=M)
np.max(A, axis=1, initial=-9, where=M)
np.max(A, where=M)
np.max(e, initial=-1)
A.max(0, initial=1)
np.min(A, axis=0, initial=0)
np.min(A, axis=1, initial=2, where=M)
A.min(initial=0)
np.any(A > 0, axis=1, where=M)
np.all(A > 0, axis=0, where=M)
(A > 0).all(where=M)
np.add.reduce(A, dtype=np.float32)  # kinks
np.add.reduce(A, 1, where=M, initial=2)
np.multiply.reduce(A, axis=None, initial=2)
np.maximum.reduce(A, initial=0)
np.minimum.reduce(A, axis=1, initial=1, where=M, keepdims=True)
np.logical_and.reduce(A, axis=1, where=M)
np.nansum(np.where(A > 1, np.nan, A), axis=0)
np.nansum(np.where(A > 1, np.nan, A), 1, np.float32)  # kinks
np.nansum(x)
np.nansum(np.where(A > 1, np.nan, A), where=M, initial=1)
np.nanprod(np.where(A > 1, np.nan, A), axis=1)
np.nanprod(x, dtype=np.int32)  # kinks
np.nanmean(np.where(A > 1, np.nan, A), axis=1, keepdims=True)  # kinks
np.nanmean(np.where(A > 1, np.nan, A), where=M)
np.nanmean(x)
np.nanvar(np.where(A > 1, np.nan, A))
np.nanvar(np.where(A > 1, np.nan, A), axis=0, ddof=1)  # kinks
np.nanstd(np.where(A > 1, np.nan, A), correction=1)
np.nanstd(x)
np.nanmax(np.where(A > 1, np.nan, A))
np.nanmax(np.where(A > 1, np.nan, A), axis=0)  # kinks
np.nanmax(x, initial=2)
np.nanmin(np.where(A > 1, np.nan, A), axis=1, keepdims=True)  # kinks
np.nanmin(x)
np.nanmin(e)
np.cov(A)
np.cov(A, rowvar=False)
np.cov(x)
np.cov(x, y)
np.cov(A, bias=True)
np.cov(A, ddof=0)
np.cov(A, A[:1] * 2)
np.cov(A, fweights=[1, 2, 3, 1])
np.cov(A, aweights=[0.5, 1.0, 2.0, 1.0])
np.cov(A, fweights=[1, 2, 3, 1], aweights=[0.5, 1.0, 2.0, 1.0], ddof=2)
np.corrcoef(A)
np.corrcoef(x, y)
np.corrcoef(A, rowvar=False)
np.corrcoef(x)
"""
