"""A bank in Airtable brought up to date: all that is asked of the network first, then everything in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..airtable import attachments, mapping
from ..airtable.client import Client, Record
from ..airtable.exceptions import AirtableAway, AirtableRefused
from ..airtable.mapping import Mapped
from ..airtable.records import Normal, Problem, normalise
from ..exceptions import BankMissing, BankRefused, TooManyVanished
from ..exchange.texts import clean
from ..models import Bank, Question, SyncRejection, SyncRun
from . import pictures, runs, storing, warming
from .storing import Counts, Incoming

Report = Callable[[int, int, str], None]
AT_LEAST_BELIEVED = 20  # so many may vanish at once
SHARE_BELIEVED = 0.2  # or this share of those that are live
OFF = "off"
LONGEST_CELL = 4000  # of a rejected record


def silent(done: int, total: int, message: str) -> None:
    pass


@dataclass(slots=True)
class _Read:
    """What came of Airtable: records by id, and the ids `gone`, as it told; of a full scan everything else is gone."""

    mapped: Mapped
    records: Mapping[str, Record]
    is_full: bool
    gone: set[str] = field(default_factory=set)
    drift: list[str] = field(default_factory=list)
    webhook: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)  # digests by ids of attachments
    normal: dict[str, Normal | list[Problem]] = field(default_factory=dict)  # of records that wait for no pictures


def sync_bank(
    *,
    bank_id: UUID,
    is_full: bool = True,
    is_dry: bool = False,
    force: bool = False,
    record_ids: list[str] | None = None,
    actor_id: UUID | None = None,
    job_id: UUID | None = None,
    report: Report = silent,
) -> SyncRun:
    """Read the bank's table: all of it, or what its webhook says has changed where there is one (`is_full` False), or
    the records named. `is_dry`: count only. `force`: retire however many have vanished.

    Raises BankMissing, BankRefused, BankBusy, AirtableRefused, TooManyVanished; AirtableAway, LimitBusy (Temporary);
    and what `report` raises. Whatever is raised, and wherever the process is killed: no question has changed.
    """
    bank = _bank(bank_id)
    kind = SyncRun.Kind.RETRY if record_ids is not None else SyncRun.Kind.FULL if is_full else SyncRun.Kind.DELTA
    run = SyncRun(bank=bank, kind=kind, is_dry=is_dry, started_by_id=actor_id, job_id=job_id)
    with runs.running(bank=bank, run=run):
        bank.refresh_from_db()
        with Client(bank.base_id, tick=lambda message: report(run.fetched, 0, message)) as client:
            read = _Asking(bank, client, run, report).read(record_ids)
        read.pictures = _pictures(bank, run, read, report)
        # Not within the transaction: a report writes the job's row, which its heart must be able to write as well.
        report(len(read.records), len(read.records), f"Storing {len(read.records):,} records")
        with transaction.atomic():
            _take(bank, run, read, force=force, actor_id=actor_id)
            if is_dry:
                transaction.set_rollback(True)
    warming.after(run)
    return run


def _bank(bank_id: UUID) -> Bank:
    if settings.SYNC_MODE == OFF:
        raise BankRefused("Reading from Airtable is switched off (SYNC_MODE).", code="sync_off")
    bank = Bank.objects.filter(pk=bank_id).first()
    if bank is None:
        raise BankMissing("There is no such bank any more.")
    if bank.kind != Bank.Kind.AIRTABLE or not (bank.base_id and bank.table_id):
        raise BankRefused("This bank is not a table in Airtable: it has no base and table.")
    return bank


class _Asking:
    """The part of a run that waits on the network; it writes nothing."""

    def __init__(self, bank: Bank, client: Client, run: SyncRun, report: Report) -> None:
        self._bank, self._client, self._run, self._report = bank, client, run, report

    def read(self, record_ids: list[str] | None) -> _Read:
        if record_ids is not None:
            return self._some(set(record_ids), set(), {}, has_new_fields=True)
        if self._run.kind == SyncRun.Kind.DELTA:
            if (found := self._changes()) is not None:
                return found
            self._run.kind = SyncRun.Kind.FULL
        return self._all()

    def _all(self) -> _Read:
        mapped, drift = self._fields()
        webhook = self._webhook()  # before the scan: what changes meanwhile is among the next payloads
        ids = list(dict.fromkeys(mapped.ids.values()))
        normal: dict[str, Normal | list[Problem]] = {}

        def told(count: int, page: list[Record]) -> None:
            """Looks at what has come while the next request has to wait for its turn."""
            ready = [each for each in page if not attachments.attached([each], mapped)]
            normal.update({each.id: normalise(each, mapped) for each in ready})
            self._told(count)

        records = self._client.scan(self._bank.table_id, ids, told)
        return _Read(mapped, records, is_full=True, drift=drift, webhook=webhook, normal=normal)

    def _changes(self) -> _Read | None:
        """None: only a full scan can tell."""
        bank = self._bank
        if not bank.webhook_id or not bank.last_full_at or not bank.fields_seen:
            return None
        try:
            changes = self._client.changes(bank.table_id, bank.webhook_id, bank.webhook_cursor)
        except AirtableRefused:  # it has expired; or the token may not ask, which the scan will say
            return None
        if changes.is_partial:
            return None
        webhook = {"webhook_cursor": changes.cursor}
        return self._some(changes.changed, changes.destroyed, webhook, has_new_fields=changes.has_new_fields)

    def _some(self, changed: set[str], gone: set[str], webhook: dict[str, Any], *, has_new_fields: bool) -> _Read:
        if changed or has_new_fields:
            mapped, drift = self._fields()
            ids = list(dict.fromkeys(mapped.ids.values()))
            records = self._client.records(self._bank.table_id, sorted(changed), ids) if changed else {}
        else:
            mapped, drift, records = Mapped(self._bank.mapping, {}), [], {}
        self._told(len(records))
        # What is not there when it is asked for has been destroyed since it was told of.
        return _Read(mapped, records, is_full=False, gone=gone | (changed - set(records)), drift=drift, webhook=webhook)

    def _told(self, count: int) -> None:
        self._run.fetched = count
        self._report(count, 0, f"Read {count:,} records")

    def _fields(self) -> tuple[Mapped, list[str]]:
        fields = self._client.fields(self._bank.table_id)
        ids = dict(self._bank.mapping) or mapping.proposed(fields)
        drift = mapping.drift(ids, self._bank.fields_seen, fields)
        self._run.drift = drift
        if "stem" not in ids:
            raise BankRefused("No field is known to hold the question. Say so in the bank's mapping: {“stem”: “fld…”}.")
        if gone := mapping.missing(ids, fields):
            names = ", ".join(gone)
            message = f"Fields that hold a part of the questions are gone from Airtable: {names}. Mend the mapping."
            raise BankRefused(message, code="fields_gone")
        return Mapped(ids, fields), drift

    def _webhook(self) -> dict[str, Any]:
        """Fields of the bank. Without the right to make one every run is a full one."""
        bank, client = self._bank, self._client
        try:
            hook = client.webhook(bank.webhook_id) if bank.webhook_id else None
            hook = hook or client.make_webhook(bank.table_id)
        except (AirtableRefused, AirtableAway):
            return {"webhook_id": "", "webhook_cursor": 1, "webhook_expires_at": None}
        return {"webhook_id": hook.id, "webhook_cursor": hook.cursor, "webhook_expires_at": _moment(hook.expires_at)}


def _pictures(bank: Bank, run: SyncRun, read: _Read, report: Report) -> dict[str, str]:
    """Those attached to records, by id; what is not held yet is fetched and, unless the run is dry, kept."""
    wanted = attachments.attached(read.records.values(), read.mapped)
    if not wanted:
        return {}
    held = pictures.held(bank=bank, source_ids=list(wanted))
    missing = [each for each in wanted.values() if each.id not in held]
    found = attachments.fetched(missing, lambda message: report(run.fetched, 0, message))
    if not run.is_dry:
        pictures.keep_attached(bank=bank, found=found)
    return held | {source_id: picture.digest for source_id, picture in found.items()}


def _take(bank: Bank, run: SyncRun, read: _Read, *, force: bool, actor_id: UUID | None) -> None:
    """Everything that came, into the tables; in the caller's transaction."""
    normal: dict[str, Normal] = {}
    problems: dict[str, list[Problem]] = {}
    for record in read.records.values():
        found = read.normal.get(record.id) or normalise(record, read.mapped, read.pictures)
        if isinstance(found, Normal):
            normal[record.id] = found
        else:
            problems[record.id] = found
    run.fetched, run.rejected = len(read.records), len(problems)
    run.remarks = pictures.remarks_of((record_id, each.item) for record_id, each in normal.items())
    storing.lock_bank(bank.pk)
    runs.count(run, _store(bank, normal, actor_id))
    run.retired = _retire(bank, read, force=force)
    rejections = (_rejection(run, read.records[record_id], found) for record_id, found in problems.items())
    before = SyncRejection.objects.filter(bank=bank)
    if not read.is_full:
        before = before.filter(record_id__in=[*read.records, *read.gone])
    runs.keep_rejections(found=rejections, before=before)
    _keep_bank(bank, read)


