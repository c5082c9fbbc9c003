"""Filters of the demand pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()
UNITS = {"days": 86400, "h": 3600, "min": 60}


@register.filter
def get(values: Mapping[str, Any], key: str) -> Any:
    """values[key], or None."""
    return values.get(key)


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in one unit: "40 s ago", "3 h ago", "5 days ago"; None → a dash."""
    if moment is None:
        return "–"
    seconds = int((timezone.now() - moment).total_seconds())
    for size, unit in ((2 * 86400, "days"), (2 * 3600, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds // UNITS[unit]}\u00a0{unit} ago"
    return f"{seconds}\u00a0s ago" if seconds > 1 else "just now"


@register.filter
def of_entities(number: int) -> str:
    """1234 → "of 1,234 that can be found"."""
    return f"of {number:,} that can be found"


@register.filter
def dollars(value: Any) -> str:
    """Decimal("0.0123") → "0.0123", Decimal("12.3") → "12.30": of small sums the digits that are not nothing."""
    if value is None:
        return "–"
    return f"{value:,.4f}" if 0 < value < 1 else f"{value:,.2f}"
