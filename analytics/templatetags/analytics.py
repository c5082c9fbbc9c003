"""Filters of the demand pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def get(values: Mapping[str, Any], key: str) -> Any:
    """values[key], or None."""
    return values.get(key)


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
