"""Nested containers of leaves: tuple, list, dict, namedtuple, dataclass and None, taken apart and put together."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from ..errors import GraphError, named

__all__ = ["TreeDef", "flatten", "flatten_named", "map_leaves", "unflatten"]


class Static:
    """The value of a static field, equal to another of its type and content: 2, 2.0 and True differ, 0.0 and -0.0 too.

    What is compared by `==` alone are objects of other classes than numbers, tuples, frozensets and frozen dataclasses.
    """

    __slots__ = ("_key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._key = _exact(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return NotImplemented
        try:
            return self.value is other.value or bool(self._key == other._key)
        except ValueError:  # of arrays, whose comparison has no truth value
            return False

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return repr(self.value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Static, (self.value,)


def _exact(value: Any) -> Any:
    """A key that is equal for values of one type and content, floats by their bits (all nan being one)."""
    kind = type(value)
    if isinstance(value, float):
        return kind, value.hex()
    if isinstance(value, complex):
        return kind, value.real.hex(), value.imag.hex()
    if isinstance(value, np.generic):
        return kind, value.dtype, value.tobytes()
    if isinstance(value, tuple):
        return (kind, *map(_exact, value))
    if isinstance(value, frozenset):
        return kind, frozenset(map(_exact, value))
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None and parameters.frozen and parameters.eq:
        return (kind, *(_exact(getattr(value, field.name)) for field in dataclasses.fields(value) if field.compare))
    return kind, value


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class TreeDef:
    """The form of a container without its leaves; compares and hashes by content.

    Attributes:
        kind: the container's type, or None for a leaf.
        keys: dict keys or field names; empty for sequences.
        children: the forms of the parts, in order.
        static: of dataclass fields that are not leaves (`metadata={"static": True}`).
        n_leaves: how many leaves the container has.
    """

    kind: type | None
    keys: tuple[Hashable, ...] = ()
    children: tuple[TreeDef, ...] = ()
    static: tuple[tuple[str, Static], ...] = ()
    n_leaves: int = dataclasses.field(init=False, compare=False)

    def __post_init__(self) -> None:
        count = 1 if self.kind is None else sum([child.n_leaves for child in self.children])
        object.__setattr__(self, "n_leaves", count)

    def __repr__(self) -> str:
        return render(self, ["*"] * self.n_leaves)

    def __reduce__(self) -> tuple[Any, ...]:
        return TreeDef, (self.kind, self.keys, self.children, self.static)


#: How deep containers may be nested; Python's own stack is not much deeper.
MAX_NESTING = 100

LEAF = TreeDef(None)
#: Of the types that are no containers the usual ones, which are known for that without a look at the class.
_LEAVES = {float, int, bool, np.ndarray, np.float64, np.float32, np.int64, np.int32, np.bool_}


def _is_namedtuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _sorted_keys(mapping: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:  # keys of several types: the order of insertion
        return list(mapping)


#: Of one level of a container: the keys and the static fields of its form, and its parts.
_Level = tuple[tuple[Hashable, ...], tuple[tuple[str, Static], ...], Sequence[Any]]


def _parts(tree: Any) -> _Level | None:
    """One level of a container; None for a leaf."""
    kind = type(tree)
    if kind is tuple or kind is list:
        return (), (), tree
    if tree is None:
        return (), (), ()
    if kind is dict:  # sorted, so that equal dicts have equal forms
        keys = _sorted_keys(tree)
        return tuple(keys), (), [tree[key] for key in keys]
    if kind is OrderedDict:
        return tuple(tree), (), list(tree.values())
    if _is_namedtuple(kind):
        return tuple(kind._fields), (), tree
    if dataclasses.is_dataclass(kind):
        fields = dataclasses.fields(tree)
        names = [field.name for field in fields if not field.metadata.get("static")]
        static = tuple((f.name, Static(getattr(tree, f.name))) for f in fields if f.metadata.get("static"))
        return tuple(names), static, [getattr(tree, name) for name in names]
    return None


def bind_leaves(*kinds: type) -> None:
    """Tell which further types are no containers (called once, by `pygraph.graph`)."""
    _LEAVES.update(kinds)


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """The leaves of a nested container, in order, and its form.

    A dict's keys are taken in sorted order; None is a container without leaves; all else is a leaf.

    Example:
        >>> flatten({"w": 1, "b": (2, 3)})
        ([2, 3, 1], {'b': (*, *), 'w': *})
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves, 0)


