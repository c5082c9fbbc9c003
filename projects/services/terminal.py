"""What the terminal does in one go: import and audit a file, saved or not, and see a project's jobs through."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict
from uuid import UUID

from django.core.files.base import File
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.services import ensure_organisation
from jobs.models import Job
from jobs.runner import run_here
from jobs.sweeper import sweep

from ..audit import engine
from ..audit.file_facts import facts_of_file
from ..audit.findings import AuditFinding, AuditResult
from ..audit.registry import all_rules
from ..audit.view import BudgetView
from ..exceptions import DocumentRefused, Missing, Refused
from ..models import AuditRun, Finding, Position, Project
from ..parsers.bill import ParseError
from ..parsers.reconcile import Reconciler, assert_reconciled
from ..parsers.registry import open_bill
from ..parsers.table_mapping import Mapping
from .documents import upload_document
from .opening import open_project

MOST = 10  # findings told, unless asked for more
REPORT_EVERY = 500
WATCH_EVERY_S = 0.1
SWEEP_EVERY_S = 1.0
CENT = Decimal("0.01")

# done, total (0: not known yet), message, positions by grade so far
Progress = Callable[[int, int, str, dict[str, int]], None]


class ToldFinding(TypedDict):
    rule_id: str
    rule_version: int
    role: str
    grade: str
    object_code: str
    number: str  # of the position; "" for the budget as a whole
    code: str
    description: str
    money_at_stake: str  # decimal
    reasoning: str
    evidence: dict[str, Any]
    suggestion: dict[str, str] | None
    source: str  # cell, row or XPath in the file


class NotCheckedRule(TypedDict):
    rule_id: str
    title: str
    reason: str
    positions: int | None  # None: it ran for none at all


@dataclass(frozen=True, slots=True)
class FileAudit:
    """What an audit of one file is told as. `findings` by money at stake, open ones only."""

    dialect: str
    positions: int
    total: Decimal
    currency: str
    grades: dict[str, int]
    findings: list[ToldFinding]
    not_checked: list[NotCheckedRule]
    warnings: list[str] = field(default_factory=list)

    def as_json(self, seconds: float) -> dict[str, Any]:
        return {
            "dialect": self.dialect,
            "positions": self.positions,
            "total": str(self.total.quantize(CENT)),
            "currency": self.currency,
            "grades": self.grades,
            "findings": self.findings,
            "not_checked": self.not_checked,
            "seconds": round(seconds, 3),
        }


def audit_unsaved(
    *,
    path: Path,
    tender: Path | None = None,
    dialect: str | None = None,
    mapping: str | None = None,
    accept_difference: bool = False,
    most: int | None = MOST,
    progress: Progress,
) -> FileAudit:
    """Read, reconcile and audit in memory: neither database nor Redis.

    `mapping` is JSON, as `Mapping.to_json` writes it; `most` None: every finding. Raises ParseError.
    """
    bill = open_bill(path, tender=tender, dialect=dialect, mapping=Mapping.from_json(mapping) if mapping else None)
    reconciler = Reconciler(bill)
    bill.positions = _counted(reconciler.watch(bill.positions), progress)
    facts = facts_of_file(path, dialect=bill.header.dialect, document=path.name, tender=tender)
    view = BudgetView.from_bill(bill, file_facts=[facts])
    reconciliation = reconciler.result()
    try:
        assert_reconciled(reconciliation)
    except ParseError as error:
        if error.code != "does_not_reconcile" or not accept_difference:
            raise
    result = engine.audit(
        view, report=lambda done, total, message, counts: progress(done, total, message, counts.as_dict())
    )
    return FileAudit(
        dialect=bill.header.dialect,
        positions=len(view),
        total=reconciliation.computed_total,
        currency=view.currency,
        grades=result.counts.as_dict(),
        findings=[_told(view, finding) for finding in result.ranked()[:most]],
        not_checked=_not_checked(result),
        warnings=bill.warnings,
    )


def _counted(positions: Iterator[Any], progress: Progress) -> Iterator[Any]:
    for count, position in enumerate(positions, start=1):
        if count % REPORT_EVERY == 0:
            progress(count, 0, f"Reading position {count}", {})
        yield position


def _told(view: BudgetView, finding: AuditFinding) -> ToldFinding:
    position = view.positions[finding.index] if finding.index >= 0 else None
    suggestion = finding.suggestion
    return {
        "rule_id": finding.rule_id,
        "rule_version": finding.rule_version,
        "role": finding.role.value,
        "grade": finding.grade.value,
        "object_code": position.object_code if position else "",
        "number": position.number if position else "",
        "code": position.code if position else "",
        "description": position.description if position else "",
        "money_at_stake": str(finding.money_at_stake),
        "reasoning": finding.reasoning,
        "evidence": finding.evidence,
        "suggestion": (
            {"action": suggestion.action, "benefit": suggestion.benefit, "risk": suggestion.risk}
            if suggestion
            else None
        ),
        "source": position.source if position else "",
    }


def _not_checked(result: AuditResult) -> list[NotCheckedRule]:
    titles = {rule.id: rule.title for rule in all_rules()}
    whole: list[NotCheckedRule] = [
        {"rule_id": row.rule_id, "title": row.title, "reason": row.reason, "positions": None}
        for row in result.not_checked_rules
    ]
    counted = Counter((gap.rule_id, gap.reason) for gap in result.not_checked)
    return whole + [
        {"rule_id": rule_id, "title": titles.get(rule_id, ""), "reason": reason, "positions": count}
        for (rule_id, reason), count in sorted(counted.items())
    ]


def save_and_audit(
    *,
    path: Path,
    owner: User,
    tender: Path | None = None,
    mapping: dict[str, Any] | None = None,
    accept_difference: bool = False,
    progress: Progress,
) -> Project:
    """Open a project named after the file, upload it (after its tender, if there is one), read and audit it.

    The jobs run in this process, unless a worker is faster. Raises DocumentRefused with the parser's code, Refused.
    """
    ensure_organisation(user=owner)  # `createsuperuser` gives none
    project = open_project(actor=owner, name=path.stem or path.name)
    options: dict[str, Any] = {}
    if mapping:
        options["mapping"] = mapping
    if accept_difference:
        options["accept_difference"] = True
    for file, with_options in ((tender, None), (path, options)):
        if file is not None:
            upload_file(project=project, actor=owner, path=file, options=with_options, progress=progress)
    return Project.objects.get(pk=project.pk)


def upload_file(
    *, project: Project, actor: User, path: Path, options: dict[str, Any] | None = None, progress: Progress
) -> None:
    """Upload one file to the project and see its reading and its audit through. Raises as `save_and_audit`."""
    with path.open("rb") as stream:
        upload_document(
            project_id=project.pk,
            actor=actor,
            file=File(stream, name=path.name),
            filename=path.name,
            options=options,
        )
    finish_jobs(project_id=project.pk, progress=progress)


def finish_jobs(*, project_id: UUID, progress: Progress) -> None:
    """Run the project's waiting jobs here, and wait for those that a worker has taken, until there are none.

    Works without any worker or scheduler: lost jobs and due retries are taken up here. Raises DocumentRefused with the
    code of the first job that failed.
    """
    watched: set[UUID] = set()
    swept_at = 0.0
    while (job := _next_due(project_id)) is not None:
        watched.add(job.pk)
        if job.status == Job.Status.QUEUED:
            with _watching(job.pk, progress):
                run_here(job_id=job.pk)
            continue
        _tell(job, progress)
        if time.monotonic() - swept_at >= SWEEP_EVERY_S:
            swept_at = time.monotonic()
            sweep()  # takes it back if its worker is dead, releases it when its retry is due
        time.sleep(WATCH_EVERY_S)
    for job in Job.objects.filter(pk__in=watched, status=Job.Status.FAILED).order_by("created_at"):
        error = job.error or {}
        raise DocumentRefused(error.get("message", "The job failed."), code=error.get("code", "failed"))


def _next_due(project_id: UUID) -> Job | None:
    due = Q(scheduled_for=None) | Q(scheduled_for__lte=timezone.now())
    return Job.objects.of_subject("project", project_id).active().filter(due).order_by("created_at").first()


@contextmanager
def _watching(job_id: UUID, progress: Progress) -> Iterator[None]:
    """Tell the job's progress while the calling thread runs it: its handler reports to the row, so that is read."""
    stopping = threading.Event()

    def watch() -> None:
        try:
            while not stopping.wait(WATCH_EVERY_S):
                job = Job.objects.filter(pk=job_id).first()
                if job is not None:
                    _tell(job, progress)
        finally:
            connection.close()

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        job = Job.objects.filter(pk=job_id).first()
        if job is not None:
            _tell(job, progress)


