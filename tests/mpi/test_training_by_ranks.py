"""Training by several processes: equal to one to rounding, or to the last bit; errors, Ctrl-C, checkpoints, deaths."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trainings

from pygraph.examples import digits_mpi

_MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
#: Open MPI's own opinion is that as many processes as CPUs are enough, and that root has none.
_SETTINGS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


@functools.cache
def _missing() -> str:
    """Why ranks can't be started here; "" if they can."""
    if importlib.util.find_spec("mpi4py") is None:
        return "no mpi4py (pip install 'pygraph-ad[mpi]')"
    found = subprocess.run([sys.executable, "-c", "from mpi4py import MPI"], capture_output=True, text=True)
    if found.returncode:
        return f"mpi4py finds no MPI: {found.stderr.splitlines()[-1]}"
    return "" if _MPIEXEC else "no mpiexec"


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing())


def _mpiexec(size: int, *command: str) -> subprocess.CompletedProcess[str]:
    assert _MPIEXEC is not None
    root = str(Path(trainings.pg.__file__).parents[1])
    environment = os.environ | _SETTINGS | {"PYTHONPATH": root}
    return subprocess.run(
        [_MPIEXEC, "-n", str(size), sys.executable, *command],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(size, name) → what each rank found, all trainings of that size in one start of MPI."""
    folders: dict[int, Path] = {}
    names = {
        2: [name for name in trainings.TRAININGS if not name.startswith("a_rank_")],
        3: ["nets_with_everything", "uneven_batches", "more_ranks_than_rows", "fewer_parts_than_ranks", "checkpoints"],
    }

    def found(size: int, name: str) -> list[Any]:
        if size not in folders:
            folders[size] = tmp_path_factory.mktemp(f"of_{size}")
            ended = _mpiexec(size, trainings.__file__, str(folders[size]), *names[size])
            assert ended.returncode == 0, ended.stdout + ended.stderr
        return [json.loads((folders[size] / f"rank-{rank}.json").read_text())[name] for rank in range(size)]

    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAININGS_FOLDER", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", ["nets_with_everything", "fewer_parts_than_ranks", "checkpoints"])
def test_a_fixed_tree_gives_the_bits_of_one_process(ranks: Any, folder: Path, size: int, name: str) -> None:
    expected = json.loads(json.dumps(trainings.TRAININGS[name](None)))
    assert ranks(size, name) == [expected] * size
    if name == "checkpoints":  # that goes on, and that never stopped
        assert expected[0]["stopped"] == "interrupted between epochs"
        assert expected[1] == expected[2]


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (2, "uneven_batches"),
        (3, "uneven_batches"),
        (2, "more_ranks_than_rows"),
        (3, "more_ranks_than_rows"),
        (2, "several_losses"),
        (2, "arrays_from_a_file"),
        (2, "batches_of_each_rank"),
    ],
)
def test_ranks_are_equal_to_the_last_bit_and_to_one_process_to_rounding(
    ranks: Any, folder: Path, size: int, name: str
) -> None:
    found, expected = ranks(size, name), trainings.TRAININGS[name](None)
    assert found == [found[0]] * size
    for mine, other in zip(found[0]["params"], expected["params"], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14)
    assert found[0]["history"].keys() == expected["history"].keys()
    for column, values in expected["history"].items():
        np.testing.assert_allclose(found[0]["history"][column], values, rtol=1e-12)


def test_of_the_state_floats_are_averaged_integers_kept_and_what_does_not_change_stays(ranks: Any) -> None:
    found, expected = ranks(2, "integers_in_the_state"), trainings.integers_in_the_state(None)
    assert found[0] == found[1]
    assert found[0]["steps"] == expected["steps"] == 10
    assert found[0]["constant"] == [np.inf, 0.1]
    np.testing.assert_allclose(found[0]["mean"], expected["mean"], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "error", "text", "origin"),
    [
        ("labels_out_of_range", "IndexRangeError", "epoch 1, batch 2, rank 1: index 7 is out of range", 1),
        ("nan_in_the_data", "NonFiniteError", "epoch 1, batch 2, rank 1: the loss is not finite, because row 9", 1),
        ("a_step_too_large", "NonFiniteError", "epoch 1, batch 1: the parameters are not finite after", None),
        ("a_file_that_ends_in_one_rank", "OSError", "the disk of rank 1 is full", 1),
        ("a_callback_that_fails_in_one_rank", "KeyError", "only here", 1),
        ("bad_arguments_in_one_rank", "SignatureError", "batch_size is 0", 1),
        ("other_arguments_in_one_rank", "SignatureError", "epochs is 2 on rank 0 and 3 on rank 1", None),
        ("other_data_in_one_rank", "SignatureError", "checksum of some rows of data is", None),
        ("another_update_in_one_rank", "StateError", "params.b is another one on rank 1 than on rank 0", None),
        ("an_optimiser_that_fails", "IndexRangeError", "epoch 1, batch 4: index 3 is out of range", None),
        ("line_searches", "UnsupportedError", "line search of lbfgs", None),
        ("fixed_parts_of_batches", "SignatureError", "deterministic=True needs arrays", None),
    ],
)
def test_an_error_in_one_rank_is_raised_in_all(
    ranks: Any, name: str, error: str, text: str, origin: int | None
) -> None:
    found = ranks(2, name)
    for rank, each in enumerate(found):
        assert each["type"] == error
        assert text in " ".join(each["text"].split())
        if origin is not None and rank != origin:
            assert f"rank {origin} of 2 raised the error" in each["cause"]
        else:
            assert each["cause"] is None
    if name != "another_update_in_one_rank":
        assert found[0]["params"] == found[1]["params"]  # the last good ones


def test_ctrl_c_in_one_rank_ends_all_after_the_same_step(ranks: Any) -> None:
    found = ranks(2, "ctrl_c")
    assert found[0] == found[1]
    assert found[0]["stopped"].startswith("interrupted in epoch 3")


def test_a_callback_of_one_rank_ends_the_training_of_all(ranks: Any) -> None:
    found = ranks(2, "a_callback_that_ends_in_one_rank")
    assert found[0] == found[1]
    assert found[0]["stopped"] == "by a callback, after epoch 2"


@pytest.mark.parametrize("name", ["a_rank_that_is_killed", "a_rank_that_leaves"])
def test_a_rank_that_dies_ends_the_others(name: str, tmp_path: Path) -> None:
    began = time.monotonic()
    ended = _mpiexec(3, trainings.__file__, str(tmp_path), name)
    assert ended.returncode != 0
    assert not list(tmp_path.iterdir())
    assert time.monotonic() - began < 60  # the training itself would go on for years
    if name == "a_rank_that_leaves":
        assert "rank 1 of 3 ends the training of all" in ended.stderr


def test_the_example() -> None:
    ended = _mpiexec(4, "-m", "pygraph.examples.digits_mpi")
    assert ended.returncode == 0, ended.stderr
    report = ended.stdout.splitlines()
    assert report[0].startswith("4 processes, 50 epochs")
    alone, history = digits_mpi.train(None)
    assert report[2].split()[-4:] == [digits_mpi.checksum(alone)] * 4
    assert history["validation_accuracy"][-1] >= 0.975
    assert f"{history['validation_accuracy'][-1]:.2%}" in report[1]
