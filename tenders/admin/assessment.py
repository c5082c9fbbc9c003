"""Profiles, assessments and decisions, for reading: they are organisations' own, and written on their pages."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin_pages import ReadOnlyAdmin, figure
from accounts.models import User

from ..models import CompanyProfile, Decision, Enrichment, SavedSearch, Score
from ..services import runs

GRADES = {"High": "success", "Medium": "warning", "Low": "info"}
CHOICES = {"Bid": "success", "Watch": "info", "No bid": "warning"}
LONG = ("tender__description", "tender__lots", "tender__documents")


@admin.register(CompanyProfile)
class CompanyProfileAdmin(ReadOnlyAdmin):
    list_display = ["organisation", "cpv_codes", "countries", "revision", "updated_by", "updated_at"]
    search_fields = ["organisation__name"]
    list_select_related = ["organisation", "updated_by"]
    actions = ["have_tenders_read"]

    @admin.action(description="Have their unread tenders read")
    def have_tenders_read(self, request: HttpRequest, queryset: QuerySet[CompanyProfile]) -> None:
        assert isinstance(request.user, User)
        started = [runs.start(organisation=profile.organisation, actor=request.user) for profile in queryset]
        total = sum(each["total_tenders"] for each in started)
        self.message_user(request, f"{total:,} tenders are being read." if total else "Nothing is unread.")


@admin.register(Enrichment)
class EnrichmentAdmin(ReadOnlyAdmin):
    list_display = [
        "tender", "organisation", "method", "analyser", "confidence", figure("tokens_in", "Tokens in"),
        figure("tokens_out", "Tokens out"), figure("cost_usd", "USD"), "is_cached", "created_at",
    ]  # fmt: skip
    list_filter = ["method", "is_cached", "organisation"]
    search_fields = ["=tender__key", "analyser", "fell_back"]
    list_select_related = ["tender", "organisation"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrichment]:
        rows: QuerySet[Enrichment] = super().get_queryset(request)
        return rows.defer("result", *LONG)


@admin.register(Score)
class ScoreAdmin(ReadOnlyAdmin):
    list_display = ["tender", "organisation", "show_relevance", "relevance_score", "is_useful", "ai_processed_at"]
    list_filter = ["relevance", "is_useful", "organisation"]
    search_fields = ["=tender__key"]
    list_select_related = ["tender", "organisation"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Score]:
        rows: QuerySet[Score] = super().get_queryset(request)
        return rows.defer(*LONG)

    @display(description="Relevance", label=GRADES)
    def show_relevance(self, score: Score) -> str:
        return score.get_relevance_display()


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["tender", "organisation", "show_choice", "reason", "project", "by", "at", "is_standing"]
    list_filter = ["choice", "is_standing", "organisation"]
    search_fields = ["=tender__key", "reason", "by__email"]
    list_select_related = ["tender", "organisation", "project", "by"]
    date_hierarchy = "at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        rows: QuerySet[Decision] = super().get_queryset(request)
        return rows.defer(*LONG)

    @display(description="Decision", label=CHOICES)
    def show_choice(self, decision: Decision) -> str:
        return decision.get_choice_display()


@admin.register(SavedSearch)
class SavedSearchAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "organisation", "is_alerting", "by_email", "seen_until"]
    search_fields = ["name", "owner__email"]
    list_select_related = ["owner", "organisation"]
