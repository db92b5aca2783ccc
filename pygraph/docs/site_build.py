"""The build: pages that are written and pages that are made, put together and given to Sphinx; needs no network."""

from __future__ import annotations

import shutil
from pathlib import Path

from .coverage_page import coverage_page
from .lesson_pages import write_lesson_pages
from .notebooks import write_notebooks
from .operation_table import operation_page
from .reference_pages import reference_pages

HERE = Path(__file__).parent
PAGES = HERE / "pages"


def assemble(folder: Path) -> None:
    """Put the sources of all pages into `folder`: those of `pages`, and those that are made of the package."""
    shutil.copytree(PAGES, folder, dirs_exist_ok=True)
    for name in ("lessons", "reference"):
        (folder / name).mkdir(exist_ok=True)
    for name, text in reference_pages().items():
        (folder / "reference" / name).write_text(text, encoding="utf-8")
    (folder / "operations.md").write_text(operation_page(), encoding="utf-8")
    (folder / "unsupported.md").write_text(coverage_page(), encoding="utf-8")
    write_lesson_pages(folder / "lessons")
    write_notebooks(folder / "notebooks")


def build(output: Path, strict: bool = True) -> int:
    """Build the site into `output`/html, from sources in `output`/.pages; returns 0 where all went well.

    Raises:
        SystemExit: Sphinx or its theme is not installed, or `output` is a folder with something else in it.
    """
    try:
        import furo as furo
        import myst_parser as myst_parser
        from sphinx.cmd.build import build_main
    except ImportError as error:
        raise SystemExit(f"{error.name} is not installed: pip install 'pygraph-ad[docs]'") from error
    sources, html = output / ".pages", output / "html"
    if output.exists() and not sources.is_dir() and any(output.iterdir()):
        raise SystemExit(f"{output} holds something else: name a folder that is new or empty, or an earlier build")
    for folder in (sources, html):
        shutil.rmtree(folder, ignore_errors=True)
    sources.mkdir(parents=True)
    assemble(sources)
    flags = ["-W", "--keep-going"] if strict else []
    return int(build_main(["-q", *flags, "-c", str(HERE), "-b", "html", str(sources), str(html)]))
