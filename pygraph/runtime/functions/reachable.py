"""What a function may read besides its arguments, found from its code: cells, globals, and all that these hold.

That is what the code names, what the functions name that it may call, and numbers, arrays, containers and objects that
are reached so. What can't be told (a random generator, a clock, a file, an iterator, `eval`) makes the answer unknown,
never wrong. NumPy, pygraph and the parts of the standard library that compute are taken not to change.
"""

from __future__ import annotations

import builtins
import collections
import dis
import enum
import functools
import sys
import types
from abc import ABCMeta
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ...concurrency import Cache
from ...graph.filled import Filled
from ...graph.graph import Graph, bodies_of
from ...graph.node import Node
from ...graph.tree import TreeDef
from ...graph.weak import Weak
from ...ops.leaves import constant_row as CONSTANT
from .reads import MISSING, Reads

__all__ = ["constants_of", "kinds_of", "reads_of", "rules_of"]

#: Objects that are looked at before the answer is left unknown.
LIMIT = 5_000

#: Modules of which no value changes; modules that are not listed are read attribute by attribute.
_LIBRARY = frozenset(
    {"abc", "builtins", "cmath", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "itertools"}
    | {"math", "numbers", "numpy", "operator", "pygraph", "scipy", "string", "types", "typing"}
)
#: What is in them all the same and gives another value at each call, or reads a file.
_CHANGING = frozenset(
    {"random", "rvs", "load", "loadtxt", "loadmat", "mmread", "genfromtxt", "fromfile", "memmap", "empty", "empty_like"}
)
#: Attributes through which anything can be read.
_FRAMES = frozenset({"__globals__", "__builtins__", "f_globals", "f_locals", "f_back", "gi_frame", "__subclasses__"})
#: Built-in functions whose result depends on their arguments alone.
_PURE = frozenset(
    {"abs", "all", "any", "bool", "bytearray", "bytes", "callable", "chr", "complex", "dict", "divmod", "enumerate"}
    | {"filter", "float", "format", "frozenset", "int", "isinstance", "issubclass", "iter", "len", "list", "map", "max"}
    | {"min", "next", "object", "ord", "pow", "print", "property", "range", "repr", "reversed", "round", "set", "slice"}
    | {"sorted", "staticmethod", "classmethod", "str", "sum", "super", "tuple", "type", "zip", "__build_class__"}
    | {"Ellipsis", "NotImplemented", "__debug__"}
)
#: Those that may read an attribute of any name.
_DYNAMIC = frozenset({"getattr", "hasattr"})
_ATOMS: frozenset[type] = frozenset(
    (
        *(int, float, complex, str, bytes, bool, type(None), type(Ellipsis), type(NotImplemented), range),
        *(np.ufunc, Node, Weak, Filled, Graph, TreeDef, types.CodeType, types.MemberDescriptorType, type(np.sum)),
        *(types.GenericAlias, type(int | str)),
    )
)
#: Of classes, what no expression reads.
_SKIPPED = frozenset(
    {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__slots__"}
    | {"__firstlineno__", "__static_attributes__", "__dataclass_params__", "__dataclass_fields__", "__match_args__"}
    | {"__abstractmethods__", "_abc_impl", "__orig_bases__", "__parameters__", "__annotate_func__", "__hash__"}
    | {"__annotations_cache__", "__annotate__", "__classdictcell__"}
)
_TUPLE_FIELD = type(collections.namedtuple("_Pair", "a").a)  # type: ignore[attr-defined]


class _Unknown(Exception):
    """It can't be told what is read."""


class _Code:
    """What the instructions of a code object, and of those in it, name."""

    __slots__ = ("attributes", "globals", "imports", "owned")

    def __init__(self, code: types.CodeType) -> None:
        self.globals: set[str] = set()
        self.attributes: set[str] = set()
        self.imports: set[str] = set()
        #: Attributes that are read of a global, by its name; they are not among the others.
        self.owned: set[tuple[str, str]] = set()
        pending = [code]
        while pending:
            code = pending.pop()
            pending += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
            before = ""
            for instruction in dis.get_instructions(code):
                name, owner, before = instruction.opname, before, ""
                if name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
                    self.globals.add(instruction.argval)
                    before = instruction.argval
                elif name in ("LOAD_ATTR", "LOAD_METHOD") and owner:
                    self.owned.add((owner, instruction.argval))
                elif name in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") or name.startswith("LOAD_SUPER"):
                    self.attributes.add(instruction.argval)
                elif name == "IMPORT_NAME":
                    self.imports.add(instruction.argval)


_codes: Cache[types.CodeType, _Code] = Cache(4096)


def _names_of(code: types.CodeType) -> _Code:
    found = _codes.get(code)
    if found is None:
        found = _codes.add(code, _Code(code))
    return found


def reads_of(roots: Sequence[Any]) -> Reads | None:
    """All that functions or other objects may read; None where it can't be told."""
    finder = _Finder()
    try:
        for root in roots:
            finder.visit(root)
        finder.finish()
    except (_Unknown, RuntimeError):  # also containers that change meanwhile
        return None
    return finder.reads


class _Finder:
    """One walk over all that can be reached."""

    def __init__(self) -> None:
        self.reads = Reads()
        self.kept: list[Any] = []
        self.seen: set[int] = set()
        self.pending: list[Any] = []
        self.attributes: set[str] = set()
        self.any_attribute = False
        self.modules: list[types.ModuleType] = []
        self.classes: list[type] = []
        self.library = False
        self.read: set[tuple[int, str]] = set()

    def visit(self, value: Any) -> None:
        if type(value) in _ATOMS or id(value) in self.seen:
            return
        self.seen.add(id(value))
        self.kept.append(value)  # so that its id stays its own
        self.pending.append(value)
        if len(self.seen) > LIMIT:
            raise _Unknown

    def finish(self) -> None:
        """Go through what is reached, and then through the modules and classes, until no new name is read."""
        while True:
            while self.pending:
                self._open(self.pending.pop())
            before = len(self.read), len(self.seen)
            for module in self.modules:
                self._module_attributes(module)
            for cls in self.classes:
                self._class_attributes(cls)
            if not self.pending and before == (len(self.read), len(self.seen)):
                break
        if (self.library and self.attributes & _CHANGING) or self.attributes & _FRAMES:
            raise _Unknown

    def _open(self, value: Any) -> None:
        kind = type(value)
        if kind is types.FunctionType:
            self._function(value)
        elif kind is np.ndarray:
            self._array(value)
        elif kind in (list, set):
            self.reads.lists.append((value, tuple(value)))
            self._all(value)
        elif isinstance(value, (tuple, frozenset)):
            self._all(value)
            if kind not in (tuple, frozenset):
                self._object(value)
        elif kind in (dict, collections.OrderedDict, types.MappingProxyType):
            self._mapping(value)
        elif kind is types.SimpleNamespace:
            self._mapping(vars(value))
        elif kind is types.MethodType:
            self._all((value.__func__, value.__self__))
        elif kind is functools.partial:
            self._all((value.func, value.args, value.keywords))
        elif kind is types.BuiltinFunctionType:
            owner = value.__self__
            if owner is None or isinstance(owner, types.ModuleType):
                self._needs_library(value.__module__ or "", value.__name__)
            else:
                self.visit(owner)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, type):
            self._class(value)
        elif kind in (staticmethod, classmethod):
            self.visit(value.__func__)
        elif kind is property:
            self._all((value.fget, value.fset, value.fdel))
        elif kind is functools.cached_property:
            self.visit(value.func)
        elif isinstance(value, np.generic):
            if value.dtype.kind not in "biufcSUmM":
                raise _Unknown
        elif isinstance(value, enum.Enum):
            self._class(kind)
        elif kind in (slice, _TUPLE_FIELD) or value is MISSING or isinstance(value, np.dtype):  # of a class per dtype
            return
        elif kind in (types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType):
            self._needs_library(value.__objclass__.__module__, "")
        else:
            self._object(value)

    def _all(self, values: Iterable[Any]) -> None:
        for value in values:
            self.visit(value)

    def _mapping(self, mapping: Any) -> None:
        self.reads.sizes.append((mapping, len(mapping)))
        for key, value in list(mapping.items()):
            self.reads.names.append((mapping, key, value))
            self.visit(key)
            self.visit(value)

    def _array(self, array: Any) -> None:
        if array.dtype.kind not in "biufc":
            raise _Unknown
        if not array.flags.writeable and array.base is None:  # nothing else can write to it
            self.reads.frozen.append(array)
            return
        saved = bytearray(array.tobytes()) if array.flags.c_contiguous and array.ndim else array.tobytes()
        self.reads.arrays.append((array, saved, array.shape, array.dtype))

    # --- functions

    def _function(self, function: types.FunctionType) -> None:
        reads, inner = self.reads, getattr(function, "__wrapped__", None)
        if inner is not None:
            self.visit(inner)
        for cell in function.__closure__ or ():
            if (id(cell), "") in self.read:
                continue
            self.read.add((id(cell), ""))
            self.kept.append(cell)
            try:
                value = cell.cell_contents
            except ValueError:  # not yet assigned
                value = None
                reads.attributes.append((cell, "cell_contents", MISSING))
            else:
                reads.cells.append((cell, value))
            self.visit(value)
        self._all(function.__defaults__ or ())
        if function.__kwdefaults__:
            self._mapping(function.__kwdefaults__)
        if self._in_library(
            function.__globals__.get("__name__") or "", function.__name__
        ):  # functools.wraps sets others
            return
        reads.attributes.append((function, "__code__", function.__code__))
        reads.attributes.append((function, "__defaults__", function.__defaults__))
        names = _names_of(function.__code__)
        self.attributes |= names.attributes
        for name in names.imports:
            imported = sys.modules.get(name)
            if imported is None:
                raise _Unknown
            reads.names.append((sys.modules, name, imported))
            self._all((imported, sys.modules.get(name.partition(".")[0])))
        space = function.__globals__
        for owner, name in names.owned:
            if getattr(space.get(owner), "__name__", "") != "pygraph":  # pg.random draws by keys alone
                self.attributes.add(name)
        for name in names.globals:
            if (id(space), name) in self.read:
                continue
            self.read.add((id(space), name))
            if name in space:
                value = space[name]
                reads.names.append((space, name, value))
                self.visit(value)
            else:
                reads.names.append((space, name, MISSING))
                self._builtin(name)

    def _builtin(self, name: str) -> None:
        value = getattr(builtins, name, None)
        if name in _DYNAMIC:
            self.any_attribute = True
        elif (
            name not in _PURE
            and value is not None
            and not (isinstance(value, type) and issubclass(value, BaseException))
        ):
            raise _Unknown

    # --- modules and classes

    def _in_library(self, module: str, name: str) -> bool:
        root = module.partition(".")[0]
        if root not in _LIBRARY or module.startswith("pygraph.examples"):
            return False
        if name in _CHANGING or module.startswith("numpy.random"):
            raise _Unknown
        return True

    def _needs_library(self, module: str, name: str) -> None:
        if not self._in_library(module, name):
            raise _Unknown

    def _module(self, module: types.ModuleType) -> None:
        if self._in_library(module.__name__, ""):
            self.library = True
        else:
            self.modules.append(module)

    def _module_attributes(self, module: types.ModuleType) -> None:
        if self.any_attribute:
            raise _Unknown
        space = vars(module)
        for name in self.attributes:
            if name in space and (id(module), name) not in self.read:
                self.read.add((id(module), name))
                self.reads.names.append((space, name, space[name]))
                self.visit(space[name])

    def _class(self, cls: type) -> None:
        for base in cls.__mro__:
            if base is object or base in self.classes or self._in_library(base.__module__, ""):
                continue
            if type(base) not in (type, ABCMeta, enum.EnumMeta):
                raise _Unknown
            self.classes.append(base)

    def _class_attributes(self, cls: type) -> None:
        space = vars(cls)
        wanted = list(space) if self.any_attribute else [n for n in space if n in self.attributes or n[:2] == "__"]
        for name in wanted:
            if name not in _SKIPPED and (id(cls), name) not in self.read:
                self.read.add((id(cls), name))
                self.reads.names.append((space, name, space[name]))
                self.visit(space[name])
        for name in self.attributes:  # what a base or an instance has, and this class may come to have before it
            if name not in space and (id(cls), name) not in self.read:
                self.read.add((id(cls), name))
                self.reads.names.append((space, name, MISSING))

    def _object(self, value: Any) -> None:
        """An instance of a class written in Python: what it holds, and what its class does."""
        kind = type(value)
        if kind.__module__.partition(".")[0] == "logging":
            return  # it is told, and tells nothing
        if kind.__module__.startswith("pygraph."):
            roots = getattr(value, "roots", None)
            if roots is not None:
                self._all(roots)
                return
            if kind.__module__.startswith(("pygraph.runtime.", "pygraph.graph.", "pygraph.lower.")):
                return  # executables, graphs, specs: they do not change
        for base in kind.__mro__:
            if base in (object, tuple, int, float, str, frozenset):
                continue
            written = isinstance(vars(base).get("__module__"), str) and base.__flags__ & 1 << 9
            if not written or any(isinstance(x, types.MethodDescriptorType) for x in vars(base).values()):
                raise _Unknown
            for name in _slots(base):
                self.reads.attributes.append((value, name, getattr(value, name, MISSING)))
                self.visit(getattr(value, name, None))
        self._class(kind)
        held = getattr(value, "__dict__", None)
        if held is not None:
            self.reads.attributes.append((value, "__dict__", held))
            self._mapping(held)


def _slots(cls: type) -> list[str]:
    return [name for name, x in vars(cls).items() if isinstance(x, types.MemberDescriptorType)]


def kinds_of(form: TreeDef) -> list[Any]:
    """The classes of the containers in which arguments come, whose methods may be called, and their static fields."""
    found: list[Any] = []
    pending = [form]
    while pending:
        form = pending.pop()
        pending += form.children
        if form.kind is not None and form.kind.__module__ != "builtins":
            found += [form.kind, *(static.value for _, static in form.static)]
    return found


def constants_of(graph: Graph) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays in a graph and in the bodies of its loops."""
    for node in graph.nodes:
        if node.op is CONSTANT:
            yield node.attrs["value"].value
        for body in bodies_of(node):
            yield from constants_of(body)


def rules_of(graph: Graph) -> tuple[Any, ...]:
    """The functions that give derivatives of nodes in a graph and in the bodies of its loops."""
    found: list[Any] = []
    for node in graph.nodes:
        found += getattr(node.attrs.get("rule"), "roots", ())
        for body in bodies_of(node):
            found += rules_of(body)
    return tuple(found)
