"""Columns of the admin's lists that are read as figures: right-aligned, with thousands separators."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from .models import Project

CELL = '<span class="block text-right whitespace-nowrap">{}</span>'  # classes that Unfold's stylesheet has


def figure(field: str, description: str, *, digits: int = 0) -> Callable[[Any], SafeString]:
    """A column for a number in `field`, with `digits` decimals, more only where the value needs them."""

    def shown(row: Any) -> SafeString:
        value: Decimal | int | None = getattr(row, field)
        return format_html(CELL, "–" if value is None else written(value, digits))

    shown.__name__ = field
    column: Callable[[Any], SafeString] = display(description=description, ordering=field)(shown)
    return column


def written(value: Decimal | int, digits: int) -> str:
    """1684500 → 1,684,500.00 with two digits; 41.6250 → 41.625."""
    whole, _, decimals = f"{value:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(digits, "0")
    return f"{whole}.{decimals}" if decimals else whole


@display(description="Red / amber / green / not checked", ordering="count_red")  # type: ignore[untyped-decorator]
def grades(project: Project) -> SafeString:
    counts = (project.count_red, project.count_amber, project.count_green, project.count_not_checked)
    return format_html(CELL, " / ".join(f"{count:,}" for count in counts))
