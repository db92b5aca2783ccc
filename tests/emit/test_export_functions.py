"""pg.export_c: several functions in one C file, with sparsity patterns, and with NULL for inputs and outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import GCC_AND_CLANG, ISA, SANITIZERS, STRICT
from emit.exported_calls import Call, build_and_check
from helpers import COMPILERS, needs_compiler

import pygraph as pg

WEIGHTS = np.random.default_rng(0).normal(size=(6, 6))


def energy(x: Any, k: Any) -> Any:
    return np.sum(np.sin(x[1:]) * x[:-1] ** 2) * k


def layer(x: Any) -> Any:
    return np.tanh(WEIGHTS @ x)


def parts() -> pg.Graph:
    """Outputs alone and together: the first two share a loop, the third reads none of it, the last is an integer."""
    x, n = pg.var("x", (40,)), pg.var("n", (), "int64")
    waves = np.tanh(x)
    return pg.Graph([x, n], (waves, np.sum(waves), np.cumsum(x * 3.0), n * 2), name="parts")


X, K = np.array([0.5, -1.0, 2.0, 0.25, 1.5, -0.75]), np.asarray(2.0)
ROW = np.linspace(-1.0, 1.0, 40)


def functions() -> dict[str, Any]:
    return {
        "value": (energy, X, K),
        "gradient": (pg.value_and_grad(energy, (0, 1)), X, K),
        "hessian": (pg.sparse_hessian(energy), pg.spec((6,)), K),
        "layer": pg.compile(pg.trace(layer, X), wrt=[0]),
        "slopes": (pg.jacobian(layer), X),
        "parts": parts(),
    }


def null_runs() -> list[tuple[str, list[Call]]]:
    gradient = pg.value_and_grad(energy, (0, 1))
    value, (gx, gk) = gradient(X, K)
    made = pg.compile(parts())(ROW, 3)
    zeros = pg.compile(parts())(np.zeros(40), 0)
    waves, total, steps, count = made
    exe = pg.compile(pg.trace(layer, X), wrt=[0])
    y, seed = exe.forward(X), np.arange(6.0)
    (pulled,), pushed = exe.reverse(seed), exe.jvp(np.ones(6))
    (nothing,) = exe.reverse(np.zeros(6))
    return [
        (
            "NET_VALUE_WORKSPACE_BYTES",
            [
                Call("net_value", [X, K], [value]),
                Call("net_value", [None, K], [0.0]),
                Call("net_value", [X, K], [None]),
            ],
        ),
        (
            "NET_GRADIENT_WORKSPACE_BYTES",
            [
                Call("net_gradient", [X, K], [value, gx, gk]),
                Call("net_gradient", [X, K], [None, gx, None]),
                Call("net_gradient", [X, K], [value, None, None]),
                Call("net_gradient", [X, None], [0.0, gradient(X, 0.0)[1][0], gk]),
            ],
        ),
        ("NET_HESSIAN_WORKSPACE_BYTES", [Call("net_hessian", [X, K], [pg.sparse_hessian(energy)(X, K).data])]),
        ("NET_LAYER_VALUES_WORKSPACE_BYTES", [Call("net_layer_values", [X], [y])]),
        (
            "NET_LAYER_WORKSPACE_BYTES",
            [
                Call("net_layer_reverse", [seed], [None], status=5),
                Call("net_layer_forward", [X], [None]),
                Call("net_layer_reverse", [seed], [pulled]),
                Call("net_layer_jvp", [np.ones(6)], [pushed]),
                Call("net_layer_reverse", [None], [nothing]),
                Call("net_layer_reverse", [seed], [None]),
            ],
        ),
        ("NET_SLOPES_WORKSPACE_BYTES", [Call("net_slopes", [X], [pg.jacobian(layer)(X)])]),
        (
            "NET_WORKSPACE_BYTES",
            [
                Call("net_parts", [ROW, 3], [waves, total, steps, count]),
                Call("net_parts", [ROW, 3], [None, total, None, None]),
                Call("net_parts", [ROW, 3], [waves, None, None, count]),
                Call("net_parts", [ROW, 3], [None, None, steps, None]),
                Call("net_parts", [None, None], zeros),
            ],
        ),
    ]


@needs_compiler
def test_functions_share_a_file_and_take_null(tmp_path: Path) -> None:
    source, header = pg.export_c(tmp_path, "net", functions())
    build_and_check(tmp_path, "net", null_runs(), COMPILERS[0], [*STRICT, "-Wdouble-promotion", "-O0", *ISA])
    code = source.read_text(encoding="utf-8")
    assert len(re.findall(r"^static const double net_pg_constant\d+\[36\]", code, re.MULTILINE)) == 1, "shared weights"
    assert code.count("double net_pg_tanh_f64(double x) {") == 1
    assert not re.findall(r"^#define (?!NET_)\w+|^(?:static|typedef) .*\b(?!net_)pg_\w+", code, re.MULTILINE)
    text = " ".join(header.read_text(encoding="utf-8").split())
    assert "int net_gradient(const double *x, const double *k, double *out_0, double *out_1_0, double *out_1_1," in text
    assert "int net_layer_values(const double *x, double *out, void *workspace);" in text


@needs_compiler
@pytest.mark.deep
@pytest.mark.parametrize("compiler", GCC_AND_CLANG)
@pytest.mark.parametrize("flags", [SANITIZERS, ["-Os"], ["-O3"]], ids=["sanitizers", "Os", "O3"])
def test_functions_with_each_compiler(compiler: str, flags: list[str], tmp_path: Path) -> None:
    pg.export_c(tmp_path, "net", functions())
    build_and_check(tmp_path, "net", null_runs(), compiler, [*STRICT, *flags, *ISA])


def test_work_for_one_output_alone_is_guarded(tmp_path: Path) -> None:
    code = pg.compile(parts()).export_c(tmp_path, "parts")[0].read_text(encoding="utf-8")
    assert "if (f->out2 != NULL) {" in code  # the running sums, which go straight into their output
    assert "wanted" in code  # the others have memory of their own, as a loop writes both
    plain = pg.compile(parts()).export_c(tmp_path, "parts", null_arguments=False)
    code, header = (file.read_text(encoding="utf-8") for file in plain)
    assert "NULL" not in header
    assert "pg_zeros" not in code


def test_patterns_are_those_of_scipy(tmp_path: Path) -> None:
    hessian = pg.sparse_hessian(energy)
    code = hessian.export_c(tmp_path, "h", X, K)[0].read_text(encoding="utf-8")
    matrix = hessian(X, K)
    columns = matrix.tocsc()
    found = {
        word: [int(x) for x in values.split(",")]
        for word, values in re.findall(r"^const int32_t h_(\w+)\[\d+\] = \{\s*([^}]*)\};", code, re.MULTILINE)
    }
    assert found["csr_indptr"] == matrix.indptr.tolist()
    assert found["csr_indices"] == matrix.indices.tolist()
    assert found["ccs_indptr"] == columns.indptr.tolist()
    assert found["ccs_indices"] == columns.indices.tolist()
    assert matrix.data[found["ccs_order"]].tolist() == columns.data.tolist()


def test_a_compiled_function_is_exported_for_example_arguments(tmp_path: Path) -> None:
    compiled = pg.compile(layer)
    with pytest.raises(pg.SignatureError, match="nothing says what arguments layer takes"):
        compiled.export_c(tmp_path, "layer")
    first = compiled.export_c(tmp_path, "layer", X)[0].read_bytes()
    assert compiled.export_c(tmp_path, "layer")[0].read_bytes() == first
    compiled(np.ones(6, "float32"))
    with pytest.raises(pg.SignatureError, match="2 signatures"):
        pg.export_c(tmp_path, "net", {"layer": compiled})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "at least one function"),
        ([energy], "by its name"),
        ({"a-b": (energy, X, K)}, "no C identifier"),
        ({"pg_x": (energy, X, K)}, "would hide"),
        ({"f": 3.0}, "it is"),
        ({"f": energy}, "nothing says what arguments energy takes"),
        ({"f": (energy, X, K), "F": (energy, X, K)}, "both make NET_F"),
    ],
)
def test_what_can_not_be_exported(given: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(pg.SignatureError, match=said):
        pg.export_c(tmp_path, "net", given)
    assert not list(tmp_path.iterdir())


def test_names_of_entries_that_coincide(tmp_path: Path) -> None:
    exe = pg.compile(pg.trace(layer, X), wrt=[0])
    with pytest.raises(pg.SignatureError, match="both make net_f_reverse"):
        pg.export_c(tmp_path, "net", {"f": exe, "f_reverse": (layer, X)})
    pg.export_c(tmp_path, "net", {"f": (layer, X), "f_reverse": (layer, X)})  # without derivatives there is no clash


@needs_compiler
def test_arguments_may_have_the_names_of_local_variables(tmp_path: Path) -> None:
    words = ("status", "call", "at", "i", "count", "index", "result")

    names = [pg.var(word, (2,)) for word in words]
    status = np.sin(names[0]) * names[1]  # this comment names call and f
    graph = pg.Graph(names, np.sum(status) + np.sum(np.stack(names)))
    exe = pg.compile(graph, wrt=list(words))
    exe.export_c(tmp_path, "net")
    given = [np.array([0.5 + k, -1.0]) for k in range(len(words))]
    value, seed = exe.forward(*given), np.asarray(2.0)
    calls = [Call("net_forward", given, [value]), Call("net_reverse", [seed], list(exe.reverse(seed)))]
    runs = [("NET_WORKSPACE_BYTES", calls), ("NET_VALUES_WORKSPACE_BYTES", [Call("net_values", given, [value])])]
    build_and_check(tmp_path, "net", runs, COMPILERS[0], [*STRICT, "-O0", *ISA])


@needs_compiler
def test_loops_within_loops_have_no_unused_variables(tmp_path: Path) -> None:
    """The tangents of a while_loop, whose steps are replayed without their records."""

    def steps(w: Any, x: Any) -> Any:
        def step(carry: Any, a: Any) -> Any:
            inner = pg.while_loop(lambda t: t < 3.0, lambda t: t * 1.5 + w, a * a + carry * 0.01, limit=30)
            return inner, carry

        return pg.scan(step, 0.0, x)

    w, x = np.asarray(0.2), np.array([0.5, -1.0, 0.25])
    exe = pg.compile(pg.trace(steps, w, x), wrt=[0, 1])
    exe.export_c(tmp_path, "net")
    last, ys = exe.forward(w, x)
    tangents = [np.asarray(1.0), np.ones(3)]
    calls = [
        Call("net_forward", [w, x], [last, ys]),
        Call("net_reverse", [1.0, np.ones(3)], list(exe.reverse((1.0, np.ones(3))))),
        Call("net_jvp", tangents, list(exe.jvp(*tangents))),
    ]
    build_and_check(tmp_path, "net", [("NET_WORKSPACE_BYTES", calls)], COMPILERS[0], [*STRICT, "-O0", *ISA])


def test_arguments_that_look_like_macros_of_the_header(tmp_path: Path) -> None:
    temperature = pg.var("T_H", (2,))
    graph = pg.Graph([temperature], temperature * 2.0)
    with pytest.raises(pg.SignatureError, match="does not begin with T_, or the export another"):
        pg.compile(graph).export_c(tmp_path, "T")
    pg.compile(graph).export_c(tmp_path, "net")


def test_the_header_names_the_status_of_a_matrix_without_a_result(tmp_path: Path) -> None:
    functions = {"root": (np.linalg.cholesky, np.eye(2)), "sum": (np.sum, np.eye(2))}
    header = pg.export_c(tmp_path, "net", functions)[1].read_text(encoding="utf-8")
    assert "#define NET_FAILURE 16 " in header
    assert [line for line in header.splitlines() if "Returns" in line] == [
        " * Returns NET_OK or NET_FAILURE. */",
        " * Returns NET_OK. */",
    ]
