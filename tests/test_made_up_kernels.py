"""A kernel is one row and one C function: two made-up ones are added to a copy of the project, built, and tested."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import COMPILER_MARKS

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(not (ROOT / "csrc").exists(), reason="the C sources are not beside the tests"),
    *COMPILER_MARKS,
]

ROWS = """

def _sincos_jvp(node, tangents):
    sine, cosine = node.op(*node.inputs)
    return tangents[0] * cosine, -(tangents[0] * sine)


def _sincos_vjp(node, cotangents):
    sine, cosine = node.op(*node.inputs)
    parts = [ct * x for ct, x in zip(cotangents, (cosine, -sine)) if ct is not None]
    return (parts[0] if len(parts) == 1 else parts[0] + parts[1],)


sincos = register(
    Op(
        "sincos",
        Family.CUSTOM,
        doc="Sine and cosine at once.",
        reference=lambda x: (np.sin(x), np.cos(x)),
        jvp=_sincos_jvp,
        vjp=_sincos_vjp,
        **kernel_rules(Kernel("sincos", "()->(),()", "T->TT", flops="40", ulps=(4.0, 4.0)), "f"),
    )
)


def _solve_jvp(node, tangents):
    x, (da, db) = node.op(*node.inputs), tangents
    right = db if da is None else -(da @ x) if db is None else db - da @ x
    return node.op(node.inputs[0], right)


def _solve_vjp(node, cotangent):
    x = node.op(*node.inputs)
    w = node.op(node.inputs[0].swapaxes(-1, -2), cotangent)
    return -(w @ x.swapaxes(-1, -2)), w


def _solve_samples(rng, dtype):
    leading = [((), ()), ((4,), (4,)), ((), (3,)), ((2, 1), (3,)), ((), ())]
    for (lead, other), m, n in zip(leading, (3, 2, 1, 3, 0), (2, 1, 2, 1, 2)):
        a = rng.uniform(-0.2, 0.2, (*lead, m, m)) + np.eye(m)
        yield (a.astype(dtype), rng.uniform(-1.0, 1.0, (*other, m, n)).astype(dtype)), {}


SINGULAR = Failure(ZeroPivotError, "column {0} of the matrix has no pivot", "give a matrix of full rank")

solver = register(
    Op(
        "solver",
        Family.CUSTOM,
        doc="The solution of a x = b by elimination.",
        reference=np.linalg.solve,
        jvp=_solve_jvp,
        vjp=_solve_vjp,
        samples=_solve_samples,
        **kernel_rules(
            Kernel(
                "solver",
                "(m,m),(m,n)->(m,n)",
                "TT->T",
                work="m * m * 8",
                flops="m * m * (m + n)",
                failures=(SINGULAR,),
                ulps=(64.0, 64.0),
            ),
            "f",
        ),
    )
)
"""

IMPORTS = '''
import numpy as np

from ..errors import GraphError
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .row import Family, Op, register


class ZeroPivotError(GraphError, ArithmeticError):
    """A matrix without an inverse."""

'''

C = """/* Two made-up kernels. */
#include "pg_math.h"

#include <stdint.h>
#include <string.h>

