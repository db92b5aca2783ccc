"""Runnable worked examples: `python -m pygraph.examples.NAME`."""
