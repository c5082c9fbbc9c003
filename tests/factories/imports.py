"""Bills brought in as users bring them in: uploaded, then read and audited by their jobs, here in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files import File

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from projects.models import Document, Project
from projects.services.documents import upload_document
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection


def given_bill(*positions: GivenPosition) -> GivenBill:
    """A bill of one object and one section."""
    return GivenBill((GivenObject("SO 1", "Dům", (GivenSection("1", "Zemní práce", positions),)),))


def upload(project: Project, actor: User, path: Path, **options: Any) -> Document:
    """Upload and read; what the reading asked for (an audit) stays queued."""
    with path.open("rb") as file:
        made = upload_document(
            project_id=project.pk, actor=actor, file=File(file, name=path.name), filename=path.name, options=options
        )
    if made.job is not None:
        run_here(job_id=made.job.pk)
    made.document.refresh_from_db()
    project.refresh_from_db()
    return made.document


def run_audit(project: Project) -> Job:
    """Run the project's queued audit."""
    job = Job.objects.get(kind="projects.audit", subject_id=project.pk, status=Job.Status.QUEUED)
    run_here(job_id=job.pk)
    job.refresh_from_db()
    project.refresh_from_db()
    return job
