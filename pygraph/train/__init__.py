"""Training loops, written with the public interface only.

Read `minibatch_fit.py` (what can be asked for), `epoch_program.py` (the Program), `epoch_steps.py` (how it is called),
`training_run.py` (epoch after epoch); for several processes `ranks.py`, `step_choice.py`, `batch_shares.py`,
`parallel_program.py`, `gradient_buffers.py`, `summation_tree.py`, `parallel_steps.py`; then `data_source.py`,
`objective.py`, `evaluation.py`, `example_weights.py`,
`early_stopping.py`, `history.py`, `progress_bar.py`, `failures.py`, `resumption.py`, `program_cache.py`; of files
`saving.py`, `saved_form.py`, `atomic_write.py`, `checkpointer.py`; `stochastic.py` is the loop for one row at a time.

Boundary: nothing is imported but `pygraph` itself and NumPy, tqdm where a bar is shown, safetensors
where files are read or written, and mpi4py where several processes train.
"""

from .checkpointer import Checkpointer
from .early_stopping import EarlyStopping, EpochEnd
from .history import History
from .minibatch_fit import fit
from .saving import load, save
from .stochastic import sgd_epoch

__all__ = ["Checkpointer", "EarlyStopping", "EpochEnd", "History", "fit", "load", "save", "sgd_epoch"]
