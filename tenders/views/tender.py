"""A tender's page: what is asked for, how it changed, what it means to the firm, and what the firm decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Organisation
from accounts.pages import PageRequest, page

from ..exceptions import DecisionRefused
from ..forms import DecisionForm
from ..models import Decision, Score, Tender, TenderRelease
from ..services.access import acting_organisation, may_write, visible_tender
from ..services.decisions import bid_on, decide, say_useful, withdraw
from ..services.duplicates import published_also
from ..services.history import timeline
from ..services.profiles import profile_of
from ..services.readings import latest_reading
from ..services.similar import similar_to
from .documents import shown_documents

MOST_DECISIONS = 30


@page
@require_safe
def detail(request: PageRequest, tender_id: UUID) -> HttpResponse:
    tender = visible_tender(tender_id=tender_id, user=request.user)
    return render(request, "tenders/detail.html", _context(request, tender))


def _context(request: PageRequest, tender: Tender, form: DecisionForm | None = None) -> dict[str, Any]:
    organisation = acting_organisation(request.user)
    # The same set that decides what may be seen, so that this page can't show more than its list.
    published = TenderRelease.objects.visible_to(request.user).filter(tender=tender)
    releases = published.order_by(F("published_at").asc(nulls_first=True), "id")  # as they are merged
    decisions = _decisions(tender, organisation)
    standing = decisions["standing"]
    return {
        "tender": tender,
        "steps": timeline(list(releases))[::-1],
        "also": (also := published_also(tender, user=request.user)),
        "similar": similar_to(tender, user=request.user, without=[other.pk for other in also]),
        "organisation": organisation,
        "may_write": may_write(request.user, organisation),
        "form": form,
        "chosen": form["choice"].value() if form else standing and standing.choice,
        **_assessment(tender, organisation),
        **shown_documents(tender, organisation),
        **decisions,
    }


def _assessment(tender: Tender, organisation: Organisation | None) -> dict[str, Any]:
    """Of the firm, if there is one. `is_outdated`: the profile says something else since."""
    score = Score.objects.filter(tender=tender, organisation=organisation).select_related("enrichment").first()
    profile = profile_of(organisation)
    reading = latest_reading(tender, organisation.pk if organisation else None, score)
    told = {"profile": profile, "reading": reading, "is_being_read": reading is not None and reading.is_active}
    if score is None:
        return {"score": None, **told}
    result = score.enrichment.result
    factors = sorted(
        result.get("factors", []), key=lambda factor: abs(float(factor.get("contribution") or 0)), reverse=True
    )
    return {
        "score": score,
        "result": result,
        "factors": factors,
        **told,
        "is_outdated": profile is not None and score.profile_revision != profile.revision,
    }


def _decisions(tender: Tender, organisation: Organisation | None) -> dict[str, Any]:
    made = Decision.objects.filter(tender=tender, organisation=organisation).select_related("by", "project")
    history = list(made.order_by("-at")[:MOST_DECISIONS])
    return {"history": history, "standing": next((made for made in history if made.is_standing), None)}


@page
@require_POST
def decision(request: PageRequest, tender_id: UUID) -> HttpResponse:
    tender = visible_tender(tender_id=tender_id, user=request.user)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            if form.cleaned_data["choice"] == DecisionForm.NONE:
                withdraw(tender_id=tender_id, actor=request.user)
                messages.success(request, "Nothing is decided any more. The history stays.")
            else:
                made = decide(tender_id=tender_id, actor=request.user, **form.cleaned_data)
                messages.success(request, f"Decided: {made.get_choice_display().lower()}.")
            return redirect(_at(tender, "decision"))
        except DecisionRefused as error:
            form.add_error("reason" if error.code == "reason_missing" else None, str(error))
    return render(request, "tenders/detail.html", _context(request, tender, form), status=422)


@page
@require_POST
def bid(request: PageRequest, tender_id: UUID) -> HttpResponse:
    """To the project that is opened for it, or was."""
    project = bid_on(tender_id=tender_id, actor=request.user, reason=request.POST.get("reason", "")[:4000])
    messages.success(request, "This is the project of the bid. Drop the bill of quantities here.")
    return redirect("projects:detail", project.pk)


@page
@require_POST
def useful(request: PageRequest, tender_id: UUID) -> HttpResponse:
    tender = visible_tender(tender_id=tender_id, user=request.user)
    said = {"yes": True, "no": False}.get(request.POST.get("useful", ""))
    if say_useful(tender_id=tender_id, actor=request.user, is_useful=said):
        messages.success(request, "Noted." if said is not None else "Taken back.")
    return redirect(_at(tender, "relevance"))


def _at(tender: Tender, part: str) -> str:
    return f"{reverse('tenders:detail', args=[tender.pk])}#{part}"
