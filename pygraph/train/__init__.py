"""Training loops, written with the public interface only.

Read `minibatch_fit.py` (what can be asked for), `epoch_program.py` (the Program), `epoch_steps.py` (how it is called),
`training_run.py` (epoch after epoch), then `data_source.py`, `objective.py`, `evaluation.py`, `example_weights.py`,
`early_stopping.py`, `history.py`, `progress_bar.py`, `failures.py`, `resumption.py`, `program_cache.py`;
`stochastic.py` is the loop for one row at a time.

Boundary: nothing is imported but `pygraph` itself and NumPy, and tqdm where a bar is shown.
"""

from .early_stopping import EarlyStopping, EpochEnd
from .history import History
from .minibatch_fit import fit
from .stochastic import sgd_epoch

__all__ = ["EarlyStopping", "EpochEnd", "History", "fit", "sgd_epoch"]
