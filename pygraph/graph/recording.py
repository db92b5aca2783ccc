"""Calls of functions on variables: whether one is in progress, and that none of its variables is kept after it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ..errors import GraphError
from . import node as nodes
from .node import Node, Recording
from .source import here
from .trace_context import current, entered
from .traversal import depends_on, walk
from .weak import strong

__all__ = ["is_recording", "leak", "recording", "refuse_leaked", "unseen_variables"]


class recording:  # read as a function: `with recording(variables):`
    """Within the block, a function is called on these variables; after it they have no meaning outside.

    What it records belongs to its own lines, whatever line derivatives are made for around the block.
    """

    __slots__ = ("_entered", "_recorded")

    def __init__(self, variables: Iterable[Node] = ()) -> None:
        self._recorded = recorded = Recording(here())
        for variable in variables:
            strong(variable).recording = recorded

    def __enter__(self) -> Recording:
        self._recorded.frame = sys._getframe(1)
        self._entered = entered(recordings=(*current().recordings, self._recorded), line=None)
        self._entered.__enter__()
        return self._recorded

    def __exit__(self, *exception: object) -> None:
        self._entered.__exit__(*exception)
        self._recorded.frame, self._recorded.running = None, (None, None)
        self._recorded.end = nodes.next_epoch()


def unseen_variables() -> Recording | None:
    """The innermost recording, if nothing has seen its variables so far; from now on they count as seen."""
    recordings = current().recordings
    if not recordings or not recordings[-1].unseen:
        return None
    recordings[-1].unseen = False
    return recordings[-1]


def is_recording() -> bool:
    """Whether a function is being recorded here."""
    return bool(current().recordings)


def refuse_leaked(
    outputs: Sequence[Node],
    function: str,
    own: Iterable[Node] = (),
    *,
    inner: bool = False,
    nodes: Iterable[Node] | None = None,
) -> None:
    """Raise `GraphError` where `outputs` depend on a variable that has no meaning where they are used; `own` have one.

    That is the variable of a function whose recording has ended, or that another thread or task records while this one
    records a function of its own (with `inner`: beside the innermost one, which may be a part of the other one's).
    `nodes` have the variables that the outputs are made of, where these are known.
    """
    known = set(own)
    recordings = current().recordings
    alone = len(recordings) > inner

    def refused(node: Node) -> bool:
        owner = node.recording
        if owner is None or node in known:
            return False
        return owner.end is not None or (alone and owner not in recordings)

    for node in walk(outputs) if nodes is None else nodes:
        if node.recording is not None and refused(node):
            raise leak(outputs, node, function)


def leak(outputs: Sequence[Node], variable: Node, function: str) -> GraphError:
    """The error for `outputs` that depend on a variable of another function: it names what was kept of that."""
    owner = variable.recording
    assert owner is not None
    dependent = depends_on(outputs, [variable])
    users = [node for node in walk(outputs) if node in dependent and node is not variable]
    inside = users[:1] if owner.end is None else [node for node in users if node.epoch < owner.end]
    kept = inside[-1] if inside else variable
    state = "whose recording has ended" if owner.end is not None else "which another thread is recording"
    problem = f"it uses {kept!r}, kept from inside a function {state}"
    advice = (
        "return from that function what is needed outside of it (has_aux=True beside a derivative; from a loop's body "
        "in its carry or ys)"
    )
    return GraphError(problem, advice, stage="tracing", subject=function, line=kept.line)
