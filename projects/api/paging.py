"""Pages of positions: keys first, then the rows that are shown; counts from the project's row where it knows them."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.core.paginator import Page, Paginator

from config.api.pagination import Pages

from ..models import Position


class KeysFirst(Paginator):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Sorts and skips by key alone; whole rows, with verdicts, are fetched for one page. `known`: the count."""

    def __init__(self, rows: Any, per_page: int, *, known: int | None = None) -> None:
        super().__init__(rows, per_page)
        if known is not None:
            self.__dict__["count"] = known

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = list(cast(Any, self.object_list).values_list("pk", flat=True)[start : start + self.per_page])
        rows = Position.objects.select_related("verdict").defer("measure", "long_text", "enrichment").in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)


class PositionPages(Pages):
    """`known_count` is set by the view before the page is made."""

    known_count: int | None = None

    @property
    def django_paginator_class(self) -> Any:  # type: ignore[override]
        return partial(KeysFirst, known=self.known_count)
