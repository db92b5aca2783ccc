"""Benchmarks of pygraph beside its peers, in one process run: `python -m benchmarks`."""
