"""Texts of questions in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from ..models import QuestionVersion
from ..practice.markup import bare_text, safe_html

register = template.Library()


@register.filter
def stem_text(version: QuestionVersion) -> str:
    """What is asked, in words alone."""
    return bare_text(version.stem, version.markup)


@register.filter
def safe_text(text: str, markup: str) -> SafeString:
    """A text of a question as learners see it."""
    return mark_safe(safe_html(text, markup))  # noqa: S308 - that is what safe_html is for


@register.filter
def coefficient(value: float | None) -> str:
    """`-0.124` → `−0.12`; nothing → a dash."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


@register.filter
def nth(values: Sequence[Any], place: int) -> Any:
    """One of several, from 0."""
    return values[place]