def _flatten(tree: Any, leaves: list[Any], depth: int) -> TreeDef:
    if type(tree) in _LEAVES:
        leaves.append(tree)
        return LEAF
    taken = _parts(tree)
    if taken is None:
        leaves.append(tree)
        return LEAF
    if depth == MAX_NESTING:
        problem = f"containers are nested deeper than {MAX_NESTING}, or one contains itself"
        raise GraphError(problem, "put the leaves into fewer levels", stage="tracing", subject=named(tree))
    keys, static, parts = taken
    children = []
    for part in parts:  # not in a comprehension, which would take a frame of its own
        if type(part) in _LEAVES:
            leaves.append(part)
            children.append(LEAF)
        else:
            children.append(_flatten(part, leaves, depth + 1))
    return TreeDef(type(tree), keys, tuple(children), static)


def unflatten(treedef: TreeDef, leaves: Sequence[Any]) -> Any:
    """The container of form `treedef` with `leaves`; the inverse of `flatten`.

    Raises:
        GraphError: the number of leaves is not the form's.
    """
    if len(leaves) != treedef.n_leaves:
        problem = f"{treedef.n_leaves} leaves expected, {len(leaves)} given"
        raise GraphError(problem, "give one for each leaf", stage="building", subject=f"a container {treedef!r}")
    return _build(treedef, iter(leaves).__next__)


def _build(treedef: TreeDef, leaf: Callable[[], Any]) -> Any:
    kind = treedef.kind
    if kind is None:
        return leaf()
    if kind is type(None):
        return None
    parts = [_build(child, leaf) for child in treedef.children]
    if kind is list:
        return parts
    if kind is tuple:
        return tuple(parts)
    if kind is dict or kind is OrderedDict:
        return kind(zip(treedef.keys, parts, strict=True))
    if _is_namedtuple(kind):
        return kind(*parts)
    made: Any = object.__new__(kind)  # not through __init__: a field may hold anything here, an expression or a type
    for name, value in zip(treedef.keys, parts, strict=True):
        object.__setattr__(made, str(name), value)
    for name, static in treedef.static:
        object.__setattr__(made, name, static.value)
    return made


def map_leaves(function: Callable[..., Any], tree: Any) -> Any:
    """The container with `function` applied to each leaf."""
    leaves, treedef = flatten(tree)
    return unflatten(treedef, [function(leaf) for leaf in leaves])


def flatten_named(tree: Any, name: str) -> tuple[list[tuple[str, Any]], TreeDef]:
    """Like `flatten`, with a name for each leaf that reads as Python: `params.w`, `params[0]`, `params['a b']`."""
    if type(tree) in _LEAVES:
        return [(name, tree)], LEAF
    form = flatten(tree)[1]
    named: list[tuple[str, Any]] = []
    _flatten_named(tree, name, named)
    return named, form


def _flatten_named(tree: Any, name: str, named: list[tuple[str, Any]]) -> None:
    taken = _parts(tree)
    if taken is None:
        named.append((name, tree))
        return
    keys, _, parts = taken
    for i, part in enumerate(parts):
        if not keys:
            step = f"[{i}]"
        else:
            key = keys[i]
            step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
        _flatten_named(part, name + step, named)


def render(treedef: TreeDef, leaves: Sequence[str]) -> str:
    """The container as text with `leaves` as the text of its leaves."""
    remaining = iter(leaves)

    def text(form: TreeDef) -> str:
        if form.kind is None:
            return next(remaining)
        if form.kind is type(None):
            return "None"
        parts = [text(child) for child in form.children]
        if form.kind is list:
            return f"[{', '.join(parts)}]"
        if form.kind is tuple:
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        if form.kind is dict:
            return "{" + ", ".join(f"{key!r}: {part}" for key, part in zip(form.keys, parts, strict=True)) + "}"
        return f"{form.kind.__name__}({', '.join(f'{key}={part}' for key, part in zip(form.keys, parts, strict=True))})"

    return text(treedef)
