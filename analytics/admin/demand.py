"""Demand for staff: signals that could not be counted, what was counted when, and the nightly proof."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, each, figure
from jobs.admin import operations

from ..alarms import card
from ..models import AppliedBatch, DeadSignal, DemandProof, EntityDemand
from ..services import deadletters

operations.add_card(card)


@admin.register(DeadSignal)
class DeadSignalAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "show_state", "show_reason", "detail", "stream", "entry_id", "deliveries"]
    list_filter = [("settled_at", admin.EmptyFieldListFilter), "reason", "stream", "created_at"]
    list_filter_submit = True
    search_fields = ["entry_id", "detail"]
    list_per_page = 50
    actions = ["try_again", "drop"]
    readonly_fields = ["stream", "entry_id", "reason", "detail", "payload", "deliveries", "created_at", "settled_at"]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analytics.change_deadsignal")

    @display(description="State", label={"waits": "warning", "settled": "success"})
    def show_state(self, row: DeadSignal) -> str:
        return "waits" if row.settled_at is None else "settled"

    @display(description="Reason", ordering="reason")
    def show_reason(self, row: DeadSignal) -> str:
        return row.get_reason_display()

    @action(description="Try again", permissions=["settle"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[DeadSignal]) -> None:
        each(request, queryset, lambda row: deadletters.retry_dead(dead_id=row.pk), "{} counted after all.")

    @action(description="Drop: they will not be counted", permissions=["settle"])
    def drop(self, request: HttpRequest, queryset: QuerySet[DeadSignal]) -> None:
        each(request, queryset, lambda row: deadletters.drop_dead(dead_id=row.pk), "{} dropped.")


@admin.register(AppliedBatch)
class AppliedBatchAdmin(ReadOnlyAdmin):
    """The ledger. Its lists of entries are long: a list shows how many there are."""

    list_display = ["applied_at", "stream", "consumer", "show_entries", "first_ms", "last_ms"]
    list_filter = ["stream", "applied_at"]
    list_filter_submit = True
    ordering = ["-id"]
    show_full_result_count = False
    list_per_page = 50
    fields = ["stream", "consumer", "applied_at", "first_ms", "last_ms", "show_entries"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AppliedBatch]:
        rows: QuerySet[AppliedBatch] = super().get_queryset(request)
        return rows.extra(select={"size": "cardinality(entries)"}).defer("entries")

    @display(description="Entries")
    def show_entries(self, row: Any) -> int:
        return int(row.size)


@admin.register(DemandProof)
class DemandProofAdmin(ReadOnlyAdmin):
    list_display = [
        "checked_at",
        "show_result",
        figure("entities", "Entities"),
        figure("queries", "Signals counted"),
        figure("in_buckets", "In hours and days"),
        figure("differing", "Differ"),
        figure("windows_mended", "Windows mended"),
        figure("totals_mended", "Totals mended"),
        figure("took_ms", "Took (ms)"),
    ]
    list_per_page = 50

    @display(description="Result", label={"adds up": "success", "differs": "danger"})
    def show_result(self, row: DemandProof) -> str:
        return "adds up" if row.holds else "differs"


@admin.register(EntityDemand)
class EntityDemandAdmin(ReadOnlyAdmin):
    list_display = [
        "show_name",
        "entity_type",
        figure("query_count", "Signals"),
        figure("current_1d", "1 day"),
        figure("current_7d", "7 days"),
        figure("current_30d", "30 days"),
        "last_queried_at",
        "needs_update",
    ]
    list_filter = ["entity_type", "needs_update"]
    list_filter_submit = True
    list_select_related = ["entity"]
    ordering = ["-rank"]
    show_full_result_count = False
    list_per_page = 50

    @display(description="Entity", ordering="entity__name")
    def show_name(self, row: EntityDemand) -> str:
        return row.entity.name