def _tell(job: Job, progress: Progress) -> None:
    progress(job.done, job.total, job.current_step, (job.detail or {}).get("counts", {}))


def stored_audit(*, project: Project, most: int | None = MOST) -> FileAudit:
    """The newest audit of the project's current version, as `audit_unsaved` tells it. Raises Missing without one."""
    run = (
        AuditRun.objects.filter(project=project, version_number=project.version_number).order_by("-finished_at").first()
    )
    if run is None:
        raise Missing("This project has not been audited yet.", code="not_audited")
    dialect = (
        project.documents.exclude(parser="").order_by("-created_at").values_list("parser", flat=True).first() or ""
    )
    ranked = (
        Finding.objects.of_current_positions(project.pk)
        .open()
        .exclude(grade="not_checked")
        .select_related("position")
        .order_by("-money_at_stake", "id")
    )
    return FileAudit(
        dialect=dialect,
        positions=run.positions,
        total=project.total_cost,
        currency=project.currency,
        grades=_live_counts(project),
        findings=[_told_stored(finding) for finding in ranked[:most]],
        not_checked=_stored_not_checked(run, project),
    )


def _live_counts(project: Project) -> dict[str, int]:
    """Of the project, not of the run: people may have overridden findings since."""
    return {
        "green": project.count_green,
        "amber": project.count_amber,
        "red": project.count_red,
        "not_checked": project.count_not_checked,
    }


