"""The one way in which questions get into the tables: new ones, new wordings, and those that are as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from config import cache

from ..exchange.item import Item
from ..models import Bank, Category
from . import citing, rows

BATCH = 1000
LONGEST_TITLE = 200
VANISHED = "No longer among its keeper's records."
INACTIVE = "Marked as not active by its keeper."
BY_KEEPER = (VANISHED, INACTIVE)  # these come back by themselves; what people here have retired does not


WRITTEN_HERE = "-"  # as a keeper's hash: its keeper has never said anything of it


class By(StrEnum):
    """Whose word it is. Its keeper's does not go over what was edited here, unless somebody says so."""

    KEEPER = "keeper"
    KEEPER_FIRST = "keeper_first"
    HERE = "here"


class Incoming(NamedTuple):
    """A question as its keeper has it now. `external_id`: at most 200 characters, once in a batch."""

    external_id: str
    item: Item
    category_id: UUID
    is_active: bool = True


@dataclass(slots=True)
class Counts:
    """`held`: external ids of which the keeper has something new to say, and which were edited here: not taken."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    held: list[str] = field(default_factory=list)

    def __iadd__(self, other: Counts) -> Counts:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.held += other.held
        return self


class _Known(NamedTuple):
    id: UUID
    source_hash: str
    retired_at: datetime | None
    retired_reason: str
    keeper_hash: str


class _Changed(NamedTuple):
    came: Incoming
    there: _Known
    keeper_hash: str
    content: str
    content_hash: str
    source_hash: str


@dataclass(slots=True)
class _Batch:
    """What is to be written. `changed` has one element per question, by column of the UPDATE."""

    questions: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    changed: list[tuple[Any, ...]] = field(default_factory=list)
    cited_anew: dict[UUID | str, Sequence[str]] = field(default_factory=dict)
    cited_first: dict[UUID | str, Sequence[str]] = field(default_factory=dict)


def store(
    *, bank: Bank, incoming: Sequence[Incoming], edition: str = "", actor_id: UUID | None = None, by: By = By.KEEPER
) -> Counts:
    """Bring the bank's questions of the edition to what came; what is as it was is read only. Up to 1,000 at once.

    One transaction, or a part of the caller's: questions, their new wordings, which one is current, and what they cite
    change together. Writers of a bank wait for each other until their transactions end. A question that people here
    have retired stays retired. Quizzes kept in caches are stale after the commit.
    """
    counts = Counts()
    if not incoming:
        return counts
    with transaction.atomic():
        lock_bank(bank.pk)
        known = _known(bank.pk, edition, [each.external_id for each in incoming])
        writer = _Writer(bank, edition, actor_id, by)
        changed: list[_Changed] = []
        for each in incoming:
            content = rows.content_of(each.item)
            content_hash = rows.digest_of(content)
            source_hash = source_hash_of(each, content_hash)
            there = known.get(each.external_id)
            if there is None:
                writer.create(each, content, content_hash, source_hash)
                counts.created += 1
                continue
            keeper_hash = _keeper_hash(bank, by, there, source_hash)
            if keeper_hash is None:
                counts.held.append(each.external_id)
            elif _is_as_it_was(each, there, source_hash, keeper_hash, writer.now):
                counts.unchanged += 1
            else:
                changed.append(_Changed(each, there, keeper_hash, content, content_hash, source_hash))
                counts.updated += 1
        writer.change(changed)
        writer.write()
        if counts.created or counts.updated:
            cache.invalidate("quiz")
    return counts


def source_hash_of(each: Incoming, content_hash: str) -> str:
    """Of all that is said of a question. A title is no part of the wording; where there is none nothing is hashed."""
    title = [each.item.title[:LONGEST_TITLE]] if each.item.title else []
    return rows.digest_of(content_hash, str(each.category_id), str(each.is_active), *title)


def retire(*, question_ids: Iterable[UUID], reason: str) -> int:
    """Those of them that are live are asked no more; how many. They, and what was answered, stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE quiz_question SET retired_at = now(), retired_reason = %s, updated_at = now() "
            "WHERE id = ANY(%s) AND retired_at IS NULL",
            [reason[:200], list(question_ids)],
        )
        count = int(cursor.rowcount)
        if count:
            cache.invalidate("quiz")
    return count


