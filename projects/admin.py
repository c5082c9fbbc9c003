"""Projects in the admin. Reads freely; every write goes through the services, so that the rules hold here as well."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from import_export.admin import ImportExportModelAdmin
from import_export.resources import ModelResource
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, each, figure, page_with
from accounts.exceptions import PlumblineError
from accounts.pages import actor_of

from .admin_columns import grades
from .admin_forms import DecisionForm, ImportBillForm
from .models import (
    AuditRun,
    BudgetVersion,
    CatalogueItem,
    ChatMessage,
    Document,
    Finding,
    FindingOverride,
    KnowledgeEntry,
    Position,
    Project,
    ProjectAnalytics,
    TableMapping,
)
from .services import auditing, documents, opening, overrides

GRADES = {"green": "success", "amber": "warning", "red": "danger", "not_checked": "info", "info": "info"}
AT_STAKE = figure("money_at_stake", "At stake", digits=2)
PARSED = {"completed": "success", "failed": "danger", "parsing": "info", "pending": "warning"}


@admin.register(Project)
class ProjectAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = [
        "name", "organisation", "show_status", figure("version_number", "Version"),
        figure("total_positions", "Positions"), figure("total_cost", "Total", digits=2),
        AT_STAKE, "currency", grades,
    ]  # fmt: skip
    list_filter = ["status", "workflow", "currency", "organisation"]
    search_fields = ["name", "description", "owner__email", "organisation__name"]
    list_select_related = ["organisation", "owner"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["organisation", "owner"]
    readonly_fields = [
        "status", "progress", "version_number", "audited_version", "total_positions", "total_cost", "count_green",
        "count_amber", "count_red", "count_not_checked", "money_at_stake", "created_at", "completed_at",
    ]  # fmt: skip
    actions = ["start_audits", "archive"]
    actions_detail = ["import_bill", "start_audit", "open_page"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Archived, not deleted: versions and decisions are a record."""
        return False

    @display(
        description="Status",
        label={"Audited": "success", "Auditing": "info", "Reading a document": "info", "Archived": "warning"},
    )
    def show_status(self, project: Project) -> str:
        return project.get_status_display()

    @admin.action(description="Start an audit of the selected projects", permissions=["change"])
    def start_audits(self, request: HttpRequest, rows: QuerySet[Project]) -> None:
        def start(project: Project) -> None:
            auditing.start_audit(project_id=project.pk, actor=actor_of(request))

        each(request, rows, start, "{} audits queued.")

    @admin.action(description="Archive the selected projects", permissions=["change"])
    def archive(self, request: HttpRequest, rows: QuerySet[Project]) -> None:
        def put_away(project: Project) -> None:
            opening.archive_project(project_id=project.pk, actor=actor_of(request))

        each(request, rows, put_away, "{} projects archived.")

    @action(description="Start an audit", url_path="audit", permissions=["change"])
    def start_audit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:  # any text may stand in the address
            return redirect("admin:projects_project_changelist")
        back = reverse("admin:projects_project_change", args=[object_id])
        if request.method != "POST":
            title = "Audit the current version of this project?"
            return page_with(self, request, title=title, form=forms.Form(), submit="Start the audit", back=back)
        self.start_audits(request, Project.objects.filter(pk=object_id))
        return redirect(back)

    @action(description="Open its page", url_path="page")
    def open_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:projects_project_changelist")
        return redirect("projects:detail", object_id)

    @action(description="Import a bill", url_path="import-bill", permissions=["change"])
    def import_bill(self, request: HttpRequest, object_id: str) -> HttpResponse:
        project = self.get_object(request, object_id)
        if project is None:
            return redirect("admin:projects_project_changelist")
        form = ImportBillForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                upload = documents.upload_document(
                    project_id=project.pk, actor=actor_of(request), file=file, filename=file.name
                )
            except PlumblineError as error:
                form.add_error("file", str(error))
            else:
                if upload.job is None:
                    messages.warning(request, "This file is in the project already, and has been read.")
                    return redirect("admin:projects_project_change", object_id)
                messages.success(request, "The bill is being read.")
                return redirect("admin:jobs_job_change", upload.job.pk)
        back = reverse("admin:projects_project_change", args=[object_id])
        title = f"Import a bill into {project}"
        return page_with(self, request, title=title, form=form, submit="Import", back=back)


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["original_filename", "project", "kind", "file_type", "parser", "show_status", "size", "created_at"]
    list_filter = ["parse_status", "parser", "kind", "file_type"]
    search_fields = ["original_filename", "project__name", "sha256", "parse_error"]
    list_select_related = ["project"]
    date_hierarchy = "created_at"
    actions = ["read_again"]

    @display(description="Reading", label={label: PARSED[value] for value, label in Document.ParseStatus.choices})
    def show_status(self, document: Document) -> str:
        return document.get_parse_status_display()

    @admin.action(description="Read the selected documents again", permissions=["view"])
    def read_again(self, request: HttpRequest, rows: QuerySet[Document]) -> None:
        def read(document: Document) -> None:
            documents.read_again(document_id=document.pk, actor=actor_of(request))

        each(request, rows, read, "{} documents queued.")


