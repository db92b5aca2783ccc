"""`einsum`: sums of products by Einstein's convention, lowered to the cheapest order of matrix products and sums.

The order is found over all ways to pair operands where there are six at most, as by the optimal search of Smith & Gray,
opt_einsum (JOSS 2018): the one with the fewest multiplications. Beyond six the cheapest pair is taken each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import prod
from string import ascii_letters
from typing import Any, TypeAlias

from ...errors import ShapeError, shown
from ..arithmetic import multiply
from ..common import explained, normal_axes, operand
from ..comparison import astype
from ..diagonals import diagonal
from ..products import matmul
from ..reductions import sum as total
from ..shaping import broadcast_to, reshape, transpose

#: The labels of an operand's axes.
Labels: TypeAlias = str
Sizes: TypeAlias = Mapping[str, int]
#: Which operands are multiplied, by their places in a list: the product takes the place of the last one.
Path: TypeAlias = tuple[tuple[int, int], ...]
#: How many operands all orders are tried of.
EXHAUSTIVE = 6


@explained
def einsum(*operands: Any, out: None = None, optimize: Any = True, dtype: Any = None) -> Any:
    """Sums of products of elements, by subscripts: `einsum("ij,jk->ik", a, b)`, or `einsum(a, [0, 1], b, [1, 2])`.

    Axes with the same letter are multiplied elementwise; letters that the output leaves out are summed. Without "->"
    the output has the letters that occur once, in alphabetical order. "..." stands for leading axes that broadcast.

    Args:
        operands: the subscripts and the arrays; or arrays, each with the list of its labels, and that of the output.
        out: None.
        optimize: any value; the order with the fewest multiplications is taken.
        dtype: of the result; by default that of the promoted operands.

    Raises:
        ShapeError: subscripts that do not fit the operands, or sizes of one letter that differ.

    Example:
        >>> pg.einsum("ij,j", np.array([[1, 2], [3, 4]]), np.array([1, 10]))
        array([21, 43])
    """
    subscripts, arrays = _given(operands)
    inputs, output = _parsed(subscripts, [x.ndim for x in arrays])
    if dtype is not None:
        arrays = [astype(x, dtype) for x in arrays]
    bools = all(x.dtype.kind == "b" for x in arrays)
    if bools:
        arrays = [astype(x, "int64") for x in arrays]
    sizes = _sizes(inputs, [x.shape for x in arrays])
    terms = [_without_repeats(x, labels) for x, labels in zip(arrays, inputs, strict=True)]
    result = _contracted([x for x, _ in terms], [labels for _, labels in terms], output, sizes)
    return astype(result, "bool") if bools else result


def _given(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """The subscripts as a text, and the arrays."""
    if operands and isinstance(operands[0], str):
        return operands[0].replace(" ", ""), [operand(x) for x in operands[1:]]
    if len(operands) < 2:
        raise ShapeError("there are no subscripts", 'call it as einsum("ij,jk->ik", a, b)')
    arrays = [operand(x) for x in operands[0 : len(operands) - len(operands) % 2 : 2]]
    lists = [*operands[1::2], *([operands[-1]] if len(operands) % 2 else [])]
    texts = [_text(labels) for labels in lists]
    inputs = ",".join(texts[: len(arrays)])
    return (f"{inputs}->{texts[-1]}" if len(operands) % 2 else inputs), arrays


def _text(labels: Any) -> str:
    """Labels that are given as a list of ints, with `...` among them."""
    try:
        return "".join("..." if label is Ellipsis else ascii_letters[label] for label in labels)
    except (TypeError, IndexError) as error:
        raise ShapeError(f"labels are {shown(labels)}", "give a list of ints from 0 to 51") from error


def _parsed(subscripts: str, ranks: Sequence[int]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the output; the axes of `...` have digits and punctuation of their own."""
    left, arrow, right = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ShapeError(f"{subscripts!r} has {len(terms)} terms for {len(ranks)} operands", "give one for each")
    wild = [_wild_axes(term, rank) for term, rank in zip(terms, ranks, strict=True)]
    most = max(wild, default=0)
    extra = "".join(chr(0x100 + k) for k in range(most))  # labels that no one can write
    inputs = [_expanded(term, extra[most - count :]) for term, count in zip(terms, wild, strict=True)]
    joined = "".join(inputs)
    if not arrow:
        letters = sorted(letter for letter in set(joined) - set(extra) if joined.count(letter) == 1)
        return inputs, extra + "".join(letters)
    output = _expanded(right, extra)
    for label in output:
        if output.count(label) > 1 or label not in joined:
            raise ShapeError(f"the output {right!r} has {label!r} twice, or no operand has it", "name each letter once")
    return inputs, output


