"""Training loops as users of PyTorch and JAX write them: mini-batches in order, Adam, the mean loss of each epoch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .harness import Contender, peer

Array = npt.NDArray[Any]
B1, B2, EPSILON = 0.9, 0.999, 1e-8


def one_thread() -> None:
    """Let JAX use one thread, as the others here do; it reads this when it is first imported."""
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ.setdefault("XLA_FLAGS", flags)


def torch_loop(
    torch: Any,
    loss: Callable[..., Any],
    params: dict[str, Array],
    x: Array,
    y: Array,
    rate: float,
    epochs: int,
    batch: int,
) -> Callable[[], list[float]]:
    """A whole training with the loss of (params, x, y), from the same first parameters each time."""
    torch.set_num_threads(1)
    inputs, labels = torch.tensor(x), torch.tensor(y)

    def train() -> list[float]:
        weights = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
        optimizer = torch.optim.Adam(weights.values(), lr=rate, betas=(B1, B2), eps=EPSILON)
        losses = []
        for _ in range(epochs):
            total = 0.0
            for first in range(0, len(x), batch):
                some, target = inputs[first : first + batch], labels[first : first + batch]
                optimizer.zero_grad()
                value = loss(weights, some, target)
                value.backward()
                optimizer.step()
                total += value.item() * len(some)
            losses.append(total / len(x))
        return losses

    return train


def torch_contenders(
    loss_of: Callable[[Any], Callable[..., Any]], unrolls: bool, left_out: list[str], *args: Any
) -> list[Contender]:
    """PyTorch's loop, eager and with a loss that `torch.compile` compiled, where these run.

    Args:
        loss_of: from the module to the loss of (params, x, y).
        unrolls: whether the compiler writes out a loop, and takes too long for it.
        left_out: gets the reasons why one does not run.
        args: of `torch_loop` behind the loss.
    """
    torch = peer("torch", left_out)
    if torch is None:
        return []
    loss = loss_of(torch)
    contenders = [Contender("PyTorch eager", torch_loop(torch, loss, *args))]
    if unrolls:
        left_out.append("torch.compile of a recurrent net (it writes out the steps, and compiles for many minutes)")
        return contenders
    compiled = torch_loop(torch, torch.compile(loss, dynamic=False), *args)
    try:
        compiled()
    except Exception as error:  # whatever its compiler lacks
        left_out.append(f"torch.compile ({type(error).__name__}: {str(error).splitlines()[0][:80]})")
    else:
        contenders.append(Contender("PyTorch compiled", compiled))
    return contenders


def jax_contenders(loss_of: Callable[[Any], Callable[..., Any]], left_out: list[str], *args: Any) -> list[Contender]:
    """JAX's loop, all epochs of it in one compiled function."""
    jax = peer("jax", left_out)
    return [] if jax is None else [Contender("JAX jit scan", jax_loop(jax, loss_of(jax), *args))]


def jax_loop(
    jax: Any,
    loss: Callable[..., Any],
    params: dict[str, Array],
    x: Array,
    y: Array,
    rate: float,
    epochs: int,
    batch: int,
) -> Callable[[], list[float]]:
    """A whole training as one compiled function: a scan over epochs of a scan over whole batches, and what is left."""
    jax.config.update("jax_enable_x64", True)
    jnp, tree = jax.numpy, jax.tree_util
    whole, left = divmod(len(x), batch)

    def step(carry: Any, rows: tuple[Any, Any]) -> tuple[Any, Any]:
        weights, m, v, count = carry
        value, gradient = jax.value_and_grad(loss)(weights, *rows)
        count = count + 1
        m = tree.tree_map(lambda a, g: B1 * a + (1 - B1) * g, m, gradient)
        v = tree.tree_map(lambda a, g: B2 * a + (1 - B2) * g * g, v, gradient)

        def update(p: Any, a: Any, b: Any) -> Any:
            small, large = (1 - B1**count).astype(p.dtype), (1 - B2**count).astype(p.dtype)
            return p - rate * (a / small) / (jnp.sqrt(b / large) + EPSILON)

        return (tree.tree_map(update, weights, m, v), m, v, count), value * rows[0].shape[0]

    def train(weights: Any, x: Any, y: Any) -> Any:
        batches = tuple(data[: whole * batch].reshape(whole, batch, *data.shape[1:]) for data in (x, y))

        def epoch(carry: Any, _: Any) -> tuple[Any, Any]:
            carry, values = jax.lax.scan(step, carry, batches)
            total = values.sum()
            if left:
                carry, value = step(carry, (x[whole * batch :], y[whole * batch :]))
                total = total + value
            return carry, total / len(x)

        zeros = tree.tree_map(jnp.zeros_like, weights)
        return jax.lax.scan(epoch, (weights, zeros, zeros, jnp.zeros(())), None, length=epochs)[1]

    compiled = jax.jit(train)
    first = tree.tree_map(jnp.asarray, params)
    arguments = (first, jnp.asarray(x), jnp.asarray(y))
    return lambda: list(np.asarray(compiled(*arguments)))
