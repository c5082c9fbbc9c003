"""The run that reads an organisation's tenders: how far it is, what the model allows and costs; start and pause."""

from __future__ import annotations

from typing import Any, TypedDict

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

import ai
from accounts.exceptions import Refused
from accounts.pages import PageRequest, page
from jobs.models import Job
from jobs.services import counts_of

from ..services import comparing, modelling, runs
from ..services.access import acting_organisation, may_write, writing_organisation
from ..services.profiles import profile_of

_STATES = (Job.Status.QUEUED, Job.Status.RUNNING, Job.Status.RETRYING, Job.Status.COMPLETED, Job.Status.FAILED)


@page
@require_http_methods(["GET", "POST"])
def enrichment(request: PageRequest) -> HttpResponse:
    if request.method == "POST":
        return _act(request)
    organisation = acting_organisation(request.user)
    context: dict[str, Any] = {
        "organisation": organisation,
        "may_write": may_write(request.user, organisation),
        "profile": profile_of(organisation),
        "model": ai.state() if modelling.is_configured() else None,
        "takes_batches": modelling.takes_batches(),
    }
    if organisation is not None:
        standing = runs.standing(organisation.pk)
        context |= {
            "standing": standing,
            "grades": _grades(standing),
            "can_start": standing["unread"] or (context["model"] and standing["fell_back"]),
            "precision": [each for each in comparing.precision(organisation.pk) if each.judged],
            **_run(runs.latest_run(organisation.pk)),
        }
    return render(request, "tenders/enrichment.html", context)


class Grade(TypedDict):
    """`x` and `width`: where it stands in the bar, in percent of it."""

    name: str
    word: str
    count: int
    share: float | None
    x: str
    width: str


def _grades(standing: runs.Standing) -> list[Grade]:
    """What has been assessed, as a bar: the most relevant first. Nothing assessed: a bar without segments."""
    counts = {"high": standing["high"], "medium": standing["medium"], "low": standing["low"]}
    total, before = sum(counts.values()), 0
    found: list[Grade] = []
    for name, count in counts.items():
        x, width = (100 * before / total, 100 * count / total) if total else (0.0, 0.0)
        found.append(
            Grade(
                name=name,
                word=name.capitalize(),
                count=count,
                share=count / total if total else None,
                x=f"{x:.3f}%",
                width=f"{width:.3f}%",
            )
        )
        before += count
    return found


def _run(run: Job | None) -> dict[str, Any]:
    if run is None:
        return {"run": None}
    counts = counts_of(run.pk)
    states = [(status.value, str(status.label), counts.get(status, 0)) for status in _STATES]
    return {"run": run, "states": states, "total": sum(counts.values())}


def _act(request: PageRequest) -> HttpResponse:
    """Raises OnlyReads, NoOrganisation, Refused: `page` shows them."""
    writing_organisation(request.user)
    action = request.POST.get("action")
    if action == "pause":
        runs.pause(actor=request.user)
        messages.success(request, "Paused. What waits stays unread; the next run takes it.")
    elif action == "start":
        started = runs.start_by(
            actor=request.user,
            fell_back=bool(request.POST.get("fell_back")),
            mode="batch" if request.POST.get("mode") == "batch" else "single",
        )
        if not started["total_tenders"]:
            messages.info(request, "Everything has been read as it is.")
    else:
        raise Refused("There is no such action.", code="no_such_action")
    return redirect("tenders:enrichment")
