"""The jobs pages."""

from __future__ import annotations

import json
from functools import partial
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

from . import connections, services
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
    context: dict[str, Any] = {
        "row": _rows(request, [job])[0],
        "job": job,
        "params": _pretty(job.params),
        "result": _pretty(job.result) if job.result is not None else "",
    }
    if job.is_batch:
        return render(request, "jobs/batch.html", context | _children(request, job))
    return render(request, "jobs/detail.html", context)


def _children(request: HttpRequest, batch: Job) -> dict[str, Any]:
    """How a batch's children stand, why some failed, and a page of those in the wanted state."""
    counts = services.counts_of(batch.pk)
    wanted, code = request.GET.get("state", ""), request.GET.get("code", "")
    children = Job.objects.filter(batch=batch).without_payload().select_related("actor").order_by("created_at", "pk")
    if wanted in Job.Status.values:
        children = children.filter(status=wanted)
    if code:
        children = children.filter(error__code=code)
    page = Paginator(children, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "kind": title_of(str(batch.params.get("kind", ""))),
        "states": [(status.value, str(status.label), counts.get(status, 0)) for status in Job.Status],
        "total": sum(counts.values()),
        "failures": Job.objects.filter(batch=batch).failures() if counts.get(Job.Status.FAILED) else [],
        "wanted": wanted,
        "wanted_code": code,
        "page": page,
        "rows": _rows(request, list(page.object_list)),
    }


@login_required
@require_POST
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _asked(request, job_id, services.cancel, "Cancelled, or will be at its next step.")


@login_required
@require_POST
def job_retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """With `only_failed` a batch's cancelled children stay as they are."""
    again = partial(services.retry, only_failed="only_failed" in request.POST)
    return _asked(request, job_id, again, "Queued again.")


def _asked(request: HttpRequest, job_id: UUID, service: Any, said: str) -> HttpResponse:
    try:
        service(job_id, cast(User, request.user))
    except Missing:
        raise Http404 from None
    except PlumblineError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
        if notice := connections.notice():
            messages.warning(request, notice)
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
            "failed": _stopped(job, Job.Status.FAILED) if job.pk in changeable else 0,
            "cancelled": _stopped(job, Job.Status.CANCELLED) if job.pk in changeable else 0,
            "error": (job.error or {}).get("message", ""),
            "is_due": job.next_retry_at is not None and job.next_retry_at <= timezone.now(),
            "seconds": job.duration.total_seconds() if job.duration is not None else None,
        }
        for job in jobs
    ]


def _stopped(batch: Job, status: str) -> int:
    """Children of a batch in the state, as it was last counted: what a button would run again. Of a job: none."""
    return int(batch.detail.get(status) or 0) if batch.is_batch else 0


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
