"""Jobs for staff: look, cancel, retry. Nobody edits a row by hand: every transition is a service's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.exceptions import PlumblineError
from accounts.models import User

from .. import services
from ..models import Job
from ..registry import title_of


@admin.register(Job)
class JobAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    list_display = [
        "title",
        "about",
        "short_id",
        "show_status",
        "progress_shown",
        "current_step",
        "queue",
        "attempt",
        "actor",
        "created_at",
        "seconds",
    ]
    list_filter = ["status", "kind", "queue", "priority", "created_at"]
    list_select_related = ["actor"]
    list_filter_submit = True
    list_per_page = 50
    search_fields = ["id", "kind", "about", "dedupe_key", "current_step", "actor__email", "subject_id"]
    search_help_text = "Number, kind, key, step, e-mail of who asked, or number of what it works on"
    date_hierarchy = "created_at"
    show_full_result_count = False
    actions = ["retry_jobs", "cancel_jobs"]
    exclude = ["error"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: QuerySet[Job] = super().get_queryset(request)
        return jobs

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        shown = ["why_it_failed", "traceback"] if obj is None or not obj.is_batch else ["why_it_failed", "its_jobs"]
        return [field.name for field in Job._meta.fields if field.name != "error"] + shown

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: "Save" would write a row as it was read, over what a worker has written since."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    @display(description="Job", ordering="kind")
    def title(self, job: Job) -> str:
        return title_of(job.kind)

    @display(description="Number", ordering="id")
    def short_id(self, job: Job) -> str:
        return str(job.pk)[:8]

    @display(
        description="Status",
        ordering="status",
        label={"completed": "success", "failed": "danger", "running": "info", "retrying": "warning"},
    )
    def show_status(self, job: Job) -> tuple[str, str]:
        return job.status, job.get_status_display()

    @display(description="Progress", ordering="progress")
    def progress_shown(self, job: Job) -> str:
        return f"{job.progress} %" + (f" ({job.done} of {job.total})" if job.total else "")

    @display(description="Seconds")
    def seconds(self, job: Job) -> str:
        return f"{job.duration.total_seconds():.1f}" if job.duration is not None else ""

    @display(description="Why it failed")
    def why_it_failed(self, job: Job) -> str:
        error = job.error or {}
        return f"{error['message']} ({error.get('code', '')})" if error.get("message") else "—"

    @display(description="Jobs of this batch")
    def its_jobs(self, batch: Job) -> str:
        """Counts by state, each a link to those jobs."""
        address = reverse("admin:jobs_job_changelist")
        counts = services.counts_of(batch.pk)
        links: list[tuple[str, int, dict[str, str]]] = [("All", sum(counts.values()), {})]
        links += [(str(s.label), counts[s], {"status__exact": s.value}) for s in Job.Status if counts.get(s)]
        return format_html_join(
            ", ",
            '<a href="{}?{}">{}: {}</a>',
            ((address, urlencode({"batch__id__exact": batch.pk, **query}), label, n) for label, n, query in links),
        )

    @display(description="Traceback")
    def traceback(self, job: Job) -> str:
        return format_html("<pre>{}</pre>", (job.error or {}).get("traceback") or "—")

    @action(description="Retry the failed and cancelled ones", permissions=["change"])
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.retry, "queued again")

    @action(description="Cancel", permissions=["change"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.cancel, "cancelled, or will be at the next step")

    def _each(self, request: HttpRequest, jobs: QuerySet[Job], service: Callable[..., Any], said: str) -> None:
        done, refused = 0, []
        for job in jobs:
            try:
                service(job.pk, cast(User, request.user))
                done += 1
            except PlumblineError as error:
                refused.append(f"{job}: {error}")
        if done:
            self.message_user(request, f"{done} {'job' if done == 1 else 'jobs'} {said}.", messages.SUCCESS)
        for line in refused[:10]:
            self.message_user(request, line, messages.WARNING)
