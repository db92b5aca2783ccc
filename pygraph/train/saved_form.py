"""A nested container as named arrays and a JSON text of its form, and back: no code is stored, and none is run.

The form of a container is `{"dict": [[key, form], …]}`, `{"list": […]}`, `{"tuple": […]}` and so on; that of a leaf is
`{"array": name}`, the name of its array, or a JSON value: a text or null. Numbers of Python are arrays too, so that
other readers of the file find them.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["put_together", "taken_apart"]

VERSION = 1
Array = np.ndarray[Any, Any]
#: The dtypes of NumPy that every version of safetensors stores.
_DTYPES = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {
    "float64",
    "float32",
    "float16",
    "bool",
}
_NUMBERS: dict[type, Callable[[Any], Any]] = {float: float, int: int, bool: bool}


def taken_apart(tree: Any) -> tuple[dict[str, Array], str]:
    """The arrays of a container by dotted names, such as `layers.0.w`, contiguous, and its form as JSON.

    Raises:
        DTypeError: a leaf that is neither an array of numbers nor a number, a text or None.
        TracedValueError: an expression; GraphError: containers that are nested too deep, or hold themselves.
    """
    pg.tree_leaves(tree)  # which checks how deep it is
    arrays: dict[str, Array] = {}
    form = _form_of(tree, (), arrays)
    return arrays, json.dumps({"version": VERSION, "form": form}, separators=(",", ":"))


def _form_of(x: Any, path: tuple[str, ...], arrays: dict[str, Array]) -> Any:
    kind = type(x)
    if x is None or kind is str:
        return x
    if kind in (dict, OrderedDict):
        items = [[_key(key, path), _form_of(value, (*path, str(key)), arrays)] for key, value in x.items()]
        return {"dict" if kind is dict else "ordered dict": items}
    if kind in (list, tuple):
        return {kind.__name__: [_form_of(value, (*path, str(i)), arrays) for i, value in enumerate(x)]}
    names = _fields(kind)
    if names is not None:
        values = [[name, _form_of(getattr(x, name), (*path, name), arrays)] for name in names]
        return {"class": f"{kind.__module__}:{kind.__qualname__}", "fields": values}
    if kind in _NUMBERS:
        if kind is int and not -(2**63) <= x < 2**63:
            return {"integer": str(x)}
        return {kind.__name__: _stored(np.asarray(x), path, arrays)}
    return {"scalar" if isinstance(x, np.generic) else "array": _stored(_as_array(x, path), path, arrays)}


def _fields(kind: type) -> list[str] | None:
    """The fields of a namedtuple or a dataclass; None for another class."""
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return list(kind._fields)
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None


def _key(key: Any, path: tuple[str, ...]) -> Any:
    """A key of a dict as JSON."""
    if key is None or type(key) in (str, int, bool):
        return key
    if type(key) is float:
        return {"float": key.hex()}
    if type(key) is tuple:
        return {"tuple": [_key(part, path) for part in key]}
    raise _refusal(path, f"a key of type {type(key).__name__}", "give texts, numbers, or tuples of them")


def _known_key(key: Any) -> Any:
    if not isinstance(key, dict):
        return key
    if "float" in key:
        return float.fromhex(key["float"])
    return tuple(map(_known_key, key["tuple"]))


def _refusal(path: tuple[str, ...], problem: str, advice: str) -> pg.DTypeError:
    return pg.DTypeError(problem, advice, stage="saving", subject=".".join(path) or "the tree")


def _as_array(x: Any, path: tuple[str, ...]) -> Array:
    """A leaf as a contiguous array in the machine's order of bytes."""
    if isinstance(x, pg.Node):
        advice = "save what the compiled function returns, outside of it"
        raise pg.TracedValueError("it is an expression", advice, stage="saving", subject=".".join(path) or "the tree")
    problem = f"a leaf of type {type(x).__name__}"
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(x, masked.MaskedArray):
        raise _refusal(path, problem, "save its data and its mask")
    if not any(hasattr(x, name) for name in ("__array__", "__array_interface__", "__dlpack__", "__buffer__")):
        raise _refusal(path, problem, "give arrays, numbers, texts or None, in containers")
    try:
        array = np.asarray(x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _refusal(path, f"{problem} is not like an array: {error}", "give what NumPy takes as an array") from error
    if array.dtype.name not in _DTYPES:
        advice = "save x.real and x.imag" if array.dtype.kind == "c" else "give numbers or bools"
        raise _refusal(path, f"an array of dtype {array.dtype}", advice)
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def _stored(array: Array, path: tuple[str, ...], arrays: dict[str, Array]) -> str:
    """Put an array among the others under a dotted name of its own, and return that."""
    name = ".".join(path) or "value"
    free, count = name, 1
    while free in arrays or free == "__metadata__":  # which is what safetensors calls something else
        count += 1
        free = f"{name}~{count}"
    arrays[free] = array
    return free


def put_together(arrays: Mapping[str, Array], text: str, classes: Iterable[type], subject: str) -> Any:
    """The container of which `taken_apart` gave these arrays and this form, read from the file `subject`.

    Raises:
        FileFormatError: the form is damaged.
        UnsupportedError: it is of a later version, or names a class that is not known here or has other fields.
    """
    try:
        said = json.loads(text)
        if said["version"] > VERSION:
            problem = f"it has version {said['version']} of the format, and here version {VERSION} is known"
            advice = "load it with the version of pygraph that saved it, or a later one"
            raise pg.UnsupportedError(problem, advice, stage="loading", subject=subject)
        return _build(said["form"], arrays, _Classes(classes, subject))
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, pg.GraphError):
            raise
        problem = f"the form of its container is damaged ({type(error).__name__}: {error})"
        raise pg.FileFormatError(problem, "load another copy", stage="loading", subject=subject) from error


