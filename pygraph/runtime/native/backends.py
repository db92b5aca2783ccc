"""The names of the backends, and which one is used."""

from __future__ import annotations

import os

from ...errors import BackendError, shown

BACKENDS = ("auto", "vm", "native")


def checked_backend(backend: object, check_finite: bool) -> str:
    """`backend` as one of BACKENDS.

    Raises:
        BackendError: it is none of them, or "native" with `check_finite`, which only the interpreter can do.
    """
    if not isinstance(backend, str) or backend not in BACKENDS:
        problem = f"backend {shown(backend)} is none of {', '.join(map(repr, BACKENDS))}"
        raise BackendError(problem, 'use backend="auto"', stage="compiling", subject="backend")
    if backend == "native" and check_finite:
        problem = "check_finite=True looks at the result of every operation, which native code does not keep"
        raise BackendError(
            problem, 'use backend="auto", or leave check_finite out', stage="compiling", subject="backend"
        )
    return backend


def effective_backend(backend: str, check_finite: bool) -> str:
    """The backend to use: PYGRAPH_BACKEND where it is set, and the interpreter with `check_finite`.

    Raises:
        BackendError: PYGRAPH_BACKEND has a value that is not a backend.
    """
    forced = os.environ.get("PYGRAPH_BACKEND")
    if forced:
        if forced not in BACKENDS:
            problem = f"the environment's PYGRAPH_BACKEND is {forced!r}"
            raise BackendError(
                problem, "set it to auto, vm or native, or unset it", stage="compiling", subject="backend"
            )
        backend = forced
    return "vm" if check_finite else backend
