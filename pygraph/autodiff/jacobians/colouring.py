"""Colourings of sparsity patterns: which columns, or rows, of a matrix can share one product.

Columns without a common row are found by one Jacobian-vector product (Curtis, Powell and Reid 1974); that partition is
a distance-1 colouring of the columns' intersection graph. Rows likewise by products with the transpose. All matrices
here are found directly: each entry stands alone in one place of one product. The theory and the names are those of
Gebremedhin, Manne and Pothen, "What Color Is Your Jacobian? Graph Coloring for Computing Derivatives", SIAM Review 47
(2005). The colours that are taken are bits of Python integers, so a colouring costs time in proportion to the entries.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .pattern import Index, Pattern, ranked

#: What a product with the transpose costs in products with the matrix: a reverse sweep reads what it kept.
REVERSE_COST = 1.5
#: Up to how many pairs of columns in common rows the order of saturation is tried: it costs time for each.
PAIRS = 1_000_000
#: How many ways to set rows (or columns) apart are tried for a bidirectional colouring.
SPLITS = 6


@dataclass(frozen=True, eq=False)
class Colouring:
    """A partition of columns, of rows, or of some of both, that determines every entry of a pattern.

    Attributes:
        kind: "column", "row", "bidirectional" or "star".
        column_colours: int64[columns], the product that each column is in; -1 for none.
        row_colours: int64[rows], the product with the transpose that each row is in; -1 for none.
        tangents, cotangents: how many products of each sort.
    """

    kind: str
    column_colours: Index
    row_colours: Index
    tangents: int
    cotangents: int

    @property
    def cost(self) -> float:
        """The cost in Jacobian-vector products; one with the transpose counts as `REVERSE_COST`."""
        return self.tangents + REVERSE_COST * self.cotangents


def colour_columns(pattern: Pattern) -> Colouring:
    """Colours of the columns such that no two of one colour have an entry in the same row.

    Greedy in three orders, of which the best is taken: as given, the columns of most neighbours first, and always the
    column that sees the most colours (Brélaz, "New Methods to Color the Vertices of a Graph", 1979). At least as many
    colours are needed as the fullest row has entries; no further order is tried when that is reached.

    Example:
        >>> band = Pattern.of_entries(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]), (2, 3))
        >>> colour_columns(band).column_colours
        array([0, 1, 0])
    """
    colours, count = _distance_one(pattern)
    return Colouring("column", colours, np.full(pattern.shape[0], -1), count, 0)


def colour_rows(pattern: Pattern) -> Colouring:
    """Colours of the rows such that no two of one colour have an entry in the same column.

    Example:
        >>> dense_row = Pattern.of_entries(np.array([0, 0, 0]), np.arange(3), (1, 3))
        >>> colour_rows(dense_row).cotangents
        1
    """
    colours, count = _distance_one(pattern.transposed)
    return Colouring("row", np.full(pattern.shape[1], -1), colours, 0, count)


def colour_both(pattern: Pattern) -> Colouring:
    """Colours of some rows and some columns that together determine the matrix: for a few full rows or columns.

    As proposed by Coleman and Verma, "The Efficient Computation of Sparse Jacobian Matrices Using Automatic
    Differentiation", SIAM Journal on Scientific Computing 19 (1998), the matrix is split in two parts, one found by
    products with it, the other by products with its transpose. Here the second part is a number of whole rows, the
    fullest ones (or the first part the fullest columns); the numbers that promise most are tried. The better of both
    one-sided colourings is returned where none of these is better.

    Example:
        >>> n = np.arange(1, 100)
        >>> rows, columns = np.concatenate([0 * n, n, n]), np.concatenate([n, 0 * n, n])
        >>> arrow = Pattern.of_entries(rows, columns, (100, 100))
        >>> colour_both(arrow).tangents, colour_both(arrow).cotangents
        (2, 1)
    """
    return min(colourings(pattern), key=lambda found: found.cost)


def colourings(pattern: Pattern) -> list[Colouring]:
    """By columns, by rows, and the best of both together if it may be better than these, in this order.

    Example:
        >>> [found.kind for found in colourings(Pattern.of_entries(np.array([0]), np.array([0]), (1, 1)))]
        ['column', 'row']
    """
    sides = [colour_columns(pattern), colour_rows(pattern)]
    best = min(found.cost for found in sides)
    flipped = pattern.transposed
    # the two parts: rows found by products with the transpose, the other rows (columns likewise) by the other products
    parts = [(pattern.of_rows(~split), pattern.of_rows(split)) for split in _splits(pattern, 1.0, REVERSE_COST, best)]
    splits = _splits(flipped, REVERSE_COST, 1.0, best)
    parts += [(flipped.of_rows(split).transposed, flipped.of_rows(~split).transposed) for split in splits]
    parts = [both for both in parts if _at_least(*both) < best]
    mixed = min((_mixed(*both, quick=True) for both in parts), key=lambda found: found[0].cost, default=None)
    if mixed is None:
        return sides
    return [*sides, _mixed(*mixed[1:], quick=False)[0] if mixed[0].cost < best else mixed[0]]


def _at_least(forward: Pattern, backward: Pattern) -> float:
    """What colours for both parts cost at least: one for each entry of the fullest row, or column, of each."""
    rows = int(np.diff(forward.indptr).max(initial=0))
    columns = int(np.bincount(backward.indices, minlength=1).max())
    return rows + REVERSE_COST * columns


def _mixed(forward: Pattern, backward: Pattern, quick: bool) -> tuple[Colouring, Pattern, Pattern]:
    """Column colours for one part of a pattern and row colours for the other."""
    columns, tangents = _distance_one(forward, quick)
    rows, cotangents = _distance_one(backward.transposed, quick)
    return Colouring("bidirectional", columns, rows, tangents, cotangents), forward, backward


def colour_symmetric(pattern: Pattern) -> Colouring:
    """A star colouring of a symmetric pattern: every entry is found directly, itself or as its mirror image.

    Neighbours differ, and every path over four vertices has three colours or more (Coleman and Moré 1984; Gebremedhin,
    Manne and Pothen 2005, section 4). Greedy, in the given order and with the vertices of most neighbours first; the
    column colouring is taken where it has fewer colours.

    Example:
        >>> n = np.arange(100)
        >>> arrow = Pattern.of_entries(np.concatenate([0 * n, n]), np.concatenate([n, n]), (100, 100)).symmetrised()
        >>> colour_symmetric(arrow).tangents, colour_columns(arrow).tangents
        (2, 100)
    """
    neighbours = [[j for j in row if j != i] for i, row in enumerate(pattern.lists())]
    degrees = np.array([len(row) for row in neighbours], np.int64)
    orders = [range(len(neighbours)), np.argsort(-degrees, kind="stable").tolist()]
    attempts = (_star(neighbours, order, apart) for order in orders for apart in (False, True))
    columns, count = min(attempts, key=lambda found: found[1])
    plain = colour_columns(pattern)
    none = np.full(pattern.shape[0], -1)
    return plain if plain.tangents < count else Colouring("star", columns, none, count, 0)


def recovery(pattern: Pattern, colouring: Colouring, symmetric: bool = False) -> Index:
    """Where each entry of a pattern is found in the products of its colouring; int64[nnz].

    The products are put end to end: those with the matrix, [tangents, rows], then those with its transpose,
    [cotangents, columns], flattened. An entry of a star colouring may be read at the place of its mirror image; with
    `symmetric` both always share a place, so that rounding can't make them differ.

    Example:
        >>> pattern = Pattern.of_entries(np.array([0, 1]), np.array([0, 1]), (2, 2))
        >>> recovery(pattern, colour_columns(pattern))
        array([0, 1])
    """
    m, n = pattern.shape
    rows, columns = pattern.rows, pattern.indices
    own = colouring.column_colours[columns]
    alone = (own >= 0) & _alone(rows, own, colouring.tangents)
    places = np.where(alone, own * m + rows, -1)
    if colouring.kind == "star":
        mirrored = colouring.column_colours[rows]
        # in row j of the symmetric matrix, i stands alone among its colour
        other = _alone(columns, mirrored, colouring.tangents)
        places = np.where(alone, places, np.where(other, mirrored * m + columns, -1))
    elif colouring.cotangents:
        turned = colouring.row_colours[rows]
        other = (turned >= 0) & _alone(columns, turned, colouring.cotangents)
        places = np.where(other, colouring.tangents * m + turned * n + columns, places)
    assert (places >= 0).all(), "an entry that no product determines"
    if symmetric:  # entries by column and row are the mirror images of those by row and column
        places = np.where(rows > columns, places[np.argsort(columns, kind="stable")], places)
    return places


def _alone(lines: Index, colours: Index, count: int) -> Index:
    """For each entry whether it is the only one of its colour in its line; entries without a colour don't count."""
    keys = lines * (count + 1) + np.where(colours < 0, count, colours)
    _, _, which = ranked(keys)
    found: Index = np.bincount(which)[which] == 1
    return found


