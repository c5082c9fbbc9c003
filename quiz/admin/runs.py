"""Runs of banks with what came of them, and the queue of records that could not be taken."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, figure, page_with
from accounts.exceptions import PlumblineError
from accounts.pages import actor_of

from ..models import Bank, SyncRejection, SyncRun
from ..services import banks, mending
from .forms import MendForm

STATUSES = {"Completed": "success", "Failed": "danger", "Running": "info", "Queued": "warning"}


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = [
        "started_at", "bank", "kind", "show_status", "is_dry", "filename", figure("fetched", "Read"),
        figure("created", "New"), figure("updated", "Changed"), figure("unchanged", "Known"),
        figure("rejected", "Rejected"), figure("retired", "Retired"), figure("seconds", "Seconds"),
    ]  # fmt: skip
    list_filter = ["status", "kind", "is_dry", "bank"]
    search_fields = ["bank__name", "filename", "error"]
    list_select_related = ["bank"]
    date_hierarchy = "started_at"
    exclude = ["file", "drift", "unsupported", "remarks", "job_id"]
    readonly_fields = ["show_drift", "show_unsupported", "show_remarks", "show_job"]
    actions_detail = ["show_rejections"]

    @display(description="Status", label=STATUSES)
    def show_status(self, run: SyncRun) -> str:
        return run.get_status_display()

    @display(description="Fields that changed")
    def show_drift(self, run: SyncRun) -> SafeString | str:
        return format_html_join("", "<p>{}</p>", ((line,) for line in run.drift)) or "–"

    @display(description="Kinds without a place here")
    def show_unsupported(self, run: SyncRun) -> str:
        told = (f"{count:,} of {run.fetched:,} items: {kind}" for kind, count in sorted(run.unsupported.items()))
        return "; ".join(told) or "–"

    @display(description="What was left out")
    def show_remarks(self, run: SyncRun) -> SafeString | str:
        return format_html_join("", "<p>{}</p>", ((line,) for line in run.remarks)) or "–"

    @display(description="Job")
    def show_job(self, run: SyncRun) -> SafeString | str:
        if run.job_id is None:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[run.job_id]), run.job_id)

    @action(description="What was rejected", url_path="rejections")
    def show_rejections(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:quiz_syncrun_changelist")
        return redirect(reverse("admin:quiz_syncrejection_changelist") + f"?run__id__exact={object_id}")


class ResolvedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("resolved", "Resolved")]

    def queryset(self, request: HttpRequest, rows: QuerySet[SyncRejection]) -> QuerySet[SyncRejection]:
        return rows if self.value() is None else rows.filter(resolved_at__isnull=self.value() == "open")


@admin.register(SyncRejection)
class SyncRejectionAdmin(ReadOnlyAdmin):
    list_display = ["record_id", "bank", "stage", "field", "code", "reason", "created_at", "resolved_at"]
    list_display_links = ["record_id", "reason"]
    list_filter = [ResolvedFilter, "bank", "stage", "code"]
    search_fields = ["record_id", "reason", "field", "code"]
    list_select_related = ["bank"]
    show_full_result_count = False
    exclude = ["raw"]
    readonly_fields = ["show_raw"]
    actions = ["retry"]
    actions_detail = ["mend"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "run__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    def has_mend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("quiz.change_bank")

    @display(description="The record")
    def show_raw(self, rejection: SyncRejection) -> SafeString:
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', text_of(rejection))

    @admin.action(description="Read the selected records from Airtable again", permissions=["mend"])
    def retry(self, request: HttpRequest, rows: QuerySet[SyncRejection]) -> None:
        self._retry(request, list(rows.values_list("pk", flat=True)))

    def _retry(self, request: HttpRequest, ids: list[Any]) -> None:
        try:
            jobs = banks.start_retry(rejection_ids=ids, actor=actor_of(request))
        except PlumblineError as error:
            messages.error(request, str(error))
            return
        links = format_html_join(" ", '<a href="{}">{}</a>', ((reverse("jobs:detail", args=[j.pk]), j) for j in jobs))
        messages.success(request, format_html("They are being read again: {}", links))

    @action(description="Mend, or read again", url_path="mend", permissions=["mend"])
    def mend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A file's record is mended here; Airtable's is mended there and read from there again."""
        rejection = self.get_object(request, object_id)
        if rejection is None:
            return redirect("admin:quiz_syncrejection_changelist")
        back = reverse("admin:quiz_syncrejection_change", args=[object_id])
        if rejection.bank.kind == Bank.Kind.AIRTABLE:
            if request.method != "POST":
                title = f"Mended {rejection.record_id} in Airtable? Then read it again."
                return page_with(self, request, title=title, form=forms.Form(), submit="Read again", back=back)
            self._retry(request, [rejection.pk])
            return redirect(back)
        form = MendForm(request.POST or None, initial={"text": text_of(rejection)})
        if request.method == "POST" and form.is_valid():
            try:
                run = mending.read_again(
                    rejection_id=rejection.pk, actor=actor_of(request), text=form.cleaned_data["text"]
                )
            except PlumblineError as error:
                form.add_error("text", str(error))
            else:
                messages.success(request, "The question has been read.")
                return redirect("admin:quiz_syncrun_change", run.pk)
        title = f"Mend {rejection.record_id}: {rejection.reason[:120]}"
        return page_with(self, request, title=title, form=form, submit="Read again", back=back)


def text_of(rejection: SyncRejection) -> str:
    raw = rejection.raw
    return raw if isinstance(raw, str) else orjson.dumps(raw, option=orjson.OPT_INDENT_2).decode()
