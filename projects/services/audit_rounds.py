"""One audit of one version, from what it is given to what is stored: of everything, or of what an edit changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import connection
from django.utils import timezone

from ..audit import engine
from ..audit.certificate import canonical
from ..audit.certificate_file import context_json
from ..audit.findings import AuditResult, Override
from ..audit.incremental import reaudit
from ..audit.known import Given, Known, NeedsFullAudit, Reaudit, decisions_json, known_of
from ..audit.view import BudgetView
from ..models import AuditRecord, AuditRun, AuditState, Project
from .audit_places import Places, places_of, places_since
from .audit_results import replace_results, replace_some_results
from .audit_view import header_of, standing_overrides, view_of
from .precision import Precision, measured
from .reaudit_source import SqlSource
from .references import References, references_of
from .thresholds import own_thresholds

log = structlog.get_logger(__name__)

AuditReport = Callable[..., None]
MANY = 10_000  # positions


@dataclass
class Round:
    """`ask` outside of a transaction, `store` in one, under the project's lock and if `is_of` says so."""

    project: Project
    run: AuditRun
    thresholds: dict[str, Decimal]
    precision: dict[str, Precision]
    decisions: Sequence[Override]
    state_run_id: int | None = None  # the audit that an incremental one rests on
    outcome: Reaudit | None = None
    result: AuditResult | None = None
    view: BudgetView | None = None
    references: References = field(default_factory=References)
    known: Known | None = None
    places: Places | None = None

    @property
    def shares(self) -> dict[str, Decimal]:
        return {rule_id: precision.share for rule_id, precision in self.precision.items()}

    def ask(self, report: AuditReport) -> None:
        try:
            self._ask_what_changed()
        except NeedsFullAudit as reason:
            log.info("audit_of_everything", project_id=str(self.project.pk), reason=str(reason))
            self._ask_everything(report)
            return
        assert self.outcome is not None
        asked, all_positions = len(self.outcome.verdicts), self.outcome.known.facts.positions
        report(asked, asked, f"Audited {asked} positions that the edit can have changed, of {all_positions}")

    def _ask_what_changed(self) -> None:
        """Raises NeedsFullAudit: everything is to be asked."""
        state = AuditState.objects.filter(project=self.project).first()
        if state is None:
            raise NeedsFullAudit("there is no earlier audit to start from")
        if state.version_number >= self.project.version_number:
            raise NeedsFullAudit("this version is audited again")
        known = known_from(bytes(state.content))
        self.references = references_of(project=self.project, thresholds=self.thresholds, codes=())
        loaded: dict[str, Any] = {name: ({} if name in known.loaded else None) for name in ("catalogue", "history")}
        self.places = places_since(project=self.project, state=state)
        header = header_of(project=self.project, places=self.places)
        context = BudgetView((), **(header | self.references.for_view() | loaded), facts=known.facts).context
        source = SqlSource(project=self.project, since=state.version_number, known=known, thresholds=self.thresholds)
        self.outcome = reaudit(known=known, given=self._given(context), source=source)
        self.known, self.state_run_id = self.outcome.known, state.run_id
        self.view = self.outcome.view

    def _ask_everything(self, report: AuditReport) -> None:
        if self.project.total_positions >= MANY:
            _tell_planner()
        self.references = references_of(project=self.project, thresholds=self.thresholds)
        self.places = places_of(project=self.project)
        self.view = view_of(project=self.project, references=self.references, places=self.places)
        self.result = engine.audit(
            self.view,
            thresholds=self.thresholds,
            overrides=self.decisions,
            precision=self.shares,
            report=lambda done, total, message, counts: report(done, total, message, counts=counts.as_dict()),
        )
        self.known = known_of(view=self.view, result=self.result, given=self._given(self.view.context))

    def _given(self, context: dict[str, Any]) -> Given:
        fingerprint = str(self.references.described.get("fingerprint", ""))
        return Given(context, self.thresholds, self.shares, tuple(self.decisions), fingerprint)

    def is_of(self, locked: Project) -> bool:
        """Whether nothing came between: no version, and no other audit where this one rests on the last."""
        if locked.version_number != self.run.version_number:
            return False
        if self.state_run_id is None:
            return True
        self.project = locked  # its counts as they are now
        return AuditState.objects.filter(project=locked, run_id=self.state_run_id).exists()

    def store(self) -> None:
        assert self.known is not None and self.view is not None and self.places is not None
        run = self.run
        run.is_incremental = self.outcome is not None
        run.references = self.references.described
        run.precision = {rule_id: [str(p.share), p.judged] for rule_id, p in self.precision.items()}
        if self.outcome is not None:
            replace_some_results(project=self.project, outcome=self.outcome, run=run, decisions=self.decisions)
        else:
            assert self.result is not None
            replace_results(project=self.project, view=self.view, result=self.result, run=run, decisions=self.decisions)
        AuditRecord.objects.create(
            run=run,
            context=orjson.loads(canonical(context_json(_without_references(self.view.context)))),
            decisions=decisions_json(self.decisions),
            references_sha256=str(self.references.described.get("fingerprint", "")),
        )
        kept = {"content": canonical(self.known.as_json()), "places": self.places.as_json()}
        AuditState.objects.update_or_create(
            project=self.project, defaults={"run": run, "version_number": run.version_number, **kept}
        )


def _tell_planner() -> None:
    """Autovacuum looks at a table minutes after 100,000 rows came. Until then the planner takes them for a few, and
    reads all of them for each question of an edit."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE projects_position")


def _without_references(context: dict[str, Any]) -> dict[str, Any]:
    """Of prices and the file before pricing, only whether there were any: they are kept where they come from."""
    loaded: dict[str, Any] = {name: None if context[name] is None else {} for name in ("catalogue", "history")}
    return context | loaded | {"blank": None if context["blank"] is None else []}


def prepared(*, project: Project, job_id: UUID | None) -> Round:
    """What an audit of the project's current version is given besides its positions: read now, once."""
    thresholds = own_thresholds(organisation_id=project.organisation_id)
    precision = measured(organisation_id=project.organisation_id, thresholds=thresholds)
    run = AuditRun(project=project, version_number=project.version_number, job_id=job_id, started_at=timezone.now())
    return Round(project, run, thresholds, precision, standing_overrides(project_id=project.pk))


def known_from(content: bytes) -> Known:
    """Raises NeedsFullAudit for what can't be read."""
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise NeedsFullAudit(f"what is kept of the last audit can't be read: {error}") from error
    return Known.from_json(data)
