"""Runs of enrichment: a batch of jobs for one organisation, at most one at a time.

A model reads one tender a job, or hundreds a job where the provider takes them as a batch of its own; the rules read a
hundred a job, since a job costs more than a tender then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Avg, Count, F, Q, Sum
from django.utils import timezone

from accounts.exceptions import Refused
from accounts.models import Organisation
from jobs.models import BATCH_KIND, Job
from jobs.querysets import JobQuerySet
from jobs.services import control, enqueue, enqueue_batch

from ..models import CompanyProfile, Enrichment, Score
from . import in_bulk, modelling, selecting
from .access import writing_organisation

if TYPE_CHECKING:
    from accounts.models import User

ONE = "tenders.enrich"
SOME = "tenders.enrich_some"
IN_BULK = "tenders.enrich_in_bulk"
Mode = Literal["single", "batch"]
SUBJECT = "tender_enrichment"
PER_JOB = 100  # tenders that the rules read in one job
DEFAULT_LIMIT = 50  # of a call from outside
MOST = 10_000  # tenders of one run
MOST_WANTED = 50  # assessments made anew at a time because their tenders are asked for
_LOCK = 0x7E4D  # first half of the advisory lock's key


class NoRun(Refused):
    status = 409
    code = "no_run"


class RunSummary(TypedDict):
    """A run that was started, or that goes on. `is_new`: it was started by this call."""

    batch_id: UUID | None
    total_tenders: int
    job_ids: list[UUID]
    is_new: bool
    mode: str


def start(
    *,
    organisation: Organisation,
    limit: int | None = None,
    actor: User | None = None,
    fell_back: bool = False,
    mode: Mode = "single",
) -> RunSummary:
    """Have what is unread read, the latest deadline first; at most `limit` (MOST unless told). fell_back: also what the
    rules have read because the model failed. mode "batch": for half the price, within a day; Refused where the model
    takes no batches.

    While a run of the organisation goes on, that one is returned: two who start at once get the same (advisory lock).
    Nothing unread: no batch.
    """
    kind = _kind(mode)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, str(organisation.pk)])
        active = active_run(organisation.pk)
        if active is not None:
            return _summary(active, is_new=False)
        unread = selecting.unread(organisation.pk, by_model=kind != SOME, fell_back=fell_back)
        ids = [str(pk) for pk in unread.values_list("pk", flat=True)[: min(limit or MOST, MOST)]]
        if not ids:
            return RunSummary(batch_id=None, total_tenders=0, job_ids=[], is_new=False, mode="queued")
        batch = enqueue_batch(
            kind=kind,
            params=_params(kind, organisation.pk, ids, fell_back=fell_back),
            actor=actor,
            organisation=organisation,
            subject=(SUBJECT, organisation.pk),
            about=f"{len(ids):,} tenders",
            priority=Job.Priority.LOW if actor is None else Job.Priority.NORMAL,
            message=f"{len(ids):,} tenders by the {_BY[kind]}",
        )
    return _summary(batch, is_new=True)


_BY = {ONE: "model", SOME: "rules", IN_BULK: "model, in batches"}


def _kind(mode: Mode) -> str:
    if mode == "batch":
        in_bulk.require()
        return IN_BULK
    return ONE if modelling.is_configured() else SOME


def _params(kind: str, organisation_id: UUID, ids: list[str], *, fell_back: bool) -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {"organisation_id": str(organisation_id)}
    if fell_back and kind != SOME:
        told["fell_back"] = True
    if kind == ONE:
        yield from (told | {"tender_id": each} for each in ids)
        return
    size = PER_JOB if kind == SOME else in_bulk.PER_BATCH
    for at in range(0, len(ids), size):
        some = told | {"tender_ids": ids[at : at + size]}
        yield some | {"key": str(uuid4())} if kind == IN_BULK else some


def _summary(batch: Job, *, is_new: bool) -> RunSummary:
    children = list(Job.objects.filter(batch=batch).order_by("created_at", "pk").values_list("pk", "params"))
    total = sum(len(params.get("tender_ids", ())) or 1 for _, params in children)
    job_ids = [pk for pk, _ in children]
    # With Redis away the jobs have been run by this very call, where the deployment wants that.
    is_inline = (
        is_new
        and settings.JOBS_WHEN_REDIS_IS_DOWN == "inline"
        and not connection.in_atomic_block
        and not Job.objects.filter(batch=batch, started_at=None).exists()
    )
    return RunSummary(
        batch_id=batch.pk,
        total_tenders=total,
        job_ids=job_ids,
        is_new=is_new,
        mode="inline" if is_inline else "queued",
    )


def active_run(organisation_id: UUID) -> Job | None:
    return runs_of(organisation_id).filter(status__in=Job.ACTIVE).first()


def latest_run(organisation_id: UUID) -> Job | None:
    return runs_of(organisation_id).order_by("-created_at").first()


def runs_of(organisation_id: UUID) -> JobQuerySet:
    """By the index of a subject's jobs."""
    return Job.objects.filter(kind=BATCH_KIND, subject_type=SUBJECT, subject_id=organisation_id)


