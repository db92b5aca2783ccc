"""Every row's rule for a batch against a loop over the batch, for every choice of batched operands."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from helpers import apply_row, check_batch, is_exact, run_flat
from samples import BOOL, Case, array, derivative_cases, pointwise_cases, quick, rng_for, rows, structure_cases

from pygraph.graph import var
from pygraph.graph.reference import evaluate_flat
from pygraph.ops.row import TABLE, Family, Op, RegistrationError, register

SIZE = 3


def stacked(case: Case, flags: Sequence[bool], size: int) -> list[np.ndarray]:
    """The operands of a case, those with a flag as a batch of different ones."""
    rng = rng_for(str(case), tuple(flags))
    found = []
    for k, (x, flag) in enumerate(zip(case.operands, flags, strict=True)):
        if not flag:
            found.append(x)
        elif case.op.samples is not None and x.dtype.kind == "f":  # what a row is made for: the sample, scaled
            found.append(np.stack([x * np.asarray(1.0 + i / 8.0, x.dtype) for i in range(size)]))
        elif x.dtype.kind == "i":  # an index: another order of the same entries
            found.append(np.stack([rng.permutation(x.reshape(-1)).reshape(x.shape) for _ in range(size)]))
        else:
            interval = case.op.domain[k] if case.op.domain else (-3.0, 3.0)
            found.append(array(rng, (size, *x.shape), x.dtype, *interval))
    if case.op.follows is None:
        return found
    places, compute = case.op.follows
    computed = compute(*(x if flag else np.stack([x] * size) for x, flag in zip(found, flags, strict=True)))
    for k, x in zip(places, computed, strict=True):
        found[k] = np.asarray(x) if flags[k] else np.asarray(x)[0]
    return found


def possible(op: Op, flags: Sequence[bool]) -> bool:
    """Whether something is batched, and operands that follow from the first are where it is."""
    places = () if op.follows is None else op.follows[0]
    return any(flags) and all(flags[k] == flags[0] for k in places)


def some_cases(name: str) -> list[Case]:
    op = TABLE[name]
    cases = list(
        pointwise_cases(op, BOOL if op.kinds == "b" else np.dtype("int64"))
        if op.pointwise and "f" not in op.kinds
        else structure_cases(op, np.dtype("int64"))
        if op.kinds == "i"
        else derivative_cases(op)
    )
    return cases if len(cases) <= 24 else cases[:: len(cases) // 24]


@pytest.mark.parametrize("name", quick(rows()))
def test_every_row_is_a_loop_over_the_batch(name: str) -> None:
    op = TABLE[name]
    tested = 0
    for case in some_cases(name):
        variables = [var(f"x{k}", x.shape, x.dtype) for k, x in enumerate(case.operands)]
        outputs = apply_row(op, variables, case.attrs)
        ulps = 0 if all(is_exact(op, y.dtype) for y in outputs) else 256
        choices = [flags for flags in itertools.product((False, True), repeat=len(variables)) if possible(op, flags)]
        for flags in choices if len(choices) <= 7 else choices[:: len(choices) // 7]:
            values = stacked(case, flags, SIZE)
            check_batch(outputs, variables, values, flags, SIZE, ulps, evaluate_flat)
            tested += 1
    assert tested


@pytest.mark.parametrize("name", [name for name in rows() if not TABLE[name].pointwise or TABLE[name].differs])
def test_in_c(name: str) -> None:
    op = TABLE[name]
    for case in some_cases(name)[::4]:
        variables = [var(f"x{k}", x.shape, x.dtype) for k, x in enumerate(case.operands)]
        outputs = apply_row(op, variables, case.attrs)
        flags = [True] * len(variables)
        check_batch(outputs, variables, stacked(case, flags, SIZE), flags, SIZE, 256, run_flat)


def test_a_row_without_a_rule_is_refused() -> None:
    row = TABLE["transpose"]
    op = Op("no_batch", Family.LINEAR, 1, "", shape=row.shape, reference=row.reference, transpose=row.transpose)
    with pytest.raises(RegistrationError, match="'no_batch': it lacks batch"):
        register(op)