def restore(*, question_ids: Iterable[UUID]) -> int:
    """Retired ones are asked again; how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE quiz_question SET retired_at = NULL, retired_reason = '', updated_at = now() "
            "WHERE id = ANY(%s) AND retired_at IS NOT NULL",
            [list(question_ids)],
        )
        count = int(cursor.rowcount)
        if count:
            cache.invalidate("quiz")
    return count


def categories_named(*, names: Iterable[str], organisation_id: UUID | None) -> dict[str, UUID]:
    """The categories of these names, made where there are none. Two at once get the same ones by the constraint."""
    wanted = sorted({name[:120] for name in names})
    found = _categories(wanted, organisation_id)
    missing = [name for name in wanted if name not in found]
    if missing:
        Category.objects.bulk_create(
            (Category(name=name, organisation_id=organisation_id) for name in missing), ignore_conflicts=True
        )
        found = _categories(wanted, organisation_id)
    return found


def lock_bank(bank_id: UUID) -> None:
    """Until the transaction ends, nobody else writes questions of this bank."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('quiz.bank:' || %s, 0))", [str(bank_id)])


def _categories(names: Sequence[str], organisation_id: UUID | None) -> dict[str, UUID]:
    kept = Category.objects.filter(name__in=names)
    kept = kept.filter(organisation_id=organisation_id) if organisation_id else kept.filter(organisation=None)
    return dict(kept.values_list("name", "id"))


def _known(bank_id: UUID, edition: str, external_ids: Sequence[str]) -> dict[str, _Known]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id, id, source_hash, retired_at, retired_reason, keeper_hash FROM quiz_question "
            "WHERE bank_id = %s AND edition = %s AND external_id = ANY(%s)",
            [bank_id, edition, list(external_ids)],
        )
        return {row[0]: _Known(*row[1:]) for row in cursor.fetchall()}


def _keeper_hash(bank: Bank, by: By, there: _Known, source_hash: str) -> str | None:
    """What is to be remembered of the keeper's word from now on; None: it is not taken, for people here said else."""
    if by is By.HERE:
        said = there.keeper_hash or there.source_hash
        return "" if bank.kind == Bank.Kind.OWN or said == source_hash else said
    if not there.keeper_hash or by is By.KEEPER_FIRST or source_hash == there.source_hash:
        return ""
    return there.keeper_hash if source_hash == there.keeper_hash else None


def _is_as_it_was(each: Incoming, there: _Known, source_hash: str, keeper_hash: str, now: datetime) -> bool:
    if keeper_hash and source_hash == keeper_hash:  # its keeper says what was known when it was edited here
        return True
    retirement = _retirement(each, there, now)
    said = (there.source_hash, there.keeper_hash, there.retired_at, there.retired_reason)
    return (source_hash, keeper_hash, *retirement) == said


def _retirement(each: Incoming, there: _Known, now: datetime) -> tuple[datetime | None, str]:
    """(retired_at, retired_reason) of a question that is there."""
    if not each.is_active and there.retired_at is None:
        return now, INACTIVE
    if each.is_active and there.retired_at is not None and there.retired_reason in BY_KEEPER:
        return None, ""
    return there.retired_at, there.retired_reason


