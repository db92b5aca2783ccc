"""Which steps go through the data: of arrays or of batches, by one process or by several that share each batch."""

from __future__ import annotations

import dataclasses
import zlib
from typing import Any

import numpy as np

import pygraph as pg

from .batch_shares import RowShares, StreamShares
from .data_source import Batch, Rows, Stream
from .epoch_steps import ArraySteps, MappedSteps, Steps, StreamSteps, shuffled
from .example_weights import row_weights, stream_weights
from .parallel_steps import ParallelSteps
from .ranks import Ranks
from .summation_tree import SummationTree

#: Into how many parts `deterministic=True` cuts each batch.
PARTS = 8
#: So many rows tell whether data are the same in all processes.
_SAMPLE = 256


@dataclasses.dataclass(frozen=True)
class StepChoice:
    """What is known of the steps before they are made.

    Attributes:
        ranks: the processes.
        parts: into how many parts each batch is cut; None: one for each process.
        batch_size: rows of a batch; None: all. Not used where batches are given.
        drop_last: whether an epoch ends with the last whole batch.
        shuffle: whether rows come in another order in each epoch.
        sample_weight, class_weight: as `fit` has them.
        dtype: of the weights.
    """

    ranks: Ranks
    parts: int | None
    batch_size: int | None
    drop_last: bool
    shuffle: bool
    sample_weight: Any
    class_weight: Any
    dtype: Any

    def rows_in_epoch(self, source: Rows) -> int:
        """How many rows each epoch goes through."""
        return source.count - source.count % self._size(source) if self.drop_last else source.count

    def _size(self, source: Rows) -> int:
        return source.count if self.batch_size is None else min(self.batch_size, source.count)

    def make(self, source: Rows | Stream, key: Any, common: tuple[Any, ...]) -> tuple[Steps, Batch]:
        """The steps, and a batch like those they are done on; `common` is what all `Steps` take.

        Raises:
            SignatureError: batches that are given can't be cut into the same parts for any number of processes.
        """
        if isinstance(source, Rows):
            return self._of_rows(source, key, common)
        if self.parts is not None:
            advice = "give arrays (np.memmap for what does not fit into memory), or deterministic=False"
            raise pg.SignatureError("deterministic=True needs arrays as data", advice, stage="training", subject="fit")
        return self._of_stream(source, common)

    def _of_rows(self, source: Rows, key: Any, common: tuple[Any, ...]) -> tuple[Steps, Batch]:
        size, count = self._size(source), self.rows_in_epoch(source)
        weights = row_weights(source, self.sample_weight, self.class_weight, self.dtype)
        order_in = shuffled(source.count, key, common[-1]) if self.shuffle else None
        example = source.gathered(np.arange(size), weights)
        if not self._is_parallel():
            kind = ArraySteps if source.in_memory else MappedSteps
            return kind(source, weights, size, count, order_in, *common), example
        ranks, tree, mine = self.ranks, None, range(self.ranks.rank, self.ranks.rank + 1)
        if self.parts is not None:
            tree = SummationTree(self.parts, ranks.size, ranks.rank)
            mine = tree.parts_here
        shares = RowShares(source, weights, size, count, self.parts or ranks.size, mine, order_in)
        return ParallelSteps(ranks, tree, shares, *common), example

    def _of_stream(self, source: Stream, common: tuple[Any, ...]) -> tuple[Steps, Batch]:
        weights_of = stream_weights(source, self.sample_weight, self.class_weight, self.dtype)
        found = source.first()
        example = Batch(found.data, found.rows, weights_of(found))
        if not self._is_parallel():
            return StreamSteps(source, weights_of, *common), example
        return ParallelSteps(self.ranks, None, StreamShares(source, weights_of, self.ranks), *common), example

    def _is_parallel(self) -> bool:
        return self.parts is not None or self.ranks.size > 1


def parts_of(deterministic: Any) -> int | None:
    """Into how many parts each batch is cut: the number that is given, `PARTS` for True, None for False.

    Raises:
        SignatureError: neither.
    """
    if isinstance(deterministic, (bool, np.bool_)):
        return PARTS if deterministic else None
    if isinstance(deterministic, (int, np.integer)) and deterministic >= 1:
        return int(deterministic)
    problem = f"deterministic is {deterministic!r}"
    raise pg.SignatureError(problem, "give True, False or a number of parts", stage="training", subject="fit")


def description(source: Rows | Stream) -> dict[str, Any]:
    """What has to be the same in all processes of data that they share."""
    if isinstance(source, Stream):
        return {"kind": "batches"}
    leaves = pg.tree_leaves(source.data)
    sample = zlib.crc32(b"".join(map(_sampled, leaves)))
    return {"kind": "arrays", "number of rows": source.count, "checksum of some rows": sample}


def _sampled(array: Any) -> bytes:
    places = np.unique(np.linspace(0, len(array) - 1, _SAMPLE).astype(np.int64))
    return np.ascontiguousarray(array[places]).tobytes()
