"""Tags of the project pages: `{% load positions %}`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.templatetags.interface import GRADE_WORDS, MISSING, money, quantity, signed_money

from ..models.findings import Role

if TYPE_CHECKING:
    from ..models import Project
    from ..views.table import Filters

register = template.Library()

LETTERS = {"validator": "V", "cost": "C", "structural": "S", "concrete": "B", "standards": "N", "orchestrator": "O"}
WORDS = {"red": "red", "amber": "amber", "green": "green", "not_checked": "not checked"}


@register.simple_tag
def role_lights(roles: Any) -> SafeString:
    """One small mark a role: its letter, and a shape for its grade. Letters are those of the rules (V09, C02 …)."""
    grades = roles if isinstance(roles, dict) else {}
    return _lights(tuple(str(grades.get(role.value, "")) for role in Role))


@lru_cache(maxsize=4096)  # a page has a hundred rows, and a handful of different ones
def _lights(grades: tuple[str, ...]) -> SafeString:
    marks = []
    for role, grade in zip(Role, grades, strict=True):
        known = grade if grade in WORDS else "none"
        word = WORDS.get(grade, "no rule applies")
        marks.append((known, f"{role.label}: {word}", LETTERS[role.value]))
    said = ", ".join(title for grade, title, _ in marks if grade not in ("green", "none")) or "No role objects"
    lights = format_html_join("", '<span class="light light-{}" title="{}">{}</span>', marks)
    return format_html('<span class="lights" aria-hidden="true">{}</span><span class="sr-only">{}</span>', lights, said)


@register.filter
def get(values: Any, key: str) -> Any:
    """A value of a dictionary by a name that a variable holds."""
    return values.get(key) if isinstance(values, dict) else None


@register.filter
def field_value(value: Any, label: str) -> Any:
    """A value of a version's change as it reads in the table: numbers without the zeros that the database keeps."""
    if label in ("Quantity", "Unit price"):
        return quantity(value)
    return money(value) if label == "Total" else (MISSING if value in (None, "") else value)


@register.filter
def cut_words(text: str) -> list[str]:
    """`"red amber"` → a list to loop over."""
    return text.split()


@register.filter
def grade_word(grade: str) -> str:
    return GRADE_WORDS.get(grade, grade)


@register.filter
def grade_count(project: Project, grade: str) -> int:
    """Of the current version; what no audit has seen is not checked."""
    from ..views.counts import counts_of

    return counts_of(project)[grade]


@register.filter
def delta(value: Any) -> str:
    """A difference of money; a dash where there is none."""
    return signed_money(value) if value else MISSING


@register.simple_tag
def table_query(filters: Filters, **changes: Any) -> str:
    """The query string of the same table with other filters."""
    return filters.query(**changes)


@register.simple_tag
def sort_link(project: Project, filters: Filters, sort: str, word: str) -> SafeString:
    return _table_link(project, filters.query(sort=sort, page=1), "sort", word)


@register.simple_tag
def page_link(project: Project, filters: Filters, number: int, rel: str) -> SafeString:
    word = "Previous" if rel == "prev" else "Next"
    return _table_link(project, filters.query(page=number), "button button-small", word, rel=rel)


def _table_link(project: Project, query: str, classes: str, word: str, rel: str = "") -> SafeString:
    """A link that htmx follows inside the table, and that works without it."""
    page, part = reverse("projects:detail", args=[project.pk]), reverse("projects:positions", args=[project.pk])
    return format_html(
        '<a class="{}" href="{}?{}" hx-get="{}?{}" hx-target="#positions" hx-swap="outerHTML"{}>{}</a>',
        classes, page, query, part, query, format_html(' rel="{}"', rel) if rel else "", word,
    )  # fmt: skip