class _Classes:
    """The namedtuples and dataclasses that a file may name: those given, and those of modules that are imported."""

    def __init__(self, classes: Iterable[type], subject: str) -> None:
        self.subject = subject
        self.given = {kind.__qualname__: kind for kind in classes}

    def find(self, name: str, fields: list[str]) -> type:
        """The class of that name, `module:qualname`, with these fields; nothing is imported for it."""
        module, _, qualname = name.partition(":")
        found: Any = self.given.get(qualname)
        if found is None:
            found = sys.modules.get(module)
            for part in qualname.split("."):
                found = getattr(found, part, None)
        known = _fields(found) if isinstance(found, type) else None
        if known is None:
            problem = f"it holds a {qualname} of the module {module}, which is not known here"
            advice = f"import the module first, or load with classes=[{qualname.rpartition('.')[2]}]"
            raise pg.UnsupportedError(problem, advice, stage="loading", subject=self.subject)
        if known != fields:
            problem = f"it holds a {qualname} with the fields {', '.join(fields)}; here it has {', '.join(known)}"
            advice = "give a class with these fields in classes="
            raise pg.UnsupportedError(problem, advice, stage="loading", subject=self.subject)
        assert isinstance(found, type)
        return found


def _build(form: Any, arrays: Mapping[str, Array], classes: _Classes) -> Any:
    if form is None or isinstance(form, str):
        return form
    if "class" in form:
        names = [name for name, _ in form["fields"]]
        kind: Any = classes.find(form["class"], names)
        parts = [_build(part, arrays, classes) for _, part in form["fields"]]
        if issubclass(kind, tuple):
            return tuple.__new__(kind, parts)
        made = object.__new__(kind)  # not through __init__, which may compute or check
        for name, part in zip(names, parts, strict=True):
            object.__setattr__(made, name, part)
        return made
    (kind, content), *more = form.items()
    if more:
        raise ValueError(f"{len(form)} kinds of a container")
    if kind in ("dict", "ordered dict"):
        items = [(_known_key(key), _build(part, arrays, classes)) for key, part in content]
        return dict(items) if kind == "dict" else OrderedDict(items)
    if kind in ("list", "tuple"):
        parts = [_build(part, arrays, classes) for part in content]
        return parts if kind == "list" else tuple(parts)
    if kind == "integer":
        return int(content)
    array = arrays[content]
    if kind == "array":
        return array
    if kind == "scalar":
        return array[()]
    return {"float": float, "int": int, "bool": bool}[kind](array[()])
