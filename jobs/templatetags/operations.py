"""Filters of the operations page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from ..services.overview.words import age as in_words

register = template.Library()


@register.filter
def age(seconds: float | None) -> str:
    """12.3 → "12 s"; None → a dash."""
    return "–" if seconds is None else in_words(float(seconds))


@register.filter
def since(moment: datetime | None) -> str:
    """How long ago, or from now: "3 min ago", "in 5 min"; None → a dash."""
    if moment is None:
        return "–"
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{in_words(seconds)} ago" if seconds > 0 else f"in {in_words(-seconds)}"


@register.filter
def share(value: Any) -> str:
    """0.873 → "87 %"; None → a dash."""
    return "–" if value is None else f"{float(value):.0%}".replace("%", " %")


@register.filter
def grouped(number: int | float | None) -> str:
    """12345 → "12,345"; None → a dash."""
    return "–" if number is None else f"{number:,.0f}"
