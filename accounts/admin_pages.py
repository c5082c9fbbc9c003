"""What the admin's modules of all apps share: rows for reading, an action's own page, figures in lists."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from .exceptions import PlumblineError

CELL = '<span class="block text-right whitespace-nowrap">{}</span>'  # classes that Unfold's stylesheet has


def each(request: HttpRequest, rows: QuerySet[Any], act: Callable[[Any], object], done: str) -> None:
    """Run a service on every row; tell how many succeeded, and each refusal in its own words."""
    succeeded = 0
    for row in rows:
        try:
            act(row)
            succeeded += 1
        except PlumblineError as error:
            messages.error(request, f"{row}: {error}")
    if succeeded:
        messages.success(request, done.format(succeeded))


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
    return render(request, "admin/action_form.html", context)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """For what only services write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def figure(field: str, description: str, *, digits: int = 0) -> Callable[[Any], SafeString]:
    """A column for a number in `field`, with `digits` decimals, more only where the value needs them."""

    def shown(row: Any) -> SafeString:
        value: Decimal | int | None = getattr(row, field)
        return format_html(CELL, "–" if value is None else written(value, digits))

    shown.__name__ = field
    column: Callable[[Any], SafeString] = display(description=description, ordering=field)(shown)
    return column


def written(value: Decimal | int, digits: int) -> str:
    """1684500 → 1,684,500.00 with two digits; 41.6250 → 41.625."""
    whole, _, decimals = f"{value:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(digits, "0")
    return f"{whole}.{decimals}" if decimals else whole
