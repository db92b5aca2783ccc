"""Recording a function that is recomputed wherever a derivative needs what is inside of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..ops.common import explained
from ..ops.control import branch as _BRANCH
from .construction import as_node, constant, make, new_input, outputs_of, watched
from .graph import Graph
from .record_branch import capture
from .recording import recording
from .rewriting import substitute
from .trace import function_name, leaf_type, make_inputs, parameter_names, result_node
from .tree import flatten, flatten_named, unflatten
from .weak import WEAK_TYPES, weakened

__all__ = ["checkpoint"]


@explained
def checkpoint(f: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """`f(*args, **named)`, recorded as a branch of one body that stays one.

    The body has memory of its own, and its derivatives are bodies that begin again at its operands: the arguments and
    what `f` closes over. Python numbers, and expressions that stand for them, stay what they are, as arguments and as
    results.

    Raises:
        DTypeError: an argument is not an array; GraphError: `f` returns what is neither an array nor a number.

    Example:
        >>> x = pg.var("x", (3,))
        >>> checkpoint(lambda x: {"y": np.sin(np.cos(x))}, [x], {})
        {'y': <output : float64[3]>}
    """
    leaves, form = flatten((tuple(args), dict(named)))
    parameters = parameter_names(f, len(args))
    titles = [name for key, arg in zip(parameters, args, strict=True) for name, _ in flatten_named(arg, key)[0]]
    titles += [name for key in sorted(named) for name, _ in flatten_named(named[key], key)[0]]
    traced = [(name, leaf) for name, leaf in zip(titles, leaves, strict=True) if type(leaf) not in WEAK_TYPES]
    inputs = make_inputs([name for name, _ in traced], [leaf_type(leaf, name) for name, leaf in traced])
    with watched() as made:
        remaining = iter(weakened(inputs, [leaf for _, leaf in traced]))
        given = unflatten(form, [leaf if type(leaf) in WEAK_TYPES else next(remaining) for leaf in leaves])
        with recording(inputs):
            returned, output_form = flatten(f(*given[0], **given[1]))
        strong = [leaf for leaf in returned if type(leaf) not in WEAK_TYPES]
        outputs = [result_node(leaf, function_name(f)) for leaf in strong]
    if not outputs:
        return unflatten(output_form, returned)
    taken = capture(outputs, made, set(inputs), function_name(f))
    slots = [new_input(f"const{k}", node.shape, node.dtype) for k, node in enumerate(taken)]
    inside = substitute(outputs, dict(zip(taken, slots, strict=True)))
    body = Graph.from_parts([*slots, *inputs], inside, name=function_name(f))
    operands = [constant(0), *taken, *(as_node(leaf) for _, leaf in traced)]
    made_of = make(_BRANCH, operands, {"bodies": (body,), "recompute": True})
    results = iter(weakened(outputs_of(made_of), strong))
    return unflatten(output_form, [leaf if type(leaf) in WEAK_TYPES else next(results) for leaf in returned])
