"""What there is: the lessons in their order, then the examples, with a line on each."""

from __future__ import annotations

from .catalogue import Entry, entries


def listing() -> str:
    """The lessons and the examples, one a line."""
    found = entries()
    width = max(len(entry.name) for entry in found)

    def lines(entries: list[Entry]) -> str:
        return "\n".join(f"  {entry.name:{width}}  {entry.title}" for entry in entries)

    lessons, examples = [e for e in found if e.lesson], [e for e in found if not e.lesson]
    return (
        f"Lessons, in their order\n{lines(lessons)}\n\nExamples\n{lines(examples)}\n\n"
        "Run one with `python -m pygraph.examples.NAME`; `python -m pygraph.docs notebooks FOLDER` writes the lessons\n"
        "as notebooks."
    )


if __name__ == "__main__":
    print(listing())
