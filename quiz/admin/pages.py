"""What the admin's modules of quizzes share: rows for reading, an action's own page, figures in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.models import User

STATUSES = {"Completed": "success", "Failed": "danger", "Running": "info", "Queued": "warning"}


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """For what only services write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def actor_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def page_with(
    model_admin: ModelAdmin, request: HttpRequest, *, title: str, form: forms.Form, submit: str, back: str
) -> HttpResponse:
    """A form on a page of the admin: what an action needs, or a bare confirmation (a link must change nothing)."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "form": form,
        "label": submit,
        "back": back,
        "opts": model_admin.model._meta,
    }
    return render(request, "admin/quiz/form.html", context)


def figure(field: str, description: str) -> Callable[[Any], SafeString]:
    """A column for a number: right-aligned, with thousands separators."""

    def shown(row: Any) -> SafeString:
        value = getattr(row, field)
        written = "–" if value is None else f"{value:,}"
        return format_html('<span class="block text-right whitespace-nowrap">{}</span>', written)

    shown.__name__ = field
    column: Callable[[Any], SafeString] = display(description=description, ordering=field)(shown)
    return column
