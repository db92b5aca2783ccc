"""Compiled functions inside PyTorch's graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def energy(p: Any, n: Any) -> Any:
    return {"e": np.sum(np.sin(p["a"]) * p["b"] ** 2) * n, "i": n + 1}


def same(p: Any, n: Any) -> Any:
    return (torch.sin(p["a"]) * p["b"] ** 2).sum() * n


def arguments() -> dict[str, Any]:
    a = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64, requires_grad=True)
    return {"a": a, "b": torch.ones(5, dtype=torch.float64).mul_(0.5).requires_grad_()}


def test_values_and_gradients() -> None:
    f = pg.interop.torch(energy)
    given, other = arguments(), arguments()
    found = f(given, torch.tensor(3))
    assert found["i"].dtype == torch.int64
    assert not found["i"].requires_grad
    (2.0 * found["e"]).backward()
    (2.0 * same(other, 3)).backward()
    for name in "ab":
        torch.testing.assert_close(given[name].grad, other[name].grad)


def test_derivatives_of_any_order_by_its_own_check() -> None:
    f = pg.interop.torch(pg.compile(lambda a, b: (np.exp(a) * b, np.sum(a * a))))
    x = torch.rand(3, dtype=torch.float64, requires_grad=True)
    y = torch.rand(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(f, (x, y))
    assert torch.autograd.gradgradcheck(f, (x, y))


def test_it_trains_beside_layers() -> None:
    layer, target = torch.nn.Linear(3, 2), torch.ones(4, 2)
    f = pg.interop.torch(lambda x: np.tanh(x) * 2.0)
    x = torch.rand(4, 3)
    optimiser = torch.optim.SGD(layer.parameters(), 0.1)
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = ((f(layer(x)) - target) ** 2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_tensors_are_arguments_of_compiled_functions() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    np.testing.assert_array_equal(pg.compile(lambda x: x * x)(x), [1.0, 4.0])
    assert torch.from_numpy(pg.grad(lambda x: np.sum(x**3))(x)).tolist() == [3.0, 12.0]
    with pytest.raises(pg.DTypeError, match="detach"):
        pg.compile(lambda x: x)(x.clone().requires_grad_())