def _told_stored(finding: Finding) -> ToldFinding:
    position: Position | None = finding.position
    return {
        "rule_id": finding.rule_id,
        "rule_version": finding.rule_version,
        "role": finding.role,
        "grade": finding.grade,
        "object_code": position.object_code if position else "",
        "number": position.number if position else "",
        "code": position.code if position else "",
        "description": position.description if position else "",
        "money_at_stake": str(finding.money_at_stake),
        "reasoning": finding.reasoning,
        "evidence": finding.evidence,
        "suggestion": finding.suggestion,
        "source": position.source if position else "",
    }


def _stored_not_checked(run: AuditRun, project: Project) -> list[NotCheckedRule]:
    whole: list[NotCheckedRule] = [
        {"rule_id": rule_id, "title": title, "reason": reason, "positions": None}
        for rule_id, title, reason in run.not_checked_rules
    ]
    titles = {rule.id: rule.title for rule in all_rules()}
    gaps = Finding.objects.of_current_positions(project.pk).filter(grade="not_checked")
    counted = Counter(gaps.order_by().values_list("rule_id", "reasoning"))
    return whole + [
        {"rule_id": rule_id, "title": titles.get(rule_id, ""), "reason": reason, "positions": count}
        for (rule_id, reason), count in sorted(counted.items())
    ]


def owner_for(*, email: str | None, fallback: str) -> User:
    """Who a saved project belongs to: the user named, else the one with the fallback address, else the first superuser.

    Raises Missing.
    """
    if email:
        found = User.objects.filter(email__iexact=email).first()
        if found is None:
            raise Missing(f"There is no user with the address {email}.", code="user_not_found")
        return found
    found = User.objects.filter(email__iexact=fallback).first()
    found = found or User.objects.filter(is_superuser=True).order_by("date_joined").first()
    if found is None:
        raise Missing(
            "There is nobody to own the project: name one with --owner, or run `manage.py demo`.", code="no_owner"
        )
    if not found.is_active:
        raise Refused("The owner is suspended.", code="suspended")
    return found
