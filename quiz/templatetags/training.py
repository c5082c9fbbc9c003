"""How pages write what training calls have: times in a call, scores, shares."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def call_time(seconds: Any) -> str:
    """65.2 → 1:05; an hour and more 1:01:05. Nothing where it is not timed."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@register.filter
def score(value: Any) -> str:
    """Whole, or one place where it has more than none; a dash where there is none."""
    if value is None or value == "":
        return "–"
    return f"{float(value):.1f}".removesuffix(".0")


@register.filter
def score_change(now: Any, before: Any) -> str:
    """By how much it moved: +3.2, −4; "" where there is nothing to compare, "±0" where it stayed."""
    if now is None or before is None:
        return ""
    change = round(float(now) - float(before), 1)
    if not change:
        return "±0"
    return f"{'+' if change > 0 else '−'}{abs(change):.1f}".removesuffix(".0")


@register.filter
def points_change(now: Any, before: Any) -> str:
    """Of shares, in percentage points."""
    if now is None or before is None:
        return ""
    return score_change(round(100 * now), round(100 * before))


@register.filter
def hundredth(share: Any) -> int:
    """Of a share, for a bar from 0 to 100."""
    return round(100 * float(share)) if share is not None else 0
