"""Pictures of functions and their derivatives, `pg.plot`, drawn by Matplotlib.

Read `figures.py` (figures, axes, and the error without Matplotlib), `chain_plots.py` (chains and tangent lines),
`field_plots.py` (functions of two numbers: losses with the path of a descent, gradient fields), `sparsity_plot.py`
(the structure of a Jacobian with its colouring), `training_plot.py` (the epochs of a training).

Each function returns a Matplotlib figure, which a notebook shows; `axes=` draws into axes of one's own instead, and
`path=` saves the picture.

Boundary: nothing that computes depends on it. Matplotlib is imported at the first drawing.
"""

from .chain_plots import chain, chain_derivative, tangent
from .field_plots import gradient_field, loss_surface
from .figures import figure
from .sparsity_plot import sparsity
from .training_plot import history

__all__ = ["chain", "chain_derivative", "figure", "gradient_field", "history", "loss_surface", "sparsity", "tangent"]
