"""What leaves tenders, for reading: whose calendars, exports and documents there are. No files, no addresses."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin_pages import ReadOnlyAdmin, figure

from ..models import CalendarFeed, Export, TenderDocument

STATES = {"Completed": "success", "Fetched": "success", "Failed": "danger", "Not fetched": "danger"}


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    list_display = ["user", "organisation", "search", "remind_days", "read_at", "created_at"]
    search_fields = ["user__email", "organisation__name"]
    list_select_related = ["user", "organisation", "search"]


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at", "owner", "organisation", "format", "show_status", figure("rows", "Rows"), figure("size", "Bytes"),
        "error", "finished_at",
    ]  # fmt: skip
    list_filter = ["status", "format"]
    search_fields = ["owner__email", "error"]
    list_select_related = ["owner", "organisation"]
    exclude = ["file"]

    @display(description="Status", label=STATES)
    def show_status(self, export: Export) -> str:
        return export.get_status_display()


@admin.register(TenderDocument)
class TenderDocumentAdmin(ReadOnlyAdmin):
    list_display = ["title", "tender", "organisation", "show_state", "filename", "content_type", "error", "fetched_at"]
    list_filter = ["state", "organisation"]
    search_fields = ["=tender__key", "url", "error"]
    list_select_related = ["tender", "organisation"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TenderDocument]:
        rows: QuerySet[TenderDocument] = super().get_queryset(request)
        return rows.defer("tender__description", "tender__lots", "tender__documents")

    @display(description="State", label=STATES)
    def show_state(self, document: TenderDocument) -> str:
        return document.get_state_display()
