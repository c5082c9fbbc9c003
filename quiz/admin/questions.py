"""Questions as they are asked, with every wording they had; and the clauses that they cite."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import action, display

from accounts.admin_pages import ReadOnlyAdmin, figure, page_with

from ..models import Bank, Clause, Edition, Question, QuestionVersion, Standard
from ..practice.markup import bare_text, safe_html
from ..services import storing
from ..services.editing import MOST_WORDINGS, record_url
from .editor import EditorPages
from .forms import RetireForm, RetireManyForm


class LiveFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Asked"), ("retired", "Retired"), ("flagged", "Flagged")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Question]) -> QuerySet[Question]:
        if self.value() == "flagged":
            return rows.exclude(flag="")
        return rows if self.value() is None else rows.filter(retired_at__isnull=self.value() == "live")


@admin.register(Question)
class QuestionAdmin(EditorPages, ReadOnlyAdmin):
    list_display = [
        "external_id", "title", "show_stem", "show_kind", "category", "bank", "edition", "show_state", "updated_at",
    ]  # fmt: skip
    list_filter = [LiveFilter, "bank", "category", "edition", "current__kind"]
    search_fields = ["external_id", "title", "current__stem"]
    list_select_related = ["current", "category", "bank"]
    show_full_result_count = False
    exclude = ["source_hash"]
    readonly_fields = ["show_keeper", "show_preview", "show_citations", "show_versions"]
    actions = ["retire", "restore"]
    actions_detail = ["edit", "wordings", "retire_with_reason"]

    def has_keep_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("quiz.change_question")

    @display(description="Question")
    def show_stem(self, question: Question) -> str:
        current = question.current
        return bare_text(current.stem, current.markup)[:120] if current else "–"

    @display(description="Kind", ordering="current__kind")
    def show_kind(self, question: Question) -> str:
        return question.current.get_kind_display() if question.current else "–"

    @display(description="State", label={"Asked": "success", "Retired": "warning", "Flagged": "danger"})
    def show_state(self, question: Question) -> str:
        return "Retired" if question.retired_at else "Flagged" if question.flag else "Asked"

    @display(description="Kept")
    def show_keeper(self, question: Question) -> SafeString | str:
        if url := record_url(question):
            link = format_html('<a href="{}" target="_blank" rel="noopener" class="underline">its record</a>', url)
            return format_html("In Airtable, and changed there: {}. It comes here with the next sync.", link)
        if question.bank.kind == Bank.Kind.OWN:
            return "Here."
        if question.keeper_hash:
            return "It was edited here: importing its file again leaves it as it is, and tells what the file says."
        return "In its file. Edited here, it stays as it is when the file is imported again."

    @display(description="As it is asked")
    def show_preview(self, question: Question) -> SafeString | str:
        return preview(question.current) if question.current else "–"

    @display(description="Clauses")
    def show_citations(self, question: Question) -> SafeString | str:
        cited = question.citations.select_related("clause__edition__standard")
        told = ((each.as_written, each.clause, each.clause.edition) for each in cited)
        return format_html_join("", "<p>{}: {}, {}</p>", told) or "–"

    @display(description="Wordings")
    def show_versions(self, question: Question) -> SafeString:
        versions = question.versions.order_by("-number")[:MOST_WORDINGS]
        told = ((each.number, f"{each.created_at:%Y-%m-%d}", bare_text(each.stem, each.markup)) for each in versions)
        return format_html_join("", "<p>{} ({}): {}</p>", told)

    @admin.action(description="Retire the selected questions", permissions=["keep"])
    def retire(self, request: HttpRequest, rows: QuerySet[Question]) -> HttpResponse | None:
        """A page that asks why, which sends the same selection again."""
        form = RetireManyForm.of(request)
        if not form.is_valid():
            back = request.get_full_path()
            title = f"Retire {rows.count():,} questions? They are asked no more, and what was answered stays."
            return page_with(self, request, title=title, form=form, submit="Retire", back=back)
        ids = list(rows.values_list("pk", flat=True))
        count = storing.retire(question_ids=ids, reason=form.cleaned_data["reason"])
        messages.success(request, f"{count:,} retired: they are asked no more, and what was answered stays.")
        return None

    @admin.action(description="Ask the selected questions again", permissions=["keep"])
    def restore(self, request: HttpRequest, rows: QuerySet[Question]) -> None:
        count = storing.restore(question_ids=list(rows.values_list("pk", flat=True)))
        messages.success(request, f"{count:,} are asked again.")

    @action(description="Retire", url_path="retire", permissions=["keep"])
    def retire_with_reason(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = self.get_object(request, object_id)
        if question is None:
            return redirect("admin:quiz_question_changelist")
        back = reverse("admin:quiz_question_change", args=[object_id])
        form = RetireForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            storing.retire(question_ids=[question.pk], reason=form.cleaned_data["reason"])
            messages.success(request, "It is asked no more.")
            return redirect(back)
        return page_with(self, request, title=f"Retire {question}?", form=form, submit="Retire", back=back)


def preview(version: QuestionVersion) -> SafeString:
    """The wording with its answer, made safe as learners' pages make it."""

    def shown(text: str) -> SafeString:
        return mark_safe(safe_html(text, version.markup))  # noqa: S308 - that is what safe_html is for

    body = version.body
    lines: list[tuple[Any, Any, Any]]
    lines = [(each["share"], shown(each["text"]), shown(each.get("feedback", ""))) for each in body.get("choices", [])]
    lines += [(each["share"], each["text"], shown(each.get("feedback", ""))) for each in body.get("accepted", [])]
    lines += [(each["share"], f"{each['low']} to {each['high']}", "") for each in body.get("ranges", [])]
    lines += [(each["left"], shown(each["right"]), "") for each in body.get("pairs", [])]
    lines += [(number, shown(each["text"]), "") for number, each in enumerate(body.get("sequence", []), 1)]
    cells = '<tr><td class="pr-6 py-1">{}</td><td class="pr-6 py-1">{}</td><td class="py-1">{}</td></tr>'
    table = format_html("<table>{}</table>", format_html_join("", cells, lines))
    return format_html("<div>{}{}<p>{}</p></div>", shown(version.stem), table, shown(version.explanation))


@admin.register(Standard)
class StandardAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "organisation", "created_at"]
    search_fields = ["code", "title"]
    list_select_related = ["organisation"]


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    list_display = ["standard", "name", "published_on", "is_current"]
    list_filter = ["is_current", "standard"]
    search_fields = ["standard__code", "name"]
    list_select_related = ["standard"]


@admin.register(Clause)
class ClauseAdmin(ReadOnlyAdmin):
    list_display = ["number", "title", "edition", figure("popularity", "Asked for")]
    list_filter = ["edition"]
    search_fields = ["number__startswith", "title"]
    list_select_related = ["edition__standard"]
    show_full_result_count = False
    exclude = ["search"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Clause]:
        rows: QuerySet[Clause] = super().get_queryset(request)
        return rows.defer("search")
