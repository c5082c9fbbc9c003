"""Price catalogues and price indices: what there is, importing more, and choosing them for a project."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..models import Project
from ..reference_forms import CatalogueForm, PriceIndexForm, ReferencesForm
from ..services.access import editable_project
from ..services.blank import choices_for
from ..services.catalogue_uploads import may_import_for_all, recent_imports, upload_catalogue, upload_price_index
from ..services.catalogues import editions_of, series_known
from ..services.choosing import choose_references
from ..services.thresholds import member_organisation
from .answers import go
from .states import opened


@page
@require_safe
def catalogues(request: PageRequest) -> HttpResponse:
    return render(request, "projects/catalogues.html", _context(request))


def _context(request: PageRequest, **forms: Any) -> dict[str, Any]:
    organisation, is_owner = member_organisation(user=request.user)
    for_all = may_import_for_all(request.user)
    return {
        "organisation": organisation,
        "may_import": is_owner or for_all,
        "editions": editions_of(organisation_id=organisation.pk),
        "series": series_known(organisation_id=organisation.pk),
        "imports": recent_imports(organisation_id=organisation.pk, actor=request.user),
        "catalogue_form": CatalogueForm(for_all=for_all),
        "index_form": PriceIndexForm(for_all=for_all),
    } | forms


@page
@require_POST
@costly
def import_catalogue(request: PageRequest) -> HttpResponse:
    organisation, _ = member_organisation(user=request.user)
    form = CatalogueForm(request.POST, request.FILES, for_all=may_import_for_all(request.user))
    if not form.is_valid():
        return render(request, "projects/catalogues.html", _context(request, catalogue_form=form), status=422)
    values = dict(form.cleaned_data)
    file = values.pop("file")
    upload_catalogue(
        file=file,
        filename=file.name or "",
        size=file.size or 0,
        actor=request.user,
        organisation_id=organisation.pk,
        **values,
    )
    return go(request, f"{file.name} is being read.", reverse("projects:catalogues"))


@page
@require_POST
@costly
def import_index(request: PageRequest) -> HttpResponse:
    organisation, _ = member_organisation(user=request.user)
    form = PriceIndexForm(request.POST, request.FILES, for_all=may_import_for_all(request.user))
    if not form.is_valid():
        return render(request, "projects/catalogues.html", _context(request, index_form=form), status=422)
    values = dict(form.cleaned_data)
    file = values.pop("file")
    upload_price_index(
        file=file,
        filename=file.name or "",
        size=file.size or 0,
        actor=request.user,
        organisation_id=organisation.pk,
        **values,
    )
    return go(request, f"{file.name} is being read.", reverse("projects:catalogues"))


@page
@require_http_methods(["GET", "POST"])
def references(request: PageRequest, project_id: UUID) -> HttpResponse:
    """What the project's audits compare its budget with."""
    project, context = opened(request, project_id, tab="settings")
    form = _references_form(project, request)
    if request.method == "POST":
        editable_project(project_id=project_id, user=request.user)
        if form.is_valid():
            _, is_changed = choose_references(project_id=project_id, actor=request.user, **form.chosen())
            message = "Saved. The budget is audited anew." if is_changed and project.version_number else "Saved."
            return go(request, message, reverse("projects:audit", args=[project_id]))
    status = 422 if form.is_bound else 200
    return render(request, "projects/references.html", context | {"form": form}, status=status)


def _references_form(project: Project, request: PageRequest) -> ReferencesForm:
    choices: dict[str, Any] = {
        "editions": editions_of(organisation_id=project.organisation_id),
        "series": series_known(organisation_id=project.organisation_id),
        "documents": choices_for(project=project),
    }
    if request.method == "POST":
        return ReferencesForm(request.POST, project=project, **choices)
    return ReferencesForm(project=project, **choices)
