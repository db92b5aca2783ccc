"""How the C library is compiled: the sources, the flags of each file, and the cffi module built from pg_api.h.

setuptools executes this file by path (`cffi_modules` in setup.py), setup.py reads the same functions for its per-file
flags, and CI asks for them with `python csrc/build_ffi.py --strict FILE`. Flags that numbers depend on, which native
code shares, stand in pygraph/emit/flags.py; no other file may list a flag for the library.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import sys
import sysconfig
from pathlib import Path

import cffi
import scipy_openblas32

CSRC = Path(__file__).resolve().parent
ROOT = CSRC.parent
MODULE = "pygraph.runtime._core"
BLAS = "pygraph_openblas"  # link name of the private copy of OpenBLAS that setup.py stages

SANITIZE = os.environ.get("PYGRAPH_SANITIZE") == "1"
STRICT = os.environ.get("PYGRAPH_STRICT") == "1"  # more warnings, each an error
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))  # such a CPython has no abi3
X86 = platform.machine().lower() in {"x86_64", "amd64", "i386", "i686"}

LANGUAGE = ["-std=c11", "-fvisibility=hidden", "-pthread"]
# Most Pythons add -fwrapv; said here so that all builds have it. Nothing unwinds C, and wheels have to be small.
OPTIMISE = ["-O3", "-g0", "-fwrapv", "-fno-asynchronous-unwind-tables"]
WARNINGS = ["-Wall", "-Wextra"]
STRICT_WARNINGS = [*WARNINGS, "-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Wvla", "-Werror"]
INSTRUMENT = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# Python's own flags would hide signed overflow (-fwrapv) and switch assert() off (-DNDEBUG).
SANITIZE_FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-wrapv", "-UNDEBUG", *INSTRUMENT]

# Loaded by path: the package that is being built is not installed.
_spec = importlib.util.spec_from_file_location("flags", ROOT / "pygraph" / "emit" / "flags.py")
assert _spec is not None
assert _spec.loader is not None
flags = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(flags)

# Files that need more than the baseline instruction set. The runtime picks one by CPU at load. The files guard
# themselves with #if, so on another architecture they compile, without these flags, to empty translation units.
X86_FILE_FLAGS = {f"kernels_{level}.c": needed for level, needed in flags.ISA.items()}


def sources() -> list[str]:
    """Every C file of the library, relative to the project root; subfolders (tests) are not part of it."""
    return sorted(path.relative_to(ROOT).as_posix() for path in CSRC.glob("*.c"))


def headers() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in CSRC.rglob("*.h"))


def include_dirs() -> list[str]:
    """Our include folders. CBLAS and LAPACKE headers are system headers: see `file_flags`."""
    return [str(CSRC), str(CSRC / "generated")]


def file_flags(source: str, *, strict: bool = STRICT, sanitize: bool = SANITIZE) -> list[str]:
    """The compiler flags for one of our C files (`strict`: as CI compiles it)."""
    return [
        *LANGUAGE,
        *(SANITIZE_FLAGS if sanitize else OPTIMISE),
        *flags.NUMERICS,
        *(STRICT_WARNINGS if strict else WARNINGS),
        *(X86_FILE_FLAGS.get(Path(source).name, []) if X86 else []),
        *["-isystem", scipy_openblas32.get_include_dir()],  # a system header's warnings are not ours
    ]


def wrapper_flags() -> list[str]:
    """Flags for the C file that cffi generates, whose warnings are not ours."""
    return ["-fvisibility=hidden", "-pthread", "-w", *(SANITIZE_FLAGS if SANITIZE else ["-O2", "-g0"])]


def link_flags() -> list[str]:
    """The extension finds its BLAS beside itself, in `_libs/`; on Linux it is stripped, as wheels have to be small."""
    origin = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
    released = ["-Wl,-s"] if sys.platform == "linux" else []
    return ["-pthread", f"-Wl,-rpath,{origin}/_libs", *(INSTRUMENT if SANITIZE else released)]


def cdef() -> str:
    """pg_api.h as cffi reads it: no preprocessor lines, no C++ guard, no PG_API export macro."""
    text = (CSRC / "pg_api.h").read_text(encoding="utf-8")
    text = re.sub(r"^[ \t]*#[ \t]*ifdef[ \t]+__cplusplus\b.*?^[ \t]*#[ \t]*endif\b[^\n]*$", "", text, flags=re.M | re.S)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.M)
    return re.sub(r"\bPG_API\b", "", text)


def make_ffi() -> cffi.FFI:
    ffi = cffi.FFI()
    ffi.cdef(cdef())
    ffi.set_source(
        MODULE,
        '#include "pg_api.h"\n',
        sources=sources(),
        depends=[*headers(), "csrc/build_ffi.py", "pygraph/emit/flags.py"],
        include_dirs=include_dirs(),
        libraries=[BLAS, "m", *(["dl"] if sys.platform == "linux" else [])],
        extra_compile_args=wrapper_flags(),
        extra_link_args=link_flags(),
        py_limited_api=not FREE_THREADED,
    )
    return ffi


def main(argv: list[str]) -> int:
    if len(argv) != 2 or argv[0] != "--strict":
        print("usage: build_ffi.py --strict FILE.c  (prints CI's flags for it, one a line)", file=sys.stderr)
        return 2
    print("\n".join([*file_flags(argv[1], strict=True), *(f"-I{folder}" for folder in include_dirs())]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
if __name__ == "__cffi__":  # the name under which cffi's setuptools hook executes this file
    ffibuilder = make_ffi()
