"""`fit`: from a loss and data to parameters, with the loop over mini-batches in C."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pygraph as pg

from .data_source import Rows, Stream, named_leaves, source_of
from .early_stopping import EarlyStopping, EpochEnd, rule_of
from .epoch_program import Carry
from .evaluation import Evaluation, checked_metrics
from .history import History
from .objective import Objective
from .ranks import ranks_of
from .resumption import Checkpoints, Saver, restored
from .step_choice import StepChoice, description, parts_of
from .training_run import Plan, Point, run


def fit(
    loss: Any,
    params: Any,
    data: Any,
    *,
    optimizer: Any,
    epochs: int = 1,
    batch_size: int | None = 32,
    validation: Any = None,
    metrics: Any = None,
    shuffle: bool = True,
    drop_last: bool = False,
    seed: int = 0,
    state: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Sequence[Callable[[EpochEnd], Any]] = (),
    checkpoint: Checkpoints | None = None,
    checkpoint_steps: int | None = None,
    evaluation_batch_size: int | None = None,
    progress: bool | None = None,
    comm: Any = None,
    deterministic: bool | int = False,
    threads: int | None = None,
    backend: str = "auto",
) -> tuple[Any, History]:
    """Minimise a loss over data by steps on mini-batches; each epoch is a loop in C, with the GIL released.

    The step (forward, reverse, and the optimiser's update) is traced and compiled once, for all epochs. Results are
    equal to the last bit for any number of threads. Ctrl-C ends the training, and what was learned so far is returned.

    Args:
        loss: loss(params, *batch, **context) → a scalar, the mean over a batch; or a dict of scalars, or a dict of
            such functions, which are added up and shown each. The context has `state`, where one is given, as a
            `pg.nn.Running`; `key`, where the loss has such a parameter or `**context`: another random key in each
            step, for dropout and noise, None in evaluation; and `weights`, where the loss has such a parameter: shape
            (rows of the batch,).
        params: a nested container of floating arrays and numbers. They are not written to.
        data: arrays in a container, (X, y) say, whose first axes are the examples; a tuple or list is spread over the
            loss's arguments. Arrays mapped from files (np.memmap) are read batch by batch. Or batches: any iterable
            that is no container, a torch DataLoader say, or a function without arguments that makes one for each epoch.
        optimizer: one of `pg.optim`, or any object with init(params) → state and update(gradients, state, params) →
            (params, state), state being a nested container of arrays.
        epochs: how often the data is gone through.
        batch_size: rows of a step; what is left at the end of an epoch is a smaller step. None: all rows. Not used
            where data gives batches.
        validation: data whose loss is computed after each epoch, of any form that `data` may have.
        metrics: {name: metric(params, *batch, **context) → a scalar}, computed after each epoch, on the validation
            data if there is some, else on `data`. The context is `state`, where the metric takes it.
        shuffle: whether the rows of arrays come in another random order in each epoch.
        drop_last: whether an epoch ends with the last whole batch, where the rows left over would make a batch that is
            too small for the loss: one row for `pg.nn.batch_norm`, say. With `shuffle` they are others in each epoch.
        seed: of the order of rows and the keys; the stream is `pg.random`'s, the same everywhere.
        state: what the loss updates beside the parameters, such as running statistics, as `init` of a `pg.nn` layer
            returns it; after training it is `history.state`.
        sample_weight: the weight of each row; the loss takes them as `weights`.
        class_weight: the weight of each label, as a dict, an array, or "balanced" (inverse to its number of rows); the
            labels are the last part of `data`.
        clip_value, clip_norm: limits of each element of the gradients, and of the norm of them all.
        early_stopping: after how many epochs without an improvement of the (validation) loss training ends; or a
            `pg.train.EarlyStopping`, which may watch another column. The best epoch's parameters are returned then.
        callbacks: functions that are given a `pg.train.EpochEnd` after each epoch; one that returns True ends the
            training.
        checkpoint: a `pg.Checkpointer`, or what has its `save` and `load`. What was learned is saved after each epoch,
            and where Ctrl-C ends the training; if there is a checkpoint at the beginning, the training goes on from it,
            to the very bits of one that was not interrupted (where data gives the same batches again).
        checkpoint_steps: after at least how many steps it is saved within an epoch, too; None: not there.
        evaluation_batch_size: rows at a time of validation and metrics, whose values are averaged over the rows, which
            is exact for means such as an accuracy; None: all at once, exact for any metric.
        progress: whether a progress bar is shown; None: where there is a terminal.
        comm: a communicator of mpi4py, such as MPI.COMM_WORLD: its processes, the ranks, train together, and all call
            fit with the same arguments. Of arrays each takes its share of the rows of every batch; where data gives
            batches, those of each rank are its share. Gradients, floating running statistics and losses are averaged
            by rows, the parameters are those of rank 0 at first and the same to the last bit ever after, evaluation
            is shared, callbacks are called in all ranks, and rank 0 shows the bar and keeps the checkpoints. An error
            or Ctrl-C in one rank ends the training in all. The loss has to be a mean over the rows, a weighted one
            where it takes weights. Needs mpi4py (`pip install 'pygraph-ad[mpi]'`), and is started by
            `mpiexec -n 4 python -m mpi4py train.py`.
        deterministic: True: each batch is cut into 8 parts whose gradients a fixed tree adds up, so that the result is
            the same to the last bit for any number of ranks, and without `comm`; an integer is another number of parts.
            For arrays.
        threads, backend: as `pg.compile` has them; the ranks on one machine share its CPUs.

    Returns:
        The parameters in their container, and the `pg.train.History`.

    Raises:
        ShapeError: no rows, arrays of different numbers of rows, a loss that is no scalar. SignatureError: arguments
            that do not fit, a batch size of 0 say. DTypeError: data that are no numbers, or parameters not floating.
        NonFiniteError: a loss, a gradient or a parameter became inf or nan; it says in which epoch and batch, and which
            row of the data, line or parameter it was. StateError: a generator serves one epoch. These and all other
            errors in training, such as IndexRangeError for labels out of range, have attributes `params`, `state`,
            `optimizer_state` and `history`: the last good ones, and `epoch` and `batch`, counted from 1.

    Example:
        >>> x = np.linspace(-1.0, 1.0, 64)
        >>> def loss(params, x, y):
        ...     return np.mean((params["w"] * x + params["b"] - y) ** 2)
        >>> params, history = pg.fit(loss, {"w": 0.0, "b": 0.0}, data=(x, 2.0 * x + 1.0), epochs=50, batch_size=8,
        ...                          optimizer=pg.optim.sgd(0.1))
        >>> {name: round(float(value), 4) for name, value in params.items()}
        {'b': 1.0, 'w': 2.0}
        >>> len(history), bool(history["loss"][-1] < 1e-6)
        (50, True)
    """
    with ranks_of(comm) as ranks:
        params, state = ranks.first(_beginning, params, state)
        with_checkpoint = ranks.first(lambda: checkpoint is not None)
        resumed = ranks.first(lambda: None if checkpoint is None else checkpoint.load())
        options: dict[str, Any] = {"threads": ranks.threads() if threads is None else threads, "backend": backend}

        def prepared() -> tuple[Plan, Point, History, dict[str, Any]]:
            n_epochs = _whole("epochs", epochs, 0)
            parts = parts_of(deterministic)
            _check_optimizer(optimizer, ranks.size > 1 or parts is not None)
            size = None if batch_size is None else _whole("batch_size", batch_size)
            evaluated = (
                None if evaluation_batch_size is None else _whole("evaluation_batch_size", evaluation_batch_size)
            )
            functions, rule, with_state = checked_metrics(metrics), rule_of(early_stopping), state is not None
            source = source_of(data, "data")
            objective = Objective(loss, with_state, sample_weight is not None or class_weight is not None)
            key = np.int64(resumed[1]["key"]) if resumed is not None else pg.random.key(seed)
            dtype = pg.tree_leaves(params)[0].dtype
            choice = StepChoice(ranks, parts, size, bool(drop_last), bool(shuffle), sample_weight, class_weight, dtype)
            common = (objective, optimizer, _clipping(clip_value, clip_norm, optimizer), key, options)
            steps, example = choice.make(source, key, common)
            names = objective.names(params, state, example.weights, example.data)
            if clash := functions.keys() & {*names}:
                raise _refused(f"{clash.pop()!r} is the name of a loss and of a metric", "give them different names")
            evaluations = _evaluations(objective, functions, source, validation, evaluated, with_state, names, options)
            zero = np.int64(0)
            sums = dict.fromkeys(names, np.float64(0))
            memory = pg.tree_map(np.asarray, optimizer.init(params))
            point = Point(0, Carry(params, memory, state, zero, zero, sums, np.int64(-1)))
            history, save = History(), None
            rows, batch_rows = None, 0
            if isinstance(source, Rows):
                rows, batch_rows = choice.rows_in_epoch(source), example.rows
            if resumed is not None:
                point, history = restored(resumed[1], point, batch_rows)
            if with_checkpoint:
                every = None if checkpoint_steps is None else _whole("checkpoint_steps", checkpoint_steps)
                save = Saver(checkpoint, every, key, batch_rows, ranks)
            passes = [source, *(evaluation.source for evaluation in evaluations)]
            for each in passes:
                if isinstance(each, Stream) and each.once and (n_epochs - point.epoch > 1 or passes.count(each) > 1):
                    each.refuse_again()
            plan = Plan(steps, names, n_epochs, evaluations, rule, callbacks, rows, progress, save, ranks)
            settings: dict[str, Any] = {
                "epochs": n_epochs,
                "batch_size": size,
                "evaluation_batch_size": evaluated,
                "seed": int(key),
            }
            settings |= {
                "deterministic": parts,
                "shuffle": bool(shuffle),
                "drop_last": bool(drop_last),
                "early_stopping": rule,
            }
            settings |= {"losses": names, "metrics": list(functions), "checkpoint_steps": checkpoint_steps}
            if ranks.size > 1:
                sources = {"data": source} | ({} if validation is None else {"validation": evaluations[0].source})
                settings |= {
                    f"{kind} of {name}": x for name, s in sources.items() for kind, x in description(s).items()
                }
            return plan, point, history, settings

        plan, point, history, settings = ranks.agreed(prepared)
        ranks.check_same("the arguments of fit", settings)
        return run(plan, point, history)


def _beginning(params: Any, state: Any) -> tuple[Any, Any]:
    """Parameters and state as arrays."""
    params = pg.tree_map(_floating, params)
    _check_params(params)
    return params, pg.tree_map(np.asarray, state)


def _check_optimizer(optimizer: Any, parallel: bool) -> None:
    for name in ("init", "update"):
        if not callable(getattr(optimizer, name, None)):
            advice = "give one of pg.optim, such as pg.optim.adam(1e-3)"
            raise _refused(f"optimizer has no function {name!r}", advice)
    if parallel and getattr(optimizer, "needs_value", False):
        problem = f"the line search of {optimizer!r} computes gradients within its update, of which no other rank knows"
        advice = "use another optimiser with comm= and deterministic=True, such as pg.optim.adam(1e-3)"
        raise pg.UnsupportedError(problem, advice, stage="training", subject="fit")


def _evaluations(
    objective: Objective,
    metrics: dict[str, Any],
    source: Rows | Stream,
    validation: Any,
    size: int | None,
    with_state: bool,
    names: list[str],
    options: dict[str, Any],
) -> list[Evaluation]:
    """What is computed after each epoch."""
    if validation is not None:
        held_out = source_of(validation, "validation")
        return [Evaluation(objective, metrics, held_out, size, with_state, "validation_", names, options)]
    return [Evaluation(None, metrics, source, size, with_state, "", names, options)] if metrics else []


def _clipping(value: float | None, norm: float | None, optimizer: Any) -> Callable[[Any], Any]:
    """The function that clips gradients: each element first, then their common norm."""
    parts = [] if value is None else [pg.optim.clip_by_value(value)]
    parts += [] if norm is None else [pg.optim.clip_by_norm(norm)]
    if parts and getattr(optimizer, "needs_value", False):
        raise _refused(f"{optimizer!r} needs the gradients as they are for its line search", "do not clip them")
    return lambda gradients: functools.reduce(lambda found, clip: clip(found), parts, gradients)


def _floating(leaf: Any) -> Any:
    """A leaf of the parameters as an array; Python's integers count as floats."""
    array = np.asarray(leaf)
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        problem = f"a parameter has dtype {array.dtype}, and has no gradient"
        advice = "give floating arrays; what is not learned is closed over, or part of the state"
        raise pg.DTypeError(problem, advice, stage="training", subject="fit")
    return array


def _check_params(params: Any) -> None:
    named = named_leaves(params, "params")
    if not named:
        raise _refused("there are no parameters", "give a container with at least one array")
    for name, leaf in named:
        if not np.all(np.isfinite(leaf)):
            problem = f"{name} has inf or nan before the first step"
            raise pg.NonFiniteError(problem, "start from finite values", stage="training", subject="fit")


def _whole(name: str, value: Any, least: int = 1) -> int:
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if number < least:
        raise _refused(f"{name} is {value!r}", f"give an integer of {least} or more")
    return number


def _refused(problem: str, advice: str) -> pg.SignatureError:
    return pg.SignatureError(problem, advice, stage="training", subject="fit")
