"""Columns of the admin's lists of projects."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.admin_pages import CELL

from .models import Project


@display(description="Red / amber / green / not checked", ordering="count_red")  # type: ignore[untyped-decorator]
def grades(project: Project) -> SafeString:
    counts = (project.count_red, project.count_amber, project.count_green, project.count_not_checked)
    return format_html(CELL, " / ".join(f"{count:,}" for count in counts))
