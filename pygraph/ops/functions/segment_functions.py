"""What the parts of an array that belong together amount to: segment_sum, segment_prod, segment_max, segment_min."""

from __future__ import annotations

from math import prod
from typing import Any

from ...errors import ShapeError, UnsupportedError
from ..common import explained, is_expression, kind, operand, static_shape
from ..comparison import astype
from ..dtypes import int64
from ..indexing import as_index
from ..row import Op
from ..segments import segment_max_row, segment_min_row, segment_prod_row, segment_sum_row
from ..shaping import reshape


def _segmented(row: Op, data: Any, segment_ids: Any, num_segments: int | None) -> Any:
    data, numbers = operand(data), as_index(segment_ids)
    if numbers.ndim != 1 or data.shape[:1] != numbers.shape:
        problem = f"segment_ids of shape {numbers.shape} for data of shape {data.shape}"
        raise ShapeError(problem, "give a vector with a number for each element along axis 0")
    if num_segments is None:
        if is_expression(numbers):
            problem = "the number of segments depends on values"
            raise UnsupportedError(problem, "give num_segments=n")
        num_segments = int(numbers.max(initial=-1)) + 1
    (count,) = static_shape(num_segments)
    rest = data.shape[1:]
    found = row(reshape(data, (data.shape[0], prod(rest))), numbers, segments=count)
    return reshape(found, (count, *rest))


def _summable(data: Any) -> Any:
    data = operand(data)
    return astype(data, int64) if kind(data) == "b" else data


@explained
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The sums of the elements of `data` along axis 0 with equal `segment_ids`, added in their order; as in JAX.

    Args:
        data: an array of at least one axis; bools are counted.
        segment_ids: a vector of ints, one for each element along axis 0; those from 0 to `num_segments` - 1 count.
        num_segments: the size of axis 0 of the result; may be left out where `segment_ids` are known.

    Raises:
        ShapeError: another number of `segment_ids`; UnsupportedError: an unknown number of segments.

    Example:
        >>> pg.segment_sum(np.array([1.0, 2.0, 4.0]), [0, 2, 0], 3)
        array([5., 0., 2.])
    """
    return _segmented(segment_sum_row, _summable(data), segment_ids, num_segments)


@explained
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The products of the elements with equal `segment_ids`, 1 where there are none; see `segment_sum`.

    The gradient is exact where elements are zero, to any order; where some are inf or nan, it may be nan for others.

    Raises:
        ShapeError, UnsupportedError: as `segment_sum`.

    Example:
        >>> pg.segment_prod(np.array([3.0, 2.0, 4.0]), [0, 2, 0], 3)
        array([12.,  1.,  2.])
    """
    return _segmented(segment_prod_row, _summable(data), segment_ids, num_segments)


@explained
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The largest of the elements with equal `segment_ids`, the lowest value of the dtype where there are none.

    Elements that tie for it share its gradient equally. See `segment_sum`.

    Raises:
        ShapeError, UnsupportedError: as `segment_sum`.

    Example:
        >>> pg.segment_max(np.array([3.0, 2.0, 4.0]), [0, 1, 0])
        array([4., 2.])
    """
    return _segmented(segment_max_row, data, segment_ids, num_segments)


@explained
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None) -> Any:
    """The smallest of the elements with equal `segment_ids`, the highest value of the dtype where there are none.

    Elements that tie for it share its gradient equally. See `segment_sum`.

    Raises:
        ShapeError, UnsupportedError: as `segment_sum`.

    Example:
        >>> pg.segment_min(np.array([3.0, 2.0, 4.0]), [0, 1, 0])
        array([3., 2.])
    """
    return _segmented(segment_min_row, data, segment_ids, num_segments)
