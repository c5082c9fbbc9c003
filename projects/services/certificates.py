"""Certificates of audits: built by a job, which does the audit again and vouches only for what comes out the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from jobs.models import Job
from jobs.services import enqueue

from ..audit.certificate_file import certificate_of, context_from, overrides_from, packed
from ..audit.engine import audit
from ..audit.known import rules_in_order
from ..audit.view import BudgetView
from ..exceptions import Missing, Refused
from ..models import AuditRecord, AuditRun, Document, Position, Project
from .access import visible_project
from .audit_view import positions_of
from .counting import by_grade
from .references import references_of

if TYPE_CHECKING:
    from accounts.models import User
    from projects.audit.findings import AuditResult

CERTIFY = "projects.certificate"
AGAIN = "Audit again, and make the certificate of that audit."

Finish = Callable[[dict[str, Any]], None]
Finishing = Callable[[], AbstractContextManager[Finish]]
Report = Callable[..., None]


def newest_run(*, project_id: UUID, user: User, run_id: int | None = None) -> AuditRun:
    """The audit that was named, else the newest. Raises ProjectNotFound, Missing("audit_not_found")."""
    project = visible_project(project_id=project_id, user=user)
    runs = AuditRun.objects.filter(project=project).select_related("record")
    found: AuditRun | None = (runs.filter(pk=run_id) if run_id is not None else runs.order_by("-finished_at")).first()
    if found is None:
        raise Missing("There is no such audit.", code="audit_not_found")
    return found


def record_of(run: AuditRun) -> AuditRecord | None:
    return getattr(run, "record", None)


def request_certificate(*, project_id: UUID, actor: User, run_id: int | None = None) -> Job:
    """Queue the certificate of an audit; one that is being made is returned instead. Whoever sees the project may ask.

    Raises as `newest_run`, and Refused("no_record") for audits older than certificates.
    """
    run = newest_run(project_id=project_id, user=actor, run_id=run_id)
    if record_of(run) is None:
        raise Refused(f"What this audit was given was not kept. {AGAIN}", code="no_record")
    project = Project.objects.select_related("organisation").get(pk=project_id)
    with transaction.atomic():
        return enqueue(
            kind=CERTIFY,
            params={"run_id": run.pk},
            actor=actor,
            organisation=project.organisation,
            subject=("project", project.pk),
            about=f"{project.name}, version {run.version_number}",
            dedupe_key=f"{CERTIFY}:{run.pk}",
        )


def certificate_file(*, project_id: UUID, user: User, run_id: int | None = None) -> AuditRecord:
    """The record with its file. Raises as `newest_run`, and Missing("certificate_not_made")."""
    record = record_of(newest_run(project_id=project_id, user=user, run_id=run_id))
    if record is None or not record.certificate:
        raise Missing(
            "The certificate of this audit has not been made yet. Ask for it first.", code="certificate_not_made"
        )
    return record


def filename_of(record: AuditRecord) -> str:
    return f"audit-{record.run.project_id}-v{record.run.version_number}-{record.run_id}.certificate.json.gz"


def build_certificate(*, run_id: int, report: Report, finishing: Finishing) -> None:
    """Do the audit again from what it was given, compare it with what it said then, and keep the file.

    Raises Missing, and Refused("not_replayable" | "differs"): then there is none, and the message says why.
    """
    run = AuditRun.objects.select_related("record", "project").filter(pk=run_id).first()
    if run is None or record_of(run) is None:
        raise Missing("The audit, or what it was given, is not there any more.", code="audit_not_found")
    record = run.record
    versions = {rule.id: rule.version for rule in rules_in_order()}
    if versions != run.rules:
        raise Refused(f"The rules have changed since this audit. {AGAIN}", code="not_replayable")
    report(0, 0, "Reading the budget as it was audited")
    view = _view(run, record)
    precision = {rule_id: Decimal(share) for rule_id, (share, _) in run.precision.items()}
    overrides = overrides_from(record.decisions)
    result = audit(
        view,
        thresholds={name: Decimal(value) for name, value in run.thresholds.items()},
        overrides=overrides,
        precision=precision,
        report=lambda done, total, message, counts: report(done, total, message, counts=counts.as_dict()),
    )
    _vouch(run, result)
    content = certificate_of(
        view=view, result=result, precision=precision, overrides=overrides, documents=_documents(run)
    )
    _keep(record, content, finishing)


def _keep(record: AuditRecord, content: bytes, finishing: Finishing) -> None:
    body = packed(content)
    record.certificate.save("certificate.json.gz", ContentFile(body), save=False)
    record.certificate_sha256 = hashlib.sha256(content).hexdigest()
    record.certificate_size, record.certified_at = len(body), timezone.now()
    with finishing() as finish:
        record.save(update_fields=["certificate", "certificate_sha256", "certificate_size", "certified_at"])
        finish({"run_id": record.run_id, "sha256": record.certificate_sha256, "size": record.certificate_size})


def _view(run: AuditRun, record: AuditRecord) -> BudgetView:
    """The positions of that version with the context of that audit. Keys are places, as in the certificate."""
    context = context_from(record.context)
    project = run.project
    if any(context[name] is not None for name in ("catalogue", "history", "blank")):
        references = references_of(
            project=project, thresholds={name: Decimal(value) for name, value in run.thresholds.items()}
        )
        if str(references.described.get("fingerprint", "")) != record.references_sha256:
            raise Refused(
                f"The budget, or prices and files that this audit compared it with, have changed since. {AGAIN}",
                code="not_replayable",
            )
        context |= {name: getattr(references, name) for name in ("catalogue", "history", "blank")}
    rows = Position.objects.filter(project=project).of_version(run.version_number).order_by("ordinal", "id")
    return BudgetView(positions_of(rows), **context)


def _vouch(run: AuditRun, result: AuditResult) -> None:
    """Raises Refused("differs") where the audit, done again, says something else than it did."""
    counts = result.counts.as_dict()
    now = {
        "inputs": (run.inputs_sha256, result.inputs_sha256),
        "grades": (dict(run.counts), {str(grade): counts[str(grade)] for grade in by_grade_names()}),
        "findings": (dict(run.rule_hits), dict(result.hits_by_rule)),
        "money at stake": (run.money_at_stake, result.money_at_stake),
    }
    different = [name for name, (then, again) in now.items() if then != again]
    if different:
        raise Refused(
            f"Done again, the audit comes to other {', '.join(different)} than it did: a decision may have been taken "
            f"while it ran. {AGAIN}",
            code="differs",
        )


def by_grade_names() -> list[str]:
    return list(by_grade({f"count_{grade}": 0 for grade in ("green", "amber", "red", "not_checked")}))


def _documents(run: AuditRun) -> list[dict[str, str]]:
    used = Position.objects.filter(project_id=run.project_id).of_version(run.version_number)
    ids = used.order_by().values_list("document_id", flat=True).distinct()
    documents = Document.objects.filter(pk__in=[pk for pk in ids if pk]).order_by("created_at", "pk")
    return [
        {"filename": name, "sha256": digest} for name, digest in documents.values_list("original_filename", "sha256")
    ]
