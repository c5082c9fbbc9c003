"""The design system's tags: `{% load interface %}`. What each looks like: docs/interface.md."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypedDict

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

GRADE_WORDS = {
    "red": "Red",
    "amber": "Amber",
    "green": "Green",
    "not_checked": "Not checked",
    "info": "Note",
}
TRAFFIC_ORDER = ("red", "amber", "green", "not_checked")  # what needs a person comes first
MISSING = "–"


class Segment(TypedDict):
    grade: str
    word: str
    count: int
    x: str  # where it begins and how wide it is, in percent of the bar
    width: str


class Traffic(TypedDict):
    segments: list[Segment]
    total: int
    slim: bool
    legend: bool
    pattern: str


@register.simple_tag
def icon(name: str, classes: str = "", label: str = "") -> SafeString:
    """An icon of static/plumbline/icons.svg. Decoration unless it has a `label`."""
    href = f"{static('plumbline/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}"><use href="{}"/></svg>', classes, label, href
        )
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"/></svg>', classes, href)


@register.simple_tag
def grade(value: str, word: str = "") -> SafeString:
    """A grade's pill: shape, word and colour. An unknown value is shown as "not checked", never as green."""
    known = value if value in GRADE_WORDS else "not_checked"
    return format_html('<span class="grade grade-{}">{}</span>', known, word or GRADE_WORDS[known])


@register.inclusion_tag("components/traffic.html")
def traffic(
    green: int, amber: int, red: int, not_checked: int, slim: bool = False, legend: bool = True, key: str = "bar"
) -> Traffic:
    """A bar of the shares of the grades and their counts; `key` must differ between two bars of one page."""
    counts = {"green": green or 0, "amber": amber or 0, "red": red or 0, "not_checked": not_checked or 0}
    total = sum(counts.values())
    segments: list[Segment] = []
    before = 0
    for name in TRAFFIC_ORDER:
        x, width = (100 * before / total, 100 * counts[name] / total) if total else (0.0, 0.0)
        segments.append(
            {
                "grade": name,
                "word": GRADE_WORDS[name],
                "count": counts[name],
                "x": f"{x:.3f}%",
                "width": f"{width:.3f}%",
            }
        )
        before += counts[name]
    return {"segments": segments, "total": total, "slim": slim, "legend": legend, "pattern": f"hatch-{key}"}


@register.filter
def money(value: Any, currency: str = "") -> str:
    """`1234.5` → `1,234.50`, with the currency after it when given; nothing → a dash."""
    if value is None or value == "":
        return MISSING
    text = f"{Decimal(value):,.2f}".replace("-", "−")
    return f"{text}\u00a0{currency}" if currency else text


@register.filter
def signed_money(value: Any, currency: str = "") -> str:
    """As money, with a plus sign where it is one: for differences."""
    text = money(value, currency)
    return f"+{text}" if text != MISSING and Decimal(value) > 0 else text


@register.filter
def quantity(value: Any) -> str:
    """`12.5000` → `12.5`, `1500.0000` → `1,500`; nothing → a dash."""
    if value is None or value == "":
        return MISSING
    whole, _, fraction = f"{Decimal(value):,f}".partition(".")
    fraction = fraction.rstrip("0")
    return (f"{whole}.{fraction}" if fraction else whole).replace("-", "−")


@register.filter
def percent(value: Any, places: int = 0) -> str:
    """A share of 0-1 → `87 %`; nothing → a dash."""
    if value is None or value == "":
        return MISSING
    return f"{100 * Decimal(value):.{places}f}\u00a0%"


@register.filter
def count(value: Any) -> str:
    """`1234` → `1,234`; nothing → a dash."""
    return MISSING if value is None or value == "" else f"{int(value):,}"


@register.filter
def duration(seconds: Any) -> str:
    """`75.2` → `about 1 min 15 s`; nothing → "". For the rest of a job."""
    if seconds is None or seconds == "":
        return ""
    whole = max(1, round(float(seconds)))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"about {rest}\u00a0s"
    return f"about {minutes}\u00a0min" + (f" {rest}\u00a0s" if minutes < 10 and rest else "")
