"""Programs of several operations that pygraph and JAX run both: control flow, models, solvers, nested transformations.

Written once, against a namespace `m`, as those of functions.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from cases import Uniform, add, positive, real, unit

# --- cond and switch


add("cond", lambda m, x: m.cond(m.sum(x) > 0.0, lambda x: x**2, lambda x: m.exp(x), x), real(3))
add(
    "cond that closes over",
    lambda m, x, y: m.cond(x > y, lambda: x * m.sin(y), lambda: y / (1.0 + x * x)),
    real(),
    real(),
)
add(
    "cond of a container",
    lambda m, x: m.cond(
        x[0] < x[1],
        lambda t: {"a": t["a"] ** 2, "b": t["b"]},
        lambda t: {"a": t["b"], "b": t["a"]},
        {"a": x[0], "b": m.sin(x[1])},
    ),
    real(2),
)
add(
    "nested cond",
    lambda m, x: m.cond(
        x > 0.0,
        lambda x: m.cond(x > 1.0, lambda x: x**3, m.sin, x),
        lambda x: m.cond(x > -1.0, m.cos, lambda x: x * 2.0, x),
        x,
    ),
    real(),
)
add(
    "switch",
    lambda m, x: m.switch(m.astype(m.floor(m.abs(x[0])), "int64"), [m.sin, lambda x: x**3, lambda x: x * x[1]], x),
    real(3),
)
add("switch by a number", lambda m, x: m.switch(1, [m.sin, m.exp, m.cos], x), real(3))
add(
    "cond in a scan",
    lambda m, x: m.scan(lambda c, y: (m.cond(y > 0.0, lambda: c * y, lambda: c - y), c), x[0], x)[0],
    real(4),
)

# --- loops


def newton_root(m: Any, a: Any) -> Any:
    return m.while_loop(lambda x: m.abs(x * x - a) > 1e-13, lambda x: 0.5 * (x + a / x), 1.0 + a)


def while_counter(m: Any, x: Any) -> Any:
    def body(state: Any) -> Any:
        i, value, total = state
        return i + 1, m.sin(value) + x[1], total + value * x[0]

    return m.while_loop(lambda state: state[0] < 4, body, (0, x[0], x[1]))[1:]


def while_in_scan(m: Any, x: Any) -> Any:
    def step(total: Any, y: Any) -> Any:
        grown = m.while_loop(lambda v: v < 3.0, lambda v: v * 1.5 + y, y)
        return total + grown, grown**2

    return m.scan(step, m.sum(x), x)


def nested_scans(m: Any, x: Any) -> Any:
    def outer(c: Any, row: Any) -> Any:
        inner, ys = m.scan(lambda d, y: (d * m.cos(y), d + y), c, row)
        return inner, m.sum(ys**2)

    return m.scan(outer, m.sin(x[0, 0]), x)


def fibonacci(m: Any, x: Any) -> Any:
    return m.fori_loop(0, 5, lambda i, ab: (ab[1], ab[0] * ab[1] + ab[0]), (x[0], x[1]))


def horner_scan(m: Any, coefficients: Any, x: Any) -> Any:
    return m.scan(lambda total, c: (total * x + c, None), 0.0 * x, coefficients)[0]


def linear_recurrence(m: Any, a: Any, b: Any) -> Any:
    return m.associative_scan(lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), (a, b))


def rolling_state(m: Any, x: Any) -> Any:
    return m.fori_loop(1, 4, lambda i, v: v.at[i].set(v[i] * m.sin(v[i - 1])), x)


add("scan of sums", lambda m, x: m.scan(lambda c, y: (c + y, c * y), 0.0, x), real(4))
add("scan of products", lambda m, x: m.scan(lambda c, y: (c * m.sin(y), c), x[0], x[1:]), real(4))
add("scan from the end", lambda m, x: m.scan(lambda c, y: (c * y + 1.0, c), x[0], x, reverse=True), real(3))
add("scan without xs", lambda m, x: m.scan(lambda c, _: (m.sin(c) + x, c), x, None, length=4), real(2))
add(
    "scan of containers",
    lambda m, x, y: m.scan(
        lambda c, z: ({"p": c["p"] + z[0] * c["q"], "q": m.cos(z[1])}, c["q"] ** 2), {"p": x[0], "q": y[0]}, (x, y)
    ),
    real(3),
    real(3),
)
add(
    "scan of a matrix state",
    lambda m, a, x: m.scan(lambda h, y: (m.tanh(a @ h + y), m.sum(h)), x[0], x),
    unit(2, 2),
    real(3, 2),
)
add("scan of scans", nested_scans, real(2, 3))
add("Horner's rule as a scan", horner_scan, real(4), unit())
add("fori_loop", lambda m, x: m.fori_loop(0, 4, lambda i, v: v * m.sin(v) + i, x), real(2))
add("fori_loop of a pair", fibonacci, unit(2))
add("fori_loop that indexes", lambda m, x: m.fori_loop(0, 4, lambda i, v: v * x[i] + i, x[0] * x[1]), real(4))
add("fori_loop that updates", rolling_state, real(4))
add(
    "fori_loop to a computed bound",
    lambda m, x: m.fori_loop(0, m.astype(m.floor(m.abs(x)) + 2.0, "int64"), lambda i, v: v * m.cos(x), x),
    real(),
    reverse=False,
)
add(
    "while_loop",
    lambda m, x: m.while_loop(lambda v: m.sum(v) < 20.0, lambda v: v * v + 1.0, x),
    positive(2),
    reverse=False,
)
add("while_loop of a tuple", while_counter, real(2), reverse=False)
add("while_loop to a root", newton_root, Uniform((), 1.5, 3.0), reverse=False)
add("while_loop in a scan", while_in_scan, Uniform((3,), 0.5, 1.5), reverse=False)
add("map", lambda m, x: m.map(lambda row: m.sum(row) * m.sin(row), x), real(3, 2))
add("map over a pair", lambda m, x, y: m.map(lambda p: p[0] @ p[1], (x, y)), real(3, 2), real(3, 2))
add("associative_scan of sums", lambda m, x: m.associative_scan(lambda a, b: a + b, m.sin(x)), real(5))
add("associative_scan of products", lambda m, x: m.associative_scan(lambda a, b: a * b, x), real(4))
add("associative_scan from the end", lambda m, x: m.associative_scan(lambda a, b: a * b, x, reverse=True), real(4))
add("associative_scan of matrices", lambda m, x: m.associative_scan(m.matmul, x), real(3, 2, 2))
add("associative_scan along an axis", lambda m, x: m.associative_scan(m.logaddexp, x, axis=1), real(2, 3))
add("linear recurrence", linear_recurrence, real(4), real(4))

# --- polynomials, and the test functions of optimisation


def himmelblau(m: Any, x: Any) -> Any:
    return (x[0] ** 2 + x[1] - 11.0) ** 2 + (x[0] + x[1] ** 2 - 7.0) ** 2


def beale(m: Any, x: Any) -> Any:
    return sum((c - x[0] * (1.0 - x[1] ** k)) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


def rosenbrock(m: Any, x: Any) -> Any:
    return m.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def ackley(m: Any, x: Any) -> Any:
    waves = m.exp(m.mean(m.cos(2.0 * np.pi * x)))
    return -20.0 * m.exp(-0.2 * m.sqrt(m.mean(x**2))) - waves + 20.0 + np.e


def rastrigin(m: Any, x: Any) -> Any:
    return 10.0 * x.size + m.sum(x**2 - 10.0 * m.cos(2.0 * np.pi * x))


def chebyshev(m: Any, x: Any) -> Any:
    older, newer = m.ones_like(x), x
    for _ in range(5):
        older, newer = newer, 2.0 * x * newer - older
    return newer


def lennard_jones(m: Any, x: Any) -> Any:
    total = 0.0
    for i in range(3):
        for j in range(i):
            r2 = m.sum((x[i] - x[j]) ** 2)
            total = total + r2**-6 - r2**-3
    return total


TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.3], [0.4, 1.2]])

add("polynomial", lambda m, x: 3.0 * x**4 - 2.0 * x**3 + x - 7.0, real(3))
add("Horner's rule", lambda m, x: ((2.0 * x - 1.0) * x + 3.0) * x - 5.0, real(3))
add("Chebyshev polynomial", chebyshev, unit(3))
add("rational function", lambda m, x: (x**2 - 1.0) / (x**2 + x + 2.0), real(3))
add("Rosenbrock", rosenbrock, real(5))
add("Himmelblau", himmelblau, real(2))
add("Beale", beale, unit(2))
add("Ackley", ackley, unit(3))
add("Rastrigin", rastrigin, real(3))
add("Lennard-Jones", lambda m, x: lennard_jones(m, x + TRIANGLE), Uniform((3, 2), -0.1, 0.1))
add(
    "residuals of a circle",
    lambda m, p: m.sqrt((TRIANGLE[:, 0] - p[0]) ** 2 + (TRIANGLE[:, 1] - p[1]) ** 2) - p[2],
    positive(3),
)
add(
    "spherical coordinates",
    lambda m, p: m.stack([p[0] * m.sin(p[1]) * m.cos(p[2]), p[0] * m.sin(p[1]) * m.sin(p[2]), p[0] * m.cos(p[1])]),
    positive(3),
)
add(
    "rotation",
    lambda m, t, x: m.stack([m.stack([m.cos(t), -m.sin(t)]), m.stack([m.sin(t), m.cos(t)])]) @ x,
    real(),
    real(2),
)
add(
    "Black-Scholes",
    lambda m, s, k: (
        s * 0.5 * m.erfc(-(m.log(s / k) + 0.07) / m.sqrt(0.08))
        - k * m.exp(-0.05) * 0.5 * m.erfc(-(m.log(s / k) + 0.03) / m.sqrt(0.08))
    ),
    positive(2),
    positive(2),
)
add(
    "log-density of a normal",
    lambda m, x, mu, s: m.sum(-0.5 * ((x - mu) / s) ** 2 - m.log(s)),
    real(3),
    real(),
    positive(),
)
add("log-density of a gamma", lambda m, x, a: m.sum((a - 1.0) * m.log(x) - x - m.gammaln(a)), positive(2), positive(2))
add("mixture of normals", lambda m, x, mu: m.sum(m.logsumexp(-0.5 * (x[:, None] - mu) ** 2, axis=1)), real(3), real(2))
add("entropy of a softmax", lambda m, x: -m.sum(m.softmax(x) * m.log_softmax(x)), real(4))

# --- ordinary differential equations


def rk4(m: Any, derivative: Any, state: Any, step: float, count: int) -> Any:
    def advance(y: Any, _: Any) -> Any:
        k1 = derivative(y)
        k2 = derivative(y + 0.5 * step * k1)
        k3 = derivative(y + 0.5 * step * k2)
        k4 = derivative(y + step * k3)
        y = y + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return y, y

    return m.scan(advance, state, None, length=count)


def heat(m: Any, u: Any) -> Any:
    def advance(_: Any, u: Any) -> Any:
        return u.at[1:-1].add(0.2 * (u[2:] - 2.0 * u[1:-1] + u[:-2]))

    return m.fori_loop(0, 3, advance, u)


def verlet(m: Any, q: Any, p: Any) -> Any:
    for _ in range(3):
        p = p - 0.05 * m.sin(q)
        q = q + 0.1 * p
        p = p - 0.05 * m.sin(q)
    return q, p, m.sum(0.5 * p**2 - m.cos(q))


add(
    "Euler steps of growth",
    lambda m, x, r: m.fori_loop(0, 5, lambda i, y: y + 0.1 * r * y * (1.0 - y), x),
    positive(2),
    positive(),
)
add(
    "damped pendulum by RK4",
    lambda m, y, c: rk4(m, lambda s: m.stack([s[1], -m.sin(s[0]) - c * s[1]]), y, 0.1, 4),
    real(2),
    positive(),
)
add(
    "Lotka-Volterra by RK4",
    lambda m, y, k: rk4(
        m, lambda s: m.stack([k[0] * s[0] - k[1] * s[0] * s[1], k[2] * s[0] * s[1] - k[3] * s[1]]), y, 0.1, 3
    )[0],
    positive(2),
    positive(4),
)
add(
    "Lorenz by RK4",
    lambda m, y: rk4(
        m,
        lambda s: m.stack([10.0 * (s[1] - s[0]), s[0] * (28.0 - s[2]) - s[1], s[0] * s[1] - 8.0 / 3.0 * s[2]]),
        y,
        0.01,
        3,
    )[0],
    real(3),
)
add("heat equation", heat, real(6))
add("Verlet steps", verlet, real(2), real(2))
add("Burgers' residual", lambda m, u: u[1:-1] * (u[2:] - u[:-2]) - 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]), real(6))

# --- models


def mlp(m: Any, params: Any, x: Any) -> Any:
    for w, b in params[:-1]:
        x = m.tanh(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def attention(m: Any, q: Any, k: Any, v: Any) -> Any:
    return m.softmax(q @ k.T / np.sqrt(2.0), axis=-1) @ v


def layer_norm(m: Any, x: Any, gain: Any) -> Any:
    centred = x - m.mean(x, axis=-1, keepdims=True)
    return gain * centred / m.sqrt(m.mean(centred**2, axis=-1, keepdims=True) + 1e-5)


def gru(m: Any, params: Any, x: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        z = m.sigmoid(x @ params["wz"] + h @ params["uz"])
        candidate = m.tanh(x @ params["wh"] + (z * h) @ params["uh"])
        h = (1.0 - z) * h + z * candidate
        return h, h

    return m.scan(step, m.zeros_like(x[0]), x)[1]


def triangular_solve(m: Any, a: Any, b: Any) -> Any:
    x = m.zeros_like(b)
    for i in range(3):
        x = x.at[i].set((b[i] - a[i] @ x) / (3.0 + a[i, i]))
    return x


def cholesky(m: Any, a: Any) -> Any:
    spd = a @ a.T + 2.0 * np.eye(3)
    low = m.zeros_like(spd)
    for j in range(3):
        column = spd[j:, j] - low[j:, :] @ low[j]
        low = low.at[j:, j].set(column / m.sqrt(column[0]))
    return low


def conjugate_gradients(m: Any, a: Any, b: Any) -> Any:
    matrix = a.T @ a + np.eye(3)

    def step(_: Any, state: Any) -> Any:
        x, r, p = state
        product = matrix @ p
        alpha = (r @ r) / (p @ product)
        remaining = r - alpha * product
        return x + alpha * p, remaining, remaining + (remaining @ remaining) / (r @ r) * p

    return m.fori_loop(0, 2, step, (m.zeros_like(b), b, b))[0]


LABELS = np.array([0, 2, 1])

add("neuron", lambda m, w, b, x: m.sigmoid(x @ w + b), real(3), real(), real(2, 3))
add("squared error", lambda m, w: m.mean((TRIANGLE @ w - np.array([1.0, -1.0, 0.5])) ** 2), real(2))
add(
    "logistic regression",
    lambda m, w, x: m.mean(m.softplus(-np.array([1.0, -1.0, 1.0]) * (x @ w))),
    real(2),
    real(3, 2),
)
add("cross entropy", lambda m, w: -m.mean(m.log_softmax(TRIANGLE @ w)[np.arange(3), LABELS]), real(2, 3))
add("network of two layers", mlp, [(real(2, 3), real(3)), (real(3, 1), real(1))], real(2, 2))
add(
    "network of three layers",
    lambda m, p, x: m.sum(mlp(m, p, x) ** 2),
    [(real(2, 2), real(2)), (real(2, 2), real(2)), (real(2, 1), real(1))],
    real(2),
)
add("residual block", lambda m, w, x: x + m.gelu(x @ w) @ w.T, unit(2, 3), real(2, 2))
add("attention", attention, real(2, 2), real(3, 2), real(3, 2))
add("layer normalisation", layer_norm, real(2, 3), real(3))
add(
    "recurrent network",
    lambda m, w, x: m.scan(lambda h, y: (m.tanh(w @ h + y), None), x[0], x[1:])[0],
    unit(2, 2),
    real(4, 2),
)
add(
    "gated recurrent network", gru, {"wz": real(2, 2), "uz": real(2, 2), "wh": real(2, 2), "uh": real(2, 2)}, real(2, 2)
)
add("embedding", lambda m, table: m.tanh(m.take(table, LABELS, axis=0)) @ table.T, real(3, 2))
add("convolution by slices", lambda m, x, k: sum(k[i] * x[i : i + 4] for i in range(3)), real(6), real(3))
add("pooling by reshape", lambda m, x: m.max(m.reshape(x, (2, 2, 2)), axis=(1, 2)), real(2, 4))
add("Huber loss", lambda m, x: m.mean(m.where(m.abs(x) < 1.0, 0.5 * x**2, m.abs(x) - 0.5)), real(4))
add("forward substitution", triangular_solve, unit(3, 3), real(3))
add("Cholesky by columns", cholesky, real(3, 3))
add("conjugate gradients", conjugate_gradients, real(3, 3), real(3))
add(
    "power iteration",
    lambda m, a, v: m.fori_loop(0, 3, lambda i, v: (a @ v) / m.sqrt(m.sum((a @ v) ** 2)), v),
    positive(2, 2),
    positive(2),
)
add(
    "Sinkhorn",
    lambda m, c: m.fori_loop(0, 3, lambda i, p: p / m.sum(p, axis=0) / m.sum(p, axis=1, keepdims=True), m.exp(-c)),
    positive(2, 3),
)

# --- containers


class Pair(NamedTuple):
    left: Any
    right: Any


add("tuple to tuple", lambda m, t: (t[0] * t[1], m.sin(t[1])), (real(2), real(2)))
add("list to list", lambda m, xs: [m.exp(x) * xs[0] for x in xs], [real(2), real(), real(2)])
add("dict to dict", lambda m, d: {"z": d["b"] * d["a"], "y": {"x": m.sum(d["b"])}}, {"b": real(2), "a": real()})
add("namedtuple to namedtuple", lambda m, p: Pair(p.right @ p.left, p.left**2), Pair(real(2), real(2, 2)))
add(
    "mixed containers",
    lambda m, a, b: [a["w"][0] * b.left, (m.sum(b.right[1]), a["w"][1])],
    {"w": (real(), real(2))},
    Pair(real(2), [real(), real(2)]),
)
add("one leaf for two results", lambda m, x: (x, x, 2.0 * x), real(2))
add("an argument without effect", lambda m, x, y: m.sin(x), real(2), real(2))
add("a constant result", lambda m, x: (x * x, m.full((2,), 3.0)), real(2))

# --- transformations inside


def descended(m: Any, x: Any) -> Any:
    def loss(p: Any) -> Any:
        return m.sum((p - x) ** 2) + 0.1 * m.sum(p**4)

    slope = m.grad(loss)
    return m.fori_loop(0, 3, lambda i, p: p - 0.1 * slope(p), m.zeros_like(x))


def newton_step(m: Any, x: Any) -> Any:
    def residual(x: Any) -> Any:
        return m.stack([x[0] ** 2 + x[1] - 3.0, x[0] - x[1] ** 2 + 1.0])

    j, r = m.jacfwd(residual)(x), residual(x)
    det = j[0, 0] * j[1, 1] - j[0, 1] * j[1, 0]
    return x - m.stack([j[1, 1] * r[0] - j[0, 1] * r[1], j[0, 0] * r[1] - j[1, 0] * r[0]]) / det


add("grad inside", lambda m, x: m.grad(lambda y: m.sum(m.sin(y) * x))(x * x), real(3))
add("the known trap", lambda m, x: x * m.grad(lambda y: x + y)(x), real())
add("a deeper trap", lambda m, x: m.grad(lambda y: y * m.grad(lambda z: x * y * z**2)(x))(x * 2.0), real())
add("fourth derivative", lambda m, x: m.grad(m.grad(lambda y: m.sin(y) * y**3))(x), real())
add("jvp inside", lambda m, x, v: m.jvp(lambda y: m.exp(y) * x, (x * x,), (v,)), unit(2), real(2))
add("vjp inside", lambda m, x, v: m.vjp(lambda y: m.tanh(y) * y[0], x)[1](v)[0], real(2), real(2))
add(
    "Hessian-vector product", lambda m, x, v: m.jvp(m.grad(lambda y: rosenbrock(m, y)), (x,), (v,))[1], unit(3), real(3)
)
add("Jacobian inside", lambda m, x: m.jacrev(lambda y: m.sin(y) * y[0])(x) @ x, real(2))
add("Hessian inside", lambda m, x: m.sum(m.hessian(lambda y: himmelblau(m, y))(x) ** 2), unit(2))
add("vmap inside", lambda m, a, x: m.vmap(lambda row: m.sin(row @ x) * x)(a), real(3, 2), real(2))
add(
    "vmap along other axes",
    lambda m, a, x: m.vmap(lambda c, s: c * s, in_axes=(1, 0), out_axes=1)(a, x),
    real(2, 3),
    real(3),
)
add("vmap of grad", lambda m, x: m.vmap(m.grad(lambda r: m.prod(m.sin(r))))(x), real(2, 2))
add("vmap of a scan", lambda m, x: m.vmap(lambda r: m.scan(lambda c, y: (m.sin(c + y), c), 0.0, r)[1])(x), real(2, 3))
add("vmap of cond", lambda m, x: m.vmap(lambda y: m.cond(y > 0.0, m.sin, lambda y: y**2, y))(x), real(4))
add(
    "grad of a scan",
    lambda m, x: m.grad(lambda z: m.scan(lambda c, y: (m.tanh(c * y), None), m.sum(z), z)[0])(x),
    real(3),
)
add("gradient descent inside", descended, real(2))
add("a Newton step", newton_step, positive(2))
add(
    "physics-informed residual",
    lambda m, w, t: m.grad(lambda s: m.sum(m.tanh(w * s)))(t) + m.sum(m.tanh(w * t)),
    real(3),
    real(),
)
add("checkpoint", lambda m, x: m.checkpoint(lambda y: m.sin(m.exp(y)) * y)(x * x), unit(3))
add("checkpoint in a scan", lambda m, x: m.scan(m.checkpoint(lambda c, y: (m.tanh(c * y), c)), x[0], x), real(3))
