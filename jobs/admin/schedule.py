"""The schedule for staff: what is due when, what became of it, run now, pause. The tasks themselves are in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.exceptions import PlumblineError
from accounts.models import User

from ..models import ScheduledRun, ScheduledTask
from ..querysets import ScheduledTaskQuerySet
from ..schedule import cron
from ..services import scheduling

LATEST_RUNS = 25
STATUSES = {
    "completed": "success",
    "failed": "danger",
    "cancelled": "warning",
    "running": "info",
    "retrying": "warning",
    "skipped": "warning",
}
NOTHING = "—"


def moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%d %b %Y %H:%M:%S %Z}" if at is not None else NOTHING


def state_of(run: ScheduledRun) -> tuple[str, str]:
    """(key of STATUSES, words). A run that lost its job to the trimming ended long ago; how is not known any more."""
    if run.job is not None:
        return run.job.status, run.job.get_status_display()
    return ("skipped", "Not started") if run.note else ("", "Ended, job removed")


def seconds_of(run: ScheduledRun) -> str:
    duration = run.job.duration if run.job is not None and not run.job.is_active else None
    return f"{duration.total_seconds():.1f}" if duration is not None else NOTHING


def last_run_of(task: ScheduledTask) -> ScheduledRun | None:
    runs: list[ScheduledRun] = getattr(task, "last_runs", [])
    return runs[0] if runs else None


@admin.register(ScheduledTask)
class ScheduledTaskAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    list_display = ["name", "description", "when", "next_due", "last_due", "last_status", "last_seconds", "last_job"]
    search_fields = ["name", "description", "kind"]
    list_per_page = 100
    ordering = ["-is_listed", "name"]
    actions = ["run_now", "pause", "resume"]
    actions_detail = ["run_this_now", "pause_this", "resume_this"]
    fields = ["name", "description", "when", "cron", "kind", "next_due", "latest_runs"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> ScheduledTaskQuerySet:
        tasks: ScheduledTaskQuerySet = super().get_queryset(request)
        return tasks.with_last_run()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows follow the file: nobody edits them. What may be done to them needs `has_run_permission`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_view: bool = super().has_view_permission(request, obj)
        return may_view or self.has_run_permission(request)

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("jobs.change_scheduledtask")

    # --- columns ------------------------------------------------------------------------------------------------------
    @display(description="When")
    def when(self, task: ScheduledTask) -> str:
        return cron.in_words(task.cron)

    @display(description="Next due", ordering="next_due_at")
    def next_due(self, task: ScheduledTask) -> str:
        if not task.is_listed:
            return "No longer listed"
        return "Paused" if task.is_paused else moment(task.next_due_at)

    @display(description="Last run")
    def last_due(self, task: ScheduledTask) -> str:
        run = last_run_of(task)
        return moment(run.due_at) if run else "Never"

    @display(description="Status", label=STATUSES)
    def last_status(self, task: ScheduledTask) -> tuple[str, str] | None:
        run = last_run_of(task)
        return state_of(run) if run else None

    @display(description="Seconds")
    def last_seconds(self, task: ScheduledTask) -> str:
        run = last_run_of(task)
        return seconds_of(run) if run else NOTHING

    @display(description="Job")
    def last_job(self, task: ScheduledTask) -> str:
        run = last_run_of(task)
        if run is None or run.job is None:
            return NOTHING
        link = reverse("admin:jobs_job_change", args=[run.job.pk])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-400" href="{}">{}</a>', link, str(run.job.pk)[:8]
        )

    @display(description="Latest runs")
    def latest_runs(self, task: ScheduledTask) -> str:
        runs = ScheduledRun.objects.filter(task=task).select_related("job", "started_by").order_by("-due_at", "-pk")
        rows = [
            {"run": run, "due_at": moment(run.due_at), "state": state_of(run)[1], "seconds": seconds_of(run)}
            for run in runs[:LATEST_RUNS]
        ]
        return render_to_string("admin/jobs/scheduled_runs.html", {"rows": rows, "at_most": LATEST_RUNS})

    # --- what staff may do --------------------------------------------------------------------------------------------
    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, tasks: QuerySet[ScheduledTask]) -> None:
        for name in tasks.values_list("name", flat=True):
            self._run(request, name)

    @admin.action(description="Pause", permissions=["run"])
    def pause(self, request: HttpRequest, tasks: QuerySet[ScheduledTask]) -> None:
        count = scheduling.pause(names=_names(tasks))
        self.message_user(request, f"{count} paused: nothing starts by the clock until resumed.", messages.SUCCESS)

    @admin.action(description="Resume", permissions=["run"])
    def resume(self, request: HttpRequest, tasks: QuerySet[ScheduledTask]) -> None:
        count = scheduling.resume(names=_names(tasks))
        self.message_user(request, f"{count} resumed: due again from now on.", messages.SUCCESS)

    @action(description="Run now", url_path="run-now", permissions=["run"])
    def run_this_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = "It runs at once, beside its times. It is refused while a run is not done yet."
        return self._confirmed(request, object_id, self.run_now, "Run now", explanation)

    @action(description="Pause", url_path="pause", permissions=["run"])
    def pause_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = "It no longer starts by the clock until somebody resumes it. It can still be run by hand."
        return self._confirmed(request, object_id, self.pause, "Pause", explanation)

    @action(description="Resume", url_path="resume", permissions=["run"])
    def resume_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = "It starts by the clock again. Times that passed while it was paused are not made up for."
        return self._confirmed(request, object_id, self.resume, "Resume", explanation)

    def _run(self, request: HttpRequest, name: str) -> None:
        try:
            run = scheduling.run_now(name=name, actor=cast(User, request.user))
        except PlumblineError as error:
            self.message_user(request, str(error), messages.WARNING)
            return
        link = reverse("admin:jobs_job_change", args=[run.job_id])
        said = format_html('{} is started: <a class="underline" href="{}">its job</a>.', name, link)
        self.message_user(request, said, messages.SUCCESS)

    def _confirmed(
        self,
        request: HttpRequest,
        name: str,
        act: Callable[[HttpRequest, QuerySet[ScheduledTask]], None],
        label: str,
        explanation: str,
    ) -> HttpResponse:
        """Asks first: a link must change nothing."""
        tasks = ScheduledTask.objects.filter(pk=name)
        if not tasks.exists():
            return redirect("admin:jobs_scheduledtask_changelist")
        back = reverse("admin:jobs_scheduledtask_change", args=[name])
        if request.method != "POST":
            said = {"title": f"{label}: {name}?", "label": label, "explanation": explanation, "back": back}
            page = self.admin_site.each_context(request) | said | {"opts": self.model._meta}
            return render(request, "admin/jobs/confirm.html", page)
        act(request, tasks)
        return redirect(back)


def _names(tasks: Iterable[ScheduledTask]) -> list[str]:
    return [task.name for task in tasks]