@admin.register(BudgetVersion)
class BudgetVersionAdmin(ReadOnlyAdmin):
    list_display = [
        "project", "number", "trigger", "created_by", figure("total_cost", "Total", digits=2),
        figure("delta_cost", "Change", digits=2), figure("delta_quantity", "by quantity", digits=2),
        figure("delta_price", "by price", digits=2), figure("delta_scope", "by scope", digits=2),
        figure("delta_rounding", "by rounding", digits=2),
    ]  # fmt: skip
    list_filter = ["trigger"]
    search_fields = ["project__name"]
    list_select_related = ["project", "created_by"]
    date_hierarchy = "created_at"


class CurrentFilter(admin.SimpleListFilter):
    title = "version"
    parameter_name = "current"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Current"), ("no", "Earlier only")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Position]) -> QuerySet[Position]:
        return rows if self.value() is None else rows.filter(removed_in__isnull=self.value() == "yes")


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = [
        "number", "project", "code", "short_description", "unit", figure("quantity", "Quantity"),
        figure("unit_price", "Unit price", digits=2), figure("total", "Total", digits=2), "show_grade",
        figure("added_in", "Added in"), figure("removed_in", "Removed in"),
    ]  # fmt: skip
    list_filter = [CurrentFilter, "verdict__grade", "kind", "billing", "catalogue", "origin"]
    search_fields = ["number", "code", "description", "project__name"]
    list_select_related = ["project", "verdict"]
    show_full_result_count = False  # a second count of a table of millions

    @display(description="Description")
    def short_description(self, position: Position) -> str:
        return position.description[:80]

    @display(
        description="Grade", label={"Green": "success", "Amber": "warning", "Red": "danger", "Not checked": "info"}
    )
    def show_grade(self, position: Position) -> str:
        verdict = getattr(position, "verdict", None)
        return str(verdict) if verdict else "Not checked"


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = [
        "rule_id", "show_grade", "role", "project", "position", AT_STAKE, "override",
        "reasoning",
    ]  # fmt: skip
    list_filter = ["grade", "role", "rule_id"]
    search_fields = ["rule_id", "reasoning", "project__name", "position__code", "position__number"]
    list_select_related = ["project", "position", "override"]
    show_full_result_count = False
    actions_detail = ["decide", "withdraw"]

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("projects.change_project")

    @display(description="Grade", label={"Red": "danger", "Amber": "warning", "Info": "info", "Not checked": "info"})
    def show_grade(self, finding: Finding) -> str:
        return finding.get_grade_display()

    @action(description="Override or accept", url_path="decide", permissions=["decide"])
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        finding = self.get_object(request, object_id)
        if finding is None:
            return redirect("admin:projects_finding_changelist")
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                overrides.override_finding(finding_id=finding.pk, actor=actor_of(request), **form.cleaned_data)
            except PlumblineError as error:
                form.add_error("reason", str(error))
            else:
                messages.success(request, "Your decision is recorded; the position is graded anew.")
                return redirect("admin:projects_finding_change", object_id)
        back = reverse("admin:projects_finding_change", args=[object_id])
        title = f"Decide on {finding.rule_id}: {finding.reasoning[:120]}"
        return page_with(self, request, title=title, form=form, submit="Record the decision", back=back)

    @action(description="Take the decision back", url_path="withdraw", permissions=["decide"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:projects_finding_changelist")

        def take_back(finding: Finding) -> None:
            overrides.withdraw_override(finding_id=finding.pk, actor=actor_of(request))

        back = reverse("admin:projects_finding_change", args=[object_id])
        if request.method != "POST":
            title = "Take the decision on this finding back?"
            return page_with(self, request, title=title, form=forms.Form(), submit="Take it back", back=back)
        each(request, Finding.objects.filter(pk=object_id), take_back, "The finding counts again.")
        return redirect(back)


@admin.register(FindingOverride)
class FindingOverrideAdmin(ReadOnlyAdmin):
    list_display = ["rule_id", "project", "decision", "reason", "by", "at", "withdrawn_at"]
    list_filter = ["decision", "rule_id"]
    search_fields = ["rule_id", "reason", "project__name", "by__email"]
    list_select_related = ["project", "by"]


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnlyAdmin):
    list_display = ["project", "version_number", "positions", "counts", AT_STAKE, "started_at", "finished_at"]
    search_fields = ["project__name"]
    list_select_related = ["project"]
    date_hierarchy = "finished_at"


class CatalogueItemResource(ModelResource):  # type: ignore[misc]
    class Meta:
        model = CatalogueItem
        import_id_fields = ["catalogue", "edition", "code"]
        fields = ["catalogue", "edition", "code", "text", "unit", "unit_price", "currency"]
        skip_unchanged = True
        use_bulk = True

    def get_queryset(self) -> QuerySet[CatalogueItem]:
        """What staff import here is everyone's: an organisation's own item of the same code is another one."""
        return CatalogueItem.objects.filter(organisation__isnull=True)


@admin.register(CatalogueItem)
class CatalogueItemAdmin(ModelAdmin, ImportExportModelAdmin):  # type: ignore[misc]
    resource_classes = [CatalogueItemResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_display = ["code", "text", "unit", "unit_price", "currency", "catalogue", "edition", "organisation"]
    list_filter = ["catalogue", "edition"]
    list_select_related = ["organisation"]
    search_fields = ["code", "text"]


@admin.register(TableMapping)
class TableMappingAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ["__str__", "organisation", "confirmed_by", "updated_at"]
    search_fields = ["titles", "organisation__name"]
    list_select_related = ["organisation", "confirmed_by"]
    autocomplete_fields = ["organisation", "confirmed_by"]


@admin.register(KnowledgeEntry)
class KnowledgeEntryAdmin(ReadOnlyAdmin):
    list_display = ["type", "query_hash", "created_at", "expires_at", "access_count", "last_accessed_at"]
    list_filter = ["type"]
    search_fields = ["query_hash"]


@admin.register(ChatMessage)
class ChatMessageAdmin(ReadOnlyAdmin):
    list_display = ["project", "role", "author", "message", "created_at"]
    list_filter = ["role", "type"]
    search_fields = ["message", "project__name"]
    list_select_related = ["project", "author"]


@admin.register(ProjectAnalytics)
class ProjectAnalyticsAdmin(ReadOnlyAdmin):
    list_display = ["day", "organisation", "created", "completed", "average_cost", "currency"]
    search_fields = ["organisation__name"]
    list_select_related = ["organisation"]


from . import admin_exports, admin_filestore, admin_rules  # noqa: E402, F401