def _store(bank: Bank, normal: Mapping[str, Normal], actor_id: UUID | None) -> Counts:
    names = {each.category or bank.name for each in normal.values()}
    categories = storing.categories_named(names=names, organisation_id=bank.organisation_id)
    incoming = [
        Incoming(record_id, each.item, categories[each.category or bank.name], each.is_active)
        for record_id, each in normal.items()
    ]
    counts = Counts()
    for at in range(0, len(incoming), storing.BATCH):
        counts += storing.store(bank=bank, incoming=incoming[at : at + storing.BATCH], actor_id=actor_id)
    return counts


def _retire(bank: Bank, read: _Read, *, force: bool) -> int:
    """Those whose record is gone; a rejected record is not gone, and its last good version stays live."""
    live = dict(Question.objects.filter(bank=bank, retired_at=None).values_list("external_id", "id"))
    gone = set(live) - set(read.records) if read.is_full else set(live) & read.gone
    most = max(AT_LEAST_BELIEVED, SHARE_BELIEVED * len(live))
    if live and read.is_full and not read.records:
        most = 0
    if len(gone) > most and not force:
        raise TooManyVanished(
            f"{len(gone):,} of {len(live):,} live questions are no longer in Airtable: more than is believed "
            f"without being told ({most:.0f}). Nothing was changed. If it is meant, run again with --force.",
            extra={"vanished": len(gone), "live": len(live)},
        )
    return storing.retire(question_ids=[live[each] for each in gone], reason=storing.VANISHED) if gone else 0


