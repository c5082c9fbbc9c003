"""Item analysis: every question's figures, its page, the chart's points, a file, and "run now"."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import PageRequest, page

from ..services import analysing
from ..services import item_statistics as items
from ..statistics import FEWEST, FEWEST_OTHERS, FLAGS

PAGE = 25
# A spreadsheet takes a text that begins so for a formula (OWASP: CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
WIDTH = 200  # of a bar, in the units of its drawing


@page
@require_safe
def analysis(request: PageRequest) -> HttpResponse:
    wish = items.wish_of(request.GET)
    shown = Paginator(items.found(user=request.user, wish=wish), PAGE).get_page(request.GET.get("page"))
    banks, categories = items.choices_of_filters(user=request.user)
    context: dict[str, Any] = {
        "page_obj": shown,
        "rows": [{"row": row, "flags": items.flags_told(row)} for row in shown],
        "summary": items.summary(user=request.user, wish=wish),
        "exams": items.exams(user=request.user, wish=wish),
        "wish": wish,
        "banks": banks,
        "categories": categories,
        "flags": FLAGS.values(),
        "sorts": {key: words for key, (words, _) in items.SORTS.items()},
        "states": items.STATES,
        "fewest": FEWEST,
        "fewest_others": FEWEST_OTHERS,
        "query": request.GET.urlencode(),
        "job": analysing.under_way(),
    }
    return render(request, "quiz/analysis.html", context)


@page
@require_safe
def points(request: PageRequest) -> HttpResponse:
    """Facility against discrimination, a point for each question, leading to its page."""
    told = items.points(user=request.user, wish=items.wish_of(request.GET))
    for each in told:
        each["url"] = reverse("quiz:analysis-item", args=[each["id"]])
        each["flags"] = [FLAGS[code].word for code in each["flags"] if code in FLAGS]
    return JsonResponse({"points": told})


@page
@require_safe
def item(request: PageRequest, version_id: UUID) -> HttpResponse:
    row = items.one(user=request.user, version_id=version_id)
    lines = [{"line": line, "bars": [round(share * WIDTH, 1) for share in line.shares]} for line in items.lines_of(row)]
    context = {
        "row": row,
        "version": row.version,
        "question": row.version.question,
        "is_current": row.version.question.current_id == row.pk,
        "flags": items.flags_told(row),
        "lines": lines,
        "width": WIDTH,
        "others": items.other_wordings(row),
        "fewest": FEWEST,
        "fewest_others": FEWEST_OTHERS,
    }
    return render(request, "quiz/analysis_item.html", context)


@page
@require_safe
def table(request: PageRequest) -> HttpResponseBase:
    """The same rows as the list, all of them, written as they are read."""
    rows = items.table(user=request.user, wish=items.wish_of(request.GET))
    answer = StreamingHttpResponse(_written(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="item-analysis.csv"'
    return answer


@page
@require_POST
def run(request: PageRequest) -> HttpResponse:
    """Back to the list, which shows how far it is."""
    analysing.start_analysis(actor=request.user)
    messages.info(request, "The analysis is under way.")
    return redirect("quiz:analysis")


class _Line:
    """What csv writes into: gives the line back."""

    def write(self, line: str) -> str:
        return line


def _written(rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield "\ufeff"  # by which Excel knows UTF-8
    yield writer.writerow(items.HEADINGS)
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return f"'{text}" if text.lstrip().startswith(FORMULA) else text
    return "" if value is None else value
