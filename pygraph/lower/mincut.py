"""Minimum cuts of directed graphs with integer capacities, by Dinic's maximum flow."""

from __future__ import annotations

from collections import deque


class Network:
    """A directed graph with capacities, between a source and a sink.

    Args:
        count: the number of its nodes: 0 is the source, 1 the sink.
    """

    SOURCE, SINK = 0, 1

    def __init__(self, count: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(count)]  # of each node; edge e ^ 1 is e turned round
        self._heads: list[int] = []
        self._rest: list[int] = []

    def connect(self, tail: int, head: int, capacity: int) -> None:
        """Add an edge."""
        self._edges[tail].append(len(self._heads))
        self._edges[head].append(len(self._heads) + 1)
        self._heads += (head, tail)
        self._rest += (capacity, 0)

    def source_side(self) -> list[bool]:
        """For each node whether it lies on the source's side of the minimum cut that lies nearest to the source.

        The time is linear in the edges for each different length of the shortest paths that carry flow; these are
        short where each node has edges of small capacity to the source or the sink.
        """
        while True:
            levels = self._levels()
            if levels[self.SINK] < 0:
                return [level >= 0 for level in levels]
            self._block(levels)

    def _levels(self) -> list[int]:
        """The distance of each node from the source over edges that can carry more; -1 where it isn't reached."""
        levels = [-1] * len(self._edges)
        levels[self.SOURCE] = 0
        queue = deque([self.SOURCE])
        heads, rest = self._heads, self._rest
        while queue:
            node = queue.popleft()
            if node == self.SINK:
                break
            for edge in self._edges[node]:
                head = heads[edge]
                if rest[edge] and levels[head] < 0:
                    levels[head] = levels[node] + 1
                    queue.append(head)
        return levels

    def _block(self, levels: list[int]) -> None:
        """Send flow along shortest paths until none is left; an edge that leads nowhere is looked at once."""
        heads, rest = self._heads, self._rest
        pending = [iter(edges) for edges in self._edges]
        path: list[int] = []
        node = self.SOURCE
        while True:
            if node == self.SINK:
                flow = min(rest[edge] for edge in path)
                for edge in path:
                    rest[edge] -= flow
                    rest[edge ^ 1] += flow
                full = next(at for at, edge in enumerate(path) if not rest[edge])
                node = heads[path[full] ^ 1]
                del path[full:]
                continue
            below = levels[node] + 1
            for edge in pending[node]:
                if rest[edge] and levels[heads[edge]] == below:
                    path.append(edge)
                    node = heads[edge]
                    break
            else:
                if not path:
                    return
                node = heads[path.pop() ^ 1]
