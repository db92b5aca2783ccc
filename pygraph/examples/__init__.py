"""Runnable worked examples: `python -m pygraph.examples.NAME`.

Read `chain_rule.py`, `backpropagation.py`, `two_layer_net.py`, `multivariate_chain_rule.py` and `nested_functions.py`
(the five lessons), `diabetes.py`, `digits.py` and `characters.py` (training), `newton.py` and `rosenbrock.py`
(Hessians, dense and sparse), `pendulum.py`, `fixed_point.py` and `nested_optimisation.py` (loops and their
derivatives). `cells.py` and `handwriting.py` load data;
`catalogue.py` lists them all.

Boundary: user code; nothing is imported but the public interface, NumPy, Matplotlib for plots, and scikit-learn for a
data set.
"""
