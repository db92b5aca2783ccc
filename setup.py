"""Builds pygraph.runtime._core: one C flag set per file, and a private copy of OpenBLAS in pygraph/runtime/_libs/.

Everything that is not about compiling stands in pyproject.toml; the sources and flags stand in csrc/build_ffi.py.
"""

from __future__ import annotations

import copy
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import scipy_openblas32
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
_spec = importlib.util.spec_from_file_location("build_ffi", ROOT / "csrc" / "build_ffi.py")  # not on sys.path (PEP 517)
assert _spec is not None
assert _spec.loader is not None
build_ffi = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build_ffi)


def tool(name: str) -> str:
    """A program on PATH or beside the running Python (a build requirement's script)."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise SystemExit(f"building pygraph needs the program {name!r}, which was not found")
    return found


def stage_blas(folder: Path) -> list[Path]:
    """Copy OpenBLAS, what it ships with and its licence into `folder`; returns the files.

    The copy gets a name of its own inside and out: a loader that has already loaded a library of the same internal
    name, for another package, would otherwise hand out that one.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    original = Path(scipy_openblas32.get_lib_dir(), scipy_openblas32.get_library(fullname=True))
    library = folder / f"lib{build_ffi.BLAS}{original.suffix}"
    shutil.copyfile(original, library)
    if sys.platform == "darwin":
        listing = subprocess.check_output([tool("otool"), "-L", str(original)], text=True)
        changes = ["-id", f"@rpath/{library.name}"]
        for line in listing.splitlines()[2:]:  # the file's name, its own id, then one dependency a line
            needed = line.split()[0]
            if needed.startswith("@loader_path/"):
                shutil.copyfile(original.parent / needed.removeprefix("@loader_path/"), folder / Path(needed).name)
                changes += ["-change", needed, f"@loader_path/{Path(needed).name}"]
        subprocess.run([tool("install_name_tool"), *changes, str(library)], check=True)
        subprocess.run([tool("codesign"), "--force", "--sign", "-", str(library)], check=True)
    else:
        # symbols, and the tables for unwinding that C does not need: 190 kB and 490 kB of the wheel
        unneeded = ("--strip-unneeded", "--remove-section=.eh_frame", "--remove-section=.eh_frame_hdr")
        subprocess.run([tool("strip"), *unneeded, str(library)], check=True)
        subprocess.run([tool("patchelf"), "--set-soname", library.name, str(library)], check=True)
    notices = [path for path in importlib.metadata.files("scipy-openblas32") or [] if path.name == "LICENSE.txt"]
    if not notices:
        raise SystemExit("scipy-openblas32 came without LICENSE.txt, which must accompany the bundled library")
    shutil.copyfile(str(notices[0].locate()), folder / "LICENSE-OpenBLAS.txt")
    return sorted(folder.iterdir())


class BuildExt(build_ext):
    """Compiles our files in parallel with their own flags; the base class compiles cffi's file and links."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = True  # a changed flag, compiler or PYGRAPH_SANITIZE must never meet an older result

    def run(self) -> None:
        if sys.platform == "win32":
            raise SystemExit("the Python package does not build on Windows yet: Linux and macOS are supported")
        super().run()
        if not self.inplace and not build_ffi.SANITIZE:
            # `python -m pytest` in the checkout imports ./pygraph, which therefore needs the extension as well.
            self.copy_extensions_to_source()

    def build_extension(self, ext: Extension) -> None:
        self.staged = stage_blas(Path(self.build_temp, "_libs"))
        wrapper, *own = ext.sources
        part = copy.copy(ext)  # the original keeps its list of sources, for the sdist's manifest
        part.sources = [wrapper]
        part.library_dirs = [str(self.staged[0].parent), *ext.library_dirs]
        part.extra_objects = [*ext.extra_objects, *self.compile_own(own, ext)]
        super().build_extension(part)
        self.copy_libs(Path(self.get_ext_fullpath(ext.name)).parent)

    def compile_own(self, own: list[str], ext: Extension) -> list[str]:
        Path(self.build_temp, "csrc").mkdir(parents=True, exist_ok=True)

        def compile_one(source: str) -> list[str]:
            return self.compiler.compile(
                [source],
                output_dir=self.build_temp,
                macros=ext.define_macros,
                include_dirs=ext.include_dirs,
                extra_postargs=build_ffi.file_flags(source),
                depends=ext.depends,
            )

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return [name for names in pool.map(compile_one, own) for name in names]

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        package = build_ffi.MODULE.rpartition(".")[0]
        self.copy_libs(Path(self.get_finalized_command("build_py").get_package_dir(package)))

    def copy_libs(self, package_dir: Path) -> None:
        libs = package_dir / "_libs"
        libs.mkdir(parents=True, exist_ok=True)
        for path in self.staged:
            self.copy_file(str(path), str(libs / path.name))


class BuildPy(build_py):
    """Starts from an empty folder: a module that was since renamed must not ride along from an earlier build. Adds the
    library's headers, which emitted C is made of; in a checkout they are read from csrc/."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib, "pygraph"), ignore_errors=True)
        super().run()
        if not self.editable_mode:
            include = Path(self.build_lib, "pygraph", "emit", "include")
            include.mkdir(parents=True, exist_ok=True)
            for header in (ROOT / "csrc").glob("pg_*.h"):
                self.copy_file(str(header), str(include / header.name))


class BdistWheel(bdist_wheel):
    """Compresses the wheel as far as its format allows: OpenBLAS is most of it."""

    def run(self) -> None:
        super().run()
        for _, _, name in self.distribution.dist_files:
            path = Path(name)
            if path.suffix != ".whl":
                continue
            packed = path.with_suffix(".packed")
            with (
                zipfile.ZipFile(path) as found,
                zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out,
            ):
                for entry in found.infolist():
                    out.writestr(entry, found.read(entry), zipfile.ZIP_DEFLATED, 9)
            packed.replace(path)


setup(
    cffi_modules=["csrc/build_ffi.py:ffibuilder"],
    cmdclass={"bdist_wheel": BdistWheel, "build_ext": BuildExt, "build_py": BuildPy},
    options={} if build_ffi.FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp310"}},
)
