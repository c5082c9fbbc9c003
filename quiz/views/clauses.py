"""Clauses: found as one types, looked up, and practised."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..exceptions import BadQuiz, ClauseMissing
from ..services import consulting
from ..services.searching import LONGEST, MOST, search_clauses

MOST_SHOWN = 200


@page
@require_safe
def clauses(request: PageRequest) -> HttpResponse:
    """What the words find; of an `edition` what it begins with; else what is asked for most, and what one met lately.

    With htmx: what is found, alone.
    """
    words = request.GET.get("q", "").replace("\x00", "").strip()
    chosen = request.GET.get("edition", "")
    context: dict[str, Any] = {"q": words, "longest": LONGEST, "most": MOST}
    if words:
        context |= _found(request, words)
    elif chosen:
        context |= _contents(request, chosen)
    else:
        context |= {
            "editions": consulting.editions_of(request.user),
            "popular": consulting.asked_most(request.user),
            "lately": consulting.met_lately(request.user),
        }
    is_part = bool(request.htmx) and not request.htmx.history_restore_request
    return render(request, "quiz/_clauses_found.html" if is_part else "quiz/clauses.html", context)


@page
@require_safe
def clause(request: PageRequest, clause_id: UUID) -> HttpResponse:
    told = consulting.consult(user=request.user, clause_id=clause_id)
    return render(request, "quiz/clause.html", {"told": told, "clause": told.clause})


def _found(request: PageRequest, words: str) -> dict[str, Any]:
    """Half typed words count for nothing: what is opened counts."""
    try:
        return {"found": search_clauses(user=request.user, q=words, is_counted=False)}
    except BadQuiz:
        return {"found": [], "problem": f"Search with at most {LONGEST} characters."}


def _contents(request: PageRequest, chosen: str) -> dict[str, Any]:
    """ClauseMissing."""
    try:
        edition = consulting.editions_of(request.user).filter(pk=UUID(chosen)).first()
    except ValueError:
        edition = None
    if edition is None:
        raise ClauseMissing("There is no such edition of a standard, or another one is current.")
    return {"edition": edition, "contents": consulting.contents_of(request.user, edition)[:MOST_SHOWN]}
