"""The drawing of one fold: boxes for its steps and for the folds in it, and the lines between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..call_folds import Fold
from ..layout import layered

if TYPE_CHECKING:
    from ..explanation import Explanation

#: Sizes in pixels: of a character, of a box, and of one for a value from outside of the fold.
_CHARACTER, _HEIGHT, _OUTSIDE = 7.3, 56.0, 24.0
#: Characters that a box has room for, and that fit into the smallest one: a number, and "d… " before it.
LONGEST, _SHORTEST = 22, 16
#: Values from outside of a fold that have a box each; and boxes that an input may lead to by lines. What leads to more
#: is named in these boxes instead.
_VALUES, _LINES = 8, 4


def drawing(explanation: Explanation, fold: Fold) -> dict[str, Any]:
    """What the page needs to draw a fold.

    Returns:
        `w`, `h`: the size. `items`: for each box its kind ("s" a step, "f" a fold, "o" steps outside), the number of
        the step, the label of the fold or the numbers of the steps, the middle, the width and height, and the inputs
        that it is computed with and no line leads from. `lines`: from which box to which, and the corners, x and y in
        turn.
    """
    numbers = {step.name: number for number, step in enumerate(explanation.steps)}
    box: dict[int, int] = {}
    items: list[list[Any]] = []
    sizes: list[tuple[float, float]] = []
    for part in fold.parts:
        within = list(part.steps()) if isinstance(part, Fold) else [part]
        box |= dict.fromkeys(within, len(items))
        items.append(["f", part.label] if isinstance(part, Fold) else ["s", part])
        sizes.append((_width(_title(explanation, items[-1])), _HEIGHT))
    outside: dict[int, None] = {}
    pairs: dict[tuple[int, int], None] = {}
    for number in list(box):
        for name in explanation.steps[number].operands:
            operand = numbers[name]
            if operand not in box:
                outside[operand] = None
            elif box[operand] != box[number]:
                pairs[box[operand], box[number]] = None
    entering = [[x] for x in outside] if len(outside) <= _VALUES else [list(outside)]
    for each in entering:
        at = len(items)
        items.append(["o", each])
        sizes.append((_width(_title(explanation, items[-1]), 3), _OUTSIDE))
        for number in list(box):
            if any(numbers[name] in each for name in explanation.steps[number].operands):
                pairs[at, box[number]] = None
    named = _named_instead(explanation, items, list(pairs))
    for target, texts in named.items():
        items[target].append(_cut(f"with {', '.join(texts)}"))
        sizes[target] = max(sizes[target][0], _width(items[target][-1])), _HEIGHT + 15.0
    dropped = {
        (source, target) for (source, target) in pairs if _title(explanation, items[source]) in named.get(target, ())
    }
    lines = [pair for pair in pairs if pair not in dropped]
    found = layered(sizes, lines, gap=18.0, layer_gap=34.0)
    for item, (x, y), (width, height) in zip(items, found.centres, sizes, strict=True):
        item[2:2] = [round(x, 1), round(y, 1), round(width, 1), height]
    routes = [[round(value, 1) for point in route for value in point] for route in found.routes]
    return {
        "w": round(found.width, 1),
        "h": round(found.height, 1),
        "items": items,
        "lines": [[*pair, route] for pair, route in zip(lines, routes, strict=True)],
    }


def _named_instead(
    explanation: Explanation, items: Sequence[list[Any]], pairs: Sequence[tuple[int, int]]
) -> dict[int, list[str]]:
    """For boxes, the inputs and values from outside that so many boxes use that lines would hide the drawing."""
    users = Counter(source for source, _ in pairs)
    named: dict[int, list[str]] = {}
    for source, target in pairs:
        kind, what = items[source][:2]
        plain = kind == "o" or (kind == "s" and not explanation.steps[what].formula)
        if plain and users[source] > _LINES and items[target][0] != "o":
            named.setdefault(target, []).append(_title(explanation, items[source]))
    return named


def _title(explanation: Explanation, item: Sequence[Any]) -> str:
    """What is written in a box."""
    kind, what = item[:2]
    if kind == "s":
        return str(explanation.steps[what].name)
    if kind == "f":
        return str(what)
    return explanation.steps[what[0]].name if len(what) == 1 else f"{len(what)} values"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _width(text: str, least: int = _SHORTEST) -> float:
    return max(least, min(LONGEST, len(text))) * _CHARACTER + 18.0


def all_folds(whole: Fold) -> Sequence[Fold]:
    """The whole, and all folds in it."""
    return [whole, *whole.folds()]
