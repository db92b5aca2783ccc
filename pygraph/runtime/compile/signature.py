"""The signature of an Executable: which arguments it takes, and checking and naming the ones it is given."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import SignatureError, named, shown
from ...graph.node import Node
from ...graph.source import type_text
from ...graph.tree import LEAF, TreeDef, flatten, flatten_named, unflatten
from ...ops.common import is_masked
from ...ops.dtypes import KINDS

Array = npt.NDArray[Any]

_RANK = {"b": 0, "i": 1, "u": 1, "f": 2}  # kinds of NumPy dtypes in the order in which a number may be widened
_PYTHON = (bool, int, float, list, tuple, np.generic)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array that a call takes: its name in error texts, its shape and dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def type_text(self) -> str:
        return type_text(self.shape, self.dtype)


def refuse(subject: str, problem: str, advice: str) -> SignatureError:
    """The SignatureError for a call of `subject`, with the user's line."""
    return SignatureError(problem, advice, stage="calling", subject=subject)


class Signature:
    """The arguments of a call: named, possibly containers, each leaf an array of fixed shape and dtype.

    Attributes:
        title: what is called, for error texts.
        names: of the arguments, in order.
        forms: of the arguments, in order; a leaf where the argument is an array.
        parameters: the leaves of all arguments.
        flat: whether every argument is an array.
        derived: whether the arguments are seeds or tangents, whose types follow from the graph's.
    """

    __slots__ = ("derived", "flat", "forms", "names", "parameters", "title")

    def __init__(
        self,
        title: str,
        names: Sequence[str],
        parameters: Sequence[Parameter],
        forms: Sequence[TreeDef] | None = None,
        derived: bool = False,
    ) -> None:
        self.title = title
        self.derived = derived
        self.names = tuple(names)
        self.parameters = tuple(parameters)
        self.forms = tuple(forms) if forms is not None else (LEAF,) * len(self.names)
        self.flat = all(form == LEAF for form in self.forms)

    def __str__(self) -> str:
        remaining = iter(self.parameters)
        arguments = []
        for name, form in zip(self.names, self.forms, strict=True):
            types = [next(remaining).type_text for _ in range(form.n_leaves)]
            arguments.append(f"{name}: {types[0] if form == LEAF else f'{form!r} of {len(types)} arrays'}")
        return f"{self.title}({', '.join(arguments)})"

    def arrays(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Array]:
        """The arrays of all leaves, checked, in order; not necessarily contiguous.

        Raises:
            SignatureError: wrong number, name, form, shape or dtype of an argument.
        """
        leaves = self.leaves(args, named)
        return [self.array(i, leaf) for i, leaf in enumerate(leaves)]

    def leaves(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """The leaves of all arguments, unchecked, in order."""
        values = self._placed(args, named) if named or len(args) != len(self.names) else args
        if self.flat:
            return list(values)
        leaves: list[Any] = []
        for name, form, value in zip(self.names, self.forms, values, strict=True):
            if form == LEAF:
                leaves.append(value)
                continue
            parts, given = flatten(value)
            if given != form:
                raise self._form_error(name, form, value, given)
            leaves += parts
        return leaves

    def _form_error(self, name: str, form: TreeDef, value: Any, given: TreeDef) -> SignatureError:
        names = [leaf for leaf, _ in flatten_named(unflatten(form, [0] * form.n_leaves), name)[0]]
        got = repr(given) if given != LEAF else f"one {type(value).__name__}"
        return refuse(
            self.title,
            f"argument {name!r} must have the form {form!r}, not {got}",
            f"give {', '.join(names) or 'None'}",
        )

    def _placed(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """The arguments in order, from those given by position and by name."""
        if len(args) > len(self.names):
            raise refuse(
                self.title,
                f"{_arguments(len(self.names))} expected, {len(args)} given",
                f"call it as {self}",
            )
        values = dict(zip(self.names, args, strict=False))
        for name, value in named.items():
            if name not in self.names:
                close = difflib.get_close_matches(name, self.names, 1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                raise refuse(self.title, f"there is no argument {name!r}", f"{hint}call it as {self}")
            if name in values:
                raise refuse(
                    self.title, f"argument {name!r} is given twice", "give it by position or by name, not both"
                )
            values[name] = value
        missing = [name for name in self.names if name not in values]
        if missing:
            listed = ", ".join(map(repr, missing))
            raise refuse(
                self.title,
                f"{_arguments(len(self.names))} expected, {len(values)} given: {listed} missing",
                f"call it as {self}",
            )
        return [values[name] for name in self.names]

    def array(self, i: int, value: Any) -> Array:
        """Leaf `i` as an array of exactly its shape and dtype.

        Python numbers, lists of them and NumPy scalars are converted where that keeps their kind (bool to int to
        float); an array must have the dtype already.

        Raises:
            SignatureError: it can't be.
        """
        parameter = self.parameters[i]
        if type(value) is np.ndarray and value.dtype == parameter.dtype and value.shape == parameter.shape:
            return value
        array = self._as_array(i, value)
        if array.dtype != parameter.dtype:
            array = self._converted(i, value, array)
        if array.shape != parameter.shape:
            advice = "reshape it" if array.size == np.prod(parameter.shape, dtype=np.int64) else "give that shape"
            raise self._wrong(
                i,
                f"must have shape {parameter.shape}, not {array.shape}",
                advice if self.derived else f"{advice}, or compile for shape {array.shape}: the shapes are fixed",
            )
        return array

    def _wrong(self, i: int, problem: str, advice: str) -> SignatureError:
        parameter = self.parameters[i]
        place = f"argument {parameter.name!r} ({i + 1} of {len(self.parameters)}, {parameter.type_text})"
        return refuse(self.title, f"{place} {problem}", advice)

    def _as_array(self, i: int, value: Any) -> Array:
        if isinstance(value, Node):
            raise self._wrong(
                i,
                f"is an expression, {value!r}",
                "give an array; inside a trace the Executable itself can be called",
            )
        if isinstance(value, np.matrix):
            raise self._wrong(i, "is a np.matrix", "give np.asarray(m)")
        if is_masked(value):
            raise self._wrong(i, "is a masked array", "give x.filled(value), and the mask as an argument of its own")
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise self._wrong(
                i, f"is not like an array: {error}", "give an array, or nested lists of equal lengths"
            ) from error
        if array.dtype == object and isinstance(value, int):
            raise self._wrong(i, f"can't be {value}, which does not fit in int64", "give a smaller number")
        if array.dtype.kind not in "biuf":
            by_type = array.dtype == object and not isinstance(value, np.ndarray)
            given = named(value) if by_type else f"of dtype {array.dtype}"
            raise self._wrong(i, f"can't be {given}", f"give an array of dtype {self.parameters[i].dtype.name}")
        return array

    def _converted(self, i: int, value: Any, array: Array) -> Array:
        wanted = self.parameters[i].dtype
        if not isinstance(value, _PYTHON):
            advice = f"convert it with .astype({wanted.name!r})"
            if array.dtype in KINDS and array.dtype.isnative:
                advice += f", or declare the input with dtype={array.dtype.name!r}"
            order = "" if array.dtype.isnative else " of the other byte order"
            raise self._wrong(i, f"must have dtype {wanted.name}, not {array.dtype.name}{order}", advice)
        if array.size == 0 and isinstance(value, (list, tuple)):
            return np.empty(array.shape, wanted)
        if _RANK[array.dtype.kind] > _RANK[wanted.kind]:
            raise self._wrong(
                i,
                f"can't be {shown(value)}, which is {array.dtype.name}",
                f"round or convert it to {wanted.name} first",
            )
        with np.errstate(all="ignore"):
            converted = array.astype(wanted)
        if KINDS[wanted] == "i" and not np.array_equal(converted, array):
            raise self._wrong(
                i, f"can't be {shown(value)}, which does not fit in {wanted.name}", "give a smaller number"
            )
        return converted


def _arguments(n: int) -> str:
    return "1 argument" if n == 1 else f"{n} arguments"
