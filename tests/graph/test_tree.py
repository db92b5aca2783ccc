"""Containers: taking them apart and putting them together."""

from __future__ import annotations

import dataclasses
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import pytest

from pygraph.errors import GraphError
from pygraph.graph import flatten, unflatten, var
from pygraph.graph.tree import flatten_named, map_leaves


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclasses.dataclass(frozen=True)
class Layer:
    w: Any
    b: Any
    name: str = dataclasses.field(default="layer", metadata={"static": True})

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError


TREES: list[tuple[Any, list[Any], str]] = [
    (1, [1], "*"),
    ((), [], "()"),
    (None, [], "None"),
    ((1,), [1], "(*,)"),
    ([1, (2, 3)], [1, 2, 3], "[*, (*, *)]"),
    ({"w": 1, "b": [2, None]}, [2, 1], "{'b': [*, None], 'w': *}"),
    (OrderedDict(w=1, b=2), [1, 2], "OrderedDict(w=*, b=*)"),
    (Pair(1, {"x": 2}), [1, 2], "Pair(a=*, b={'x': *})"),
    (Layer(1, 2, "first"), [1, 2], "Layer(w=*, b=*)"),
    ({1: "a", "b": "c"}, ["a", "c"], "{1: *, 'b': *}"),
]


@pytest.mark.parametrize(("tree", "leaves", "text"), TREES)
def test_there_and_back(tree: Any, leaves: list[Any], text: str) -> None:
    found, treedef = flatten(tree)
    assert found == leaves
    assert treedef.n_leaves == len(leaves)
    assert repr(treedef) == text
    back = unflatten(treedef, found)
    assert back == tree
    assert type(back) is type(tree)
    assert hash(treedef) == hash(flatten(tree)[1])
    assert pickle.loads(pickle.dumps(treedef)) == treedef


def test_forms_are_equal_by_content() -> None:
    assert flatten({"a": 1, "b": 2})[1] == flatten({"b": 3, "a": 4})[1]
    forms = [flatten(tree)[1] for tree in ((1, 2), [1, 2], Pair(1, 2), {"a": 1, "b": 2}, Layer(1, 2), Layer(1, 2, "x"))]
    assert len(set(forms)) == len(forms)


def test_expressions_are_leaves() -> None:
    x = var("x", 3)
    leaves, treedef = flatten([x, {"y": x}])
    assert leaves[0] is x
    assert leaves[1] is x
    assert unflatten(treedef, leaves)[1]["y"] is x


def test_static_fields_stay() -> None:
    layer = map_leaves(lambda leaf: leaf + 1, Layer(1, 2, "first"))
    assert layer == Layer(2, 3, "first")


def test_names_read_as_python() -> None:
    tree = {"w": [1, Pair(2, None)], "a b": 3, 0: 4, "layer": Layer(5, (6,))}
    named, _ = flatten_named(tree, "p")
    assert dict(named) == {
        "p.w[0]": 1,
        "p.w[1].a": 2,
        "p['a b']": 3,
        "p[0]": 4,
        "p.layer.w": 5,
        "p.layer.b[0]": 6,
    }
    assert [leaf for _, leaf in named] == flatten(tree)[0]


def test_the_number_of_leaves_is_checked() -> None:
    with pytest.raises(GraphError, match=r"\(\*, \*\): 2 leaves expected, 1 given"):
        unflatten(flatten((1, 2))[1], [1])
