"""Sources: where notices come from, how their runs went; fetching now, adding, changing and removing them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.exceptions import Refused
from accounts.pacing import costly
from accounts.pages import PageRequest, page
from jobs.outbound import AddressForbidden

from ..exceptions import SourceMissing, SourceRefused
from ..forms import SourceForm, UploadSourceForm
from ..models import Import, Source, Tender
from ..services import fetching, overview, removing
from ..services.access import acting_organisation, may_write
from ..services.columns import mapping_told
from ..services.sources import change_source, changeable_source, create_source

LISTED = 20


@page
@require_safe
def listing(request: PageRequest) -> HttpResponse:
    organisation = acting_organisation(request.user)
    sources = list(overview.sources_of(request.user))
    context = {
        "sources": sources,
        "jobs": overview.jobs_under_way([source.pk for source in sources], user=request.user),
        "next_run_at": overview.next_run_at(),
        "organisation": organisation,
        "may_write": may_write(request.user, organisation),
    }
    return render(request, "tenders/sources.html", context)


@page
@require_safe
def detail(request: PageRequest, source_id: UUID) -> HttpResponse:
    """Live while it is fetched, read or removed."""
    source = overview.sources_of(request.user).filter(pk=source_id).first()
    if source is None:
        raise SourceMissing("There is no such source.")
    imports = Import.objects.visible_to(request.user).filter(source=source).select_related("started_by")
    context = {
        "source": source,
        "job": overview.jobs_under_way([source.pk], user=request.user).get(source.pk),
        "next_run_at": overview.next_run_at() if source.is_scheduled else None,
        "imports": imports.order_by("-started_at")[:LISTED],
        "mapping": mapping_told(source),
        "may_change": Source.objects.changeable_by(request.user).filter(pk=source.pk).exists(),
    }
    return render(request, "tenders/source.html", context)


@page
@require_http_methods(["GET", "POST"])
def new(request: PageRequest) -> HttpResponse:
    """An https source of the organisation that one acts for."""
    form = SourceForm(request.POST or None)
    organisation = acting_organisation(request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data | {"kind": Source.Kind.URL}
        try:
            source = create_source(actor=request.user, values=values)
        except (SourceRefused, AddressForbidden) as error:
            _complain(form, error)
        else:
            messages.success(request, "Added. Fetch it now, or wait for the next hour if it is fetched by itself.")
            return redirect("tenders:source", source.pk)
    context = {"form": form, "organisation": organisation, "may_write": may_write(request.user, organisation)}
    return render(request, "tenders/source_edit.html", context, status=422 if form.is_bound else 200)


@page
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, source_id: UUID) -> HttpResponse:
    source = changeable_source(source_id=source_id, user=request.user)
    kind = SourceForm if source.kind == Source.Kind.URL else UploadSourceForm
    form = kind(request.POST or None, initial={name: getattr(source, name) for name in kind.base_fields})
    if request.method == "POST" and form.is_valid():
        try:
            change_source(source_id=source_id, actor=request.user, values=form.cleaned_data)
        except (SourceRefused, AddressForbidden) as error:
            _complain(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("tenders:source", source_id)
    context = {"form": form, "source": source, "may_write": True}
    return render(request, "tenders/source_edit.html", context, status=422 if form.is_bound else 200)


def _complain(form: forms.Form, error: Refused) -> None:
    form.add_error("name" if error.code == "source_exists" else "location", str(error))


@page
@require_POST
@costly
def sync(request: PageRequest, source_id: UUID) -> HttpResponse:
    """Fetch it now; its page shows how far it is."""
    fetching.start_sync(source_id=source_id, actor=request.user)
    return redirect("tenders:source", source_id)


@page
@require_http_methods(["GET", "POST"])
def remove(request: PageRequest, source_id: UUID) -> HttpResponse:
    """What would go, before it goes."""
    if request.method == "POST":
        job = removing.start_removal(source_id=source_id, actor=request.user)
        messages.success(request, f"{job.about} is being removed.")
        return redirect("tenders:sources")
    source = changeable_source(source_id=source_id, user=request.user)
    tenders = Tender.objects.filter(source=source)
    context: dict[str, Any] = {
        "source": source,
        "tenders": tenders.count(),
        "decided": tenders.filter(decisions__is_standing=True).distinct().count(),
        "imports": Import.objects.filter(source=source).count(),
    }
    return render(request, "tenders/source_remove.html", context)
