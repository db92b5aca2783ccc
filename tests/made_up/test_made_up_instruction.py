"""An instruction is a class in the table, its runner and its emitter: a made-up one is tested in a copy that has it."""

from __future__ import annotations

from pathlib import Path

from project_copy import MARKS, Copy, run

pytestmark = MARKS


def test_which_files_are_edited(copy: Copy) -> None:
    """One of Python and one of C for kernels; the table, the runner and the emitter for an instruction."""
    assert copy.edited == {
        "kernels": {"pygraph/ops/special.py", "csrc/made_up.c"},
        "instruction": {"pygraph/lower/instructions.py", "csrc/rotate.c", "pygraph/emit/c_program.py"},
    }
    assert copy.changed() == set().union(*copy.edited.values())


def test_all_else_follows(installed: Path) -> None:
    """Words, listing, uses, the checks of every number and extent, check_finite, and runs in both tiers."""
    checks = str(Path(__file__).with_name("rotate_checks.py"))
    out = run(installed, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", checks)
    assert int(out.rsplit(" passed", 1)[0].split()[-1]) >= 30, out