def start_for_all(
    *,
    limit: int | None = DEFAULT_LIMIT,
    organisation_id: UUID | None = None,
    fell_back: bool = False,
    mode: Mode = "single",
) -> list[RunSummary]:
    """A run for each organisation that has a profile (or the one named), the limit shared evenly among them."""
    wanted = Organisation.objects.filter(tender_profile__in=CompanyProfile.objects.all()).order_by("created_at", "pk")
    if organisation_id is not None:
        wanted = Organisation.objects.filter(pk=organisation_id)
    organisations = list(wanted)
    share = None if limit is None else max(1, -(-limit // max(1, len(organisations))))
    return [start(organisation=each, limit=share, fell_back=fell_back, mode=mode) for each in organisations]


def start_nightly(*, limit: int | None = None) -> list[RunSummary]:
    """In batches where AI_BATCHES is set: nobody waits for them."""
    in_batches = settings.AI_BATCHES and modelling.takes_batches()
    return start_for_all(limit=limit, mode="batch" if in_batches else "single")


def start_by(*, actor: User, limit: int | None = None, fell_back: bool = False, mode: Mode = "single") -> RunSummary:
    """By a person, for the own organisation. Raises NoOrganisation, OnlyReads, and as `start`."""
    organisation = writing_organisation(actor)
    return start(organisation=organisation, limit=limit, actor=actor, fell_back=fell_back, mode=mode)


def pause(*, actor: User) -> int:
    """End the run: what is being read is finished or left, the rest stays unread and the next run takes it. Jobs that
    were still waiting. Raises NoRun."""
    organisation = writing_organisation(actor)
    batch = active_run(organisation.pk)
    if batch is None:
        raise NoRun("No run goes on.")
    waiting = Job.objects.filter(batch=batch, status__in=(Job.Status.QUEUED, Job.Status.RETRYING)).count()
    control.cancel(batch.pk, actor)
    return waiting


def read_again(*, actor: User, tender_id: UUID) -> Job:
    """One tender, whether it is current or not. While it is being read, that job. Raises TenderMissing, OnlyReads."""
    from .access import visible_tender

    organisation = writing_organisation(actor)
    tender = visible_tender(tender_id=tender_id, user=actor)
    return enqueue(
        kind=ONE,
        params={"organisation_id": str(organisation.pk), "tender_id": str(tender.pk), "again": True},
        actor=actor,
        organisation=organisation,
        subject=("tender", tender.pk),
        about=tender.title[:200],
        priority=Job.Priority.HIGH,
        dedupe_key=_key_of(organisation.pk, tender.pk),
    )


def read_wanted(*, tender_ids: Sequence[UUID], most: int = MOST_WANTED) -> list[UUID]:
    """Have read again what is out of date of these tenders' assessments, for firms that had them read and have a
    profile: the tender has changed since, or the profile has. The ids of the jobs; whatever goes on already is in no
    second one. Not where the deadline has passed."""
    is_current = Q(content_hash=F("tender__content_hash")) & Q(
        profile_revision=F("organisation__tender_profile__revision")
    )
    is_open = Q(tender__deadline_at=None) | Q(tender__deadline_at__gt=timezone.now())
    scores = Score.objects.filter(is_open, tender__in=list(tender_ids), organisation__tender_profile__isnull=False)
    outdated = scores.filter(~is_current).order_by("tender_id", "organisation_id")
    rows = outdated.select_related("tender", "organisation").defer("tender__documents")
    return [_read_wanted(score).pk for score in rows[:most]]


def _read_wanted(score: Score) -> Job:
    return enqueue(
        kind=ONE,
        params={"organisation_id": str(score.organisation_id), "tender_id": str(score.tender_id)},
        organisation=score.organisation,
        subject=("tender", score.tender_id),
        about=score.tender.title[:200],
        priority=Job.Priority.LOW,
        dedupe_key=_key_of(score.organisation_id, score.tender_id),
    )


def _key_of(organisation_id: UUID, tender_id: UUID) -> str:
    return f"{ONE}:{organisation_id}:{tender_id}"


class Standing(TypedDict):
    """How far an organisation's tenders have been read."""

    tenders: int
    unread: int
    high: int
    medium: int
    low: int
    by_model: int
    fell_back: int
    cost_usd_30_days: Decimal
    average_cost_usd: Decimal | None
    estimate_usd: Decimal | None


def standing(organisation_id: UUID) -> Standing:
    """`estimate_usd`: what reading the rest by the model would cost at the average of the last 30 days; None: no model,
    or nothing to tell it from."""
    by_model = modelling.is_configured()
    tenders = selecting.visible_to_organisation(organisation_id).count()
    unread = selecting.unread(organisation_id, by_model=by_model).order_by().count()
    scores = Score.objects.filter(organisation_id=organisation_id).aggregate(
        high=Count("pk", filter=Q(relevance="high")),
        medium=Count("pk", filter=Q(relevance="medium")),
        low=Count("pk", filter=Q(relevance="low")),
        by_model=Count("pk", filter=Q(enrichment__method=Enrichment.Method.MODEL)),
        fell_back=Count("pk", filter=~Q(enrichment__fell_back="")),
    )
    month = timezone.now() - timedelta(days=30)
    spent = Enrichment.objects.filter(organisation_id=organisation_id, created_at__gte=month).aggregate(
        total=Sum("cost_usd"), average=Avg("cost_usd", filter=Q(method="model", is_cached=False))
    )
    average = spent["average"]
    return Standing(
        tenders=tenders,
        unread=unread,
        high=scores["high"],
        medium=scores["medium"],
        low=scores["low"],
        by_model=scores["by_model"],
        fell_back=scores["fell_back"],
        cost_usd_30_days=spent["total"] or Decimal(0),
        average_cost_usd=average,
        estimate_usd=average * unread if by_model and average is not None else None,
    )