def _wild_axes(term: str, rank: int) -> int:
    """How many axes the `...` of a term stands for."""
    named = len(term.replace("...", ""))
    if "..." in term and named <= rank:
        return rank - named
    if named != rank:
        raise ShapeError(f"subscripts {term!r} for an operand with {rank} axes", "give one letter for each axis")
    return 0


def _expanded(term: str, extra: str) -> Labels:
    labels = term.replace("...", extra, 1)
    letters = term.replace("...", "", 1)
    if not all(letter in ascii_letters for letter in letters):
        raise ShapeError(f"subscripts {term!r}", "give letters, and ... once for further axes")
    return labels


def _sizes(inputs: Sequence[Labels], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The size of each label; axes of size 1 broadcast."""
    sizes: dict[str, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            known = sizes.setdefault(label, size)
            if known == 1:
                sizes[label] = size
            elif size not in (1, known):
                raise ShapeError(f"axes {label!r} have sizes {known} and {size}", "give axes of one letter equal sizes")
    return sizes


def _without_repeats(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """An operand with each label once: of axes with the same one it has the diagonal."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            size = max(x.shape[first], x.shape[second])
            wide = tuple(size if k in (first, second) else n for k, n in enumerate(x.shape))
            x = diagonal(broadcast_to(x, wide), 0, first, second)
            labels = labels.replace(label, "") + label if labels.count(label) == 2 else _moved(labels, first, second)
    return x, labels


def _moved(labels: Labels, first: int, second: int) -> Labels:
    """The labels of a diagonal of two axes, which is the last axis."""
    return "".join(label for k, label in enumerate(labels) if k not in (first, second)) + labels[first]


def _contracted(arrays: list[Any], inputs: list[Labels], output: Labels, sizes: Sizes) -> Any:
    """The operands multiplied in pairs, along the cheapest path."""
    path = _cheapest(tuple(inputs), output, tuple(sizes.items()))
    for step, (i, j) in enumerate(path):
        others = {label for k, labels in enumerate(inputs) if k not in (i, j) for label in labels}
        a, b = (
            _summed(arrays[i], inputs[i], {*others, *inputs[j], *output}),
            _summed(arrays[j], inputs[j], {*others, *inputs[i], *output}),
        )
        final = output if step == len(path) - 1 else ""
        made, labels = _product(*a, *b, {*others, *output}, sizes, final)
        arrays[j], inputs[j] = made, labels
        del arrays[i], inputs[i]
    x, labels = _summed(arrays[0], inputs[0], set(output))
    x = transpose(x, [labels.index(label) for label in output if label in labels]) if x.ndim else x
    return broadcast_to(x, tuple(sizes[label] for label in output))


def _summed(x: Any, labels: Labels, needed: set[str]) -> tuple[Any, Labels]:
    """An operand without the axes that nothing else needs."""
    axes = tuple(k for k, label in enumerate(labels) if label not in needed)
    return (total(x, axes), "".join(label for label in labels if label in needed)) if axes else (x, labels)


def _product(
    a: Any, of_a: Labels, b: Any, of_b: Labels, needed: set[str], sizes: Sizes, final: Labels
) -> tuple[Any, Labels]:
    """Two operands multiplied, and summed over what both have and nothing else needs: as a matrix product."""
    both = [label for label in of_a if label in of_b]
    full = {label: a.shape[of_a.index(label)] == b.shape[of_b.index(label)] for label in both}
    inner = [label for label in both if label not in needed and full[label]]
    batch = [label for label in both if label not in inner]
    rows = [label for label in of_a if label not in both]
    columns = [label for label in of_b if label not in both]
    if final and [label for label in final if label in {*rows, *columns}] == [*columns, *rows]:
        return _product(b, of_b, a, of_a, needed, sizes, "")
    labels = "".join([*batch, *rows, *columns])
    left = _arranged(a, of_a, [batch, rows, inner])
    right = _arranged(b, of_b, [batch, inner, columns])
    if not inner:
        left = reshape(left, (*left.shape, *[1] * len(columns)))
        right = reshape(right, (*right.shape[: len(batch)], *[1] * len(rows), *right.shape[len(batch) :]))
        product = multiply(left, right)
    elif not rows and not columns:
        product = total(multiply(left, right), normal_axes(range(len(batch), len(batch) + len(inner)), left.ndim))
    else:
        tall, wide = left.shape[len(batch) : len(batch) + len(rows)], right.shape[len(batch) + len(inner) :]
        count = prod(sizes[label] for label in inner)
        left = reshape(left, (*left.shape[: len(batch)], prod(tall), count))
        right = reshape(right, (*right.shape[: len(batch)], count, prod(wide)))
        product = matmul(left, right)
        product = reshape(product, (*product.shape[: len(batch)], *tall, *wide))
    return _summed(product, labels, needed)


def _arranged(x: Any, labels: Labels, groups: Sequence[Sequence[str]]) -> Any:
    axes = [labels.index(label) for group in groups for label in group]
    return x if axes == [*range(x.ndim)] else transpose(x, axes)


@lru_cache(maxsize=1024)
def _cheapest(inputs: tuple[Labels, ...], output: Labels, sizes: tuple[tuple[str, int], ...]) -> Path:
    """The order of pairs with the fewest multiplications."""
    if len(inputs) > EXHAUSTIVE:
        return _greedy(inputs, output, dict(sizes))
    return _best([frozenset(labels) for labels in inputs], frozenset(output), dict(sizes), float("inf"))[1]


def _pairs(terms: Sequence[frozenset[str]], output: frozenset[str], sizes: Sizes) -> Any:
    """Each pair of operands, with its cost and the operands that remain; the product is where the second one was."""
    for i, j in combinations(range(len(terms)), 2):
        others = output.union(*(term for k, term in enumerate(terms) if k not in (i, j)))
        cost = prod(sizes[label] for label in terms[i] | terms[j])
        made = (terms[i] | terms[j]) & others
        yield cost, (i, j), [made if k == j else term for k, term in enumerate(terms) if k != i]


def _best(terms: Sequence[frozenset[str]], output: frozenset[str], sizes: Sizes, bound: float) -> tuple[float, Path]:
    """The least cost below `bound`, and its path; the first one found of several."""
    if len(terms) < 2:
        return 0, ()
    best: tuple[float, Path] = (bound, ())
    for cost, pair, rest in _pairs(terms, output, sizes):
        if cost < best[0]:
            further, path = _best(rest, output, sizes, best[0] - cost)
            if cost + further < best[0] and len(path) == len(terms) - 2:
                best = (cost + further, (pair, *path))
    return best


def _greedy(inputs: Sequence[Labels], output: Labels, sizes: Sizes) -> Path:
    terms, path = [frozenset(labels) for labels in inputs], []
    while len(terms) > 1:
        _, pair, terms = min(_pairs(terms, frozenset(output), sizes), key=lambda made: made[:2])
        path.append(pair)
    return tuple(path)
