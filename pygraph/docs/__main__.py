"""`python -m pygraph.docs` builds the site, without a network; `… notebooks FOLDER` writes the lessons as notebooks."""

from __future__ import annotations

import argparse
from pathlib import Path

from .notebooks import write_notebooks
from .site_build import build


def run() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser("python -m pygraph.docs", description="build the documentation")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("pygraph-docs"),
        help="a new folder, or that of an earlier build (pygraph-docs)",
    )
    parser.add_argument("--lenient", action="store_true", help="go on after warnings, and succeed in spite of them")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    notebooks = commands.add_parser("notebooks", help="write the lessons as Jupyter notebooks")
    notebooks.add_argument("folder", type=Path, help="where to write them")
    asked = parser.parse_args()
    if asked.command == "notebooks":
        for path in write_notebooks(asked.folder):
            print(path)
        return
    status = build(asked.output, not asked.lenient)
    if status:
        raise SystemExit(status)
    print(asked.output / "html" / "index.html")


if __name__ == "__main__":
    run()