#define KERNELS(S, T)                                                                                            \\
    int pg_kernel_sincos_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail);              \\
    int pg_kernel_sincos_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {             \\
        const T x = *(const T *)args[0];                                                                         \\
        (void)sizes, (void)work, (void)detail;                                                                   \\
        *(T *)args[1] = pg_sin_##S(x);                                                                           \\
        *(T *)args[2] = pg_cos_##S(x);                                                                           \\
        return 0;                                                                                                \\
    }                                                                                                            \\
    int pg_kernel_solver_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail);              \\
    int pg_kernel_solver_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {             \\
        const int64_t m = sizes[0], n = sizes[1];                                                                \\
        T *a = (T *)work, *x = (T *)args[2];                                                                     \\
        if (m * n == 0) return 0;                                                                                \\
        memcpy(a, args[0], (size_t)(m * m) * sizeof *a);                                                         \\
        memcpy(x, args[1], (size_t)(m * n) * sizeof *x);                                                         \\
        for (int64_t k = 0; k < m; k++) {                                                                        \\
            int64_t best = k;                                                                                    \\
            for (int64_t i = k + 1; i < m; i++)                                                                  \\
                if (pg_abs_##S(a[i * m + k]) > pg_abs_##S(a[best * m + k])) best = i;                            \\
            if (a[best * m + k] == 0) {                                                                          \\
                detail[0] = k;                                                                                   \\
                return 1;                                                                                        \\
            }                                                                                                    \\
            for (int64_t j = 0; j < m && best != k; j++) {                                                       \\
                const T swap = a[k * m + j];                                                                     \\
                a[k * m + j] = a[best * m + j];                                                                  \\
                a[best * m + j] = swap;                                                                          \\
            }                                                                                                    \\
            for (int64_t j = 0; j < n && best != k; j++) {                                                       \\
                const T swap = x[k * n + j];                                                                     \\
                x[k * n + j] = x[best * n + j];                                                                  \\
                x[best * n + j] = swap;                                                                          \\
            }                                                                                                    \\
            for (int64_t i = 0; i < m; i++) {                                                                    \\
                const T factor = a[i * m + k] / a[k * m + k];                                                    \\
                for (int64_t j = k; j < m && i != k; j++) a[i * m + j] -= factor * a[k * m + j];                 \\
                for (int64_t j = 0; j < n && i != k; j++) x[i * n + j] -= factor * x[k * n + j];                 \\
            }                                                                                                    \\
        }                                                                                                        \\
        for (int64_t i = 0; i < m; i++)                                                                          \\
            for (int64_t j = 0; j < n; j++) x[i * n + j] /= a[i * m + i];                                        \\
        return 0;                                                                                                \\
    }
KERNELS(f64, double)
KERNELS(f32, float)
"""

CHECK = """
import tempfile
import numpy as np, pygraph as pg
from pygraph.ops.special import ZeroPivotError, sincos, solver

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
assert "CALL solver_f64 (m,m),(m,n)->(m,n) for each of [40], m = 3, n = 2, workspace" in listing, listing
assert "CALL sincos_f64 ()->(),()" in listing
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
    used += any(node.op.name in ("sincos", "solver") for node in sample.graph.nodes)
    tests.check_values(sample, seed)
    tests.check_derivatives(sample, seed)
assert used >= 10, used
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the project with the two rows is installed."""
    copy, target = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("installed")
    for name in ("pygraph", "csrc"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "_libs"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, copy / name)
    rows = copy / "pygraph" / "ops" / "special.py"
    head, future, rest = rows.read_text(encoding="utf-8").partition("from __future__ import annotations\n")
    public = rest.replace("__all__ = [", '__all__ = ["sincos", "solver", ', 1)
    rows.write_text(f"{head}{future}{IMPORTS}{public}{ROWS}", encoding="utf-8")
    (copy / "csrc" / "made_up.c").write_text(C, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    # the headers are made without the C library, which can't be loaded before it is built from them
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), "."]
    for command in (["-m", "pygraph.emit.tables"], install):
        done = subprocess.run(
            [sys.executable, *command], cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
    return target


def run(installed: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=installed, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def test_it_does_all_that_rows_do(installed: Path) -> None:
    assert run(installed, "-c", CHECK).startswith(str(installed))


def test_the_tests_of_the_table_take_it_up(installed: Path) -> None:
    """Values, derivatives of both orders and batches, in the reference and in C."""
    chosen = [str(ROOT / "tests" / "ops"), "-k", "sincos or solver"]
    out = run(installed, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen)
    assert int(out.rsplit(" passed", 1)[0].split()[-1]) >= 16, out


def test_random_graphs_use_it(installed: Path) -> None:
    """Among all other rows, in both modes and on several threads."""
    run(installed, "-P", "-c", FUZZ.format(tests=str(ROOT / "tests")))
