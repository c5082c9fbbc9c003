"""Calls of models for staff: to look at. Pauses can be ended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin
from accounts.models import User
from jobs.admin import operations
from jobs.services.overview.guarded import from_database

from . import configuration
from .models import ModelBatch, ModelCall, ProviderPause, SpendingDay
from .services import budget, pausing
from .services.status import state

DAYS = 14
NEARLY = Decimal("0.95")  # of the budget: what is in flight may be more than the rest


def operations_card() -> tuple[str, dict[str, Any]] | None:
    """None while no model is configured."""
    if configuration.current() is None:
        return None
    found = from_database("model", state)
    seen, error = found.value, found.error
    is_spent = bool(seen and seen["budget_usd"] and seen["spent_today_usd"] >= seen["budget_usd"] * NEARLY)
    return "admin/ai/_card.html", {"seen": seen, "error": error, "is_spent": is_spent}


operations.add_card(operations_card)


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnlyAdmin):
    change_list_template = "admin/ai/calls.html"
    list_display = [
        "created_at",
        "purpose",
        "show_status",
        "model",
        "attempts",
        "tokens",
        "cost",
        "latency_ms",
        "is_cached",
        "error_code",
        "organisation",
    ]
    list_filter = ["status", "is_cached", "purpose", "provider", "model", "error_code", "created_at"]
    list_select_related = ["organisation"]
    list_filter_submit = True
    list_per_page = 50
    search_fields = ["id", "purpose", "error", "prompt_hash"]
    search_help_text = "Number, purpose, error, or hash of the prompt"
    date_hierarchy = "created_at"
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        days = ModelCall.objects.by_day(since=budget.today() - timedelta(days=DAYS - 1))
        context = {"days": days, "seen": state(), **(extra_context or {})}
        shown: HttpResponse = super().changelist_view(request, context)
        return shown

    @display(
        description="Status",
        ordering="status",
        label={"answered": "success", "failed": "danger", "lost": "danger", "running": "info"},
    )
    def show_status(self, call: ModelCall) -> tuple[str, str]:
        return call.status, call.get_status_display()

    @display(description="Tokens in, out")
    def tokens(self, call: ModelCall) -> str:
        return f"{call.tokens_in:,}, {call.tokens_out:,}"

    @display(description="USD", ordering="cost_usd")
    def cost(self, call: ModelCall) -> str:
        estimated = call.status in (ModelCall.Status.RUNNING, ModelCall.Status.LOST) or not call.is_price_known
        return f"{call.cost_usd}" + (" (estimate)" if estimated else "")


@admin.register(ModelBatch)
class ModelBatchAdmin(ReadOnlyAdmin):
    list_display = ["submitted_at", "purpose", "status", "model", "size", "ended_at", "provider_id", "organisation"]
    list_filter = ["status", "purpose", "provider", "submitted_at"]
    list_select_related = ["organisation"]
    search_fields = ["key", "provider_id", "purpose"]
    search_help_text = "Number, the provider's name of it, or purpose"


@admin.register(ProviderPause)
class ProviderPauseAdmin(ReadOnlyAdmin):
    list_display = ["provider", "model", "since", "reason", "ended_at", "ended_by"]
    list_filter = ["provider", "ended_at"]
    list_select_related = ["ended_by"]
    actions = ["resume"]

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("ai.change_providerpause"))

    @action(description="The cause is mended: ask again", permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[ProviderPause]) -> None:
        ended = pausing.resume(actor=cast(User, request.user))
        words = "Models are asked again." if ended else "Nothing was paused."
        self.message_user(request, words, messages.SUCCESS if ended else messages.INFO)


@admin.register(SpendingDay)
class SpendingDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "spent_usd"]
