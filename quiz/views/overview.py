"""Where one picks: categories with progress, what is due, what one knows least."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages import PageRequest, page

from ..exceptions import BadQuiz
from ..models import Attempt
from ..services import editions, learners, progress
from ..services.reviewing import due_cards, next_due_at

LATEST = 8
COUNTS = (5, 10, 20, 30, 50)


@page
@require_safe
def overview(request: PageRequest) -> HttpResponse:
    user = request.user
    latest = Attempt.objects.visible_to(user).select_related("category", "clause")
    latest = latest.defer("clause__text", "clause__search").order_by("-started_at")[:LATEST]
    context = {
        "categories": progress.categories_of(user),
        "due": due_cards(user).count(),
        "next_due_at": next_due_at(user),
        "weakest": progress.weakest_clauses(user),
        "latest": latest,
        "counts": COUNTS,
        "flagged": editions.flagged_count(actor=user),
    }
    return render(request, "quiz/overview.html", context)


@page
@require_safe
def leaderboard(request: PageRequest) -> HttpResponse:
    chosen = request.GET.get("category", "")
    try:
        category_id = UUID(chosen) if chosen else None
    except ValueError:
        category_id = None
    context = {
        "leaders": learners.leaders(request.user, category_id=category_id),
        "learner": learners.learner_of(request.user),
        "categories": [each.category for each in progress.categories_of(request.user)],
        "chosen": str(category_id or ""),
        "days": learners.DAYS,
    }
    return render(request, "quiz/leaderboard.html", context)


@page
@require_http_methods(["GET", "POST"])
def settings(request: PageRequest) -> HttpResponse:
    learner = learners.learner_of(request.user)
    if request.method == "GET":
        return render(request, "quiz/settings.html", {"learner": learner})
    alias = request.POST.get("alias", "")
    try:
        learners.change_learner(
            actor=request.user, is_on_leaderboard=request.POST.get("is_on_leaderboard") == "on", alias=alias
        )
    except BadQuiz as error:
        context = {"learner": learner, "alias": alias, "problem": str(error)}
        return render(request, "quiz/settings.html", context, status=422)
    messages.success(request, "Kept.")
    return redirect("quiz:settings")


@page
@require_POST
def goal(request: PageRequest, category_id: UUID) -> HttpResponse:
    text = request.POST.get("exam_on", "").strip()
    try:
        exam_on = date.fromisoformat(text) if text else None
    except ValueError:
        raise BadQuiz("Pick a day, such as 2027-03-01.") from None
    learners.set_goal(actor=request.user, category_id=category_id, exam_on=exam_on)
    messages.success(request, "The day of your exam is kept." if exam_on else "You have no day for this exam now.")
    return redirect("quiz:overview")
