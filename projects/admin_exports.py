"""Files made from budgets, in the admin: which were asked for, and why one was not made."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from unfold.decorators import display

from accounts.admin_pages import ReadOnlyAdmin

from .models import ProjectExport

STATES = {"Queued": "info", "Running": "info", "Completed": "success", "Failed": "danger"}


@admin.register(ProjectExport)
class ProjectExportAdmin(ReadOnlyAdmin):
    """Without the file itself: that is fetched from the project's page, by who may see it."""

    list_display = ["show_file", "project", "version_number", "show_state", "show_size", "created_by", "created_at"]
    list_filter = ["status", "kind"]
    search_fields = ["filename", "project__name", "error"]
    list_select_related = ["project", "created_by"]
    date_hierarchy = "created_at"
    fields = [
        "kind", "project", "version_number", "document", "status", "error", "filename", "size", "sha256", "options",
        "report", "job_id", "created_by", "created_at", "finished_at",
    ]  # fmt: skip

    @display(description="File", ordering="kind")
    def show_file(self, row: ProjectExport) -> str:
        return row.filename or row.get_kind_display()

    @display(description="State", label=STATES, ordering="status")
    def show_state(self, row: ProjectExport) -> str:
        return row.get_status_display()

    @display(description="Size", ordering="size")
    def show_size(self, row: ProjectExport) -> str:
        return str(filesizeformat(row.size)) if row.size else "–"
