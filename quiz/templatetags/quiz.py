"""Texts of questions in pages."""

from __future__ import annotations

from django import template

from ..models import QuestionVersion
from ..practice.markup import bare_text

register = template.Library()


@register.filter
def stem_text(version: QuestionVersion) -> str:
    """What is asked, in words alone."""
    return bare_text(version.stem, version.markup)
