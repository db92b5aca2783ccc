"""`pg.interop.torch`: a function of tensors that runs in C, with derivatives by PyTorch's autograd."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..concurrency import Cache
from ..graph.tree import flatten, unflatten
from .border import Flat, Signatures

if TYPE_CHECKING:
    from torch import Tensor


def torch(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors of PyTorch that computes `f`, which its autograd differentiates, to any order.

    Args:
        f: a function of arrays, or what `pg.compile` made of one.

    Returns:
        A function of tensors on the CPU, in the containers that `f` takes; results are tensors. Memory is shared on
        the way in, and results are not copied. What is not a tensor is taken as NumPy takes it.

    Raises:
        ImportError: PyTorch is not installed.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)  # doctest: +SKIP
        >>> pg.interop.torch(lambda x: np.sum(x**2))(x).backward()  # doctest: +SKIP
        >>> x.grad  # doctest: +SKIP
        tensor([2., 4.])
    """
    signatures = Signatures(f)

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        from torch import Tensor, from_numpy

        leaves, form = flatten(args)
        tensors = [x if isinstance(x, Tensor) else from_numpy(np.asarray(x)) for x in leaves]
        arrays = [x.detach().numpy() for x in tensors]
        flat = signatures.find(form, [(x.shape, x.dtype) for x in arrays])
        return unflatten(flat.results, _applied(flat, tensors))

    return call


def _applied(flat: Flat, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    found = _FUNCTIONS.get(flat)
    function = found if found is not None else _FUNCTIONS.add(flat, _made(flat))
    results: Sequence[Tensor] = function.apply(*tensors)
    return results


def _made(flat: Flat) -> Any:
    """The autograd function of a flat function; its backward pass is one of the pullback, so that orders nest."""
    from torch import as_tensor
    from torch.autograd import Function

    floating = [np.dtype(dtype).kind == "f" for _, dtype in flat.types]

    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.save_for_backward(*tensors)
        results = tuple(as_tensor(y) for y in flat.value(*(x.detach().numpy() for x in tensors)))
        ctx.mark_non_differentiable(*(y for y, known in zip(results, floating, strict=True) if not known))
        return results

    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        seeds = [y.contiguous() for y, known in zip(cotangents, floating, strict=True) if known]
        found = iter(_applied(flat.pullback(), [*ctx.saved_tensors, *seeds]))
        return tuple(next(found) if known else None for known in flat.floating)

    return type("Compiled", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


#: The autograd functions, by what they compute.
_FUNCTIONS: Cache[Flat, Any] = Cache(256)
