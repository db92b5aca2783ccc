"""Derivatives of expressions checked by numbers: finite differences, the adjoint identity, and the optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from pygraph.autodiff import jvp, vjp
from pygraph.graph import Graph, Node, var
from pygraph.graph.reference import evaluate_flat
from pygraph.optimize import optimize

Array = npt.NDArray[Any]


def run(inputs: Sequence[Node], outputs: Sequence[Node | None], values: Sequence[Any]) -> list[Array]:
    """The values of `outputs` (0.0 for None); the optimised graph must give the same to the last bits."""
    given = [node for node in outputs if node is not None]
    graph = Graph(list(inputs), given)
    graph.verify("differentiated")
    plain = evaluate_flat(graph, values)
    better = optimize(graph)
    better.verify("optimised")
    for one, other in zip(plain, evaluate_flat(better, values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)
    found = iter(plain)
    return [np.zeros(()) if node is None else next(found) for node in outputs]


_numbers = count()


def like(node: Node, name: str) -> Node:
    """A variable with the shape and dtype of `node`, of a name of its own."""
    return var(f"{name}_{next(_numbers)}", node.shape, node.dtype)


def derivative_graphs(
    outputs: Sequence[Node], wrt: Sequence[Node], linear: bool = False
) -> tuple[list[Node], list[Node], list[Node | None], list[Node | None]]:
    """Tangent variables, seed variables, tangents of the outputs, cotangents of the variables."""
    tangents = [like(x, "t") for x in wrt]
    seeds = [like(y, "s") for y in outputs]
    pushed, pulled = jvp(outputs, wrt, tangents, linear=linear), vjp(outputs, wrt, seeds)
    for derivative, primal in [*zip(pushed, outputs, strict=True), *zip(pulled, wrt, strict=True)]:
        assert derivative is None or (derivative.shape, derivative.dtype) == (primal.shape, primal.dtype)
    return tangents, seeds, pushed, pulled


def check(
    outputs: Sequence[Node],
    wrt: Sequence[Node],
    values: Sequence[Any],
    *,
    others: Sequence[Node] = (),
    other_values: Sequence[Any] = (),
    order: int = 2,
    rtol: float = 1e-6,
    linear: bool = False,
) -> None:
    """JVP against central differences, VJP by the adjoint identity, and the same of both derivatives up to `order`."""
    rng = np.random.default_rng(7)
    values = [np.asarray(value, node.dtype) for value, node in zip(values, wrt, strict=True)]
    inputs = [*wrt, *others]
    tangents, seeds, pushed, pulled = derivative_graphs(outputs, wrt, linear)
    steps = [rng.standard_normal(x.shape) for x in wrt]
    weights = [rng.standard_normal(y.shape) for y in outputs]
    got = run([*inputs, *tangents], pushed, [*values, *other_values, *steps])
    graph = Graph(inputs, list(outputs))
    h = 1e-5

    def at(t: float) -> list[Array]:
        moved = [value + t * step for value, step in zip(values, steps, strict=True)]
        return evaluate_flat(graph, [*moved, *other_values])

    for tangent, ahead, behind in zip(got, at(h), at(-h), strict=True):
        np.testing.assert_allclose(np.broadcast_to(tangent, ahead.shape), (ahead - behind) / (2 * h), rtol, rtol)
    back = run([*inputs, *seeds], pulled, [*values, *other_values, *weights])
    forward_product = sum(np.sum(weight * tangent) for weight, tangent in zip(weights, got, strict=True))
    reverse_product = sum(np.sum(ct * step) for ct, step in zip(back, steps, strict=True))
    np.testing.assert_allclose(forward_product, reverse_product, rtol=1e-10, atol=1e-10)
    if order > 1:
        for extra, extra_values, derived in ((tangents, steps, pushed), (seeds, weights, pulled)):
            present = [node for node in derived if node is not None]
            check(
                present,
                wrt,
                values,
                others=[*others, *extra],
                other_values=[*other_values, *extra_values],
                order=order - 1,
                rtol=rtol * 10,
                linear=linear,
            )
