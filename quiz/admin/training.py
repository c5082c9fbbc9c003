"""Training calls for staff: templates with the versions of their rubrics, assignments, connections.

Written by coaches and owners on the site; staff look, switch connections, and give them another secret.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.admin_pages import ReadOnlyAdmin, each, figure, page_with
from accounts.exceptions import PlumblineError

from ..models import Assignment, Criterion, Rubric, TrainingTemplate, VoiceConnection
from ..services.training import connecting_staff

STATES = {"Open": "info", "Completed": "success", "Overdue": "danger", "Withdrawn": "warning"}


class ReadOnlyInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RubricInline(ReadOnlyInline):
    model = Rubric
    fields = readonly_fields = ["number", "note", "created_by", "created_at"]
    ordering = ["-number"]
    show_change_link = True


class CriterionInline(StackedInline):  # type: ignore[misc]
    model = Criterion
    extra = 0
    can_delete = False
    fields = readonly_fields = [
        "position", "name", "key", "kind", "weight", "description", "show_rule", "show_levels", "show_clauses",
    ]  # fmt: skip

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Criterion]:
        rows: QuerySet[Criterion] = super().get_queryset(request)
        return rows.prefetch_related("clauses__edition__standard")

    @display(description="Rule")
    def show_rule(self, criterion: Criterion) -> str:
        return json.dumps(criterion.rule, ensure_ascii=False) if criterion.rule else "–"

    @display(description="Levels")
    def show_levels(self, criterion: Criterion) -> SafeString | str:
        told = ((level["score"], level["name"], level.get("description", "")) for level in criterion.levels)
        return format_html_join("", "<p>{}: {}. {}</p>", told) or "–"

    @display(description="Clauses")
    def show_clauses(self, criterion: Criterion) -> SafeString | str:
        told = ((clause.edition, clause) for clause in criterion.clauses.all())
        return format_html_join("", "<p>{}: {}</p>", told) or "–"


class ArchivedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("used", "In use"), ("archived", "Archived")]

    def queryset(self, request: HttpRequest, rows: QuerySet[TrainingTemplate]) -> QuerySet[TrainingTemplate]:
        return rows if self.value() is None else rows.filter(archived_at__isnull=self.value() == "used")


@admin.register(TrainingTemplate)
class TrainingTemplateAdmin(ReadOnlyAdmin):
    list_display = [
        "name", "organisation", "user", "category", figure("version", "Rubric"), figure("calls", "Calls"),
        "archived_at", "updated_at",
    ]  # fmt: skip
    list_filter = [ArchivedFilter, "organisation"]
    search_fields = ["name", "organisation__name"]
    list_select_related = ["organisation", "user", "category"]
    show_full_result_count = False
    inlines = [RubricInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingTemplate]:
        rows: QuerySet[TrainingTemplate] = super().get_queryset(request)
        return rows.annotate(version=Max("rubrics__number"), calls=Count("sessions", distinct=True))


@admin.register(Rubric)
class RubricAdmin(ReadOnlyAdmin):
    """One version, as calls were judged by it."""

    list_display = ["template", "number", "note", "created_by", "created_at"]
    search_fields = ["template__name", "note"]
    list_select_related = ["template", "created_by"]
    show_full_result_count = False
    exclude = ["content_hash"]
    inlines = [CriterionInline]


class AssignmentStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("completed", "Completed"), ("withdrawn", "Withdrawn")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
        if self.value() == "open":
            return rows.filter(completed_at__isnull=True, withdrawn_at__isnull=True)
        return rows if self.value() is None else rows.filter(**{f"{self.value()}_at__isnull": False})


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ["template", "user", "organisation", "show_state", "due_at", "assigned_by", "created_at"]
    list_filter = [AssignmentStateFilter, "organisation"]
    search_fields = ["template__name", "user__email", "user__full_name"]
    list_select_related = ["template", "user", "organisation", "assigned_by"]
    date_hierarchy = "created_at"
    show_full_result_count = False

    @display(description="State", label=STATES)
    def show_state(self, assignment: Assignment) -> str:
        if assignment.withdrawn_at:
            return "Withdrawn"
        if assignment.completed_at:
            return "Completed"
        return "Overdue" if assignment.is_overdue else "Open"


class SecretForm(forms.Form):
    secret = forms.CharField(
        max_length=200,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="As the voice service has it. It is not shown again, to nobody.",
    )


@admin.register(VoiceConnection)
class VoiceConnectionAdmin(ReadOnlyAdmin):
    """Secrets go in and never come out."""

    list_display = ["name", "organisation", "method", "template", "is_active", "reconciled_until", "created_at"]
    list_filter = ["is_active", "method", "organisation"]
    search_fields = ["id", "name", "organisation__name"]
    list_select_related = ["organisation", "template"]
    exclude = ["secret", "api_key"]
    readonly_fields = ["api_url"]  # not a field of the form: Django warns of its scheme
    actions = ["switch_on", "switch_off"]
    actions_detail = ["set_secret"]

    def has_keep_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("quiz.change_voiceconnection")

    @admin.action(description="Switch on", permissions=["keep"])
    def switch_on(self, request: HttpRequest, rows: QuerySet[VoiceConnection]) -> None:
        self._switch(request, rows, True)

    @admin.action(description="Switch off", permissions=["keep"])
    def switch_off(self, request: HttpRequest, rows: QuerySet[VoiceConnection]) -> None:
        self._switch(request, rows, False)

    def _switch(self, request: HttpRequest, rows: QuerySet[VoiceConnection], is_active: bool) -> None:
        each(
            request,
            rows,
            lambda row: connecting_staff.switch_connection(connection_id=row.pk, is_active=is_active),
            f"{{}} switched {'on' if is_active else 'off'}.",
        )

    @action(description="Another secret", url_path="secret", permissions=["keep"])
    def set_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        connection = self.get_object(request, object_id)
        if connection is None:
            return redirect("admin:quiz_voiceconnection_changelist")
        back = reverse("admin:quiz_voiceconnection_change", args=[object_id])
        form = SecretForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                connecting_staff.set_secret(connection_id=connection.pk, secret=form.cleaned_data["secret"])
            except PlumblineError as error:
                form.add_error("secret", str(error))
            else:
                messages.success(request, "The new secret counts from now on, the former one no more.")
                return redirect(back)
        title = f"Give {connection} another secret"
        return page_with(self, request, title=title, form=form, submit="Set", back=back)
