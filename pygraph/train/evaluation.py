"""Losses and metrics of a data set, averaged over its examples, with nothing learned."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pygraph as pg

from .data_source import Batch, Rows, Stream, arguments_of
from .objective import Objective, evaluation_context, scalar
from .program_cache import Programs
from .ranks import Ranks

Metrics = Mapping[str, Callable[..., Any]]


class Evaluation:
    """Evaluate a data set, in one call or batch by batch.

    Args:
        objective: its losses are computed too; None: metrics alone.
        metrics: functions metric(params, *batch, **context) → scalar.
        source: what is evaluated.
        batch_size: how many rows at a time; None: all at once, or what a stream gives.
        with_state: whether there is a state.
        prefix: of the names of the values.
        names: of the losses, in the order of the table.
        options: of `pg.compile`.
    """

    def __init__(
        self,
        objective: Objective | None,
        metrics: Metrics,
        source: Rows | Stream,
        batch_size: int | None,
        with_state: bool,
        prefix: str,
        names: Sequence[str],
        options: dict[str, Any],
    ) -> None:
        self.source, self._batch_size, self._prefix = source, batch_size, prefix
        self._names = [*names, *metrics]

        def evaluate(params: Any, state: Any, data: Any) -> dict[str, Any]:
            found = {} if objective is None else objective.evaluation(params, state, data)
            arguments = arguments_of(data)
            for name, metric in metrics.items():
                context = evaluation_context(metric, len(arguments), with_state, state)
                found[name] = scalar(metric(params, *arguments, **context), f"metric {name!r}")
            return found

        self._run = Programs(evaluate, options)

    def __call__(self, params: Any, state: Any, ranks: Ranks) -> dict[str, float]:
        """The mean of each value over the examples, by its name.

        Of arrays the processes take parts in turn, as many as `batch_size` makes; of a stream each has its own.
        """
        sums: dict[str, float] = {}
        rows = 0
        here = ranks.agreed(self._parts, params, state, ranks)
        for _, _, count, values in sorted(itertools.chain(*ranks.gathered(here)), key=lambda part: part[:2]):
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value * count
            rows += count
        return {self._prefix + name: sums[name] / rows for name in self._names if name in sums}

    def _parts(self, params: Any, state: Any, ranks: Ranks) -> list[tuple[int, int, int, dict[str, float]]]:
        """Of the parts that this process evaluates: their number, the rank, the rows, and the values."""
        source = self.source
        batches: Iterable[tuple[int, Batch]]
        if isinstance(source, Rows):
            batches = itertools.islice(enumerate(source.slices(self._batch_size)), ranks.rank, None, ranks.size)
        else:
            batches = enumerate(source.batches())
        found = []
        for number, batch in batches:
            values = self._run(batch.data, params, state, batch.data)
            found.append((number, ranks.rank, batch.rows, {name: float(value) for name, value in values.items()}))
        return found


def checked_metrics(metrics: Any) -> dict[str, Callable[..., Any]]:
    """The metrics by name.

    Raises:
        SignatureError: no dict of functions.
    """
    if metrics is None:
        return {}
    if not isinstance(metrics, Mapping) or not all(callable(metric) for metric in metrics.values()):
        advice = 'give a dict such as {"accuracy": lambda params, x, y: ...}'
        raise pg.SignatureError("metrics are no dict of functions", advice, stage="training", subject="fit")
    return {str(name): metric for name, metric in metrics.items()}
