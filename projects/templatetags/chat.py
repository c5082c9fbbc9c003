"""Filters of the chat's pages: `{% load chat %}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import template

from analytics.services.answering_model import pieces_of

from ..models import ChatMessage
from ..services.chat.reply import MODEL

register = template.Library()


@register.filter
def pieces(message: ChatMessage) -> list[tuple[str, int]]:
    """The text in pieces: (text, 0), or ("[1]", 1) for the number of a source; only a model's text has such."""
    return pieces_of(message.message) if message.source == MODEL else [(message.message, 0)]


@register.filter
def cells(row: list[str], table: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Of a computed table's row: each cell with its column's name, and whether it is a figure."""
    numeric = set(table.get("numeric", []))
    return ((cell, name, at in numeric) for at, (cell, name) in enumerate(zip(row, table["columns"], strict=False)))


@register.filter
def columns(table: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    numeric = set(table.get("numeric", []))
    return ((name, at in numeric) for at, name in enumerate(table["columns"]))
