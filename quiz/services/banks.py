"""Banks of questions, and starting to read them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from config import cache
from jobs.models import Job
from jobs.services import enqueue, rested

from ..airtable.mapping import NAMES
from ..exceptions import BankMissing, BankRefused
from ..models import Bank, Category, Citation, SyncRejection
from . import syncing

if TYPE_CHECKING:
    from accounts.models import Organisation, User

SYNC = "quiz.sync_airtable"
EDITABLE = ("organisation", "name", "kind", "base_id", "table_id", "mapping", "is_scheduled")
BUSY_FOR_S = 20.0
REST = timedelta(hours=6)  # between two readings that nobody and no schedule asked for


def bank_named(*, name: str, organisation: Organisation | None = None, kind: str = Bank.Kind.FILES) -> Bank:
    """The bank of this name, made if there is none. Two at once get the same one: the constraint decides."""
    with transaction.atomic():
        bank, _ = Bank.objects.get_or_create(name=name[:120], organisation=organisation, defaults={"kind": kind})
    return bank


def bank_at(*, base_id: str, table_id: str, name: str = "") -> Bank:
    """The shared bank of this table in Airtable, made if there is none. Raises BankRefused."""
    found = Bank.objects.filter(kind=Bank.Kind.AIRTABLE, base_id=base_id, table_id=table_id, organisation=None).first()
    if found is not None:
        return found
    name = (name or f"Airtable {table_id}")[:120]
    bank = Bank(name=name, kind=Bank.Kind.AIRTABLE, base_id=base_id, table_id=table_id)
    try:
        with transaction.atomic():
            bank.save()
    except IntegrityError as error:
        raise BankRefused(f"There is a bank called {bank.name!r} already: choose another name.") from error
    return bank


def check_bank(values: Mapping[str, Any]) -> None:
    """Raises BankRefused, with the `field` among its extras."""
    is_airtable = values.get("kind") == Bank.Kind.AIRTABLE
    for name, beginning in (("base_id", "app"), ("table_id", "tbl")):
        given = values.get(name) or ""
        if is_airtable and not re.fullmatch(rf"{beginning}\w{{8,36}}", given):
            raise BankRefused(f"A table in Airtable needs its id, {beginning}…", extra={"field": name})
        if given and not is_airtable:
            raise BankRefused("Only a table in Airtable has one.", extra={"field": name})
    if values.get("is_scheduled") and not is_airtable:
        raise BankRefused("Only a table in Airtable can be read by the schedule.", extra={"field": "is_scheduled"})
    mapping = values.get("mapping") or {}
    if not isinstance(mapping, dict) or any(
        ours not in NAMES or not isinstance(theirs, str) or not theirs.startswith("fld")
        for ours, theirs in mapping.items()
    ):
        message = f"Field ids (fld…) by what they hold: {', '.join(NAMES)}."
        raise BankRefused(message, extra={"field": "mapping"})


def save_bank(*, bank: Bank, values: Mapping[str, Any]) -> Bank:
    """`values`: of EDITABLE. What was known of another table before is forgotten. Raises BankRefused."""
    before = (bank.base_id, bank.table_id)
    for name in EDITABLE:
        if name in values:
            setattr(bank, name, values[name])
    check_bank({name: getattr(bank, name) for name in EDITABLE})
    if (bank.base_id, bank.table_id) != before:
        bank.fields_seen, bank.webhook_id, bank.webhook_cursor, bank.webhook_expires_at = {}, "", 1, None
        bank.last_full_at = None
    try:
        with transaction.atomic():
            bank.save()
    except IntegrityError as error:
        raise BankRefused("There is a bank of this name, or of this table, already.") from error
    return bank


def save_category(*, category: Category) -> Category:
    with transaction.atomic():
        category.save()
        cache.invalidate("quiz")
    return category


def existing_bank(*, name: str, organisation: Organisation | None = None) -> Bank:
    bank = Bank.objects.filter(name=name, organisation=organisation).first()
    if bank is None:
        raise BankMissing(f"There is no bank named {name!r}.")
    return bank


def changeable_bank(*, bank_id: UUID, user: User) -> Bank:
    bank: Bank | None = Bank.objects.changeable_by(user).filter(pk=bank_id).first()
    if bank is None:
        raise BankMissing("There is no such bank, or it is not yours to change.")
    return bank


def start_sync(*, bank_id: UUID, actor: User, is_full: bool = True, force: bool = False) -> Job:
    """Queue the reading of a bank in Airtable; the job under way already, if there is one. Raises BankMissing,
    BankRefused."""
    bank = changeable_bank(bank_id=bank_id, user=actor)
    if bank.kind != Bank.Kind.AIRTABLE:
        raise BankRefused("This bank is not a table in Airtable.")
    return _queue(bank, actor, is_full=is_full, force=force)


def start_retry(*, rejection_ids: list[UUID], actor: User) -> list[Job]:
    """Have rejected records of Airtable read again; a job for each bank. Raises BankRefused when there is none."""
    banks = Bank.objects.changeable_by(actor).filter(kind=Bank.Kind.AIRTABLE)
    chosen = SyncRejection.objects.unresolved().filter(pk__in=rejection_ids, bank__in=banks).exclude(record_id="")
    by_bank: dict[UUID, list[str]] = {}
    for bank_id, record_id in chosen.values_list("bank_id", "record_id").order_by("record_id"):
        by_bank.setdefault(bank_id, []).append(record_id)
    if not by_bank:
        raise BankRefused("None of these is an open rejection of a record in Airtable.")
    found = Bank.objects.select_related("organisation").in_bulk(list(by_bank))
    return [_queue(found[bank_id], actor, record_ids=ids) for bank_id, ids in by_bank.items()]


def start_due(*, is_full: bool) -> list[UUID]:
    """Queue one job for each scheduled bank; the ids of the jobs. Not full: those with a webhook only."""
    due = Bank.objects.filter(is_scheduled=True, kind=Bank.Kind.AIRTABLE).select_related("organisation").order_by("pk")
    if not is_full:
        due = due.exclude(webhook_id="")
    if settings.SYNC_MODE == syncing.OFF:
        return []
    return [_queue(bank, None, is_full=is_full).pk for bank in due]


def start_wanted(*, clause_ids: Collection[UUID]) -> list[UUID]:
    """Queue the reading of scheduled banks whose live questions cite these clauses, unless that was done lately; the
    ids of the jobs. What changed only, where Airtable tells that. After failures they rest longer."""
    if settings.SYNC_MODE == syncing.OFF:
        return []
    citing = Citation.objects.filter(clause__in=list(clause_ids), question__retired_at=None)
    banks = Bank.objects.filter(
        pk__in=citing.values("question__bank"), is_scheduled=True, kind=Bank.Kind.AIRTABLE
    ).select_related("organisation")
    ready = rested(kind=SYNC, subject_type="quiz_bank", subject_ids=[bank.pk for bank in banks], every=REST)
    due = [bank for bank in banks.order_by("pk") if bank.pk in ready]
    return [_queue(bank, None, is_full=not bank.webhook_id).pk for bank in due]


def _queue(
    bank: Bank,
    actor: User | None,
    *,
    is_full: bool = True,
    force: bool = False,
    record_ids: list[str] | None = None,
) -> Job:
    kind = "some" if record_ids is not None else "full" if is_full else "changes"
    return enqueue(
        kind=SYNC,
        params={"bank_id": str(bank.pk), "is_full": is_full, "force": force, "record_ids": record_ids},
        actor=actor,
        organisation=bank.organisation,
        subject=("quiz_bank", bank.pk),
        about=bank.name,
        # What is asked beyond the usual must not be answered by a job that does the usual.
        dedupe_key=None if force or record_ids is not None else f"{SYNC}:{bank.pk}:{kind}",
    )
