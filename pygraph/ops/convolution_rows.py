"""The rows of convolutions: over three axes, channels last, and the derivative by the filter.

Along an axis tap t of output o reads the input at (o stride + t dilation - low) / expansion, where that is one of its
places, and zero elsewhere. Seen from the input this is a convolution of the outputs again, with stride and expansion
exchanged, and dilation and low of the opposite sign; so the two rows are each other's derivatives.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from math import gcd, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from .expr import Expr
from .gufunc_signature import Bound
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .reductions import reduce_sum
from .row import Attrs, DType, Family, Op, Shape, register
from .shaping import broadcast_to_row, reshape_row, transpose_row

__all__: list[str] = []

Array = npt.NDArray[Any]
AXES = "dhw"
#: The parameters of an axis, in C's order: of each all three axes.
PARAMETERS = tuple(f"{what}_{axis}" for what in ("stride", "dilation", "low", "expansion") for axis in AXES)
OUTPUTS = tuple(f"out_{axis}" for axis in AXES)
TAPS = tuple(f"taps_{axis}" for axis in AXES)
#: The largest parameter or size of an axis.
LIMIT = 1 << 30
#: Operations from which on the derivative by a filter is cut into as many parts as tasks can share.
SHARED, PARTS = 1_000_000, 8


def axes_attrs(
    stride: Sequence[int], dilation: Sequence[int], low: Sequence[int], expansion: Sequence[int], **sizes: int
) -> dict[str, int]:
    """The attributes of a row, from the parameters of its three axes."""
    return dict(zip(PARAMETERS, (*stride, *dilation, *low, *expansion), strict=True)) | sizes


def _by_axis(attrs: Attrs) -> tuple[tuple[int, ...], ...]:
    """Strides, dilations, paddings before, and expansions."""
    values = [attrs[name] for name in PARAMETERS]
    return tuple(tuple(values[at : at + 3]) for at in range(0, 12, 3))


class _Convolution(Kernel):
    """A kernel of the two rows, which refuses what its numbers can't be."""

    def bind(self, shapes: Sequence[Shape], attrs: Attrs) -> Bound:
        bound = super().bind(shapes, attrs)
        sizes = dict(zip(self.parsed.names, bound.sizes, strict=True))
        channels, group, features = sizes["c"], sizes["i"], sizes["o"]
        if (channels % group if group else channels) or features % (channels // group if group and channels else 1):
            raise ShapeError(
                f"{channels} channels can't be in groups of {group} with {features} features",
                "the filter has channels / groups channels, and a number of features that the groups divide",
            )
        stride, dilation, low, expansion = _by_axis(attrs)
        if min(*stride, *expansion) < 1:
            raise ShapeError(f"strides {stride} and expansions {expansion}", "give 1 or more")
        if max(map(abs, (*stride, *dilation, *low, *expansion, *bound.sizes))) > LIMIT:
            raise ShapeError("a size, a stride, a dilation or a padding of more than 2**30", "give smaller ones")
        return bound


def _places(attrs: Attrs, inputs: Shape, taps: Shape, outputs: Shape) -> list[tuple[npt.NDArray[np.int64], Array]]:
    """For each axis where each tap of each output reads, and whether there is anything."""
    found = []
    for at, (n, k, m) in enumerate(zip(inputs, taps, outputs, strict=True)):
        stride, dilation, low, expansion = (values[at] for values in _by_axis(attrs))
        dilated = np.arange(m)[None, :] * stride + np.arange(k)[:, None] * dilation - low
        place = dilated // expansion
        valid = (dilated % expansion == 0) & (place >= 0) & (place < n)
        found.append((np.where(valid, place, 0), valid))
    return found


def _reads(x: Array, attrs: Attrs, taps: Shape, outputs: Shape) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Each tap, and what the outputs read by it."""
    inputs = x.shape[-4:-1]
    axes = _places(attrs, inputs, taps, outputs)
    for tap in itertools.product(*map(range, taps)):
        if 0 in inputs:
            yield tap, np.zeros((*x.shape[:-4], *outputs, x.shape[-1]), x.dtype)
            continue
        (d, d_valid), (h, h_valid), (w, w_valid) = ((p[t], v[t]) for (p, v), t in zip(axes, tap, strict=True))
        read = x[..., d[:, None, None], h[:, None], w, :]
        valid = d_valid[:, None, None, None] & h_valid[:, None, None] & w_valid[:, None]
        yield tap, np.where(valid, read, np.zeros((), x.dtype))


def _grouped(x: Array, groups: int) -> Array:
    """The last axis as groups of channels."""
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def _of_tap(tap: Shape) -> Any:
    """The index of a tap's channels and features in a filter."""
    return (..., *tap, slice(None), slice(None))


def _groups(channels: int, group: int) -> int:
    return channels // group if group and channels else 1


def _convolve_reference(x: Array, y: Array, **attrs: int) -> Array:
    outputs, (*taps, group, features) = tuple(attrs[name] for name in OUTPUTS), y.shape[-5:]
    groups = _groups(x.shape[-1], group)
    lead = np.broadcast_shapes(x.shape[:-4], y.shape[:-5])
    found = np.zeros((*lead, *outputs, groups, features // groups), x.dtype)
    for tap, read in _reads(x, attrs, tuple(taps), outputs):
        weights = _grouped(y[_of_tap(tap)], groups)
        with np.errstate(all="ignore"):
            found += np.einsum("...dhwgi,...igo->...dhwgo", _grouped(read, groups), weights)
    return found.reshape(*lead, *outputs, features)


def _filter_reference(x: Array, y: Array, **attrs: int) -> Array:
    taps, group = tuple(attrs[name] for name in TAPS), attrs["i"]
    outputs, features = y.shape[-4:-1], y.shape[-1]
    groups = _groups(x.shape[-1], group)
    lead = np.broadcast_shapes(x.shape[:-5], y.shape[:-5])
    found = np.zeros((*lead, *taps, group, features), x.dtype)
    for tap, read in _reads(x, attrs, taps, outputs):
        with np.errstate(all="ignore"):
            sums = np.einsum("...ndhwgi,...ndhwgo->...igo", _grouped(read, groups), _grouped(y, groups))
        found[_of_tap(tap)] = sums.reshape(*lead, group, features)
    return found


def _mirrored(filter: Expr, groups: int) -> Expr:
    """The filter with the channels of each group exchanged with its features: (..., o / g, g i) of (..., i, g o)."""
    *lead, group, features = filter.shape
    own = features // groups
    k = len(lead)
    if groups == 1:
        return transpose_row(filter, axes=(*range(k), k + 1, k))
    apart = reshape_row(filter, shape=(*lead, group, groups, own))
    turned = transpose_row(apart, axes=(*range(k), k + 2, k + 1, k))
    return reshape_row(turned, shape=(*lead, own, groups * group))


def _by_input(outputs: Expr, filter: Expr, attrs: Attrs, inputs: Shape, groups: int) -> Expr:
    """What each input contributed to, by the filter: a convolution of the outputs."""
    stride, dilation, low, expansion = _by_axis(attrs)
    turned = axes_attrs(
        expansion,
        [-n for n in dilation],
        [-n for n in low],
        stride,
        **dict(zip(OUTPUTS, inputs, strict=True)),
    )
    return convolve_row(outputs, _mirrored(filter, groups), **turned)


def _parameters(attrs: Attrs) -> dict[str, int]:
    return {name: attrs[name] for name in PARAMETERS}


def _convolve_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    """By the filter: sums over the leading axes that it does not have are part of the kernel's."""
    x, y = node.inputs
    groups = _groups(x.shape[-1], y.shape[-2])
    if i == 0:
        return _by_input(cotangent, y, node.attrs, x.shape[-4:-1], groups)
    lead = cotangent.shape[:-4]
    own = (1,) * (len(lead) - len(y.shape) + 5) + tuple(y.shape[:-5])
    kept = len(lead)
    while kept and own[kept - 1] == 1:
        kept -= 1
    count = prod(lead[kept:])
    parts = gcd(count, PARTS) if _operations(node) >= SHARED else 1
    split = (*lead[:kept], *((parts,) if parts > 1 else ()), count // parts)
    both = []
    for operand in (x, cotangent):
        core = operand.shape[-4:]
        if operand.shape[:-4] != lead:
            operand = broadcast_to_row(operand, shape=(*lead, *core))
        both.append(reshape_row(operand, shape=(*split, *core)))
    sizes = dict(zip((*TAPS, "i"), y.shape[-5:-1], strict=True))
    found = filter_row(*both, **_parameters(node.attrs), **sizes)
    if parts > 1:
        found = reduce_sum(found, axes=(kept,))
    return reshape_row(found, shape=(*lead[:kept], *(1,) * (len(lead) - kept), *y.shape[-5:]))


def _operations(node: Expr) -> int:
    """Multiplications of a convolution."""
    return prod(node.shape) * prod(node.inputs[1].shape[-5:-1])


def _filter_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    x, y = node.inputs
    *lead, _, _, _, _, _ = cotangent.shape
    filter = reshape_row(cotangent, shape=(*lead, 1, *cotangent.shape[-5:]))
    if i == 0:
        groups = _groups(x.shape[-1], node.attrs["i"])
        return _by_input(y, filter, node.attrs, x.shape[-4:-1], groups)
    return convolve_row(x, filter, **_parameters(node.attrs), **dict(zip(OUTPUTS, y.shape[-4:-1], strict=True)))


#: Inputs, taps and outputs of the axes, strides, dilations, paddings, expansions; then channels, of a group, features.
_CASES: tuple[tuple[tuple[Any, ...], tuple[int, int, int]], ...] = (
    (((1, 1, 5), (1, 1, 3), (1, 1, 3), (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1)), (2, 2, 3)),
    (((1, 4, 5), (1, 3, 2), (1, 2, 3), (1, 2, 2), (1, 1, -1), (0, 1, -1), (1, 1, 1)), (2, 1, 4)),
    (((2, 3, 3), (2, 1, 2), (2, 2, 6), (1, 1, 1), (2, 1, 2), (1, 0, 2), (1, 1, 3)), (1, 1, 1)),
    (((1, 1, 4), (1, 1, 3), (1, 1, 9), (1, 1, 2), (1, 1, 3), (0, 0, 4), (1, 1, 4)), (2, 1, 2)),
    (((1, 0, 2), (1, 2, 1), (1, 2, 2), (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1)), (1, 1, 2)),
    (((1, 2, 9), (1, 1, 3), (1, 2, 9), (1, 1, 1), (1, 1, 1), (0, 0, 1), (1, 1, 1)), (2, 2, 5)),
)
_LEADING: tuple[tuple[Shape, Shape], ...] = (((), ()), ((2,), ()), ((2,), (2,)), ((3, 1), (2,)), ((0,), ()), ((), (2,)))


def _samples(by_filter: bool, rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], Attrs]]:
    for (case, (channels, group, features)), (lead, other) in zip(_CASES, _LEADING, strict=True):
        inputs, taps, outputs, *parameters = case
        first = (*lead, *((2,) if by_filter else ()), *inputs, channels)
        second = (*other, 2, *outputs, features) if by_filter else (*other, *taps, group, features)
        x, y = (
            np.asarray(rng.uniform(-2, 2, shape) if dtype.kind == "f" else rng.integers(-9, 9, shape), dtype)
            for shape in (first, second)
        )
        sizes = (
            dict(zip(TAPS, taps, strict=True)) | {"i": group} if by_filter else dict(zip(OUTPUTS, outputs, strict=True))
        )
        yield (x, y), axes_attrs(*parameters, **sizes)


def _rules(name: str, signature: str, operations: str, work: str) -> Mapping[str, Any]:
    kernel = _Convolution(
        *(name, signature, "TT->T", PARAMETERS, f"({work}) * 40", operations),
        ulps=(64.0, 64.0),
        large=True,
        vector=True,
    )
    return kernel_rules(kernel, "fi")


_X, _Y, _FILTER = "d,h,w,c", "out_d,out_h,out_w,o", "taps_d,taps_h,taps_w,i,o"
_EACH = "2 * out_d * out_h * out_w * taps_d * taps_h * taps_w * i * o"

convolve_row: Op = register(
    Op(
        "convolve_channels",
        Family.BILINEAR,
        doc="The sums over taps and channels of what the taps of each output read of x, times the filter y; in groups "
        "of channels that have their own features. Integers wrap around.",
        reference=_convolve_reference,
        transpose=_convolve_transpose,
        samples=lambda rng, dtype: _samples(False, rng, dtype),
        title="conv",
        **_rules("convolve", f"({_X}),({_FILTER})->({_Y})", _EACH, "out_d + out_h + out_w"),
    )
)

filter_row: Op = register(
    Op(
        "convolve_filter",
        Family.BILINEAR,
        doc="The derivative of a sum of outputs times y by the filter: sums over outputs of y times what each tap "
        "reads of x.",
        reference=_filter_reference,
        transpose=_filter_transpose,
        samples=lambda rng, dtype: _samples(True, rng, dtype),
        title="conv",
        **_rules("convolve_filter", f"(n,{_X}),(n,{_Y})->({_FILTER})", f"n * {_EACH}", "taps_d + taps_h + taps_w"),
    )
)
