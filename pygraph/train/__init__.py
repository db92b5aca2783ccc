"""Training loops, written with the public interface only."""

from .stochastic import sgd_epoch

__all__ = ["sgd_epoch"]
