"""NumPy's functions as compositions of rows; a module is imported when one of its functions is first used.

`FUNCTIONS` is the only list of their names: a function is here `pg.name`, `np.name` of an expression where NumPy has
it, and a method where `np.ndarray` has it. Parameters have NumPy's names and order. Read `arranging.py` as an example.

Boundary: rows, and what they share (`common.py`); rows themselves are in the modules above, since importing numbers
them. What NumPy has in a namespace of its own is in a package of that name (`linalg`).
"""

from __future__ import annotations

from ..later import Later

FUNCTIONS = Later(
    __name__,
    {
        "along_axis": "ix_ put_along_axis take_along_axis",
        "convolution": "conv conv_transpose",
        "cumulative": "cummax cummin cumprod cumsum cumulative_prod cumulative_sum logcumsumexp nancumprod nancumsum",
        "arranging": (
            "broadcast_arrays fliplr flipud matrix_transpose ravel_multi_index repeat resize roll rollaxis rot90 tile "
            "unravel_index"
        ),
        "contractions": "cross inner kron matvec outer tensordot vdot vecdot vecmat",
        "einsum": "einsum",
        "joining": ("append atleast_1d atleast_2d atleast_3d block column_stack delete dstack hstack insert vstack"),
        "padding": "pad",
        "pooling": "avg_pool global_avg_pool global_max_pool max_pool",
        "splitting": "array_split dsplit hsplit split unstack vsplit",
        "differences": "diff ediff1d gradient trapezoid",
        "histograms": "bincount histogram histogram_bin_edges",
        "order_statistics": "median nanmedian nanpercentile nanquantile percentile quantile",
        "interpolation": "interp",
        "nan_forms": "nanmax nanmean nanmin nanprod nanstd nansum nanvar",
        "ordering": (
            "argmax argmin argpartition argsort digitize lexsort nanargmax nanargmin partition searchsorted sort"
        ),
        "fitting": "polyfit",
        "polynomials": "convolve correlate poly polyadd polyder polydiv polyint polymul polysub polyval",
        "segment_functions": "segment_max segment_min segment_prod segment_sum",
        "summaries": "average corrcoef count_nonzero cov ptp trace",
        "quotients": "divmod lcm",
        "floating_parts": "fix frexp isneginf isposinf ldexp modf nan_to_num signbit spacing",
        "complex_parts": "angle conj conjugate imag iscomplex isreal positive real real_if_close",
        "choices": "choose fmax fmin heaviside piecewise select",
        "closeness": "allclose array_equal array_equiv isclose",
        "membership": "diag_indices_from isin tril_indices_from triu_indices_from",
        "angles": "deg2rad degrees rad2deg radians sinc unwrap",
        "exponentials": "cosm1 exp10 float_power logaddexp2",
        "gamma_functions": "beta binom comb factorial loggamma multigammaln psi",
        "losses": "boxcox exprel huber pseudo_huber",
        "normal_functions": "expit log_expit logit ndtr ndtri",
    },
)
