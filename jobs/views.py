"""The jobs pages."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.exceptions import Missing, PlumblineError
from accounts.models import User

from . import services
from .models import Job
from .registry import subject_url, title_of

PER_PAGE = 25
FILTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": ("All", ()),
    "active": ("Active", tuple(Job.ACTIVE)),
    "completed": ("Completed", (Job.Status.COMPLETED,)),
    "failed": ("Failed", (Job.Status.FAILED,)),
    "cancelled": ("Cancelled", (Job.Status.CANCELLED,)),
}


@login_required
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """One's own jobs and the organisation's, the latest first; children of batches are on their batch's page."""
    wanted = request.GET.get("status", "all")
    statuses = FILTERS.get(wanted, FILTERS["all"])[1]
    jobs = Job.objects.visible_to(request.user).top_level().without_payload().select_related("actor")
    if statuses:
        jobs = jobs.filter(status__in=statuses)
    page = Paginator(jobs, PER_PAGE).get_page(request.GET.get("page"))
    rows = _rows(request, list(page.object_list))
    return render(request, "jobs/list.html", {"page": page, "rows": rows, "filters": FILTERS, "wanted": wanted})


@login_required
@require_safe
def job_detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = Job.objects.visible_to(request.user).select_related("actor", "batch").filter(pk=job_id).first()
    if job is None:
        raise Http404
    children = Job.objects.filter(batch=job).without_payload().select_related("actor").order_by("created_at", "pk")
    page = Paginator(children, PER_PAGE).get_page(request.GET.get("page")) if job.is_batch else None
    context: dict[str, Any] = {
        "row": _rows(request, [job])[0],
        "job": job,
        "params": _pretty(job.params),
        "result": _pretty(job.result) if job.result is not None else "",
        "counts": services.counts_of(job.pk) if job.is_batch else {},
        "page": page,
        "rows": _rows(request, list(page.object_list)) if page else [],
    }
    return render(request, "jobs/detail.html", context)


@login_required
@require_POST
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _asked(request, job_id, services.cancel, "Cancelled, or will be at its next step.")


@login_required
@require_POST
def job_retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _asked(request, job_id, services.retry, "Queued again.")


def _asked(request: HttpRequest, job_id: UUID, service: Any, said: str) -> HttpResponse:
    try:
        service(job_id, cast(User, request.user))
    except Missing:
        raise Http404 from None
    except PlumblineError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("jobs:detail", job_id)


def _rows(request: HttpRequest, jobs: list[Job]) -> list[dict[str, Any]]:
    """What the templates draw of each job. One query, for who may change which."""
    changeable = set(
        Job.objects.changeable_by(request.user).filter(pk__in=[job.pk for job in jobs]).values_list("pk", flat=True)
    )
    return [
        {
            "job": job,
            "title": title_of(job.kind),
            "subject_url": subject_url(job.subject_type, job.subject_id),
            "may_cancel": job.is_active and job.pk in changeable and not job.cancel_requested_at,
            "may_retry": job.status in (Job.Status.FAILED, Job.Status.CANCELLED) and job.pk in changeable,
            "error": (job.error or {}).get("message", ""),
            "is_due": job.next_retry_at is not None and job.next_retry_at <= timezone.now(),
            "seconds": job.duration.total_seconds() if job.duration is not None else None,
        }
        for job in jobs
    ]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
