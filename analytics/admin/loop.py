"""The loop of demand for staff: what could not be refreshed and waits, and which spikes were found."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, figure

from ..models import DemandSpike, RefreshSetback
from ..services import refreshing_setbacks


@admin.register(RefreshSetback)
class RefreshSetbackAdmin(ReadOnlyAdmin):
    list_display = ["source", "show_what", "error", figure("failures", "Failures"), "failed_at", "wait_until"]
    list_filter = ["source"]
    list_filter_submit = True
    search_fields = ["source_id__exact"]
    list_per_page = 50
    actions = ["end_waiting"]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.change_refreshsetback")

    @display(description="What")
    def show_what(self, row: RefreshSetback) -> str:
        return row.source_id or "the source as a whole"

    @action(description="End the wait: the next run may try again", permissions=["settle"])
    def end_waiting(self, request: HttpRequest, queryset: QuerySet[RefreshSetback]) -> None:
        count = refreshing_setbacks.end_waiting(ids=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, f"{count:,} may be tried again.")


@admin.register(DemandSpike)
class DemandSpikeAdmin(ReadOnlyAdmin):
    list_display = [
        "hour",
        "show_name",
        figure("count", "Signals"),
        figure("expected", "Expected"),
        figure("z", "z"),
        "is_told",
    ]
    list_filter = ["is_told", "hour"]
    list_filter_submit = True
    list_select_related = ["entity"]
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[DemandSpike]:
        rows: QuerySet[DemandSpike] = super().get_queryset(request)
        return rows.defer("entity__search", "entity__embedding", "entity__text")

    @display(description="Entity", ordering="entity__name")
    def show_name(self, row: DemandSpike) -> str:
        return row.entity.name
