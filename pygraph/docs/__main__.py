"""`python -m pygraph.docs notebooks FOLDER`: the lessons as notebooks."""

from __future__ import annotations

import argparse
from pathlib import Path

from .notebooks import write_notebooks


def run() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser("python -m pygraph.docs", description="the notebooks of the lessons")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    notebooks = commands.add_parser("notebooks", help="write the lessons as Jupyter notebooks")
    notebooks.add_argument("folder", type=Path, help="where to write them")
    asked = parser.parse_args()
    for path in write_notebooks(asked.folder):
        print(path)


if __name__ == "__main__":
    run()
