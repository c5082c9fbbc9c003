"""The older file store in the admin: what became of each folder, and where files and tables said different things."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from accounts.admin_pages import ReadOnlyAdmin, each

from .models import FileProject, StoreDivergence
from .services.filestore import mirroring

STATES = {"Migrated": "success", "Unreadable": "danger"}


@admin.register(FileProject)
class FileProjectAdmin(ReadOnlyAdmin):
    list_display = ["legacy_id", "project", "show_state", "show_counts", "show_trouble", "migrated_at", "verified_at"]
    list_filter = ["state"]
    search_fields = ["legacy_id", "project__name"]
    list_select_related = ["project"]
    fields = ["legacy_id", "project", "state", "error", "checksum", "report", "migrated_at", "verified_at"]
    actions = ["verify", "write_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileProject]:
        """Without what the folders hold: megabytes that no list shows."""
        found: QuerySet[FileProject] = super().get_queryset(request).defer("contents")
        return found

    def has_write_permission(self, request: HttpRequest) -> bool:
        """For the actions: who may change projects. The rows themselves only services write."""
        return request.user.has_perm("projects.change_project")

    @display(description="State", label=STATES)
    def show_state(self, row: FileProject) -> str:
        return row.get_state_display()

    @display(description="Came in")
    def show_counts(self, row: FileProject) -> str:
        counts = row.report.get("counts", {})
        if not counts:
            return "–"
        return f"{counts.get('positions', 0):,} positions, {counts.get('files', 0):,} files"

    @display(description="Trouble")
    def show_trouble(self, row: FileProject) -> str:
        return format_html("{}", row.error[:120]) if row.error else "–"

    @admin.action(description="Compare with the folder", permissions=["write"])
    def verify(self, request: HttpRequest, rows: QuerySet[FileProject]) -> None:
        each(request, rows, lambda row: mirroring.ask_to_verify(known=row), "{} comparisons queued.")

    @admin.action(description="Write the folder again, over what stands there", permissions=["write"])
    def write_again(self, request: HttpRequest, rows: QuerySet[FileProject]) -> None:
        each(request, rows, lambda row: mirroring.ask_to_write(known=row, overwrite=True), "{} folders queued.")


@admin.register(StoreDivergence)
class StoreDivergenceAdmin(ReadOnlyAdmin):
    list_display = ["legacy_id", "operation", "show_difference", "at"]
    list_filter = ["operation"]
    search_fields = ["legacy_id"]
    date_hierarchy = "at"

    @display(description="Difference")
    def show_difference(self, row: StoreDivergence) -> str:
        if "error" in row.difference:
            return str(row.difference["error"])[:160]
        found = row.difference.get("differences", [])
        return f"{len(found)} differences: " + ", ".join(sorted({str(each.get("what")) for each in found}))
