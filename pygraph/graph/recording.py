"""Which threads record a function at the moment, which variables stand for its arguments, and that none is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ..concurrency import in_child
from ..errors import GraphError
from . import node as nodes
from .construction import depends_on, topological
from .node import Node, Recording
from .source import describe
from .weak import strong

__all__ = ["active", "is_recording", "leak", "recording", "refuse_leaked"]

#: The threads that record, each as often as it does; empty most of the time, which a call path may test cheaply.
active: list[int] = []


@contextmanager
def recording(variables: Iterable[Node] = ()) -> Iterator[None]:
    """While it lasts, this thread records a function on these variables; after it they have no meaning outside."""
    thread = threading.get_ident()
    recorded = Recording(thread)
    for variable in variables:
        strong(variable).recording = recorded
    active.append(thread)
    try:
        yield
    finally:
        active.remove(thread)
        recorded.end = nodes.next_epoch()


def _alone() -> None:
    """In the child of a fork the parent's other threads record nothing."""
    thread = threading.get_ident()
    active[:] = [recorder for recorder in active if recorder == thread]


in_child(_alone)


def is_recording() -> bool:
    """Whether this thread records a function."""
    return bool(active) and threading.get_ident() in active


def refuse_leaked(outputs: Iterable[Node], function: str, own: Iterable[Node] = (), *, inner: bool = False) -> None:
    """Raise `GraphError` where `outputs` depend on a variable that has no meaning where they are used; `own` have one.

    That is the variable of a function whose recording has ended, or that another thread records while this one records
    a function of its own (with `inner`: beside the innermost one, which may be a part of the other thread's).
    """
    outputs, known = list(outputs), set(own)
    thread = threading.get_ident()
    alone = active.count(thread) > inner

    def refused(node: Node) -> bool:
        owner = node.recording
        return owner is not None and node not in known and (owner.end is not None or (alone and owner.thread != thread))

    seen = set(outputs)
    stack = list(seen)
    while stack:  # in any order, which takes half the time: the first one to refuse is looked for where there is one
        node = stack.pop()
        if node.recording is not None and refused(node):
            raise leak(outputs, next(filter(refused, topological(outputs))), function)
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                stack.append(x)


def leak(outputs: Sequence[Node], variable: Node, function: str) -> GraphError:
    """The error for `outputs` that depend on a variable of another function: it names what was kept of that."""
    owner = variable.recording
    assert owner is not None
    dependent = depends_on(outputs, [variable])
    users = [node for node in topological(outputs) if node in dependent and node is not variable]
    inside = users[:1] if owner.end is None else [node for node in users if node.epoch < owner.end]
    kept = inside[-1] if inside else variable
    state = "whose recording has ended" if owner.end is not None else "which another thread is recording"
    problem = f"it uses {kept!r}, kept from inside a function {state}"
    advice = (
        "return from that function what is needed outside of it (has_aux=True beside a derivative; from a loop's body "
        "in its carry or ys)"
    )
    return GraphError(describe("tracing", function, problem, advice, where=kept.where))
