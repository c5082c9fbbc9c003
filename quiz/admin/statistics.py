"""What the item analysis found, and running it now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from accounts.admin_pages import CELL, ReadOnlyAdmin, figure, page_with
from accounts.exceptions import PlumblineError
from accounts.pages import actor_of

from ..models import ExamStatistics, ItemStatistics
from ..practice.markup import bare_text
from ..services import analysing, item_statistics
from ..statistics import FLAGS


class FlagFilter(admin.SimpleListFilter):
    title = "what to look at"
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(flag.code, flag.word) for flag in FLAGS.values()]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        return rows.filter(flags__contains=[self.value()]) if self.value() else rows


@admin.register(ItemStatistics)
class ItemStatisticsAdmin(ReadOnlyAdmin):
    list_display = [
        "show_question", "show_stem", figure("answers", "First answers"), "show_facility", figure("ranked", "Ranked"),
        "show_discrimination", "show_item_total", "show_flags", "analysed_at",
    ]  # fmt: skip
    list_filter = [FlagFilter, "version__question__bank", "version__question__category"]
    search_fields = ["version__question__external_id", "version__stem"]
    list_select_related = ["version__question"]
    show_full_result_count = False
    fields = [
        "version", "answers", "facility", "ranked", "discrimination", "item_total", "median_seconds", "show_flags",
        "show_page", "analysed_at",
    ]  # fmt: skip
    readonly_fields = ["show_flags", "show_page"]
    actions_list = ["analyse_now"]

    def has_analyse_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("quiz.view_itemstatistics")

    @display(description="Question", ordering="version__question__external_id")
    def show_question(self, row: ItemStatistics) -> str:
        return row.version.question.external_id

    @display(description="Wording")
    def show_stem(self, row: ItemStatistics) -> str:
        return bare_text(row.version.stem, row.version.markup)[:100]

    @display(description="Facility", ordering="facility")
    def show_facility(self, row: ItemStatistics) -> SafeString:
        return _two(row.facility)

    @display(description="Discrimination", ordering="discrimination")
    def show_discrimination(self, row: ItemStatistics) -> SafeString:
        return _two(row.discrimination)

    @display(description="Item-total r", ordering="item_total")
    def show_item_total(self, row: ItemStatistics) -> SafeString:
        return _two(row.item_total)

    @display(description="To look at (heuristics)")
    def show_flags(self, row: ItemStatistics) -> str:
        return ", ".join(flag.word for flag in item_statistics.flags_told(row)) or "–"

    @display(description="Who took which choice")
    def show_page(self, row: ItemStatistics) -> SafeString:
        address = reverse("quiz:analysis-item", args=[row.pk])
        return format_html('<a href="{}">Its page of the item analysis</a>', address)

    @action(description="Analyse now", url_path="analyse", permissions=["analyse"])
    def analyse_now(self, request: HttpRequest) -> HttpResponse:
        """Then to the page of the analysis, which shows how far it is."""
        if request.method != "POST":
            title, back = "Analyse all first answers now?", reverse("admin:quiz_itemstatistics_changelist")
            return page_with(self, request, title=title, form=forms.Form(), submit="Analyse", back=back)
        try:
            analysing.start_analysis(actor=actor_of(request))
        except PlumblineError as error:
            messages.error(request, str(error))
        return redirect("quiz:analysis")


@admin.register(ExamStatistics)
class ExamStatisticsAdmin(ReadOnlyAdmin):
    list_display = [
        "category", "show_kr20", figure("people", "People"), figure("questions", "Questions"), figure("forms", "Forms"),
        "why_none", "analysed_at",
    ]  # fmt: skip
    search_fields = ["category__name"]
    list_select_related = ["category"]

    @display(description="KR-20", ordering="kr20")
    def show_kr20(self, row: ExamStatistics) -> SafeString:
        return _two(row.kr20)


def _two(value: float | None) -> SafeString:
    return format_html(CELL, "–" if value is None else f"{value:.2f}")
