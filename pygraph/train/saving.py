"""pg.save and pg.load: nested containers of arrays in one file, in the safetensors format."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import pygraph as pg

from .atomic_write import replacing
from .saved_form import Array, put_together, taken_apart

__all__ = ["load", "save"]

_FORM, _CHECKSUM = "pygraph", "pygraph.crc32"


def _safetensors(stage: str, module: str = "safetensors") -> Any:
    """A module of the package safetensors, or the error that says how to get it."""
    try:
        return import_module(module)
    except ImportError as error:
        problem = "the files are in the safetensors format, and the package safetensors can't be imported"
        advice = "install the extra: pip install 'pygraph-ad[train]'"
        raise pg.UnsupportedError(problem, advice, stage=stage, subject="a file") from error


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Save a nested container of arrays to a file that `pg.load`, and safetensors in any framework, can read.

    The file appears whole or not at all: a former one of that name stays until the new one is on the disk.

    Args:
        path: of the file, which is replaced where there is one.
        tree: arrays, numbers, texts and None in dicts, lists, tuples, namedtuples and dataclasses, of any depth. Arrays
            are stored under dotted names, such as `layers.0.w`; the form of the containers, as JSON, in the file's
            metadata. Numbers of Python are stored as arrays too, of float64, int64 or bool.

    Raises:
        UnsupportedError: the package safetensors is not installed.
        DTypeError: a leaf of another kind, or an array of objects, texts or complex numbers; TracedValueError: an
            expression; OSError: the file can't be written.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> pg.save(path, {"layers": [{"w": np.ones((2, 2))}], "rate": 0.1})
        >>> pg.load(path)
        {'layers': [{'w': array([[1., 1.],
               [1., 1.]])}], 'rate': 0.1}
        >>> import safetensors.numpy
        >>> sorted(safetensors.numpy.load_file(path))
        ['layers.0.w', 'rate']
    """
    write = _safetensors("saving", "safetensors.numpy").save_file
    arrays, form = taken_apart(tree)
    metadata = {_FORM: form, _CHECKSUM: _checksum(form, arrays)}
    with replacing(path) as part:
        try:
            write(arrays, os.fspath(part), metadata)
        except _safetensors("saving").SafetensorError as error:
            raise OSError(f"{os.fspath(path)} can't be written: {error}") from error


def load(path: str | os.PathLike[str], *, classes: Iterable[type] = ()) -> Any:
    """What `pg.save` saved: the same containers, with arrays in them that are equal to the last bit.

    Arrays of other libraries come back as NumPy's. A file that something else wrote gives a dict of its arrays by their
    names. No code in a file is run, and no module is imported for it: a checksum shows damage.

    Args:
        path: of the file.
        classes: the namedtuples and dataclasses in it; those of modules that are imported are known without.

    Raises:
        UnsupportedError: the package safetensors is not installed, or the file names a class that is not known here or
            has other fields, or is of a later version of the format.
        FileFormatError: the file is damaged, incomplete or of another format.
        FileNotFoundError, OSError: the file can't be read.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> pg.save(path, (np.float32(1.5), [np.arange(3)]))
        >>> pg.load(path)
        (np.float32(1.5), [array([0, 1, 2])])
    """
    package = _safetensors("loading")
    name = os.fsdecode(path)
    with open(name, "rb"):  # whose errors are Python's own
        pass
    try:
        with package.safe_open(name, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (package.SafetensorError, TypeError, AttributeError, KeyError) as error:
        raise _damaged(name, f"it is no complete safetensors file that NumPy can read ({error})") from error
    arrays = {key: x if x.flags.writeable else x.copy() for key, x in arrays.items()}
    if _FORM not in metadata and _CHECKSUM not in metadata:
        return arrays
    if _FORM not in metadata or metadata.get(_CHECKSUM) != _checksum(metadata[_FORM], arrays):
        raise _damaged(name, "its checksum does not match its content")
    return put_together(arrays, metadata[_FORM], classes, name)


def _damaged(name: str, problem: str) -> pg.FileFormatError:
    advice = "load another copy; pg.Checkpointer keeps several"
    return pg.FileFormatError(problem, advice, stage="loading", subject=name)


def _checksum(form: str, arrays: Mapping[str, Array]) -> str:
    """The CRC-32 of the form and of all arrays with their names, shapes and dtypes, in hexadecimal digits."""
    found = zlib.crc32(form.encode())
    for name, array in sorted(arrays.items()):
        found = zlib.crc32(f"{name} {array.shape} {array.dtype.name}".encode(), found)
        if array.size:
            found = zlib.crc32(array.data.cast("B"), found)
    return f"{found:08x}"
