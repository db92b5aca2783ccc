"""The figures of an Executable: its size and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of one Executable; `str()` is a table of those that say something.

    Attributes:
        name: of the graph.
        nodes: of the graph as compiled: with its derivatives, after optimisation.
        instructions: of the Program, all bodies together.
        micro_operations: operations inside fused loops and scalar regions.
        fused_regions: instructions that hold at least two operations.
        arena_bytes: memory of one concurrent call, without inputs, outputs and block scratch.
        cached_bytes: what `forward` keeps for `reverse` and `jvp`; these recompute the rest.
        constant_bytes: array constants, shared by all calls.
        program_bytes: the encoded instructions, shared by all calls.
        flops: estimated floating-point operations of all segments, loops counted by their length.
        compile_seconds: differentiating, optimising, lowering and loading; not tracing.
        threads: worker threads a call may use.
        isa: the instruction set of the kernels.
        backend: what runs the Program now: "vm", the C library's interpreter, or "native", code compiled from it.
        native_seconds: emitting, compiling and loading native code, or finding it in the cache; None without it.
        native_cache_hit: whether it was in the cache.
        jacobian_mode: of `pg.jacobian` and the like: "forward", "reverse", "coloured" or "unrolled"; else None.
        jacobian_costs: estimated operations of each mode that was compared.
        jacobian_chunk: how many tangents or cotangents go through the function at once.
        memory_budget: the bytes that `compile(..., memory_budget=…)` allows; else None, as what follows.
        rematerialised: what derivatives recompute to keep to it: loops in groups of steps, of which only the first
            carries are kept, or the inside of their steps, and other operations in parts. Empty where nothing is.
        memory_plans: the arena bytes of each plan that was tried, from what repeats nothing on; the last one is used.
    """

    name: str
    nodes: int
    instructions: int
    micro_operations: int
    fused_regions: int
    arena_bytes: int
    cached_bytes: int
    constant_bytes: int
    program_bytes: int
    flops: int
    compile_seconds: float
    threads: int
    isa: str
    backend: str
    native_seconds: float | None = None
    native_cache_hit: bool | None = None
    jacobian_mode: str | None = None
    jacobian_costs: Mapping[str, int] | None = None
    jacobian_chunk: int | None = None
    memory_budget: int | None = None
    rematerialised: tuple[str, ...] | None = None
    memory_plans: Mapping[str, int] | None = None

    def __str__(self) -> str:
        said = [(field.name, getattr(self, field.name)) for field in fields(self)]
        rows = [(name.replace("_", " "), _text(name, value)) for name, value in said if value is not None]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _text(name: str, value: object) -> str:
    if (name.endswith("_bytes") or name == "memory_budget") and isinstance(value, int):
        return bytes_text(value)
    if name == "memory_plans" and isinstance(value, Mapping):
        return "; ".join(f"{plan}: {bytes_text(size)}" for plan, size in value.items())
    if isinstance(value, tuple):
        return "; ".join(value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value * 1e3:.2f} ms"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cost:,}" for key, cost in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def bytes_text(n: int) -> str:
    """A number of bytes as people write it: `1,536 B`, `1.5 MiB`."""
    size = float(n)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024 and n >= 10_240:
            return f"{size:.1f} {unit}"
    return f"{n:,} B" if n < 10_240 else f"{size / 1024:.1f} TiB"
