"""The public front: names, star import, version, import without side effects."""

from __future__ import annotations

import builtins
import importlib.metadata
import subprocess
import sys

import pytest

import pygraph as pg
from pygraph import errors

NAMES = """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil clip cos cosh digamma divide erf erfc
    exp exp2 expm1 floor gammaln hypot isfinite isinf isnan log log10 log1p log2 logaddexp logical_and logical_not
    logical_or logical_xor maximum minimum mod multiply negative power reciprocal round sign sin sinh sqrt square
    subtract tan tanh where equal not_equal less less_equal greater greater_equal
    sigmoid relu softplus silu gelu elu leaky_relu
    sum prod mean var std max min any all logsumexp softmax log_softmax
    reshape ravel transpose moveaxis swapaxes expand_dims squeeze broadcast_to concatenate stack flip take matmul dot
    Graph trace spec compile set_threads Executable grad value_and_grad jvp vjp jacfwd jacrev check_grads scan
    vmap jacobian hessian hvp linearize checkpoint custom_derivative
    explain optim train tree_map tree_leaves tree_names sparsity sparse_jacobian sparse_hessian
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_public_names(name: str) -> None:
    assert hasattr(pg, name)
    assert name in dir(pg)


def test_the_version_is_that_of_the_installed_distribution() -> None:
    try:
        expected = importlib.metadata.version("pygraph-ad")
    except importlib.metadata.PackageNotFoundError:
        expected = "0+source"
    assert pg.__version__ == expected
    assert "__version__" in dir(pg)


def test_the_version_on_the_command_line() -> None:
    command = [sys.executable, "-m", "pygraph", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == f"pygraph {pg.__version__}\n"


def test_a_submodule_does_not_hide_the_function_of_its_name() -> None:
    import pygraph.explain.chain  # noqa: F401

    assert callable(pg.explain)


def test_every_error_is_public_and_a_graph_error() -> None:
    for name in errors.__all__:
        assert getattr(pg, name) is getattr(errors, name)
        assert issubclass(getattr(pg, name), pg.GraphError)
        assert name in pg.__all__


def test_a_star_import_replaces_no_builtin() -> None:
    names: dict[str, object] = {}
    exec("from pygraph import *", names)
    assert names["sigmoid"] is pg.sigmoid
    assert not [name for name in pg.__all__ if hasattr(builtins, name)]
    assert len(set(pg.__all__)) == len(pg.__all__)
    assert all(hasattr(pg, name) for name in pg.__all__)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pg.nothing  # noqa: B018


def test_importing_loads_neither_the_c_library_nor_heavy_packages_nor_what_is_used_later() -> None:
    heavy = "pygraph.runtime._core scipy matplotlib tqdm hypothesis importlib.metadata pandas cffi numpy.ma"
    heavy += " pygraph.transforms pygraph.autodiff.load_all pygraph.autodiff.forward pygraph.autodiff.reverse"
    heavy += " pygraph.autodiff.batching.batch pygraph.autodiff.jacobians.local_jacobian pygraph.explain.chain"
    heavy += " pygraph.explain.explanation pygraph.gradient_check pygraph.optimize pygraph.lower pygraph.emit"
    heavy += " pygraph.runtime.call.executable pygraph.plot"
    code = f"import sys, pygraph; print([name for name in {heavy.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "[]\n"
