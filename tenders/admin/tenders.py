"""Tenders and what was published of them, for reading."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action

from accounts.admin_pages import ReadOnlyAdmin, figure

from ..models import Tender, TenderRelease
from ..services.searching import as_words, words_query


@admin.register(Tender)
class TenderAdmin(ReadOnlyAdmin):
    list_display = [
        "title", "buyer_name", "country", "cpv_main", figure("value_amount", "Value"), "value_currency",
        "published_at", "deadline_at", figure("releases_count", "Releases"), "source",
    ]  # fmt: skip
    list_filter = ["source", "category", "language"]
    search_fields = ["title"]  # shows the field; words are looked up in the index, below
    search_help_text = 'Beginnings of words of title, buyer, number and description; "a phrase"; -without.'
    list_select_related = ["source"]
    show_full_result_count = False
    list_per_page = 50
    actions_detail = ["show_releases"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        query = as_words(words_query(search_term.replace("\x00", "")))
        if query:
            queryset = queryset.filter(index__words=query)
        return queryset, False

    @action(description="Its releases", url_path="releases")
    def show_releases(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:tenders_tender_changelist")
        return redirect(reverse("admin:tenders_tenderrelease_changelist") + f"?tender__id__exact={object_id}")


@admin.register(TenderRelease)
class TenderReleaseAdmin(ReadOnlyAdmin):
    list_display = ["release_id", "tender", "tags", "published_at", "received_at"]
    list_select_related = ["tender"]
    search_fields = ["=tender__key"]
    show_full_result_count = False
    ordering = ["-id"]  # the primary key: no sorting of millions

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "tender__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TenderRelease]:
        """Lists without the bodies."""
        rows: QuerySet[TenderRelease] = super().get_queryset(request)
        return rows.defer("raw", "tender__description", "tender__lots", "tender__documents")
