"""An attempt: started, answered question by question, and its results."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import PageRequest, page

from ..exceptions import BadQuiz
from ..exchange.item import Kind
from ..services import attempts
from ..services.drawing import DEFAULT
from ..services.presenting import attempt_out, questions_out
from ..services.reviewing import due_by_category, due_cards, next_due_at


@page
@require_POST
def start(request: PageRequest) -> HttpResponse:
    wish = request.POST
    try:
        category_id = UUID(wish["category"]) if wish.get("category") else None
        clause_id = UUID(wish["clause"]) if wish.get("clause") else None
        count = int(wish.get("count") or DEFAULT)
    except ValueError:
        raise BadQuiz("Pick a category and a number of questions.") from None
    attempt, _ = attempts.start(
        actor=request.user,
        mode=wish.get("mode", ""),
        category_id=category_id,
        clause_id=clause_id,
        count=count,
        level=wish.get("difficulty", ""),
    )
    return redirect("quiz:attempt", attempt.pk)


@page
@require_safe
def review(request: PageRequest) -> HttpResponse:
    """The queue: what is due, and when more comes."""
    cards = due_cards(request.user)
    shown = cards.select_related("question__current", "question__category")[:50]
    by_category = due_by_category(request.user)
    context = {
        "due": sum(each.due for each in by_category),
        "by_category": by_category,
        "cards": shown,
        "next_due_at": next_due_at(request.user),
    }
    return render(request, "quiz/review.html", context)


@page
@never_cache
@require_safe
def attempt(request: PageRequest, attempt_id: UUID) -> HttpResponse:
    """While it goes on, all its questions, for the script that asks them; afterwards its results."""
    found = attempts.look(actor=request.user, attempt_id=attempt_id)
    told = attempt_out(found)
    questions = questions_out(found, user=request.user)
    context: dict[str, Any] = {"attempt": found}
    if found.submitted_at is not None:
        right = sum(each["result"]["is_right"] for each in questions)
        return render(
            request,
            "quiz/result.html",
            context | {"questions": [_with_options(each) for each in questions], "right": right},
        )
    base = f"/api/quiz/attempts/{found.pk}"
    sitting = {
        "attempt": told,
        "questions": questions,
        "urls": {
            "answers": f"{base}/answers",
            "submit": f"{base}/submit",
            "result": reverse("quiz:attempt", args=[found.pk]),
            "clauses": reverse("quiz:clauses"),
            "signIn": reverse("account_login"),
        },
    }
    return render(request, "quiz/attempt.html", context | {"sitting": sitting})


def _with_options(question: dict[str, Any]) -> dict[str, Any]:
    """Beside each choice whether it was taken and whether it is right; pairs and orders as lines of words."""
    given, right = question["given"] or {}, question["result"]["right"]
    kind = question["kind"]
    out: dict[str, Any] = {"is_partly": question["result"]["share"] > 0 and not question["result"]["is_right"]}
    if "choices" in question:
        taken = given.get("choices", []) + ([given["choice"]] if "choice" in given else [])
        out["options"] = [
            {"text": each["text"], "is_given": each["id"] in taken, "is_right": each["id"] in right["choices"]}
            for each in question["choices"]
        ]
    elif kind == Kind.MATCHING:
        texts = {each["id"]: each["text"] for each in question["rights"]}
        out["pairs"] = [
            {
                "left": left["text"],
                "given": texts.get(given.get("pairs", {}).get(left["id"], ""), ""),
                "right": texts[right["pairs"][left["id"]]],
            }
            for left in question["lefts"]
        ]
    elif kind == Kind.ORDERING:
        texts = {each["id"]: each["text"] for each in question["parts"]}
        out["given_order"] = [texts[one] for one in given.get("sequence", [])]
        out["right_order"] = [texts[one] for one in right["sequence"]]
    else:
        out |= {"given_text": given.get("text", ""), "right_texts": right["texts"]}
    return question | out
