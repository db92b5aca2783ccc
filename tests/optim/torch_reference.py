"""What PyTorch's optimisers, schedules and clipping do: `python tests/optim/torch_reference.py` records it in JSON.

Tests compare with the recorded numbers everywhere, and where PyTorch is installed with these functions themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

RECORD = Path(__file__).with_suffix(".json")
STEPS = 20

#: The data of a small regression, loss = mean((tanh(X w + b) - Y)²), and where it begins.
X = np.sin(np.arange(18.0)).reshape(6, 3)
Y = np.cos(np.arange(6.0))
W, B = np.array([0.5, -0.3, 0.8]), np.array(0.15)

#: By name: the optimiser in pygraph with its settings, and in PyTorch with its own.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "sgd": ("sgd", {"learning_rate": 0.1}, "SGD", {"lr": 0.1}),
    "sgd, momentum": ("sgd", {"learning_rate": 0.1, "momentum": 0.9}, "SGD", {"lr": 0.1, "momentum": 0.9}),
    "sgd, all": (
        "sgd",
        {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
        "SGD",
        {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05},
    ),
    "adam": ("adam", {"learning_rate": 0.1}, "Adam", {"lr": 0.1}),
    "adam, all": (
        "adam",
        {"learning_rate": 0.2, "beta1": 0.7, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True},
        "Adam",
        {"lr": 0.2, "betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True},
    ),
    "adamw": ("adamw", {"learning_rate": 0.1}, "AdamW", {"lr": 0.1}),
    "adamw, all": (
        "adamw",
        {"learning_rate": 0.2, "beta1": 0.7, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True},
        "AdamW",
        {"lr": 0.2, "betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True},
    ),
    "rmsprop": ("rmsprop", {"learning_rate": 0.1}, "RMSprop", {"lr": 0.1}),
    "rmsprop, all": (
        "rmsprop",
        {"learning_rate": 0.05, "decay": 0.8, "eps": 1e-3, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
        "RMSprop",
        {"lr": 0.05, "alpha": 0.8, "eps": 1e-3, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
    ),
    "adagrad": ("adagrad", {"learning_rate": 0.1}, "Adagrad", {"lr": 0.1}),
    "adagrad, all": (
        "adagrad",
        {"learning_rate": 0.2, "initial_sum": 0.5, "eps": 1e-3, "weight_decay": 0.1},
        "Adagrad",
        {"lr": 0.2, "initial_accumulator_value": 0.5, "eps": 1e-3, "weight_decay": 0.1},
    ),
}
#: How many steps of each schedule are recorded, and the steps of their cycles.
RATES, CYCLE = 30, 24
#: The limit of the norm of gradients, which is below that of the first ones.
LIMIT = 0.05


def _setup() -> tuple[Any, Any, Callable[[], Any]]:
    import torch

    w, b = (torch.tensor(x, requires_grad=True) for x in (W, B))
    x, y = torch.tensor(X), torch.tensor(Y)

    def loss() -> Any:
        return torch.mean((torch.tanh(x @ w + b) - y) ** 2)

    return w, b, loss


def trajectory(name: str) -> list[list[float]]:
    """The parameters after each step of an optimiser: w, then b."""
    import torch

    *_, kind, settings = OPTIMIZERS[name]
    return list(_steps(lambda params: getattr(torch.optim, kind)(params, **settings)))


def clipped_trajectory() -> list[list[float]]:
    """The same of gradient descent with the norm of the gradients clipped."""
    import torch

    return list(_steps(lambda params: torch.optim.SGD(params, lr=0.5), LIMIT))


def _steps(make: Callable[[list[Any]], Any], limit: float | None = None) -> Iterator[list[float]]:
    import torch

    w, b, loss = _setup()
    optimizer = make([w, b])
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss().backward()
        if limit is not None:
            torch.nn.utils.clip_grad_norm_([w, b], limit)
        optimizer.step()
        yield [*w.tolist(), b.item()]


def rates() -> dict[str, list[float]]:
    """The rates of PyTorch's schedules."""
    import torch
    from torch.optim import lr_scheduler

    def recorded(make: Callable[[Any], Any], rate: float, steps: int) -> list[float]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
        schedule, found = make(optimizer), []
        for i in range(steps):
            found.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if i < steps - 1:
                schedule.step()
        return found

    def warm(optimizer: Any) -> Any:
        rising = lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=5)
        return lr_scheduler.SequentialLR(optimizer, [rising, lr_scheduler.ExponentialLR(optimizer, 0.9)], [5])

    one_cycle = {
        "one_cycle": {"pct_start": 0.3},
        "one_cycle, all": {"pct_start": 0.45, "div_factor": 10.0, "final_div_factor": 100.0},
    }
    return {
        "step": recorded(lambda o: lr_scheduler.StepLR(o, 7, 0.3), 0.1, RATES),
        "exponential": recorded(lambda o: lr_scheduler.ExponentialLR(o, 0.9), 0.1, RATES),
        # after its end PyTorch's rises again, and ours stays
        "cosine": recorded(lambda o: lr_scheduler.CosineAnnealingLR(o, CYCLE, 0.01), 0.1, CYCLE + 1),
        "warm_up": recorded(warm, 0.1, RATES),
        **{
            name: recorded(lambda o, more=more: lr_scheduler.OneCycleLR(o, 0.1, total_steps=CYCLE, **more), 0.1, CYCLE)
            for name, more in one_cycle.items()
        },
    }