def _distance_one(pattern: Pattern, quick: bool = False) -> tuple[Index, int]:
    """The colours of the columns, and how many there are; columns without entries have none, -1.

    A quick one is content with the orders that cost least.
    """
    lengths = np.diff(pattern.indptr)
    least = int(lengths.max(initial=0))
    rows_of = pattern.transposed.lists()
    best: tuple[list[int], int] | None = None
    for found in _attempts(pattern, lengths, rows_of, quick):
        if best is None or found[1] < best[1]:
            best = found
        if best[1] == least:
            break
    assert best is not None
    return np.array(best[0], np.int64), best[1]


def _attempts(
    pattern: Pattern, lengths: Index, rows_of: Sequence[Sequence[int]], quick: bool
) -> Iterator[tuple[list[int], int]]:
    """Greedy colourings in several orders, the cheapest first."""
    yield _greedy(rows_of, pattern.shape[0], range(pattern.shape[1]))
    reach = np.zeros(pattern.shape[1], np.int64)  # at most so many others share a row with the column
    np.add.at(reach, pattern.indices, lengths[pattern.rows])
    yield _greedy(rows_of, pattern.shape[0], np.argsort(-reach, kind="stable").tolist())
    if not quick and int((lengths**2).sum()) <= PAIRS:
        yield _by_saturation(pattern.lists(), rows_of)


