"""Saying which column of an uploaded table is which."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import ColumnsRefused, ImportMissing
from ..models import Import
from ..readers.headings import FIELDS
from ..services.columns import choose_columns, columns_of
from ..services.sources import changeable_source

WORDS = {
    "number": "Number of the notice",
    "title": "Title",
    "description": "Description",
    "buyer": "Buyer",
    "country": "Country",
    "cpv": "CPV",
    "value": "Value",
    "currency": "Currency",
    "published": "Date of publication",
    "deadline": "Deadline",
    "url": "Address of the notice",
    "language": "Language",
    "status": "Status",
    "region": "Region",
}


@page
@require_http_methods(["GET", "POST"])
@costly
def choose(request: PageRequest, import_id: UUID) -> HttpResponse:
    """Each heading with values below it and a choice of field; kept on the source, and the file is read again."""
    record = Import.objects.visible_to(request.user).select_related("source").filter(pk=import_id).first()
    if record is None:
        raise ImportMissing("There is no such import.")
    changeable_source(source_id=record.source_id, user=request.user)
    columns = columns_of(record)
    problem = ""
    chosen = [column.field for column in columns]
    if request.method == "POST":
        chosen = [request.POST.get(f"column-{at}", "") for at in range(len(columns))]
        try:
            mapping = _mapping([column.heading for column in columns], chosen)
            choose_columns(record=record, actor=request.user, mapping=mapping)
        except ColumnsRefused as error:
            problem = str(error)
        else:
            messages.success(request, "Kept. The file is read again.")
            return redirect("tenders:import", import_id)
    context = {
        "record": record,
        "rows": [{"column": column, "chosen": field} for column, field in zip(columns, chosen, strict=True)],
        "fields": [(field, WORDS[field]) for field in FIELDS],
        "problem": problem,
    }
    return render(request, "tenders/columns.html", context, status=422 if problem else 200)


def _mapping(headings: list[str], chosen: list[str]) -> dict[str, str]:
    """Raises ColumnsRefused where two columns are to be one field."""
    mapping: dict[str, str] = {}
    for heading, field in zip(headings, chosen, strict=True):
        if field in mapping:
            told = WORDS.get(field, field)
            raise ColumnsRefused(f"Two columns are chosen for “{told}”: {mapping[field]} and {heading}. Choose one.")
        if field:
            mapping[field] = heading
    return mapping
