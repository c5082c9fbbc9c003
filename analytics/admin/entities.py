"""What is to be found, for staff: refreshing it, rebuilding the index, and which model of meaning is in force."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, figure, page_with
from accounts.pages import actor_of
from jobs.models import Job

from ..models import EmbeddingModel, Entity
from ..services import refreshing, reindexing


def _told(request: HttpRequest, job: Job, words: str) -> HttpResponse:
    messages.success(request, format_html('{} <a href="{}">The job</a>.', words, _job_page(job)))
    return redirect(reverse("admin:analytics_entity_changelist"))


def _job_page(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])


@admin.register(Entity)
class EntityAdmin(ReadOnlyAdmin):
    list_display = ["name", "entity_type", "code", "organisation", "needs_update", "updated_at", "show_page"]
    list_filter = ["entity_type", "source", "needs_update"]
    list_filter_submit = True
    list_select_related = ["organisation"]
    search_fields = ["code__exact", "source_id__exact"]  # by words: on the site's own search page
    ordering = ["-demand_score", "id"]
    show_full_result_count = False
    list_per_page = 50
    actions = ["refresh_now"]
    actions_list = ["rebuild"]
    exclude = ["search", "embedding"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entity]:
        rows: QuerySet[Entity] = super().get_queryset(request)
        return rows.defer("search", "embedding")

    def has_refresh_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("analytics.change_entity")

    @display(description="Page")
    def show_page(self, row: Entity) -> SafeString | str:
        return format_html('<a href="{}">Open</a>', row.url) if row.url else "–"

    @action(description="Refresh from the source", permissions=["refresh"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[Entity]) -> None:
        job = refreshing.start_refresh(entity_ids=list(queryset.values_list("pk", flat=True)), actor=actor_of(request))
        messages.success(request, format_html('Being refreshed. <a href="{}">The job</a>.', _job_page(job)))

    @action(description="Rebuild the search index", url_path="rebuild", permissions=["refresh"])
    def rebuild(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return _told(request, reindexing.start_reindex(actor=actor_of(request)), "Everything is being read anew.")
        back = reverse("admin:analytics_entity_changelist")
        title = "Read everything anew? What has not changed is left untouched."
        return page_with(self, request, title=title, form=forms.Form(), submit="Rebuild", back=back)


@admin.register(EmbeddingModel)
class EmbeddingModelAdmin(ReadOnlyAdmin):
    list_display = ["version", "kind", "is_current", figure("fitted_on", "Entities"), "fitted_at"]
    actions_list = ["fit_now"]
    exclude = ["parameters"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmbeddingModel]:
        rows: QuerySet[EmbeddingModel] = super().get_queryset(request)
        return rows.defer("parameters")

    def has_fit_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("analytics.change_embeddingmodel")

    @action(description="Learn meanings anew", url_path="fit", permissions=["fit"])
    def fit_now(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return _told(request, reindexing.start_fitting(actor=actor_of(request)), "Meanings are being learnt anew.")
        back = reverse("admin:analytics_embeddingmodel_changelist")
        title = "Learn meanings anew from the texts there are now?"
        return page_with(self, request, title=title, form=forms.Form(), submit="Learn", back=back)
