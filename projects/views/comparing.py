"""Two documents side by side: proven to be the same budget, or what differs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pacing import count_call
from accounts.pages import PageRequest, page

from ..exceptions import Refused
from ..models import Document
from ..parsers.equality import Pair
from ..services.comparing import LISTED, Comparison, comparable_documents, compare_documents
from .states import opened

FIELD_LABELS = {
    "code": "Code",
    "description": "Description",
    "unit": "Unit",
    "quantity": "Quantity",
    "unit_price": "Unit price",
    "total": "Total",
    "kind": "Kind",
    "billing": "Counts as",
}


@page
@require_safe
def compare(request: PageRequest, project_id: UUID) -> HttpResponse:
    """?left=…&right=…: ids of documents, `left` of this project. Without both: the choice."""
    project, context = opened(request, project_id, tab="documents")
    documents = comparable_documents(user=request.user, project_id=project.pk)
    left, right = (_id(request, name) for name in ("left", "right"))
    own = [document for document in documents if document.project_id == project.pk]
    context |= {
        "own": own,
        "others": [document for document in documents if document.project_id != project.pk],
        "left_id": left or _first(own, 1),
        "right_id": right or _first(own, 0),
        "refused": "",
    }
    if left and right:
        count_call(request, user_id=request.user.pk, name="expensive")
        try:
            found = compare_documents(project_id=project.pk, left=left, right=right, user=request.user)
        except Refused as error:
            context["refused"] = str(error)
        else:
            context |= _shown(found)
    return render(request, "projects/compare.html", context, status=409 if context["refused"] else 200)


def _id(request: PageRequest, name: str) -> UUID | None:
    text = request.GET.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Refused("That is no document. Choose two from the lists.", code="invalid_parameter") from None


def _first(documents: list[Document], place: int) -> UUID | None:
    """By default the newest is compared with the one before."""
    return documents[place].pk if len(documents) > place else None


def _shown(found: Comparison) -> dict[str, Any]:
    equality = found.equality
    return {
        "comparison": found,
        "equality": equality,
        "verdict": found.verdict.value,
        "changed": [_pair(pair) for pair in equality.changed[:LISTED]],
        "moved": equality.moved[:LISTED],
        "only": [
            ("Only in the first", found.left, equality.only_left[:LISTED], len(equality.only_left)),
            ("Only in the second", found.right, equality.only_right[:LISTED], len(equality.only_right)),
        ],
        "listed": LISTED,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "left": pair.left,
        "right": pair.right,
        "fields": [
            {"label": FIELD_LABELS[name], "before": getattr(pair.left, name), "after": getattr(pair.right, name)}
            for name in pair.fields
        ],
    }
