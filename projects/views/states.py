"""What a project is doing, as a person should be told: its status is taken with the jobs that are really under way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.pages import PageRequest
from jobs.models import Job
from jobs.registry import title_of

from ..models import AuditRun, Document, Project
from ..services.access import visible_project
from ..services.activity import ENRICH, READINGS
from ..services.auditing import AUDIT
from ..services.filetypes import MODEL
from ..services.previewing import PREVIEWED

# What a person may decide about a document that could not be read. All else the parser's own message says.
PLANS = {
    PREVIEWED: "Look at the first positions and the total. If that is the bill, put it into the budget.",
    "does_not_reconcile": "Compare both totals. If the file is right as it is, accept the difference.",
}
FAILURES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class ShownStatus:
    key: str  # for the badge's class: "running", "good", "warn", "outline"
    text: str


@dataclass(frozen=True, slots=True)
class ShownJob:
    job: Job
    title: str

    @property
    def counts(self) -> dict[str, int]:
        """Positions by grade so far, of an audit."""
        found = self.job.detail.get("counts") if isinstance(self.job.detail, dict) else None
        return found if isinstance(found, dict) else {}


def active_jobs(project_ids: Iterable[UUID]) -> dict[UUID, list[ShownJob]]:
    """Active jobs by project, oldest first. One query."""
    found: dict[UUID, list[ShownJob]] = defaultdict(list)
    jobs = Job.objects.active().filter(subject_type="project", subject_id__in=list(project_ids)).order_by("created_at")
    for job in jobs:
        if job.subject_id is not None:
            found[job.subject_id].append(ShownJob(job, title_of(job.kind)))
    return found


def projects_with_failures(project_ids: Iterable[UUID]) -> set[UUID]:
    """Those with a document that could not be imported. One query."""
    failed = Document.objects.filter(parse_status=Document.ParseStatus.FAILED, project_id__in=list(project_ids))
    return set(failed.values_list("project_id", flat=True))


def shown_status(project: Project, jobs: list[ShownJob], *, has_failures: bool = False) -> ShownStatus:
    kinds = {shown.job.kind for shown in jobs}
    if kinds & set(READINGS):
        return ShownStatus("running", "Reading a document")
    if AUDIT in kinds:
        return ShownStatus("running", "Auditing")
    if ENRICH in kinds:
        return ShownStatus("running", "Looking up prices")
    if project.status == Project.Status.ARCHIVED:
        return ShownStatus("outline", "Archived")
    if project.version_number == 0 and has_failures:
        return ShownStatus("bad", "Not imported")
    if project.version_number == 0:
        return ShownStatus("outline", "No bill yet")
    if project.is_audited:
        return ShownStatus("good", "Audited")
    return ShownStatus("warn", "Changed since its audit" if project.audited_version else "Not audited yet")


def opened(request: PageRequest, project_id: UUID, *, tab: str) -> tuple[Project, dict[str, Any]]:
    """The project and what every one of its pages shows around its own content. Six queries, whatever its size."""
    project = visible_project(project_id=project_id, user=request.user)
    jobs = active_jobs([project.pk])[project.pk]
    can_write = Project.objects.editable_by(request.user).filter(pk=project.pk).exists()
    return project, {
        "project": project,
        "tab": tab,
        "jobs": jobs,
        "status": shown_status(project, jobs),
        "can_write": can_write,
        "can_edit": can_write and project.status != Project.Status.ARCHIVED,
        "audit": newest_audit(project),
        "troubled": troubled_documents(project, jobs),
        "stopped_audit": _stopped_audit(project, jobs),
    }


def newest_audit(project: Project) -> AuditRun | None:
    return AuditRun.objects.filter(project=project).defer("rules", "thresholds").order_by("-finished_at").first()


def troubled_documents(project: Project, jobs: list[ShownJob]) -> list[dict[str, Any]]:
    """The newest documents that failed, or whose reading nobody works on any more. One query."""
    being_read = {shown.job.params.get("document_id") for shown in jobs if shown.job.kind in READINGS}
    unread = Document.objects.filter(project=project).exclude(parse_status=Document.ParseStatus.COMPLETED)
    read_here = Q(kind=Document.Kind.BILL)
    if project.workflow == Project.Workflow.FROM_DRAWINGS:
        read_here |= Q(file_type=MODEL)
    bills = unread.filter(read_here).defer("indexed_content", "extracted_data")
    found = [document for document in bills[: FAILURES_SHOWN + 10] if str(document.pk) not in being_read]
    return [described(document) for document in found[:FAILURES_SHOWN]]


def described(document: Document) -> dict[str, Any]:
    """A document that has not been read, in plain words."""
    is_held = document.parse_error_code == PREVIEWED
    if document.parse_status == Document.ParseStatus.FAILED or is_held:
        message = document.parse_error or "The file could not be read."
    else:
        message = "Reading it stopped before it was finished."
    return {
        "document": document,
        "message": message,
        "plan": PLANS.get(document.parse_error_code, ""),
        "code": document.parse_error_code,
        "is_held": is_held,
    }


def _stopped_audit(project: Project, jobs: list[ShownJob]) -> Job | None:
    """The newest audit job, if it failed or was cancelled and the version it was for is still without an audit."""
    newest = Job.objects.of_subject("project", project.pk).filter(kind=AUDIT).order_by("-created_at").first()
    if newest is None or project.is_audited or any(shown.job.kind == AUDIT for shown in jobs):
        return None
    return newest if newest.status in (Job.Status.FAILED, Job.Status.CANCELLED) else None
