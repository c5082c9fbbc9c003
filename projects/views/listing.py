"""The list of projects, and the two ways to begin one: a form, or a dropped bill."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership
from accounts.pacing import costly
from accounts.pages import PageRequest, page, wants_json

from ..exceptions import Refused
from ..forms import ProjectForm
from ..ifc.container import is_model
from ..models import Project
from ..services.documents import upload_document
from ..services.opening import open_project
from .states import ShownJob, active_jobs, projects_with_failures, shown_status

PAGE = 24
# What a person looks for, and which projects that is.
STATUSES: dict[str, tuple[str, Q]] = {
    "running": ("Under way", Q(status__in=["parsing", "enriching", "auditing"])),
    "audited": ("Audited", Q(audited_version=F("version_number"), version_number__gt=0)),
    "red": ("With red findings", Q(count_red__gt=0)),
    "empty": ("Without a bill", Q(version_number=0)),
    "archived": ("Archived", Q(status="archived")),
}


@page
@require_safe
def project_list(request: PageRequest) -> HttpResponse:
    chosen = _chosen(request.GET)
    projects = _found(Project.objects.visible_to(request.user), chosen)
    shown = Paginator(projects.select_related("organisation"), PAGE).get_page(request.GET.get("page"))
    rows = list(shown.object_list)
    jobs = active_jobs(project.pk for project in rows)
    failed = projects_with_failures(project.pk for project in rows)
    may_open = Membership.objects.of(request.user).exclude(role=Membership.Role.VIEWER).exists()
    cards = [_card(project, jobs[project.pk], has_failures=project.pk in failed) for project in rows]
    context: dict[str, Any] = {
        "cards": cards,
        "page_obj": shown,
        "chosen": chosen,
        "statuses": {key: words for key, (words, _) in STATUSES.items()},
        "is_narrowed": any(chosen.values()),
        "may_open": may_open,
        "form": ProjectForm(user=request.user) if may_open else None,
    }
    if request.htmx and request.htmx.target == "projects":
        return render(request, "projects/_cards.html", context)
    return render(request, "projects/list.html", context)


def _card(project: Project, jobs: list[ShownJob], *, has_failures: bool) -> dict[str, Any]:
    status = shown_status(project, jobs, has_failures=has_failures)
    return {"project": project, "status": status, "jobs": jobs, "has_failures": has_failures}


def _chosen(query: QueryDict) -> dict[str, str]:
    status = query.get("status", "")
    text = query.get("q", "").replace("\x00", "").strip()[:200]
    return {"q": text, "status": status if status in STATUSES else ""}


def _found(projects: QuerySet[Project], chosen: dict[str, str]) -> QuerySet[Project]:
    if chosen["status"]:
        projects = projects.filter(STATUSES[chosen["status"]][1])
    if chosen["status"] != "archived":
        projects = projects.exclude(status=Project.Status.ARCHIVED)
    for word in chosen["q"].split()[:8]:
        projects = projects.filter(Q(name__icontains=word) | Q(description__icontains=word))
    return projects.order_by("-created_at", "pk")


@page
@require_http_methods(["GET", "POST"])
def create_project(request: PageRequest) -> HttpResponse:
    form = ProjectForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        project = open_project(
            actor=request.user,
            name=values["name"],
            description=values["description"],
            organisation_id=values.get("organisation") or None,
            currency=values["currency"],
            workflow=values["workflow"],
        )
        return redirect("projects:detail", project.pk)
    status = 422 if form.is_bound else 200
    return render(request, "projects/new.html", {"form": form}, status=status)


@page
@require_POST
@costly
def drop_bill(request: PageRequest) -> HttpResponse:
    """A bill dropped on the list: a project named after the file, and the file in it."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Refused("No file arrived. Choose a bill of quantities.", code="no_file")
    filename = file.name or "bill"
    with transaction.atomic():  # of a refused file no project remains
        project = open_project(actor=request.user, name=_name_after(filename), workflow=_workflow_for(file))
        upload_document(project_id=project.pk, actor=request.user, file=file, filename=filename)
    url = reverse("projects:detail", args=[project.pk])
    return JsonResponse({"url": url, "message": "Uploaded."}, status=201) if wants_json(request) else redirect(url)


def _workflow_for(file: UploadedFile[bytes]) -> str:
    """Of a building model the positions are made; everything else is a bill."""
    head = file.read(4096)
    file.seek(0)
    return Project.Workflow.FROM_DRAWINGS if is_model(head) else Project.Workflow.BILL_GIVEN


def _name_after(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name.removesuffix(".gz")
    stem = PurePath(name).stem.replace("_", " ")
    return "".join(char for char in stem if char.isprintable()).strip()[:200] or "New project"
