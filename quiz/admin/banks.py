"""Banks: read from Airtable, or fed with files; and the categories that quizzes are picked by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from accounts.admin_pages import figure, page_with
from accounts.exceptions import PlumblineError
from accounts.pages import actor_of

from ..models import Bank, Category
from ..services import banks, files
from .forms import BankForm, SyncForm, UploadForm


@admin.register(Bank)
class BankAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    form = BankForm
    list_display = [
        "name", "organisation", "kind", "is_scheduled", "last_full_at", figure("live", "Live questions"),
        figure("open_rejections", "Rejected"),
    ]  # fmt: skip
    list_filter = ["kind", "is_scheduled", "organisation"]
    search_fields = ["name", "base_id", "table_id", "organisation__name"]
    list_select_related = ["organisation"]
    autocomplete_fields = ["organisation"]
    actions = ["sync_now"]
    actions_detail = ["sync", "import_file", "show_runs", "show_rejections"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bank]:
        rows: QuerySet[Bank] = super().get_queryset(request)
        return rows.annotate(
            live=Count("questions", filter=Q(questions__retired_at=None), distinct=True),
            open_rejections=Count("rejections", filter=Q(rejections__resolved_at=None), distinct=True),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Bank | None = None) -> list[str]:
        known = ["fields_seen", "webhook_id", "webhook_expires_at", "last_full_at", "created_at"]
        return ["organisation", "kind", *known] if obj else known  # its questions stay with whom they belong to

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its questions, and what was answered, would go with it."""
        return False

    def save_model(self, request: HttpRequest, obj: Bank, form: Any, change: bool) -> None:
        stored = Bank.objects.get(pk=obj.pk) if change else Bank(pk=obj.pk)
        values = {name: form.cleaned_data[name] for name in banks.EDITABLE if name in form.cleaned_data}
        banks.save_bank(bank=stored, values=values)

    @admin.action(description="Read the selected banks from Airtable now", permissions=["change"])
    def sync_now(self, request: HttpRequest, rows: QuerySet[Bank]) -> None:
        started = 0
        for bank in rows:
            try:
                banks.start_sync(bank_id=bank.pk, actor=actor_of(request))
                started += 1
            except PlumblineError as error:
                messages.error(request, f"{bank}: {error}")
        if started:
            messages.success(request, f"{started} {'bank is' if started == 1 else 'banks are'} being read.")

    @action(description="Sync with Airtable", url_path="sync", permissions=["change"])
    def sync(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Then to the job's page, where its progress is seen live."""
        bank = self.get_object(request, object_id)
        if bank is None:
            return redirect("admin:quiz_bank_changelist")
        form = SyncForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                job = banks.start_sync(bank_id=bank.pk, actor=actor_of(request), **form.cleaned_data)
            except PlumblineError as error:
                form.add_error(None, str(error))
                messages.error(request, str(error))
            else:
                return redirect("jobs:detail", job.pk)
        back = reverse("admin:quiz_bank_change", args=[object_id])
        title = f"Read the questions of {bank} from Airtable now?"
        return page_with(self, request, title=title, form=form, submit="Sync", back=back)

    @action(description="Import a file", url_path="import", permissions=["change"])
    def import_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        bank = self.get_object(request, object_id)
        if bank is None:
            return redirect("admin:quiz_bank_changelist")
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            try:
                _, job = files.start_import(
                    bank_id=bank.pk, filename=values["file"].name, actor=actor_of(request), **values
                )
            except PlumblineError as error:
                form.add_error("file", str(error))
            else:
                return redirect("jobs:detail", job.pk)
        back = reverse("admin:quiz_bank_change", args=[object_id])
        title = f"Import a file of questions into {bank}"
        return page_with(self, request, title=title, form=form, submit="Import", back=back)

    @action(description="Its runs", url_path="runs")
    def show_runs(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._list(request, object_id, "syncrun")

    @action(description="What was rejected", url_path="rejections")
    def show_rejections(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._list(request, object_id, "syncrejection", "&state=open")

    def _list(self, request: HttpRequest, object_id: str, model: str, more: str = "") -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return redirect("admin:quiz_bank_changelist")
        return redirect(reverse(f"admin:quiz_{model}_changelist") + f"?bank__id__exact={object_id}{more}")


@admin.register(Category)
class CategoryAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = [
        "name", "organisation", "position", figure("live", "Live questions"), "exam_questions", "exam_minutes",
        "pass_share",
    ]  # fmt: skip
    list_filter = ["organisation"]
    search_fields = ["name", "organisation__name"]
    list_select_related = ["organisation"]
    autocomplete_fields = ["organisation"]
    readonly_fields = ["created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(live=Count("questions", filter=Q(questions__retired_at=None)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Questions and attempts are of it."""
        return False

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        banks.save_category(category=obj)
