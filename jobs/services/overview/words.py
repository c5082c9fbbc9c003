"""Durations and counts as people say them."""

from __future__ import annotations


def count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def age(seconds: float) -> str:
    """Two units at most: "40 s", "3 min", "2 h 5 min", "4 days"."""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if seconds < 90:
        return f"{int(seconds)} s"
    if minutes < 90:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{hours // 24} days"
