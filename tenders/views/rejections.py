"""Records that could not be read: a source's list of them, and mending one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import RejectionMissing, StillUnreadable
from ..forms import MendForm
from ..models import Rejection, Source
from ..readers.notice import EXCERPT
from ..services.columns import as_table
from ..services.mending import read_again
from ..services.sources import visible_source

PAGE = 50


@page
@require_safe
def listing(request: PageRequest, source_id: UUID) -> HttpResponse:
    """Those still open, or all of them; the newest file first, in the order of the file."""
    source = visible_source(source_id=source_id, user=request.user)
    is_all = request.GET.get("show") == "all"
    rows = Rejection.objects.visible_to(request.user).filter(source=source).select_related("imported_by")
    rows = (rows if is_all else rows.open()).defer("raw").order_by("-imported_by__started_at", "imported_by", "number")
    context = {
        "source": source,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "is_all": is_all,
        "may_change": _may_change(request, source.pk),
    }
    return render(request, "tenders/rejections.html", context)


@page
@require_http_methods(["GET", "POST"])
@costly
def mend(request: PageRequest, rejection_id: int) -> HttpResponse:
    found = Rejection.objects.visible_to(request.user).select_related("source", "imported_by")
    rejection = found.filter(pk=rejection_id).first()
    if rejection is None:
        raise RejectionMissing("There is no such rejection.")
    if request.method == "POST":
        return _read(request, rejection)
    form = MendForm(initial={"text": as_table(rejection) or rejection.raw})
    return _shown(request, rejection, form)


def _read(request: PageRequest, rejection: Rejection) -> HttpResponse:
    form = MendForm(request.POST)
    if form.is_valid():
        try:
            record = read_again(rejection_id=rejection.pk, actor=request.user, text=form.cleaned_data["text"])
        except StillUnreadable as error:
            form.add_error("text", str(error))
        else:
            told = "a new tender" if record.created else "a change" if record.updated else "what was known already"
            messages.success(request, f"Read: it brought {told}.")
            return redirect("tenders:rejections", rejection.source_id)
    return _shown(request, rejection, form)


def _shown(request: PageRequest, rejection: Rejection, form: MendForm) -> HttpResponse:
    context = {
        "rejection": rejection,
        "form": form,
        "is_cut": len(rejection.raw) >= EXCERPT,
        "may_change": _may_change(request, rejection.source_id),
    }
    return render(request, "tenders/rejection.html", context, status=422 if form.is_bound else 200)


def _may_change(request: PageRequest, source_id: UUID) -> bool:
    return Source.objects.changeable_by(request.user).filter(pk=source_id).exists()
