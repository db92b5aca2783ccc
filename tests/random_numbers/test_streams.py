"""The generator against its published vectors, and one stream everywhere: tiers, threads, loops, batches, processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import COMPILER_MARKS

import pygraph as pg
from pygraph.ops.random_bits import threefry

#: The lines "threefry2x32 20" of the file kat_vectors of Random123: count, key and result.
VECTORS = (
    (0x00000000_00000000, 0x00000000_00000000, 0x6B200159_99BA4EFE),
    (0xFFFFFFFF_FFFFFFFF, 0xFFFFFFFF_FFFFFFFF, 0x1CB996FC_BB002BE7),
    (0x243F6A88_85A308D3, 0x13198A2E_03707344, 0xC4923A9C_483DF7A0),
)


def ints(*words: int) -> np.ndarray[Any, Any]:
    return np.array(words, np.uint64).view(np.int64)


@pytest.mark.sanitize
def test_threefry_gives_the_published_vectors() -> None:
    counts, keys, results = (ints(*column) for column in zip(*VECTORS, strict=True))
    assert threefry.computed(keys, counts).tolist() == results.tolist()
    assert pg.compile(threefry)(keys, counts).tolist() == results.tolist()
    for key, count, result in zip(keys, counts, results, strict=True):  # the loop over single elements
        assert pg.random.fold_in(key, count) == result


def test_keys_and_bits_are_those_of_jax() -> None:
    """What jax.random of JAX 0.10 gives for key(7)."""
    key = pg.random.key(7)
    bits = [-2875719286934581888, 837714335556982463, 4150233810675416579]
    assert pg.random.bits(key, (3,)).tolist() == bits
    assert pg.random.split(key).tolist() == ints(3625411723 << 32 | 1954958720, 195045567 << 32 | 4062205631).tolist()
    assert pg.random.fold_in(key, 5) == ints(3583082021 << 32 | 1947592014)[0]


#: Draws of every kind, of some hundred numbers.
DRAWS: dict[str, Callable[[Any], Any]] = {
    "bits": lambda key: pg.random.bits(key, (3, 70)),
    "bits32": lambda key: pg.random.bits(key, (70,), "int32"),
    "uniform": lambda key: pg.random.uniform(key, (3, 70), minval=-1.0, maxval=3.0),
    "normal": lambda key: pg.random.normal(key, (600,)),
    "normal32": lambda key: pg.random.normal(key, (600,), "float32"),
    "truncated_normal": lambda key: pg.random.truncated_normal(key, -1.0, 2.0, (90,)),
    "exponential": lambda key: pg.random.exponential(key, (90,)),
    "laplace": lambda key: pg.random.laplace(key, (90,), "float32"),
    "logistic": lambda key: pg.random.logistic(key, (90,)),
    "gumbel": lambda key: pg.random.gumbel(key, (90,)),
    "gamma": lambda key: pg.random.gamma(key, 0.7, (90,)),
    "beta": lambda key: pg.random.beta(key, 2.0, 0.5, (90,)),
    "dirichlet": lambda key: pg.random.dirichlet(key, np.array([0.5, 1.0, 4.0]), (30,)),
    "poisson": lambda key: pg.random.poisson(key, np.array([0.5, 4.0, 30.0]), (30, 3)),
    "bernoulli": lambda key: pg.random.bernoulli(key, 0.3, (90,)),
    "rademacher": lambda key: pg.random.rademacher(key, (90,)),
    "randint": lambda key: pg.random.randint(key, (90,), -5, 1000),
    "categorical": lambda key: pg.random.categorical(key, np.array([0.0, 1.0, -1.0]), shape=(90,)),
    "choice": lambda key: pg.random.choice(key, 20, (9,), p=np.arange(20.0)),
    "choice_once": lambda key: pg.random.choice(key, 20, (9,), replace=False, p=np.arange(1.0, 21.0)),
    "permutation": lambda key: pg.random.permutation(key, 90),
    "rows": lambda key: pg.random.permutation(key, np.arange(60).reshape(6, 10), 1, independent=True),
}


def all_draws(key: Any) -> dict[str, Any]:
    return {name: draw(pg.random.fold_in(key, at)) for at, (name, draw) in enumerate(DRAWS.items())}


@pytest.fixture(scope="module")
def eager() -> dict[str, np.ndarray[Any, Any]]:
    return all_draws(pg.random.key(3))


def differing(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    return [name for name, x in wanted.items() if np.asarray(found[name]).tobytes() != np.asarray(x).tobytes()]


@pytest.mark.parametrize(
    ("backend", "threads"),
    [("vm", 1), ("vm", 3), pytest.param("native", 2, marks=COMPILER_MARKS)],
)
def test_tiers_and_threads_give_one_stream(backend: str, threads: int, eager: dict[str, Any]) -> None:
    found = pg.compile(all_draws, backend=backend, threads=threads)(pg.random.key(3))
    assert differing(found, eager) == []


def test_batches_and_loops_give_the_stream_of_each_key(eager: dict[str, Any]) -> None:
    keys = np.stack([pg.random.key(3), *pg.random.split(pg.random.key(9), 2)])
    batch = pg.vmap(all_draws)(keys)
    assert differing({name: x[0] for name, x in batch.items()}, eager) == []
    other = all_draws(keys[2])
    assert differing({name: x[2] for name, x in batch.items()}, other) == []
    looped = pg.scan(lambda carry, key: (carry, all_draws(key)), 0.0, keys)[1]
    assert differing(looped, batch) == []


def test_a_while_loop_draws_with_its_own_keys() -> None:
    key = pg.random.key(1)

    def step(carry: Any) -> Any:
        count, total = carry
        return count + 1, total + pg.random.uniform(pg.random.fold_in(key, count))

    count, total = pg.while_loop(lambda carry: carry[1] < 5.0, step, (0, 0.0))
    numbers = [float(pg.random.uniform(pg.random.fold_in(key, at))) for at in range(int(count))]
    assert float(total) == sum(numbers) >= 5.0 > sum(numbers[:-1])


def test_another_process_gives_the_same_stream(eager: dict[str, Any]) -> None:
    code = (
        "import hashlib, pygraph as pg\nkey = pg.random.key(3)\n"
        "print(hashlib.sha256(pg.random.normal(pg.random.fold_in(key, 3), (600,)).tobytes()).hexdigest())"
    )
    import hashlib

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == hashlib.sha256(eager["normal"].tobytes()).hexdigest()


def test_large_draws_take_no_memory_but_their_result() -> None:
    exe = pg.compile(lambda key: np.sum(pg.random.normal(key, (10**6,)) > 0)).executable(pg.random.key(0))
    assert exe.stats.arena_bytes + len(exe.program.constants) < 10_000


def test_what_is_no_key_is_refused() -> None:
    for key in (0, 1.5, np.array(0.5), np.zeros(2), np.int32(1), True):
        with pytest.raises(pg.DTypeError):
            pg.random.normal(key, (3,))
    with pytest.raises(pg.ShapeError, match="vmap"):
        pg.random.normal(pg.random.split(pg.random.key(0)), (3,))
    with pytest.raises(pg.DTypeError):
        pg.random.key(0.5)
    with pytest.raises(pg.DTypeError):
        pg.random.normal(pg.random.key(0), (3,), "int64")
    with pytest.raises(pg.ShapeError):
        pg.random.uniform(pg.random.key(0), (3,), minval=np.zeros(4))
    with pytest.raises(pg.SignatureError):
        pg.random.randint(pg.random.key(0), (3,), 4, 4)
    with pytest.raises(pg.ShapeError):
        pg.random.choice(pg.random.key(0), 3, (4,), replace=False)


def test_seeds_of_any_size() -> None:
    assert pg.random.key(-1) == -1 == pg.random.key(2**64 - 1)
    assert pg.random.key(2**64 + 5) == 5
    assert pg.compile(pg.random.key)(np.int32(5)) == pg.random.key(5)
    assert pg.random.key(5).dtype == np.int64


def test_shapes() -> None:
    key = pg.random.key(0)
    assert pg.random.normal(key).shape == ()
    assert pg.random.normal(key, 4).shape == (4,)
    assert pg.random.normal(key, (0, 3)).shape == (0, 3)
    assert pg.random.gamma(key, np.ones((2, 3))).shape == (2, 3)
    assert pg.random.permutation(key, 0).shape == (0,)
    assert pg.random.choice(key, np.zeros((4, 3)), (2, 5), axis=1).shape == (4, 2, 5)
    assert pg.random.categorical(key, np.zeros((2, 3)), axis=0).shape == (3,)
    assert pg.random.dirichlet(key, np.ones((4, 3)), (2, 4)).shape == (2, 4, 3)
    np.testing.assert_array_equal(pg.random.normal(key, (2, 3)).ravel(), pg.random.normal(key, (6,)))
