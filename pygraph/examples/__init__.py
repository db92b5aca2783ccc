"""Runnable worked examples: `python -m pygraph.examples.NAME`.

Read `chain_rule.py`, `backpropagation.py` and `multivariate_chain_rule.py` (lessons), `newton.py` and `rosenbrock.py`
(Hessians, dense and sparse), `pendulum.py`, `fixed_point.py` and `nested_optimisation.py` (loops and their
derivatives).

Boundary: user code; nothing is imported but the public interface, NumPy and, for plots, Matplotlib.
"""
