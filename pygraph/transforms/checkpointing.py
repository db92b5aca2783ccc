"""`checkpoint`: a function whose inside is recomputed in the reverse sweep and not kept for it."""

from __future__ import annotations

from typing import Any

from ..errors import SignatureError, named
from ..graph import record_checkpoint
from ..runtime.functions.compiled_function import CompiledFunction
from .evaluation_point import Function, compiled

__all__ = ["checkpoint"]


def checkpoint(f: Function) -> CompiledFunction:
    """A function like `f` for which reverse mode keeps only the arguments; as `jax.checkpoint`.

    What its derivatives need of the inside is recomputed when they need it: less memory for more work. Values and
    derivatives, of every order and mode, are those of `f`. It may be used in traces, loops, batches and other
    checkpoints. What `f` closes over is kept as its arguments are. In the body of `pg.scan` a checkpoint of
    the whole step has only the carry kept for each step; a checkpoint of an inner scan of some steps in the body of an
    outer one keeps the carry once for each such group, and the inside of one group at a time: about 2·√n in place of n.

    Args:
        f: any function of arrays, in nested containers, by position or name. Python numbers among its arguments stay
            numbers inside a trace.

    Returns:
        A function of the same arguments. On arrays it is compiled; among expressions it is
        recorded. `stats.arena_bytes` of an Executable shows what it saves.

    Raises (SignatureError now, the others when the function is traced):
        SignatureError: `f` is not callable; DTypeError: an argument is not an array; GraphError: `f` returns no array.

    Example:
        >>> step = pg.checkpoint(lambda x: np.sin(np.sin(x)))
        >>> def loss(x):
        ...     return np.sum(step(step(step(x))))
        >>> pg.grad(loss)(np.zeros(2))
        array([1., 1.])
    """
    given: object = f
    if not callable(given):
        problem = f"it is given {named(given)}"
        raise SignatureError(problem, "give a function of arrays", stage="recording", subject="checkpoint")

    def recorded(*args: Any, **named: Any) -> Any:
        return record_checkpoint.checkpoint(f, args, named)

    return compiled(recorded, f, "checkpoint", (checkpoint, (f,)))