class _Writer:
    def __init__(self, bank: Bank, edition: str, actor_id: UUID | None, by: By) -> None:
        self.now = timezone.now()
        self._keeper_hash = WRITTEN_HERE if by is By.HERE and bank.kind != Bank.Kind.OWN else ""
        self._bank, self._batch = bank, _Batch()
        self._at = self.now.isoformat()
        self._head = f"{bank.pk}\t{rows.escaped(edition)}"
        self._tail = f"{self._at}\t{actor_id or rows.NULL}\n"

    def create(self, each: Incoming, content: str, content_hash: str, source_hash: str) -> None:
        question_id = rows.new_id()
        current_id = self._version(question_id, 1, content, content_hash)
        retired = f"{rows.NULL}\t" if each.is_active else f"{self._at}\t{INACTIVE}"
        self._batch.questions.append(
            f"{question_id}\t{self._head}\t{rows.escaped(each.external_id)}\t{each.category_id}\t{current_id}\t"
            f"{source_hash}\t{retired}\t\t{self._at}\t{self._at}\t{rows.escaped(each.item.title[:LONGEST_TITLE])}\t"
            f"{self._keeper_hash}\n"
        )
        if each.item.references:
            self._batch.cited_first[question_id] = each.item.references

    def change(self, changed: Sequence[_Changed]) -> None:
        """A new wording only where the wording is another; else the question moves alone."""
        latest = _latest([each.there.id for each in changed])
        for came, there, keeper_hash, content, content_hash, source_hash in changed:
            current_id, current_hash, number = latest[there.id]
            if current_hash != content_hash:
                current_id = self._version(str(there.id), number + 1, content, content_hash)
                self._batch.cited_anew[there.id] = came.item.references
            retired = _retirement(came, there, self.now)
            said = (source_hash, came.item.title[:LONGEST_TITLE], keeper_hash)
            self._batch.changed.append((there.id, current_id, came.category_id, *said, *retired))

    def write(self) -> None:
        batch, organisation_id = self._batch, self._bank.organisation_id
        with connection.cursor() as cursor:
            if batch.questions:
                _copy(cursor, "quiz_question", rows.QUESTION_COLUMNS, batch.questions)
            if batch.versions:
                _copy(cursor, "quiz_questionversion", rows.VERSION_COLUMNS, batch.versions)
            if batch.changed:
                columns = [list(column) for column in zip(*batch.changed, strict=True)]
                cursor.execute(
                    "UPDATE quiz_question q SET current_id = s.current_id, category_id = s.category_id, "
                    "source_hash = s.source_hash, title = s.title, keeper_hash = s.keeper_hash, "
                    "retired_at = s.retired_at, retired_reason = s.retired_reason, updated_at = %s "
                    "FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], "
                    "%s::timestamptz[], %s::text[]) AS s(id, current_id, category_id, source_hash, title, "
                    "keeper_hash, retired_at, retired_reason) WHERE q.id = s.id",
                    [self.now, *columns],
                )
        if batch.cited_first:
            citing.cite(cited=batch.cited_first, organisation_id=organisation_id, is_new=True)
        if batch.cited_anew:
            citing.cite(cited=batch.cited_anew, organisation_id=organisation_id)

    def _version(self, question_id: str, number: int, content: str, content_hash: str) -> str:
        version_id = rows.new_id()
        self._batch.versions.append(f"{version_id}\t{question_id}\t{number}\t{content}\t{content_hash}\t{self._tail}")
        return version_id


def _latest(question_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID | str | None, str, int]]:
    """By question: its current wording, that one's hash, and the highest number of its wordings."""
    if not question_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.id, q.current_id, coalesce(c.content_hash, ''), coalesce(max(v.number), 0) FROM quiz_question q "
            "LEFT JOIN quiz_questionversion c ON c.id = q.current_id "
            "LEFT JOIN quiz_questionversion v ON v.question_id = q.id "
            "WHERE q.id = ANY(%s) GROUP BY q.id, q.current_id, c.content_hash",
            [list(question_ids)],
        )
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}


def _copy(cursor: Any, table: str, columns: Sequence[str], lines: Sequence[str]) -> None:
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for at in range(0, len(lines), 200):
            copy.write("".join(lines[at : at + 200]))
