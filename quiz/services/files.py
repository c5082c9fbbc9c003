"""Files of questions into a bank, and a bank into a file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import IO, TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat

from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import BankRefused, NotAQuestionFile
from ..exchange import PICTURED, Item, Loss, NotReadable, Rejected, json_of, read, write
from ..models import Bank, Question, SyncRejection, SyncRun
from . import pictures, runs, storing, warming
from .banks import changeable_bank
from .bodies import item_of
from .storing import By, Counts, Incoming
from .syncing import Report, silent

if TYPE_CHECKING:
    from accounts.models import User

IMPORT = "quiz.import_file"
LONGEST_ID = 200
PATH = " / "  # between the parts of a category's path, in its name


def import_file(
    *,
    bank: Bank,
    stream: IO[bytes],
    filename: str,
    edition: str = "",
    format: str = "",
    actor_id: UUID | None = None,
    run: SyncRun | None = None,
    replaces_edits: bool = False,
    report: Report = silent,
) -> SyncRun:
    """Read the questions of a file into an edition of the bank; a second time nothing is written. Nothing is retired.

    All of it in one transaction. What can't be taken is rejected and kept for mending; what is of a kind that has no
    place here is rejected too, and counted by kind in `unsupported`. What was edited here stays as it is, and what the
    file has to say of it now is rejected, unless it `replaces_edits`. `run`: one that has been waiting for this.
    Raises BankBusy, BankRefused; NotAQuestionFile for no such file, and for one without a single question.
    """
    if bank.kind == Bank.Kind.AIRTABLE:
        raise BankRefused("The questions of this bank are kept in Airtable. Import the file into another bank.")
    run = run or SyncRun(bank=bank, kind=SyncRun.Kind.FILE, filename=filename[:255], started_by_id=actor_id)
    run.edition, run.format = edition[:40], format
    with runs.running(bank=bank, run=run):
        items, rejected = _read(run, stream, format, filename)
        report(len(items), len(items), f"Storing {len(items):,} questions")
        pictures.keep(bank=bank, pictures=(each for item in items.values() for each in item.pictures))
        run.remarks = pictures.remarks_of(items.items())
        by = By.KEEPER_FIRST if replaces_edits else By.KEEPER
        with transaction.atomic():
            storing.lock_bank(bank.pk)
            counts = _store(bank, items, run.edition, actor_id, by)
            runs.count(run, counts)
            rejected += [_held(key, items, position) for position, key in enumerate(items, 1) if key in counts.held]
            run.rejected = len(rejected)
            before = SyncRejection.objects.filter(bank=bank, record_id__startswith=_record_id(filename, ""))
            runs.keep_rejections(found=(_rejection(run, filename, each) for each in rejected), before=before)
    warming.after(run)
    return run


def start_import(
    *,
    bank_id: UUID,
    file: File[bytes],
    filename: str,
    actor: User,
    edition: str = "",
    format: str = "",
    replaces_edits: bool = False,
) -> tuple[SyncRun, Job]:
    """Store an uploaded file and queue its reading. Raises BankMissing, BankRefused, NotAQuestionFile."""
    bank = changeable_bank(bank_id=bank_id, user=actor)
    if bank.kind == Bank.Kind.AIRTABLE:
        raise BankRefused("The questions of this bank are kept in Airtable. Import the file into another bank.")
    if (file.size or 0) > settings.UPLOAD_LIMIT_BYTES:
        limit = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
        raise NotAQuestionFile(f"This file has {filesizeformat(file.size)}; the limit is {limit}. Split it.")
    name = _safe_name(filename)
    run = SyncRun(bank=bank, kind=SyncRun.Kind.FILE, status=SyncRun.Status.QUEUED, filename=name, started_by=actor)
    run.edition, run.format = edition[:40], format
    run.file.save(name, file, save=False)  # files before, and outside, the transaction
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            job = enqueue(
                kind=IMPORT,
                params={"run_id": str(run.pk), "bank_id": str(bank.pk), "replaces_edits": replaces_edits},
                actor=actor,
                organisation=bank.organisation,
                subject=("quiz_bank", bank.pk),
                about=f"{bank}: {name}",
            )
            run.job_id = job.pk
            run.save(update_fields=["job_id"])
    except BaseException:
        run.file.delete(save=False)
        raise
    return run, job


def read_upload(*, run_id: UUID, replaces_edits: bool = False, report: Report = silent) -> SyncRun:
    """Read the file that a queued run has, from its start. Raises what `import_file` raises."""
    run = SyncRun.objects.select_related("bank").filter(pk=run_id).first()
    if run is None:
        raise NotAQuestionFile("There is no such import any more.")
    try:
        stream = run.file.open("rb")
    except FileNotFoundError as error:
        raise NotAQuestionFile("The file of this import is no longer stored. Upload it again.") from error
    with stream:
        return import_file(
            bank=run.bank,
            stream=stream,
            filename=run.filename,
            edition=run.edition,
            format=run.format,
            actor_id=run.started_by_id,
            run=run,
            replaces_edits=replaces_edits,
            report=report,
        )


def export_questions(
    *, bank: Bank, format: str, stream: IO[bytes], edition: str | None = None
) -> tuple[int, list[Loss]]:
    """Write the live questions of the bank, of all editions unless one is named; how many there were, and what the file
    can't say of them. Raises NotAQuestionFile for a format that is not written, BankRefused for a bank without any."""
    questions = Question.objects.live().filter(bank=bank).select_related("current", "category")
    if edition is not None:
        questions = questions.filter(edition=edition)
    items = list(_items(questions.order_by("edition", "external_id")))
    if not items:
        raise BankRefused("There is no live question to export.")
    if format in PICTURED:
        items = pictures.attached(bank=bank, items=items)
    try:
        losses = write(items, format, stream)
    except NotReadable as error:
        raise NotAQuestionFile(str(error)) from error
    return len(items), losses


