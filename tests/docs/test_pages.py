"""The pages: all code in them runs, the names in them exist, and their links lead somewhere."""

from __future__ import annotations

import doctest
import linecache
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import COMPILERS, needs_compiler

import pygraph as pg
from pygraph.docs.site_build import PAGES

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(PAGES.rglob("*.md"))
TEXTS = {str(path.relative_to(PAGES)): path.read_text(encoding="utf-8") for path in FILES}
#: Pages that the build makes.
MADE = ("lessons/", "reference/", "operations.md", "unsupported.md")


#: Pages whose code, or what they name, takes long to run or to import.
LONG = ("how-to/training.md", "how-to/seeing.md", "how-to/c-export.md")


def pages(having: str = "") -> list[Any]:
    """The names of the pages with some text; the long ones are for the deep run."""
    found = [name for name, text in TEXTS.items() if having in text]
    return [pytest.param(name, marks=pytest.mark.deep) if name in LONG else name for name in found]


@pytest.mark.parametrize("name", pages("```python"))
def test_the_code_of_a_page_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its blocks one after the other, in one namespace; what stands as a session prints what it says."""
    blocks = re.findall(r"```python\n(.*?)```", TEXTS[name], re.DOTALL)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks):
        if ">>> " in block:
            test = doctest.DocTestParser().get_doctest(block, namespace, name, name, 0)
            said: list[str] = []
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
            runner.run(test, out=said.append, clear_globs=False)
            namespace.update(test.globs)
            assert not runner.failures, "".join(said)
        else:
            file = f"<{name} {number}>"
            linecache.cache[file] = (len(block), None, block.splitlines(True), file)
            exec(compile(block, file, "exec", dont_inherit=True), namespace)
    capsys.readouterr()


@pytest.mark.parametrize("name", pages())
def test_the_names_on_a_page_exist(name: str) -> None:
    for found in sorted(set(re.findall(r"\bpg((?:\.[A-Za-z_]\w*)+)", TEXTS[name]))):
        at: Any = pg
        for part in found[1:].split("."):
            assert hasattr(at, part), f"pg{found}"
            at = getattr(at, part)
    for file in re.findall(r"`((?:pygraph|csrc|tests|benchmarks)/[\w./]+)`", TEXTS[name]):
        assert (ROOT / file).exists(), file


@pytest.mark.parametrize("name", TEXTS)
def test_the_links_of_a_page(name: str) -> None:
    here = (PAGES / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (here / path).resolve() if path else PAGES / name
        inside = file.relative_to(PAGES).as_posix()
        assert inside in TEXTS or inside.startswith(MADE), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", TEXTS[inside], re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, target


@pytest.mark.parametrize("name", [name for name in TEXTS if not name.endswith("index.md")])
def test_every_page_is_in_a_table_of_contents(name: str) -> None:
    folder, _, file = name.rpartition("/")
    tree = TEXTS[f"{folder}/index.md" if folder else "index.md"]
    assert re.search(rf"^{file.removesuffix('.md')}$", tree, re.MULTILINE), name


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "```sh" in text])
def test_the_commands_of_a_page_run(name: str, tmp_path: Path) -> None:
    """Those of Python; the README's test installs."""
    for block in re.findall(r"```sh\n(.*?)```", TEXTS[name], re.DOTALL):
        for line in block.replace(".venv/bin/python", "python").splitlines():
            if "python" in line and "-m venv" not in line:
                command = re.sub(r"\bpython\b", sys.executable, line, count=1)
                done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr


@needs_compiler
@pytest.mark.deep
def test_the_exported_neuron_of_the_page_runs(tmp_path: Path) -> None:
    text = TEXTS["how-to/c-export.md"]
    program, calls, *_ = re.findall(r"```c\n(.*?)```", text, re.DOTALL)
    (tmp_path / "main.c").write_text(program, encoding="utf-8")
    (tmp_path / "chain_main.c").write_text(
        f'#include "chain.h"\nint main(void) {{\n{calls}    return 0;\n}}\n', "utf-8"
    )
    namespace: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, namespace)
    for name in ("neuron", "chain"):
        for file in Path(namespace["folder"]).glob(f"{name}.?"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    arguments, *_ = re.findall(r"`cc (-std=c99 .*?)`", text)
    chain = arguments.replace("main.c", "chain_main.c").replace("neuron.c", "chain.c")
    commands = [[COMPILERS[0], *given.split(), "-o", "program"] for given in (arguments, chain)]
    for command in (commands[0], ["./program"], commands[1], ["./program"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
