"""A project's status follows from the jobs that work on it: derived, so that no failure can leave it stale."""

from __future__ import annotations

from uuid import UUID

from jobs.models import Job

from ..models import Project

AUDIT = "projects.audit"
PARSE = "projects.parse_document"
READ_MODEL = "projects.read_model"
ENRICH = "projects.enrich"
READINGS = (PARSE, READ_MODEL)  # of documents
SHOWN = {
    AUDIT: Project.Status.AUDITING,
    PARSE: Project.Status.PARSING,
    READ_MODEL: Project.Status.PARSING,
    ENRICH: Project.Status.ENRICHING,
}  # the first that is active is shown


def show_activity(*, project_id: UUID, ended: UUID | None = None) -> None:
    """Write what is being done to the project, or that nothing is; an archived one stays archived.

    `ended`: a job that ends in this very transaction. Jobs that are queued or wait for a retry count as active.
    """
    project = Project.objects.filter(pk=project_id).first()
    if project is not None:
        status = activity_of(project, ended=ended)
        Project.objects.filter(pk=project_id).exclude(status=Project.Status.ARCHIVED).update(status=status)


def activity_of(project: Project, *, ended: UUID | None = None) -> str:
    """The status of a project that is not archived."""
    jobs = Job.objects.active().filter(subject_type="project", subject_id=project.pk, kind__in=SHOWN)
    active = set((jobs.exclude(pk=ended) if ended else jobs).values_list("kind", flat=True))
    idle = Project.Status.COMPLETED if project.is_audited else Project.Status.DRAFT
    return next((status for kind, status in SHOWN.items() if kind in active), idle)
