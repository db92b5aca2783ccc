"""Finds a C compiler, and builds shared libraries with it."""

from __future__ import annotations

import errno
import functools
import importlib.util
import os
import shlex
import shutil
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import BackendError
from ..flags import ISA, NUMERICS
from ..text_parts import parts_of, unit_flags
from . import child, workfolder

#: How many seconds a compiler may take to say its version, and to build.
_ANSWER, _BUILD = 20.0, 900.0
#: How much of the end of the compiler's output an error repeats, in characters.
_WORDS = 2000
#: The system's errors of a full disk, and the bytes that must be left for a failure not to be one.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_ROOM = 16 << 20
#: So many parts of a text are worth a process of their own.
SHARE = 8
#: The level of optimisation of texts, and that of parts, which hold straight-line code between numbers: more does not
#: make that faster, and takes half as long again (GCC 12: 3.9 s in place of 6.6 s for 30,000 operations).
WHOLE, PARTS = "-O3", "-O1"
_ADVICE = "install gcc or clang, or `pip install ziglang`, or name a compiler in PYGRAPH_CC; backend='vm' needs none"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler that answers.

    Attributes:
        command: how it is called, with arguments that all its calls have.
        version: what it says of itself.
    """

    command: tuple[str, ...]
    version: str


def find() -> Compiler:
    """The first compiler of PYGRAPH_CC, CC, cc, gcc, clang and the `ziglang` package that answers.

    PYGRAPH_CC and CC may hold arguments, as in a shell. Where PYGRAPH_CC is set no other is tried. CC, which may be set
    for something else, must also show that it builds a library of C for this process.

    Raises:
        BackendError: there is none.
    """
    return _find(os.environ.get("PYGRAPH_CC", ""), os.environ.get("CC", ""), os.environ.get("PATH", ""))


@functools.lru_cache(maxsize=8)
def _find(wanted: str, usual: str, path: str) -> Compiler:
    if wanted:
        candidates = [_words(wanted)]
    else:
        candidates = [_words(usual), ["cc"], ["gcc"], ["clang"]]
        if importlib.util.find_spec("ziglang") is not None:
            candidates.append([sys.executable, "-m", "ziglang", "cc"])
    for command in filter(None, candidates):
        program = shutil.which(command[0], path=path)
        if program is None:
            continue
        full = (os.path.abspath(program), *command[1:])
        if any(Path(word).stem in ("zig", "ziglang") for word in full):
            full = (*full, "-mcpu=baseline")  # it would take the machine's own; ISA says what is added
        version = _version(full)
        if version is not None and (wanted or command is not candidates[0] or _builds(full)):
            return Compiler(full, version)
    problem = f"PYGRAPH_CC is {wanted!r}, which does not answer" if wanted else "no C compiler was found"
    raise BackendError(problem, _ADVICE, stage="compiling", subject="native code")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quotation without an end
        return [text]


def _version(command: tuple[str, ...]) -> str | None:
    with _temporary() as folder:
        try:
            status, said = child.run((*command, "--version"), folder, {"LC_ALL": "C"}, timeout=_ANSWER)
        except OSError:
            return None
    return said.strip() if status == 0 else None


@contextmanager
def _temporary() -> Iterator[Path]:
    try:
        folder = workfolder.make(workfolder.PREFIX)
    except OSError as error:
        advice = "make room, or name another folder in TMPDIR; backend='vm' needs none"
        raise BackendError(f"no temporary folder: {error}", advice, stage="compiling", subject="native code") from error
    try:
        yield folder
    finally:
        workfolder.remove(folder)


def _builds(command: tuple[str, ...]) -> bool:
    """Whether the command makes libraries of C for this kind of process."""
    probe = (
        f"#ifdef __cplusplus\n#error\n#endif\nextern int probe[sizeof(void *) == {struct.calcsize('P')} ? 1 : -1];\n"
    )
    with _temporary() as folder:
        Path(folder, "probe.c").write_text(f"{probe}int probe[1];\n", encoding="utf-8")
        library = Path(folder, "probe.so")
        try:
            status, _ = child.run(
                (*command, "-fPIC", "-shared", "probe.c", "-o", library.name), folder, timeout=_ANSWER
            )
        except OSError:
            return False
        return status == 0 and library.is_file()


def flags(isa: str, makes: str = "-shared", level: str = WHOLE) -> tuple[str, ...]:
    """The flags of native code for an instruction set; PYGRAPH_NATIVE_FLAGS adds some at the end."""
    added = _words(os.environ.get("PYGRAPH_NATIVE_FLAGS", ""))
    return (
        *("-std=c99", level, "-g0", "-fwrapv", "-fno-strict-aliasing", "-fPIC", makes),
        *NUMERICS,
        *ISA[isa],
        *added,
    )


def build(compiler: Compiler, text: str, isa: str, folder: Path, background: bool = False) -> Path:
    """Compile a C text to a shared library in `folder`, an empty one that belongs to this build.

    Raises:
        BackendError: with the compiler's messages.
        OSError: there is no space for the result.
    """
    source, library = folder / "native.c", folder / "native.so"
    source.write_text(text, encoding="utf-8")
    shares = parts_of(text) // SHARE
    if not shares:
        command = (*compiler.command, *flags(isa), source.name, "-o", library.name, "-lm")
        _run([(command, library)], folder, background)
        return library
    units = min(_processors(), shares)
    objects, commands = [folder / f"native{unit}.o" for unit in range(units + 1)], []
    for unit, made in enumerate(objects):
        command = (*compiler.command, *flags(isa, "-c", PARTS if unit else WHOLE), *unit_flags(unit, units))
        commands.append(((*command, source.name, "-o", made.name), made))
    _run(commands, folder, background)
    link = (*compiler.command, *flags(isa), *(made.name for made in objects), "-o", library.name, "-lm")
    _run([(link, library)], folder, background)
    return library


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(commands: Sequence[tuple[tuple[str, ...], Path]], folder: Path, background: bool) -> None:
    """Run compilers at once, each of which makes a file."""
    environment = {"LC_ALL": "C", "TMPDIR": str(folder)}
    try:
        ended = child.run_all([command for command, _ in commands], folder, environment, background, _BUILD)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise
        raise _failed(commands[0][0], f"can't be run: {error}", "") from error
    for (command, file), (status, said) in zip(commands, ended, strict=True):
        made = file.is_file() and file.stat().st_size > 0
        if status == 0 and made:
            continue
        _check_room(folder)
        if status < 0:
            ending = f"was ended by signal {-status} ({signal.strsignal(-status)})"
        else:
            ending = f"ended with status {status}"
        raise _failed(command, ending if made or status else f"{ending} and made no library", said)


def _check_room(folder: Path) -> None:
    """Raise what the system says of a few MB more in `folder`: a compiler may not have had the room to say it."""
    if not hasattr(os, "posix_fallocate"):  # macOS
        return
    probe = os.open(folder / "room", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        os.posix_fallocate(probe, 0, _ROOM)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise
    finally:
        os.close(probe)
        with suppress(OSError):
            os.unlink(folder / "room")


def _failed(command: Sequence[str], ending: str, said: str) -> BackendError:
    words = said.strip()[-_WORDS:]
    problem = f"{shlex.join(command)} {ending}" + (f":\n{words}" if words else ", without a word")
    advice = "report this error, or use backend='vm'; PYGRAPH_CC names another compiler"
    return BackendError(problem, advice, stage="compiling", subject="native code")