#: Where the searches for the minimum of Rosenbrock's function begin, and a least-squares problem.
ROSENBROCK = {"2": np.array([-1.2, 1.0]), "10": np.array([-1.2, 1.0] * 5)}
MATRIX = np.sin(np.arange(1.0, 401.0) ** 1.3).reshape(50, 8) * np.arange(1.0, 9.0)
TARGET = np.cos(np.arange(50.0))
#: The searches end where no element of the gradient is larger.
FLAT = 1e-8


def minima() -> dict[str, dict[str, Any]]:
    """Where LBFGS ends, how many evaluations it takes, and how many iterations."""
    import torch

    def found(f: Callable[[Any], Any], start: Any) -> dict[str, Any]:
        x, evaluations = torch.tensor(start, requires_grad=True), 0
        optimizer = torch.optim.LBFGS(
            [x],
            max_iter=300,
            max_eval=3000,
            history_size=10,
            tolerance_grad=FLAT,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Any:
            nonlocal evaluations
            evaluations += 1
            optimizer.zero_grad()
            value = f(x)
            value.backward()
            return value

        optimizer.step(closure)
        iterations = optimizer.state[x]["n_iter"]
        return {"point": x.tolist(), "evaluations": evaluations, "iterations": iterations}

    def rosenbrock(x: Any) -> Any:
        return torch.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    matrix, target = torch.tensor(MATRIX), torch.tensor(TARGET)
    problems = {f"rosenbrock, {n}": found(rosenbrock, start) for n, start in ROSENBROCK.items()}
    return {**problems, "least squares": found(lambda x: torch.sum((matrix @ x - target) ** 2), np.zeros(8))}


def recorded() -> dict[str, Any]:
    """What the file holds."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def everything() -> dict[str, Any]:
    """All of it, from PyTorch."""
    import torch

    return {
        "torch": torch.__version__.partition("+")[0],
        "trajectories": {name: trajectory(name) for name in OPTIMIZERS},
        "clipped": clipped_trajectory(),
        "rates": rates(),
        "minima": minima(),
    }


if __name__ == "__main__":
    text = json.dumps(everything(), indent=1)
    # a row of numbers in a line
    lines: list[str] = []
    for line in text.splitlines():
        number = line.strip(" ,").replace("-", "").replace(".", "").replace("e", "").isdigit()
        if lines and (number or (line.strip(" ,") == "]" and lines[-1][-1] not in "]}")):
            lines[-1] += line.strip() if lines[-1][-1] in "[" or line.strip()[0] == "]" else f" {line.strip()}"
        else:
            lines.append(line)
    RECORD.write_text("\n".join(lines) + "\n", encoding="utf-8")
