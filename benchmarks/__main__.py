"""`python -m benchmarks [WORKLOAD …] [--only WORKLOAD …] [--rounds N] [--largest N] [--rows TEXT] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import (
    bundle,
    call,
    camera,
    chain,
    compile as compiling,
    convolution,
    export,
    gmm,
    kernels,
    linear,
    models,
    noise,
    scalar,
    searching,
    train,
    training,
)
from .harness import Report, machine, print_machine

WORKLOADS = {
    "kernels": kernels.run,
    "call": call.run,
    "scalar": scalar.run,
    "compile": compiling.run,
    "chain": chain.run,
    "training": training.run,
    "train": train.run,
    "camera": camera.run,
    "bundle": bundle.run,
    "gmm": gmm.run,
    "linear": linear.run,
    "models": models.run,
    "noise": noise.run,
    "convolution": convolution.run,
    "searching": searching.run,
    "export": export.run,
}


def main() -> int:
    """Run the chosen workloads, all by default, and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="pygraph beside its peers")
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--only", nargs="+", default=[], metavar="workload", help="the same as naming them alone")
    parser.add_argument("--rounds", type=int, help="interleaved rounds of every case, in place of each one's own")
    parser.add_argument(
        "--largest", type=int, metavar="N", help="operations of the largest graph that `compile` builds"
    )
    parser.add_argument("--rows", metavar="TEXT", help="of `kernels`, those with TEXT in their name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE as well")
    options = parser.parse_args()
    options.workloads += options.only
    unknown = [name for name in options.workloads if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    workloads: dict[str, Callable[[int | None], Report]] = dict(WORKLOADS)
    if options.largest is not None:
        workloads["compile"] = partial(compiling.run, most=options.largest)
    if options.rows is not None:
        workloads["kernels"] = partial(kernels.run, wanted=options.rows)
    found = machine()
    print_machine(found)
    reports = [workloads[name](options.rounds) for name in options.workloads or workloads]
    verdicts = [met for report in reports for met in report.verdicts()]
    print(f"\n{sum(verdicts)} of {len(verdicts)} targets met")
    if options.json is not None:
        record = {"machine": found, "workloads": [report.record() for report in reports]}
        options.json.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
