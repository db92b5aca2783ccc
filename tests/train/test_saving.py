"""pg.save and pg.load: every container and dtype comes back, other readers find the arrays, and damage is found."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import re
import stat
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import pygraph as pg
from pygraph.train import saving

Pair = namedtuple("Pair", "first second")


class Moments(NamedTuple):
    mean: Any
    square: Any


@dataclasses.dataclass(frozen=True)
class Layer:
    w: Any
    name: str = dataclasses.field(default="", metadata={"static": True})

    def __post_init__(self) -> None:
        raise AssertionError("a container is put together without its constructor")


def layer(w: Any, name: str) -> Layer:
    made = object.__new__(Layer)
    object.__setattr__(made, "w", w)
    object.__setattr__(made, "name", name)
    return made


def assert_same(a: Any, b: Any) -> None:
    """Equal types, keys in their order, shapes, dtypes and bits."""
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        assert [type(key) for key in a] == [type(key) for key in b]
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif dataclasses.is_dataclass(a):
        assert_same(vars(a), vars(b))
    elif isinstance(a, np.ndarray | np.generic):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()
    else:
        assert repr(a) == repr(b)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tree.safetensors"


def refused(kind: type[pg.GraphError], text: str, call: Callable[[], Any]) -> pg.GraphError:
    """The error of a call, whose problem or advice matches."""
    with pytest.raises(kind) as error:
        call()
    said = f"{error.value.headline}: {error.value.advice}"
    assert re.search(text, said), said
    assert error.value.advice
    return error.value


TREE: Any = {
    "layers": [
        {"w": np.arange(6.0).reshape(2, 3), "b": np.zeros(3, np.float32)},
        {"w": np.array([[-0.0, np.nan], [np.inf, 5e-324]]), "b": None},
    ],
    "tuple": (np.int64(-(2**63)), np.int32(7), (), [], {}, ((),)),
    "numbers": [1.5, -0.0, float("nan"), float("inf"), 3, -(2**63), 2**200, True, False, "text ☃ \ud7ff", "", None],
    "pair": Pair(np.float32(1.5), Moments(np.array(2), np.array(True))),
    "layer": layer(np.ones((1, 2)), "first"),
    "ordered": OrderedDict([("z", np.ones(1)), ("a", np.ones(2))]),
    3: {(1, "a"): np.ones(1), 1.5: np.ones(2), None: np.ones(3), True: np.ones(4), "": np.ones(5)},
    "a.b": np.ones(1),
    "a": {"b": np.full(1, 2.0)},
    "__metadata__": np.ones(1),
    "empty": [np.zeros(0), np.zeros((2, 0, 3), np.int32)],
    "strided": np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[::-2],
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "small": [
        np.arange(3).astype(name) for name in ("float16", "int8", "uint8", "int16", "uint16", "uint32", "uint64")
    ],
    "rng": np.random.default_rng(0).bit_generator.state,
}


def test_every_container_and_number_comes_back(path: Path) -> None:
    pg.save(path, TREE)
    found = pg.load(path)
    assert_same(found, {**TREE, "layer": layer(np.ones((1, 2)), "first")})
    assert all(x.flags.writeable for x in pg.tree_leaves(found) if isinstance(x, np.ndarray) and x.size)
    rng = np.random.default_rng(1)
    rng.bit_generator.state = found["rng"]
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("tree", [np.ones((2, 2)), np.float64(1.0), 2.0, "text", None, [], (), {}, [[[[np.ones(1)]]]]])
def test_small_trees(path: Path, tree: Any) -> None:
    pg.save(path, tree)
    assert_same(pg.load(path), tree)


def test_deep_trees(path: Path) -> None:
    tree: Any = np.ones(1)
    for k in range(99):
        tree = [tree] if k % 2 else {"k": tree}
    pg.save(path, tree)
    assert_same(pg.load(path), tree)
    with pytest.raises(pg.GraphError, match="nested deeper than 100"):
        pg.save(path, [[tree]])
    itself: list[Any] = []
    itself.append(itself)
    with pytest.raises(pg.GraphError, match="contains itself"):
        pg.save(path, itself)
    assert_same(pg.load(path), tree)  # what was there before


def test_arrays_in_another_order_of_bytes_and_of_other_kinds(path: Path) -> None:
    swapped = np.arange(3.0).astype(">f8")
    mapped = np.memmap(path.with_name("data"), np.float64, "w+", shape=(3,))

    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.arange(3.0)

    pg.save(path, [swapped, mapped, Tensor()])
    assert_same(pg.load(path), [np.arange(3.0), np.zeros(3), np.arange(3.0)])


def test_other_readers_find_the_arrays_by_dotted_names(path: Path) -> None:
    pg.save(path, TREE)
    arrays = safetensors.numpy.load_file(path)
    assert_same(arrays["layers.0.w"], TREE["layers"][0]["w"])
    assert_same(arrays["pair.second.mean"], np.array(2))
    assert_same(arrays["layer.w"], np.ones((1, 2)))
    assert_same(arrays["strided"], np.ascontiguousarray(TREE["strided"]))
    assert_same(arrays["numbers.0"], np.array(1.5))
    assert {arrays["a.b"][0], arrays["a.b~2"][0]} == {1.0, 2.0}
    assert "__metadata__~2" in arrays
    pg.save(path, np.ones(2))
    assert list(safetensors.numpy.load_file(path)) == ["value"]


def test_files_of_other_writers_give_their_arrays(path: Path) -> None:
    arrays = {"model.w": np.ones((2, 2), np.float32), "model.b": np.zeros(2)}
    safetensors.numpy.save_file(arrays, path, {"format": "pt"})
    found = pg.load(os.fspath(path))
    assert sorted(found) == ["model.b", "model.w"]
    for name, x in found.items():
        assert_same(x, arrays[name])


def test_classes_that_are_not_imported_are_given(path: Path) -> None:
    @dataclasses.dataclass
    class Local:
        x: Any

    pg.save(path, [Local(np.ones(1))])
    error = refused(pg.UnsupportedError, r"it holds a .*Local of the module .*not known here", lambda: pg.load(path))
    assert error.subject == str(path)
    assert "classes=[Local]" in error.advice
    assert_same(pg.load(path, classes=[Local]), [Local(np.ones(1))])

    def other() -> type:
        @dataclasses.dataclass
        class Local:
            y: Any

        Local.__qualname__ = qualname
        return Local

    qualname = Local.__qualname__
    refused(pg.UnsupportedError, "with the fields x; here it has y", lambda: pg.load(path, classes=[other()]))


def test_no_module_is_imported_and_no_code_is_run(path: Path) -> None:
    name = "this_module_must_not_be_imported"
    path.with_name(f"{name}.py").write_text("raise SystemExit('imported')")
    for target in (f"{name}:Thing", "os:system", "builtins:exec", "sys:modules", "pygraph:Graph"):
        form = json.dumps({"version": 1, "form": {"class": target, "fields": [["x", None]]}})
        safetensors.numpy.save_file({}, path, {"pygraph": form, "pygraph.crc32": saving._checksum(form, {})})
        refused(pg.UnsupportedError, "not known here", lambda: pg.load(path))
    assert name not in sys.modules


FORMS = [
    "",
    "[]",
    "{",
    '{"version":1}',
    '{"version":"a","form":null}',
    '{"version":1,"form":3}',
    '{"version":1,"form":{"array":"x"}}',
    '{"version":1,"form":{"list":3}}',
    '{"version":1,"form":{"thing":[]}}',
    '{"version":1,"form":{"list":[],"tuple":[]}}',
    '{"version":1,"form":{"dict":[[{"no":1},null]]}}',
    '{"version":1,"form":' + '{"list":[' * 5000 + "]}" * 5000 + "}",
]


@pytest.mark.parametrize("k", range(len(FORMS)))
def test_forms_that_are_none(path: Path, k: int) -> None:
    safetensors.numpy.save_file({}, path, {"pygraph": FORMS[k], "pygraph.crc32": saving._checksum(FORMS[k], {})})
    refused(pg.FileFormatError, "the form of its container is damaged", lambda: pg.load(path))


def test_a_later_version_is_refused(path: Path) -> None:
    form = '{"version":2,"form":null}'
    safetensors.numpy.save_file({}, path, {"pygraph": form, "pygraph.crc32": saving._checksum(form, {})})
    refused(pg.UnsupportedError, "version 2 of the format", lambda: pg.load(path))


def damaged_files(whole: bytes, step: int) -> Any:
    """Prefixes, and copies in which one byte differs."""
    for size in range(0, len(whole), step):
        yield whole[:size]
        yield whole[:size] + bytes([whole[size] ^ 0x21]) + whole[size + 1 :]


def check_damage(path: Path, step: int) -> None:
    tree = {"w": np.arange(5.0), "b": [np.float32(1), 2, "text"], "flags": np.array([True, False])}
    pg.save(path, tree)
    whole = path.read_bytes()
    subjects = []
    for content in damaged_files(whole, step):
        path.write_bytes(content)
        try:
            found = pg.load(path)
        except (pg.FileFormatError, pg.UnsupportedError) as error:
            subjects.append(error.subject)
        else:
            assert_same(found, tree)  # what changed was no content, such as the padding of the header
    assert set(subjects) == {str(path)}
    assert len(subjects) > 1.9 * len(whole) / step - 20


def test_damage_is_found(path: Path) -> None:
    check_damage(path, 7)


@pytest.mark.deep
def test_damage_of_any_byte_is_found(path: Path) -> None:
    check_damage(path, 1)


def test_a_text_is_no_file_of_arrays(path: Path) -> None:
    for content in (b"", b"hello", b"PK\x03\x04" + bytes(100), bytes(8), b"\xff" * 100):
        path.write_bytes(content)
        refused(pg.FileFormatError, "no complete safetensors file", lambda: pg.load(path))
    with pytest.raises(FileNotFoundError):
        pg.load(path.with_name("nothing"))
    with pytest.raises(IsADirectoryError):
        pg.load(path.parent)


REFUSED: dict[str, tuple[Callable[[], Any], type[pg.GraphError], str]] = {
    "object": (lambda: {"a": [object()]}, pg.DTypeError, r"saving a\.0: a leaf of type object"),
    "function": (lambda: np.sin, pg.DTypeError, "saving the tree: a leaf of type ufunc"),
    "complex": (lambda: [1j * np.ones(2)], pg.DTypeError, "x.real and x.imag"),
    "texts": (lambda: [np.array(["a"])], pg.DTypeError, "dtype <U1"),
    "objects": (lambda: [np.array([None])], pg.DTypeError, "dtype object"),
    "masked": (lambda: [np.ma.masked_array([1.0], [True])], pg.DTypeError, "its data and its mask"),
    "key": (lambda: {b"a": 1.0}, pg.DTypeError, "a key of type bytes"),
    "expression": (lambda: {"w": pg.var("w", (3,))}, pg.TracedValueError, "saving w: it is an expression"),
    "set": (lambda: {1.0}, pg.DTypeError, "a leaf of type set"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_saved(path: Path, name: str) -> None:
    tree, kind, text = REFUSED[name]
    refused(kind, text, lambda: pg.save(path, tree()))
    assert list(path.parent.iterdir()) == []


def test_a_failed_save_leaves_the_former_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pg.save(path, 1.0)

    def failing(arrays: Any, name: str, metadata: Any) -> None:
        Path(name).write_bytes(b"half")
        raise safetensors.SafetensorError("no space left")

    monkeypatch.setattr(safetensors.numpy, "save_file", failing)
    with pytest.raises(OSError, match=r"can't be written: no space left"):
        pg.save(path, 2.0)
    assert pg.load(path) == 1.0
    assert [x.name for x in path.parent.iterdir()] == [path.name]


def test_places_that_cannot_be_written(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pg.save(path.parent / "nothing" / "file", 1.0)
    with pytest.raises(IsADirectoryError):
        pg.save(path.parent, 1.0)


def test_links_and_permissions_stay(path: Path) -> None:
    pg.save(path, 1.0)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    link = path.with_name("link")
    link.symlink_to(path.name)
    pg.save(link, 2.0)
    assert link.is_symlink()
    assert pg.load(path) == 2.0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_error_without_safetensors_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> Any:
        if name.startswith("safetensors"):
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(saving, "import_module", missing)
    for call in (lambda: pg.save(path, 1.0), lambda: pg.load(path)):
        assert "pip install 'pygraph-ad[train]'" in refused(pg.UnsupportedError, "can't be imported", call).advice
