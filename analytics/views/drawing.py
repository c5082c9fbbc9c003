"""Small pictures as SVG: sparklines and bars. Drawn here, so that they move with the figures and need no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, EDGE = 120.0, 28.0, 2.0


@dataclass(frozen=True, slots=True)
class Spark:
    """Points of two polylines that meet: the window before, and the window."""

    before: str
    now: str


def spark(counts: Sequence[int]) -> Spark:
    """The first half of the counts is the window before."""
    top = max([*counts, 1])
    step = WIDTH / max(len(counts) - 1, 1)
    points = [
        f"{number * step:.1f},{HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * count / top:.1f}"
        for number, count in enumerate(counts)
    ]
    middle = len(points) // 2
    return Spark(" ".join(points[: middle + 1]), " ".join(points[middle:]))


def bars(types: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of `stats`' top_entity_types, each with `width`, in percent of the widest; in order."""
    widest = max([each["total_demand"] for each in types], default=0.0) or 1.0
    return [{**each, "width": f"{100 * each['total_demand'] / widest:.1f}%"} for each in types]
