"""Sources, imports, and records that could not be read: run, look, mend. Every write goes through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, each, figure, page_with
from accounts.exceptions import PlumblineError
from accounts.pages import actor_of

from ..models import Import, Rejection, Source
from ..readers.notice import EXCERPT
from ..services import fetching, mending, uploads
from ..services.sources import EDITABLE, save_source
from .forms import MendForm, SourceForm, UploadForm

STATUSES = {"Completed": "success", "Failed": "danger", "Running": "info", "Queued": "warning"}
FIELD_CELLS = '<td class="pr-6 py-1">{}</td><td class="pr-6 py-1 text-right">{}</td><td class="py-1 text-right">{}</td>'


@admin.register(Source)
class SourceAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    form = SourceForm
    list_display = [
        "name", "organisation", "kind", "location", "is_scheduled", "last_run_at",
        figure("open_rejections", "Rejected"),
    ]  # fmt: skip
    list_filter = ["kind", "is_scheduled", "organisation"]
    search_fields = ["name", "location", "organisation__name"]
    list_select_related = ["organisation"]
    autocomplete_fields = ["organisation"]
    actions = ["fetch_now"]
    actions_detail = ["fetch", "upload", "show_imports"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        rows: QuerySet[Source] = super().get_queryset(request)
        return rows.annotate(open_rejections=Count("rejections", filter=Q(rejections__mended_at=None)))

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        known = ["etag", "last_modified", "cursor", "last_run_at", "created_at"]
        return ["organisation", *known] if obj else known  # a source stays with its organisation

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its tenders, and what was decided of them, would go with it."""
        return False

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        stored = Source.objects.get(pk=obj.pk) if change else Source(pk=obj.pk, organisation=obj.organisation)
        values = {name: form.cleaned_data[name] for name in EDITABLE if name in form.cleaned_data}
        save_source(source=stored, values=values, may_read_paths=True)

    @admin.action(description="Fetch the selected sources now", permissions=["change"])
    def fetch_now(self, request: HttpRequest, rows: QuerySet[Source]) -> None:
        def start(source: Source) -> None:
            fetching.start_sync(source_id=source.pk, actor=actor_of(request))

        each(request, rows, start, "{} sources are being fetched.")

    @action(description="Fetch now", url_path="fetch", permissions=["change"])
    def fetch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self.get_object(request, object_id)
        if source is None:
            return redirect("admin:tenders_source_changelist")
        back = reverse("admin:tenders_source_change", args=[object_id])
        if request.method != "POST":
            title = f"Fetch {source} from its address now?"
            return page_with(self, request, title=title, form=forms.Form(), submit="Fetch", back=back)
        try:
            job = fetching.start_sync(source_id=source.pk, actor=actor_of(request))
        except PlumblineError as error:
            messages.error(request, str(error))
            return redirect(back)
        return redirect("admin:jobs_job_change", job.pk)

    @action(description="Upload a file", url_path="upload", permissions=["change"])
    def upload(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self.get_object(request, object_id)
        if source is None:
            return redirect("admin:tenders_source_changelist")
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                record, _ = uploads.upload_notices(
                    actor=actor_of(request), file=file, filename=file.name, source_id=source.pk
                )
            except PlumblineError as error:
                form.add_error("file", str(error))
            else:
                messages.success(request, "The file is being read.")
                return redirect("admin:tenders_import_change", record.pk)
        back = reverse("admin:tenders_source_change", args=[object_id])
        title = f"Upload a file of notices to {source}"
        return page_with(self, request, title=title, form=form, submit="Upload", back=back)

    @action(description="Its imports", url_path="imports")
    def show_imports(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:tenders_source_changelist")
        return redirect(reverse("admin:tenders_import_changelist") + f"?source__id__exact={object_id}")


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = [
        "filename", "source", "show_status", "format", figure("fetched", "Read"), figure("created", "New"),
        figure("updated", "Changed"), figure("unchanged", "Known"), figure("rejected", "Rejected"),
        figure("seconds", "Seconds"), "started_at",
    ]  # fmt: skip
    list_filter = ["status", "format", "source"]
    search_fields = ["filename", "source__name", "error", "sha256"]
    list_select_related = ["source"]
    date_hierarchy = "started_at"
    exclude = ["file", "quality"]
    readonly_fields = ["show_quality", "show_job"]
    actions_detail = ["show_rejections"]

    @display(description="Status", label=STATUSES)
    def show_status(self, record: Import) -> str:
        return record.get_status_display()

    @display(description="Quality")
    def show_quality(self, record: Import) -> SafeString | str:
        """Each field or flag, with how many of the tenders written have it."""
        written = record.created + record.updated
        if not record.quality or not written:
            return "–"
        found = sorted(record.quality.items(), key=lambda each: -each[1])
        rows = ((name.replace("_", " "), f"{count:,}", f"{100 * count / written:.0f} %") for name, count in found)
        return format_html("<table>{}</table>", format_html_join("", f"<tr>{FIELD_CELLS}</tr>", rows))

    @display(description="Job")
    def show_job(self, record: Import) -> SafeString | str:
        if record.job_id is None:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[record.job_id]), record.job_id)

    @action(description="What was rejected", url_path="rejections")
    def show_rejections(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:tenders_import_changelist")
        return redirect(reverse("admin:tenders_rejection_changelist") + f"?imported_by__id__exact={object_id}")


class MendedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("mended", "Mended")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Rejection]) -> QuerySet[Rejection]:
        return rows if self.value() is None else rows.filter(mended_at__isnull=self.value() == "open")


@admin.register(Rejection)
class RejectionAdmin(ReadOnlyAdmin):
    list_display = ["number", "imported_by", "source", "reason", "created_at", "mended_at"]
    list_display_links = ["number", "reason"]
    list_filter = [MendedFilter, "source"]
    search_fields = ["reason", "raw", "imported_by__filename"]
    list_select_related = ["imported_by", "source"]
    show_full_result_count = False
    actions_detail = ["mend"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "imported_by__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    def has_mend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("tenders.change_source")

    @action(description="Mend and read again", url_path="mend", permissions=["mend"])
    def mend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rejection = self.get_object(request, object_id)
        if rejection is None:
            return redirect("admin:tenders_rejection_changelist")
        form = MendForm(request.POST or None, initial={"text": rejection.raw})
        if request.method == "POST" and form.is_valid():
            try:
                record = mending.read_again(
                    rejection_id=rejection.pk, actor=actor_of(request), text=form.cleaned_data["text"]
                )
            except PlumblineError as error:
                form.add_error("text", str(error))
            else:
                messages.success(request, "The record has been read.")
                return redirect("admin:tenders_import_change", record.pk)
        if len(rejection.raw) >= EXCERPT and request.method != "POST":
            messages.warning(request, "Only the start of this record was kept: paste the whole of it.")
        back = reverse("admin:tenders_rejection_change", args=[object_id])
        title = f"Mend no. {rejection.number}: {rejection.reason[:120]}"
        return page_with(self, request, title=title, form=form, submit="Read again", back=back)
