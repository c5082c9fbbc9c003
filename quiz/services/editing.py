"""Questions written and changed by people here. A change is another wording; nothing that was asked is changed.

Who keeps a question decides: what is written here is changed here. What came with a file can be changed too, and
stays so when the file comes again (`storing.By`). What is kept in Airtable is changed there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet

from ..exceptions import BankMissing, EditedMeanwhile, KeptElsewhere, NotAQuestion, QuestionMissing
from ..exchange import Item, Rejected
from ..exchange.soundness import sound
from ..exchange.wording import Part, item_diff
from ..models import Bank, Question, QuestionVersion
from . import pictures, storing
from .bodies import item_of
from .storing import By, Incoming

if TYPE_CHECKING:
    from accounts.models import User

RECORD = "https://airtable.com/{base}/{table}/{record}"
MOST_WORDINGS = 100
FIELDS = {"no_question": "stem", "too_long": "stem", "bad_difficulty": "difficulty"}  # the rest is about the answers
ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Wording:
    """One of a question's wordings and how it differs from the one before."""

    version: QuestionVersion
    parts: list[Part]
    is_current: bool


def write_question(*, actor: User, bank_id: UUID, item: Item, category: str, edition: str = "") -> Question:
    """A new question of the bank. `item.external_id`: "" makes one up. Raises BankMissing, KeptElsewhere,
    NotAQuestion."""
    bank = editable_bank(bank_id=bank_id, user=actor)
    item = checked(item)
    external_id = item.external_id or f"own-{uuid4().hex[:12]}"
    if Question.objects.filter(bank=bank, edition=edition, external_id=external_id).exists():
        raise NotAQuestion(f"This bank has a question {external_id} already.", extra={"field": "external_id"})
    _keep_pictures(bank, item, actor)
    with transaction.atomic():
        storing.lock_bank(bank.pk)
        incoming = Incoming(external_id, item, _category(bank, category))
        counts = storing.store(bank=bank, incoming=[incoming], edition=edition, actor_id=actor.pk, by=By.HERE)
        if not counts.created:  # somebody has written it since it was looked for
            raise NotAQuestion(f"This bank has a question {external_id} already.", extra={"field": "external_id"})
    return Question.objects.select_related("current", "category", "bank").get(
        bank=bank, edition=edition, external_id=external_id
    )


def edit_question(*, actor: User, question_id: UUID, seen: str, item: Item, category: str) -> bool:
    """Bring the question to this; False: it was so, and nothing was written. `seen`: its `source_hash` when it was
    opened. Writers of a bank wait for each other, so of two editors the second one is told.

    Raises QuestionMissing, KeptElsewhere, NotAQuestion, EditedMeanwhile.
    """
    question = changeable_question(question_id=question_id, user=actor)
    require_editable(question)
    bank = question.bank
    item = replace(checked(item), external_id=question.external_id)
    _keep_pictures(bank, item, actor)
    with transaction.atomic():
        storing.lock_bank(bank.pk)
        question.refresh_from_db(fields=["source_hash", "retired_at", "retired_reason"])
        if question.source_hash != seen:
            raise EditedMeanwhile(
                "Somebody else has changed this question since you opened it. What differs is told below. "
                "Save again to put yours in its place.",
                extra={"seen": question.source_hash},
            )
        is_active = question.retired_at is None or question.retired_reason not in storing.BY_KEEPER
        incoming = Incoming(question.external_id, item, _category(bank, category), is_active)
        counts = storing.store(bank=bank, incoming=[incoming], edition=question.edition, actor_id=actor.pk, by=By.HERE)
    return bool(counts.updated)


def changeable_question(*, question_id: UUID, user: User) -> Question:
    """With its current wording, bank and category. Raises QuestionMissing."""
    rows: QuerySet[Question] = Question.objects.changeable_by(user).filter(pk=question_id)
    question = rows.select_related("current__created_by", "bank", "category").first()
    if question is None:
        raise QuestionMissing("There is no such question, or it is not yours to change.")
    return question


def require_editable(question: Question) -> None:
    """Raises KeptElsewhere, with the `url` of its record."""
    if question.bank.kind == Bank.Kind.AIRTABLE:
        raise KeptElsewhere(
            "This question is kept in Airtable: change its record there. It comes here with the next sync.",
            extra={"url": record_url(question)},
        )


def record_url(question: Question) -> str:
    """Of the record in Airtable that the question is; "" for others."""
    bank = question.bank
    if bank.kind != Bank.Kind.AIRTABLE:
        return ""
    return RECORD.format(base=bank.base_id, table=bank.table_id, record=question.external_id)


def checked(item: Item) -> Item:
    """The item as it can be asked. Raises NotAQuestion, with the `field` that the reason belongs to."""
    found = sound(item, position=0, raw="")
    if isinstance(found, Rejected):
        raise NotAQuestion(found.reason, extra={"field": FIELDS.get(found.code, ANSWERS), "reason": found.code})
    return found


def item_now(question: Question) -> Item | None:
    """What the editor begins with."""
    if question.current is None:
        return None
    return item_of(question.current, external_id=question.external_id, title=question.title)


def differences(question: Question, item: Item) -> list[Part]:
    """From what it is now to the item: the parts that differ."""
    return [part for part in item_diff(item_now(question), item) if not part.is_same]


def wordings_of(question: Question) -> list[Wording]:
    """The newest first, at most MOST_WORDINGS. One query."""
    rows = question.versions.select_related("created_by").order_by("-number")[: MOST_WORDINGS + 1]
    versions = list(rows)
    items = [item_of(version) for version in versions]
    return [
        Wording(version, item_diff(older, items[at]), version.pk == question.current_id)
        for at, (version, older) in enumerate(zip(versions, [*items[1:], None], strict=True))
    ][:MOST_WORDINGS]


def editable_banks(user: User | AnonymousUser) -> QuerySet[Bank]:
    """Those that questions can be written into here."""
    return Bank.objects.writable_by(user).exclude(kind=Bank.Kind.AIRTABLE)


def editable_bank(*, bank_id: UUID, user: User) -> Bank:
    """Raises BankMissing, KeptElsewhere."""
    bank: Bank | None = Bank.objects.writable_by(user).filter(pk=bank_id).first()
    if bank is None:
        raise BankMissing("There is no such bank, or it is not yours to change.")
    if bank.kind == Bank.Kind.AIRTABLE:
        raise KeptElsewhere("The questions of this bank are kept in Airtable: write it there.")
    return bank


def _category(bank: Bank, name: str) -> UUID:
    name = " ".join(name.split())[:120] or bank.name
    return storing.categories_named(names=[name], organisation_id=bank.organisation_id)[name]


def _keep_pictures(bank: Bank, item: Item, actor: User) -> None:
    """Those that came within the texts, and those that are named and that the actor can see in another bank."""
    pictures.keep(bank=bank, pictures=item.pictures)
    pictures.adopt(bank=bank, item=item, user=actor)