def _rejection(run: SyncRun, record: Record, problems: list[Problem]) -> SyncRejection:
    first = problems[0]
    reason = " ".join(f"{each.field}: {each.reason}" for each in problems) if len(problems) > 1 else first.reason
    return SyncRejection(
        bank_id=run.bank_id,
        run=run,
        record_id=record.id,
        stage=SyncRejection.Stage.VALIDATE,
        field=first.field,
        code=first.code,
        reason=reason[:500],
        raw=_storable(record.fields),
    )


def _storable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The cells, long texts cut; without what jsonb can't hold."""
    return {name: clean(value)[:LONGEST_CELL] if isinstance(value, str) else value for name, value in fields.items()}


def _keep_bank(bank: Bank, read: _Read) -> None:
    """Where its fields are and what they were, and where the next payloads begin: only if something is new."""
    values: dict[str, Any] = {name: value for name, value in read.webhook.items() if getattr(bank, name) != value}
    if read.mapped.fields:
        told = {"mapping": dict(read.mapped.ids), "fields_seen": mapping.seen(dict(read.mapped.fields))}
        values |= {name: value for name, value in told.items() if getattr(bank, name) != value}
    if read.is_full:
        values["last_full_at"] = timezone.now()
    if values:
        Bank.objects.filter(pk=bank.pk).update(**values)


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