def _greedy(rows_of: Sequence[Sequence[int]], n_rows: int, order: Sequence[int]) -> tuple[list[int], int]:
    """Each column in turn takes the first colour that no row of its has seen."""
    seen = [0] * n_rows
    colours = [-1] * len(rows_of)
    count = 0
    for j in order:
        rows = rows_of[j]
        if not rows:
            continue
        taken = 0
        for i in rows:
            taken |= seen[i]
        bit = ~taken & (taken + 1)
        for i in rows:
            seen[i] |= bit
        colours[j] = bit.bit_length() - 1
        count = max(count, colours[j] + 1)
    return colours, count


def _by_saturation(columns_of: Sequence[Sequence[int]], rows_of: Sequence[Sequence[int]]) -> tuple[list[int], int]:
    """The next column is the one that sees the most colours; of these, the one with most neighbours."""
    near = [set[int]().union(*(columns_of[i] for i in rows)) for rows in rows_of]
    taken, seen = [0] * len(near), [0] * len(near)
    colours = [-1] * len(near)
    count = 0
    heap = [(0, -len(others), j) for j, others in enumerate(near) if others]
    heapq.heapify(heap)
    while heap:
        stamp, _, j = heapq.heappop(heap)
        if colours[j] >= 0 or -stamp != seen[j]:  # done, or an entry from before it saw another colour
            continue
        bit = ~taken[j] & (taken[j] + 1)
        colours[j] = bit.bit_length() - 1
        count = max(count, colours[j] + 1)
        for k in near[j]:
            if colours[k] < 0 and not taken[k] & bit:
                taken[k] |= bit
                seen[k] += 1
                heapq.heappush(heap, (-seen[k], -len(near[k]), k))
    return colours, count


def _star(neighbours: Sequence[Sequence[int]], order: Sequence[int], apart: bool) -> tuple[Index, int]:
    """Each vertex in turn takes the first colour that leaves every path over four vertices with three colours.

    With `apart`, vertices around one that has no colour yet take different colours: few hubs leave many leaves free.

    Three bit sets per vertex w do for the test: `around`, the colours of its neighbours; `ends`, the colours x of which
    w is an end of a path w – x – w' with w' coloured like w; and the first neighbour of each colour.
    """
    n = len(neighbours)
    around, ends = [0] * n, [0] * n
    first: list[dict[int, int]] = [{} for _ in range(n)]
    colours = [-1] * n
    count = 0
    for v in order:
        taken = 0
        twice: dict[int, int] = {}
        for w in neighbours[v]:
            colour = colours[w]
            if colour < 0:
                if apart:
                    taken |= around[w]
                continue
            taken |= (1 << colour) | ends[w]
            if colour in twice:  # v would be inside a path: its colour may not be seen beyond either end
                taken |= around[w] | around[twice[colour]]
            else:
                twice[colour] = w
        bit = ~taken & (taken + 1)
        mine = bit.bit_length() - 1
        colours[v] = mine
        count = max(count, mine + 1)
        for w in neighbours[v]:
            around[w] |= bit
            other = first[w].setdefault(mine, v)
            if colours[w] < 0:
                continue
            if other != v:  # v – w – other
                ends[v] |= 1 << colours[w]
                ends[other] |= 1 << colours[w]
            if first[v][colours[w]] != w:  # w – v – another neighbour of v
                ends[w] |= bit
                ends[first[v][colours[w]]] |= bit
    return np.array(colours, np.int64), count


def _splits(pattern: Pattern, rest: float, apart: float, best: float) -> list[Index]:
    """Which of the fullest rows to set apart, as bool arrays: the sets that promise most, none without promise.

    Setting k rows apart costs at least one product for them and one for each entry of the fullest row that is left.
    """
    lengths = np.diff(pattern.indptr)
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    cuts = np.flatnonzero(ordered[1:] < ordered[:-1]) + 1
    promise = rest * ordered[cuts] + apart
    cuts = cuts[promise < best]
    # k rows with a common column need k products: take what costs least if they all have one
    guess = rest * ordered[cuts] + apart * cuts
    chosen = cuts[np.argsort(guess, kind="stable")][:SPLITS]
    result = []
    for k in chosen.tolist():
        split = np.zeros(pattern.shape[0], np.bool_)
        split[order[:k]] = True
        result.append(split)
    return result
