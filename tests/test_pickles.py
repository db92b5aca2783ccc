"""Transformations of a module's functions pickle, by how they were made; and so travel to other processes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg


def total(x: Any, scale: Any = 1.0) -> Any:
    return np.sum(x**3) * scale


def pair(x: Any) -> Any:
    return np.sum(x**2), x


def each(x: Any) -> Any:
    return x**3


def cube_jvp(primals: Any, tangents: Any) -> Any:
    return primals[0] ** 3, 3 * primals[0] ** 2 * tangents[0]


@pg.grad
def decorated(x: Any) -> Any:
    return np.sum(x**2)


@pg.compile
@pg.vmap
def decorated_twice(x: Any) -> Any:
    return x**2


X = np.array([1.0, 2.0, 3.0])
MADE: dict[str, Callable[..., Any]] = {
    "grad": pg.grad(total),
    "grad with aux": pg.grad(pair, 0, True),
    "value_and_grad": pg.value_and_grad(total, argnums=(0,)),
    "vmap": pg.vmap(each, in_axes=(0,)),
    "jacfwd": pg.jacfwd(each),
    "jacrev": pg.jacrev(each),
    "jacobian": pg.jacobian(each, mode="reverse"),
    "hessian": pg.hessian(total),
    "checkpoint": pg.checkpoint(total),
    "custom": pg.jacfwd(pg.custom_derivative(each, jvp=cube_jvp)),
    "nested": pg.vmap(pg.grad(pg.checkpoint(each))),
    "compiled": pg.compile(pg.grad(total), backend="vm"),
    "of a compiled function": pg.grad(pg.compile(total)),
    "of a public function": pg.vmap(pg.sin),
    "of a function of NumPy": pg.grad(np.sum),
    "decorated": decorated,
    "decorated twice": decorated_twice,
}


@pytest.mark.parametrize("name", MADE)
def test_a_transformation_pickles(name: str) -> None:
    made = MADE[name]
    wanted = made(X)
    other = pickle.loads(pickle.dumps(made))
    assert repr(other(X)) == repr(wanted)
    assert other.__name__ == made.__name__  # type: ignore[attr-defined]
    assert copy.deepcopy(made) is copy.copy(made) is made
    assert (other is made) == name.startswith("decorated")


def test_it_works_in_another_process() -> None:
    code = "import sys, pickle, numpy; print(pickle.load(sys.stdin.buffer)(numpy.array([1.0, 2.0])).tolist())"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(pg.vmap(pg.grad(pg.sin))), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == str(np.cos([1.0, 2.0]).tolist())


def test_a_local_function_is_named() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError), match="<lambda>"):
        pickle.dumps(pg.grad(lambda x: x))
