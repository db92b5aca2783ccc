"""pg.Checkpointer: what it keeps and loads, also when files are damaged or the process is killed at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg


def tree(step: int) -> dict[str, Any]:
    """What a training holds, with the step in every number."""
    return {
        "params": [{"w": np.full((3, 2), float(step)), "b": np.full(2, step, np.float32)}],
        "optimizer": (np.array(step), {"mean": [np.full((3, 2), step - 0.5)]}),
        "epoch": step // 10,
        "key": pg.random.key(step),
    }


def assert_is(found: Any, step: int) -> None:
    assert found is not None
    assert found[0] == step
    got, expected = found[1], tree(step)
    assert (type(got["optimizer"]), got["epoch"]) == (tuple, step // 10)
    for a, b in zip(pg.tree_leaves(got), pg.tree_leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_last_ones_stay(tmp_path: Path) -> None:
    checkpoints = pg.Checkpointer(tmp_path / "new" / "folder", keep=2)
    assert checkpoints.load() is None
    assert checkpoints.latest() is None
    assert checkpoints.steps() == []
    paths = [checkpoints.save(step, tree(step)) for step in (5, 10, np.int64(15))]
    assert checkpoints.steps() == [10, 15]
    assert sorted(checkpoints.folder.iterdir()) == paths[1:]
    assert checkpoints.latest() == paths[-1]
    assert_is(checkpoints.load(), 15)
    assert_is(checkpoints.load(10), 10)
    assert_is((15, pg.load(paths[-1])), 15)
    assert_is(pg.Checkpointer(str(checkpoints.folder)).load(), 15)
    assert repr(checkpoints) == f"Checkpointer({str(checkpoints.folder)!r}, keep=2)"


def test_all_stay_without_a_limit_and_one_with_one(tmp_path: Path) -> None:
    everything, one = pg.Checkpointer(tmp_path / "all", keep=None), pg.Checkpointer(tmp_path / "one", keep=1)
    for step in range(12):
        everything.save(step, step)
        one.save(step, step)
    assert everything.steps() == [*range(12)]
    assert one.steps() == [11]


def test_a_training_that_goes_back_is_followed(tmp_path: Path) -> None:
    checkpoints = pg.Checkpointer(tmp_path, keep=3)
    for step in (100, 200, 300):
        checkpoints.save(step, tree(step))
    assert_is(checkpoints.load(100), 100)
    checkpoints.save(150, tree(150))
    assert checkpoints.steps() == [200, 300, 150]
    assert_is(checkpoints.load(), 150)
    checkpoints.save(200, {"again": 1})  # in place of what was saved at that step
    assert checkpoints.steps() == [300, 150, 200]
    assert checkpoints.load() == (200, {"again": 1})


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    names = [
        "model.safetensors",
        "checkpoint-1-step-1.safetensors",
        "notes.txt",
        ".hidden.part",
        f".x.elsewhere.{2**30}.0.part",
    ]
    for name in names:
        (tmp_path / name).write_text("mine")
    checkpoints = pg.Checkpointer(tmp_path, keep=1)
    for step in range(3):
        checkpoints.save(step, step)
    assert {path.name for path in tmp_path.iterdir()} == {*names, "checkpoint-00000002-step-2.safetensors"}


def test_damaged_checkpoints_are_passed_over_or_refused(tmp_path: Path) -> None:
    checkpoints = pg.Checkpointer(tmp_path)
    paths = [checkpoints.save(step, tree(step)) for step in (1, 2, 3)]
    whole = paths[2].read_bytes()
    paths[2].write_bytes(whole[:-1])
    content = bytearray(paths[1].read_bytes())
    content[-3] ^= 1
    paths[1].write_bytes(content)
    with pytest.warns(RuntimeWarning, match="passed over") as caught:
        assert_is(checkpoints.load(), 1)
    assert "its checksum does not match its content" in str(caught[1].message)
    assert [os.path.basename(x.filename) for x in caught] == [os.path.basename(__file__)] * 2
    assert [str(path) in str(x.message) for path, x in zip(paths[:0:-1], caught, strict=True)] == [True, True]
    with pytest.warns(RuntimeWarning):
        assert checkpoints.latest() == paths[0]
    with pytest.raises(pg.FileFormatError) as error:
        checkpoints.load(2)
    assert error.value.subject == str(paths[1])
    paths[0].write_bytes(b"")
    with pytest.warns(RuntimeWarning), pytest.raises(pg.FileFormatError) as error:
        checkpoints.load()  # rather than to begin again
    assert error.value.subject == str(paths[2])
    checkpoints.save(4, tree(4))
    assert_is(checkpoints.load(), 4)


def test_a_class_that_is_not_known_is_no_damage(tmp_path: Path) -> None:
    from collections import namedtuple

    Local = namedtuple("Local", "x")
    checkpoints = pg.Checkpointer(tmp_path)
    checkpoints.save(1, {"x": 1})
    checkpoints.save(2, Local(1.0))
    with pytest.raises(pg.UnsupportedError, match="not known"):
        checkpoints.load()
    assert pg.Checkpointer(tmp_path, classes=[Local]).load() == (2, Local(1.0))


def test_a_failed_save_changes_nothing(tmp_path: Path) -> None:
    checkpoints = pg.Checkpointer(tmp_path, keep=1)
    path = checkpoints.save(1, tree(1))
    with pytest.raises(pg.DTypeError):
        checkpoints.save(2, object())
    assert list(tmp_path.iterdir()) == [path]
    assert_is(checkpoints.load(), 1)


@pytest.mark.parametrize("wrong", [-1, 1.5, "1", None])
def test_mistakes(tmp_path: Path, wrong: Any) -> None:
    checkpoints = pg.Checkpointer(tmp_path)
    with pytest.raises(pg.DomainError, match=r"step=.*(\n.*)*an integer from 0"):
        checkpoints.save(wrong, 1)
    if wrong is not None:
        with pytest.raises(pg.DomainError, match="keep="):
            pg.Checkpointer(tmp_path, keep=wrong)
    with pytest.raises(pg.DomainError, match="keep=0"):
        pg.Checkpointer(tmp_path, keep=0)
    with pytest.raises(pg.DomainError, match=r"no checkpoint of step 7(.|\n)*there are: none"):
        checkpoints.load(7)


#: Kills a process that saves, again and again, and goes on each time from what the last one left. `how` is "lines": the
#: process ends itself before a line of pygraph.train, at each kill another one; or "times": it is killed after a while.
KILLER = """
import json, os, random, signal, sys, time
import numpy as np
import pygraph as pg

