"""A kernel is one row and one C function: made-up ones are tested in a copy of the project that has them."""

from __future__ import annotations

from pathlib import Path

from project_copy import MARKS, ROOT, run

pytestmark = MARKS

CHECK = """
import tempfile
import numpy as np, pygraph as pg
from pygraph.lower.decode import decode
from pygraph.ops.special import ZeroPivotError, pushed, sincos, solver

said = pg.solver.__doc__
assert "(m,m),(m,n)->(m,n)" in said and "ZeroPivotError: column n of" in said, said
rng = np.random.default_rng(0)
a, b, x = rng.uniform(-0.2, 0.2, (40, 3, 3)) + np.eye(3), rng.normal(size=(3, 2)), rng.normal(size=5)
assert isinstance(sincos(x), tuple) and np.array_equal(sincos(x)[1], np.cos(x)), "on arrays it gives arrays"

def f(a, b):
    return pg.sum(pg.tanh(solver(a, b)) * sincos(b)[0])

for transformed in (f, pg.value_and_grad(f, argnums=(0, 1)), pg.hessian(lambda b: f(a[0], b))):
    arguments = (b,) if transformed.__name__.startswith("hessian") else (a, b)
    vm, native = (pg.compile(transformed, backend=name)(*arguments) for name in ("vm", "native"))
    for one, other in zip(*(pg.graph.tree.flatten(y)[0] for y in (vm, native)), strict=True):
        assert np.array_equal(one, other), "equal bits in both tiers"
pg.check_grads(f, (a[:2], b), order=2)
each = np.stack([solver(one, b) for one in a])
assert np.allclose(pg.vmap(lambda a: solver(a, b))(a), each)
for threads in (1, 2):
    wide = rng.uniform(-0.2, 0.2, (4000, 3, 3)) + np.eye(3)
    exe = pg.compile(pg.trace(lambda a: solver(a, b), wide), threads=threads)
    assert np.array_equal(exe(wide), pg.compile(lambda a: solver(a, b), backend="native")(wide))
exe = pg.compile(pg.trace(lambda a, b: (solver(a, b), *sincos(b)), a, b))
listing = exe.disassemble()
assert "CALL solver_f64 (m,m),(m,n)->(m,n), per task 40, workspace arena[0:128], numbers [3, 2], batch [40]" in listing
assert "CALL sincos_f64 ()->(),(), per task" in listing

def steps(x, ys):
    return pg.scan(lambda c, y: (pushed(c, y), c[0]), x, ys)

for backend in ("vm", "native"):
    last, firsts = pg.compile(steps, backend=backend)(x, b[:, 0])
    wanted = np.array([x, pushed(x, b[0, 0]), pushed(pushed(x, b[0, 0]), b[1, 0])])
    assert np.array_equal(firsts, wanted[:, 0]) and np.array_equal(last, pushed(wanted[2], b[2, 0]))
exe = pg.compile(pg.trace(steps, x, b[:, 0]))
assert "updates updated out0 +0" in exe.disassemble(), exe.disassemble()
assert any(body.shares for body in decode(exe.program)), "the carry is updated where it lies"
for backend in ("vm", "native"):
    g = pg.compile(lambda a: solver(a, np.ones((2, 1))), backend=backend)
    singular = np.ones((3, 2, 2))
    singular[0] = np.eye(2)
    try:
        g(singular)
    except ZeroPivotError as error:
        assert "column 1 of the matrix has no pivot" in str(error) and "full rank" in str(error), error
        assert "<string>" in str(error)
    else:
        raise AssertionError("no failure")
try:
    pg.compile(lambda x: solver(np.eye(2) * 1e-200, x), check_finite=True)(np.full((2, 1), 1e200))
except pg.NonFiniteError as error:
    assert "solver" in str(error), error
else:
    raise AssertionError("inf was not seen")
try:
    solver(a, np.ones((4, 2)))
except pg.ShapeError as error:
    assert "has 4 where m is 3" in str(error), error
try:
    exe.export_c(tempfile.mkdtemp(), "made_up")
except pg.UnsupportedError as error:
    assert "at: <string>" in str(error) and "not plain C" in " ".join(str(error).split()), error
else:
    raise AssertionError("exported without its kernel")
print(pg.__file__)
"""


FUZZ = """
import sys
sys.path[:0] = [{tests!r}, {tests!r} + "/ops"]
from fuzz import test_random_graphs as tests

used = 0
for seed in range(60):
    sample = tests.grow(seed, 8 + seed)
    used += any(node.op.name in ("pushed", "sincos", "solver") for node in sample.graph.nodes)
    tests.check_values(sample, seed)
    tests.check_derivatives(sample, seed)
assert used >= 10, used
"""


def test_it_does_all_that_rows_do(installed: Path) -> None:
    assert run(installed, "-c", CHECK).startswith(str(installed))


def test_the_tests_of_the_table_take_it_up(installed: Path) -> None:
    """Values, derivatives of both orders and batches, in the reference and in C."""
    chosen = [str(ROOT / "tests" / "ops"), "-k", "sincos or solver or pushed"]
    out = run(installed, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen)
    assert int(out.rsplit(" passed", 1)[0].split()[-1]) >= 24, out


def test_random_graphs_use_it(installed: Path) -> None:
    """Among all other rows, in both modes and on several threads."""
    run(installed, "-P", "-c", FUZZ.format(tests=str(ROOT / "tests")))
