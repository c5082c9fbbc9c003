"""The rules of the audit: what each checks, by which figures, an organisation's own figures, how often it is right."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Organisation
from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..audit.thresholds import merged
from ..exceptions import Refused
from ..models.findings import Role
from ..reference_forms import ThresholdForm
from ..services.precision import LEAST
from ..services.rule_overview import shown_rules
from ..services.thresholds import audit_again, member_organisation, own_thresholds, set_threshold, withdraw_threshold
from .answers import go


@page
@require_safe
def rules(request: PageRequest) -> HttpResponse:
    """Of the organisation one acts for. What is shown of a rule is the same for all but its figures and precision."""
    organisation, is_owner = member_organisation(user=request.user)
    return render(request, "projects/rules.html", _context(organisation, is_owner=is_owner))


def _context(organisation: Organisation, *, is_owner: bool) -> dict[str, Any]:
    shown = shown_rules(organisation)
    by_role = [(label, [one for one in shown if one.rule.role.value == role]) for role, label in Role.choices]
    own = own_thresholds(organisation_id=organisation.pk)
    return {
        "organisation": organisation,
        "is_owner": is_owner,
        "roles": [(label, found) for label, found in by_role if found],
        "number": len(shown),
        "own": own,
        "least": merged(own)[LEAST],
    }


@page
@require_POST
def set_one(request: PageRequest, name: str) -> HttpResponse:
    organisation, _ = member_organisation(user=request.user)
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        raise Refused(str(problem), code="threshold_refused")
    set_threshold(
        name=name,
        value=form.cleaned_data["value"],
        reason=form.cleaned_data["reason"],
        actor=request.user,
        organisation_id=organisation.pk,
    )
    return _again(request, f"{name} is yours now. Audits from now on go by it.", name)


@page
@require_POST
def withdraw_one(request: PageRequest, name: str) -> HttpResponse:
    organisation, _ = member_organisation(user=request.user)
    withdraw_threshold(name=name, actor=request.user, organisation_id=organisation.pk)
    return _again(request, f"{name} is what it was.", name)


@page
@require_POST
@costly
def audit_all(request: PageRequest) -> HttpResponse:
    organisation, _ = member_organisation(user=request.user)
    batch, number = audit_again(actor=request.user, organisation_id=organisation.pk)
    return go(request, f"{number} budgets are audited again.", _batch_page(batch.pk))


def _again(request: PageRequest, message: str, name: str) -> HttpResponse:
    """The page anew, where the rule stands. For htmx not by an address: one that differs by its fragment alone loads
    nothing."""
    messages.success(request, message)
    if request.htmx:
        return HttpResponseClientRefresh()
    return redirect(f"{reverse('projects:rules')}#rule-{name.partition('.')[0]}")


def _batch_page(batch_id: UUID) -> str:
    return reverse("jobs:detail", args=[batch_id])