assert "pygraph.train" not in sys.modules and {"save", "load", "Checkpointer"} <= {*dir(pg)}
pg.save
assert "safetensors" not in sys.modules

folder, kills, size, how = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
checkpoints = pg.Checkpointer(folder, keep=2)
HERE = os.path.join("pygraph", "train", "")

def tree(step):
    return {"w": [np.full(size, float(step)), {"b": np.full((2, 3), step)}], "state": (np.array(step),), "epoch": step}

class Lines:
    def __init__(self, limit):
        self.seen, self.limit = 0, limit
    def trace(self, frame, event, arg):
        if HERE not in frame.f_code.co_filename:
            return None
        if event == "line":
            if self.seen == self.limit:
                os.kill(os.getpid(), signal.SIGKILL)
            self.seen += 1
        return self.trace

def save_on(step, pipe, lines):
    try:
        if lines is not None:
            sys.settrace(lines.trace)
        while True:
            checkpoints.save(step, tree(step))
            os.write(pipe, b"%d\\n" % step)
            step += 1
    finally:
        os._exit(1)

last = 0
if how == "lines":
    lines = Lines(-1)
    for last in (1, 2, 3, 4):  # the last two remove an old one
        lines.seen = 0
        sys.settrace(lines.trace)
        checkpoints.save(last, tree(last))
        sys.settrace(None)
    span = 2 * lines.seen
else:
    start = time.perf_counter()
    for _ in range(4):
        pg.save(os.path.join(folder, "other"), tree(0))
    span = (time.perf_counter() - start) / 2  # about two files
amid = 0
for kill in range(kills):
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        save_on(last + 1, into, Lines(kill * span // kills) if how == "lines" else None)
    os.close(into)
    if how == "times":
        time.sleep(random.uniform(0.0, span))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    with os.fdopen(out) as said:
        done = [int(line) for line in said]
    reached = done[-1] if done else last
    found = checkpoints.load()  # a warning of damage is an error
    step = found[0] if found else 0
    assert step in (reached, reached + 1), (step, reached)
    if found:
        w, optimizer = found[1]["w"], found[1]["state"]
        assert w[0].shape == (size,) and (w[0] == step).all() and (w[1]["b"] == step).all()
        assert optimizer == (np.array(step),) and found[1]["epoch"] == step
    unfinished = [name for name in os.listdir(folder) if name.endswith(".part")]
    assert len(unfinished) <= 2  # this child's, and the one before if it did not come to clear up
    amid += bool(unfinished)
    last = step
checkpoints.save(last + 1, tree(last + 1))
assert len(checkpoints.steps()) == min(2, last + 1)
assert not [name for name in os.listdir(folder) if name.endswith(".part")]
print(json.dumps({"amid": amid, "saved": last}))
"""


def killed(folder: Path, kills: int, size: int, how: str) -> dict[str, int]:
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", KILLER, str(folder), str(kills), str(size), how]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_process_that_is_killed_before_any_line_leaves_a_complete_checkpoint(tmp_path: Path) -> None:
    found = killed(tmp_path, 50, 200, "lines")
    assert found["saved"] > 10
    assert found["amid"] > 4  # so many of the kills came while a file was being written


@pytest.mark.deep
@pytest.mark.parametrize("size", [10, 3_000, 100_000])
def test_a_process_that_is_killed_hundreds_of_times(tmp_path: Path, size: int) -> None:
    killed(tmp_path, 300, size, "times")


@pytest.mark.deep
def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np, pygraph as pg; c = pg.Checkpointer(sys.argv[1], keep=1)\n"
        "for step in range(60): c.save(step, np.full(500, step))"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    checkpoints, last = pg.Checkpointer(tmp_path), -1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        while writer.poll() is None or last < 0:
            found = checkpoints.load()
            if found is not None:
                step, x = found
                assert (x == step).all()
                assert step >= last
                last = step
    assert writer.wait() == 0
    assert checkpoints.load()[0] == 59  # type: ignore[index]
