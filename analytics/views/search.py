"""The answer page: a question, its answer with sources, and everything else that was found."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import count_call
from accounts.pages import PageRequest, page
from config.api.throttles import TooManyCalls

from ..exceptions import BadQuestion
from ..registry import sources
from ..services import answering, searching

MOST = 30


@page
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """With a question: its answer, unless a model is to be asked, which the page then does by itself."""
    question = request.GET.get("q", "").replace("\x00", "").strip()
    chosen = request.GET.get("type", "")[:20].replace("\x00", "")
    types = {source.entity_type: source.label for source in sources()}
    context: dict[str, Any] = {
        "q": question,
        "chosen": chosen,
        "types": types.items(),
        "longest": answering.LONGEST,
        "is_model_asked": answering.is_model_asked(),
    }
    if question:
        context |= _found(request, question, chosen)
    return render(request, "analytics/search.html", context)


@page
@require_POST
def answer(request: PageRequest) -> HttpResponse:
    """The answer alone, for htmx. Counted as expensive where a model is asked; who has asked too often gets the passage
    alone. BadQuestion."""
    has_model = not answering.is_model_asked() or _is_allowed(request)
    answered = answering.answer(user=request.user, question=request.POST.get("q", ""), has_model=has_model)
    return render(request, "analytics/_answer.html", {"answered": answered})


def _found(request: PageRequest, question: str, chosen: str) -> dict[str, Any]:
    try:
        found = searching.search(
            user=request.user,
            q=question[: searching.LONGEST],
            entity_type=chosen,
            limit=MOST,
            is_half_typed=not question.endswith("?"),  # what the box has shown while it was typed is here, too
        )
        answered = None
        if not chosen and not answering.is_model_asked():
            answered = answering.answer(user=request.user, question=question, is_signal=request.method == "GET")
    except BadQuestion:
        return {"problem": f"Ask with 1 to {answering.LONGEST:,} characters."}
    return {"found": found, "answered": answered}


def _is_allowed(request: PageRequest) -> bool:
    try:
        count_call(request, user_id=request.user.pk, name="expensive")
    except TooManyCalls:
        return False
    return True
