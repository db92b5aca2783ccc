"""A training that saves checkpoints to files, and is killed, ends with the bits of one that was not interrupted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pygraph as pg

TRAINING = """
import hashlib, sys
from typing import NamedTuple, Any
import numpy as np
import pygraph as pg

class Model(NamedTuple):
    w: Any
    rest: Any

class Momentum:
    def init(self, params):
        return Model(pg.tree_map(np.zeros_like, params), np.int64(0))

    def update(self, gradients, state, params):
        speed = pg.tree_map(lambda v, g: 0.5 * v + g, state.w, gradients)
        return pg.tree_map(lambda p, v: p - 0.01 * v, params, speed), Model(speed, state.rest + 1)

def loss(params, x, y, key):
    h = x @ params.w + params.rest["b"] + pg.random.uniform(key, (3,))
    return pg.losses.softmax_cross_entropy(h, y)

def main(folder, epochs, progress):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    start = Model(rng.normal(size=(4, 3)), {"b": np.zeros(3)})
    checkpoints = pg.Checkpointer(folder, keep=2) if folder else None
    params, history = pg.fit(loss, start, data=(x, y), optimizer=Momentum(), epochs=epochs, batch_size=8, seed=1,
                             checkpoint=checkpoints, callbacks=[progress])
    assert len(history) == epochs
    return params, history
"""


def test_a_training_goes_on_from_files_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("a_training")
    exec(TRAINING, vars(module))
    monkeypatch.setitem(sys.modules, "a_training", module)  # where the class in the files is found

    def trained(folder: str, progress: Any = lambda end: None) -> Any:
        return vars(module)["main"](folder, 3, progress)

    expected, table = trained("")

    def stop(end: Any) -> None:
        if end.epoch == 2:
            raise RuntimeError("the machine goes down")

    with pytest.raises(RuntimeError, match="goes down"):
        trained(str(tmp_path), stop)
    assert pg.Checkpointer(tmp_path).steps()
    params, history = trained(str(tmp_path))
    for a, b in zip(pg.tree_leaves(params), pg.tree_leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)
    assert history["loss"].tolist() == table["loss"].tolist()


@pytest.mark.deep
def test_a_training_that_is_killed_again_and_again(tmp_path: Path) -> None:
    epochs, pause = 120, 0.02  # so long that no machine gets through before it is killed twice
    code = TRAINING + (
        "import time\n"
        f"seen = lambda end: time.sleep({pause}) or print(end.epoch, flush=True)\n"
        f"params, _ = main(sys.argv[1], {epochs}, seen)\n"
        "print(hashlib.sha256(b''.join(np.asarray(x).tobytes() for x in pg.tree_leaves(params))).hexdigest())"
    )

    def start(folder: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)

    expected = start("").communicate()[0].split()[-1]
    killed = 0
    while True:
        training = start(str(tmp_path))
        assert training.stdout is not None
        first = training.stdout.readline()  # an epoch is done, or all of them were
        time.sleep(random.uniform(0.0, 0.8))
        training.send_signal(signal.SIGKILL)
        said = [first.strip(), *training.communicate()[0].split()]
        if training.returncode == 0:
            break
        assert training.returncode == -signal.SIGKILL
        killed += 1
    assert killed > 1
    assert said[-1] == expected
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]