def _items(questions: QuerySet[Question]) -> Iterator[Item]:
    for question in questions:
        assert question.current is not None  # that is what live means
        category = tuple(question.category.name.split(PATH))
        yield item_of(question.current, external_id=question.external_id, category=category, title=question.title)


def _read(run: SyncRun, stream: IO[bytes], format: str, filename: str) -> tuple[dict[str, Item], list[Rejected]]:
    items: dict[str, Item] = {}
    rejected: list[Rejected] = []
    unsupported: Counter[str] = Counter()
    try:
        reading = read(stream, format=format, filename=filename)
        run.format = reading.format
        for position, each in enumerate(reading, 1):
            found = _named(each, items, position) if isinstance(each, Item) else each
            if isinstance(found, Rejected):
                rejected.append(found)
                unsupported[found.code] += found.is_unsupported
    except NotReadable as error:
        raise NotAQuestionFile(str(error)) from error
    run.fetched, run.rejected = len(items) + len(rejected), len(rejected)
    run.unsupported = dict(+unsupported)
    if not items:
        why = f" The first of {len(rejected):,} that were rejected: {rejected[0].reason}" if rejected else ""
        raise NotAQuestionFile(f"There is no question in this file that could be read.{why}")
    return items, rejected


def _named(item: Item, items: dict[str, Item], position: int) -> Item | Rejected:
    """Into `items` under its publisher's id, or under one made of its wording; an id that is taken is refused."""
    key = item.external_id
    if not key:
        made = hashlib.blake2b(f"{item.kind}\t{item.stem}".encode(), digest_size=10).hexdigest()
        key = f"~{made}"
        while key in items:  # the same wording again, with other answers
            key += "+"
    if len(key) > LONGEST_ID:
        return Rejected(position, "long_id", f"The id of the question is longer than {LONGEST_ID} characters.", key)
    if key in items:
        return Rejected(position, "duplicate_id", f"The id {key} was in this file before.", item.stem[:4000])
    items[key] = item
    return item


def _held(key: str, items: dict[str, Item], position: int) -> Rejected:
    """With all that the file says of it, so that it can be taken nonetheless (`mending`)."""
    reason = f"The question {key[:80]} was edited here, and the file says something else of it than before."
    item = replace(items[key], external_id=key, pictures=())
    return Rejected(position, "edited_here", reason, json_of([item]))


def _store(bank: Bank, items: dict[str, Item], edition: str, actor_id: UUID | None, by: By) -> Counts:
    names = {key: PATH.join(item.category)[:120] or bank.name for key, item in items.items()}
    categories = storing.categories_named(names=names.values(), organisation_id=bank.organisation_id)
    incoming = [Incoming(key, item, categories[names[key]]) for key, item in items.items()]
    counts = Counts()
    for at in range(0, len(incoming), storing.BATCH):
        some = incoming[at : at + storing.BATCH]
        counts += storing.store(bank=bank, incoming=some, edition=edition, actor_id=actor_id, by=by)
    return counts


def _record_id(filename: str, position: int | str) -> str:
    return f"{filename[-180:]}#{position}"


def _rejection(run: SyncRun, filename: str, each: Rejected) -> SyncRejection:
    return SyncRejection(
        bank_id=run.bank_id,
        run=run,
        record_id=_record_id(filename, each.position),
        stage=SyncRejection.Stage.READ if each.is_unsupported else SyncRejection.Stage.VALIDATE,
        code=each.code[:60],
        reason=each.reason[:500],
        raw=each.raw.replace("\x00", ""),
    )


def _safe_name(filename: str) -> str:
    """The last part of whatever path was sent, without control characters."""
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[-200:] or "upload"
