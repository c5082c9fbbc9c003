"""The operations page: what is going on, whether something needs attention, and what to do about it; live.

The page is drawn once by the server; a script fetches the same parts every two seconds and changes what has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.exceptions import PlumblineError
from accounts.models import User

from ..services import cancel
from ..services.again import retry_failed
from ..services.overview import Overview, alarms_of, overview
from ..services.overview.reading import forget
from ..services.overview.shapes import ProcessState, RunningJob
from ..services.overview.words import count
from .guide import sections

VIEW, CHANGE = "jobs.view_job", "jobs.change_job"
TITLE = "Operations"

Card = Callable[[], tuple[str, dict[str, Any]] | None]
_cards: list[Card] = []


def add_card(card: Card) -> None:
    """What another app shows here: `card()` gives a template and its context, or None for now. Raises nothing. The
    template is a `section` with an id, `class="ops-card"` and `data-part`."""
    if card not in _cards:
        _cards.append(card)


def may_see(request: HttpRequest) -> bool:
    """Also decides whether the sidebar and the start page link here."""
    return bool(request.user.is_active and request.user.is_staff and request.user.has_perm(VIEW))


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    _require(request, VIEW)
    context = {**admin.site.each_context(request), "title": TITLE, **shown(request)}
    return render(request, "admin/jobs/operations.html", context)


@never_cache
@require_safe
def parts(request: HttpRequest) -> HttpResponse:
    """The page's content alone, for its script."""
    _require(request, VIEW)
    return render(request, "admin/jobs/_operations.html", shown(request))


@never_cache
@require_safe
def headline(request: HttpRequest) -> HttpResponse:
    """One line, for the admin's start page."""
    _require(request, VIEW)
    return render(request, "admin/jobs/_headline.html", {"alarms": alarms_of(overview())})


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """What each alarm means and what to do, from docs/operations.md."""
    _require(request, VIEW)
    context = {**admin.site.each_context(request), "title": "What to do about alarms", "sections": sections()}
    return render(request, "admin/jobs/guide.html", context)


@require_POST
def cancel_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    _require(request, CHANGE)
    try:
        job = cancel(job_id, cast(User, request.user))
    except PlumblineError as error:
        return _said(request, str(error), messages.WARNING)
    ended = not job.is_active
    return _said(request, "Cancelled." if ended else "It will stop at its next step.", messages.SUCCESS)


@require_POST
def retry_group(request: HttpRequest) -> HttpResponse:
    """Form: kind, code."""
    _require(request, CHANGE)
    kind, code = request.POST.get("kind", ""), request.POST.get("code", "")
    done = retry_failed(kind=kind, code=code, actor=cast(User, request.user))
    words = f"{count(done.queued, 'job')} queued again."
    if done.left:
        words += f" {done.left:,} more failed for this reason: press again for the next ones."
    if done.refused:
        words += f" {len(done.refused)} not: {done.refused[0]}"
    return _said(request, words, messages.WARNING if done.refused or not done.queued else messages.SUCCESS)


def shown(request: HttpRequest) -> dict[str, Any]:
    """What the templates draw. No query of its own beside the overview's and those of the cards."""
    seen = overview()
    alarms = alarms_of(seen)
    running = {str(job.id): job for job in seen.running.value or ()}
    return {
        "seen": seen,
        "alarms": alarms,
        "urgent": any(alarm.severity == "urgent" for alarm in alarms),
        "processes": [(process, _busy(process, running)) for process in seen.processes.value or ()],
        "more_running": _more_running(seen),
        "minutes": [[f"{m.at:%H:%M}", m.completed, m.failed] for m in seen.minutes.value or ()],
        "busiest": max((m.completed + m.failed for m in seen.minutes.value or ()), default=0),
        "cards": [made for card in _cards if (made := card()) is not None],
        "may_change": request.user.has_perm(CHANGE),
    }


def _busy(process: ProcessState, running: dict[str, RunningJob]) -> list[tuple[str, str]]:
    """(number of the job, what it is) of the jobs at hand; the number alone where the list of running jobs is cut.

    A process that is gone is at nothing: what it had runs elsewhere by now, or is about to.
    """
    if not process.is_alive:
        return []
    return [(job_id, running[job_id].title if job_id in running else job_id[:8]) for job_id in process.busy_with[:3]]


def _more_running(seen: Overview) -> int:
    listed = sum(not job.is_batch for job in seen.running.value or ())
    return max(0, seen.work.value.running - listed) if seen.work.value else 0


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied("This page is for staff who may see jobs.")


def _said(request: HttpRequest, words: str, level: int) -> HttpResponse:
    """To the page's script in JSON; else by Django's messages, back on the page."""
    forget()
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"message": words, "good": level == messages.SUCCESS})
    messages.add_message(request, level, words)
    return redirect("operations:page")
