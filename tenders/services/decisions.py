"""What a firm means to do about a tender: watch it, bid, leave it; and what its people say of an assessment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from projects.models import Project
from projects.services.opening import open_project

from ..exceptions import DecisionRefused
from ..models import Decision, Score, Tender
from .access import visible_tender, writing_organisation
from .documents import start_for_project

if TYPE_CHECKING:
    from accounts.models import Organisation, User

LONGEST_REASON = 4000
_CURRENCY = re.compile("[A-Z]{3}")


@transaction.atomic
def decide(*, tender_id: UUID, actor: User, choice: str, reason: str = "") -> Decision:
    """The decision that stands now, for the actor's organisation. The same again writes nothing.

    Two who decide at once do so one after the other; the later word stands, both are in the history. Raises
    TenderMissing, OnlyReads, NoOrganisation, DecisionRefused.
    """
    if choice not in Decision.Choice.values:
        raise DecisionRefused("Watch it, bid, or do not bid: there is no fourth.")
    reason = reason.replace("\x00", "").strip()[:LONGEST_REASON]
    if choice == Decision.Choice.NO_BID and not reason:
        raise DecisionRefused("Say why not: the next one who finds this tender will ask.", code="reason_missing")
    tender, organisation = _locked(tender_id, actor)
    standing = _standing(tender, organisation)
    if standing and (standing.choice, standing.reason) == (choice, reason):
        return standing
    return _write(tender, organisation, actor, choice=choice, reason=reason, project=_project_of(tender, organisation))


@transaction.atomic
def bid_on(*, tender_id: UUID, actor: User, reason: str = "") -> Project:
    """The project in which the bid is made: opened the first time, the same one ever after. Decides to bid; a job
    brings the tender's documents into it."""
    tender, organisation = _locked(tender_id, actor)
    project = _project_of(tender, organisation) or open_project(
        actor=actor,
        name=tender.title[:200],
        description=_description(tender),
        organisation_id=organisation.pk,
        currency=tender.value_currency if _CURRENCY.fullmatch(tender.value_currency) else "",
        metadata={"tender": _reference(tender)},
    )
    standing = _standing(tender, organisation)
    if standing is None or standing.choice != Decision.Choice.BID or standing.project_id != project.pk:
        _write(tender, organisation, actor, choice=Decision.Choice.BID, reason=reason.strip(), project=project)
        start_for_project(tender=tender, organisation=organisation, actor=actor, project=project)
    return project


@transaction.atomic
def withdraw(*, tender_id: UUID, actor: User) -> None:
    """Nothing stands any more; the history stays."""
    tender, organisation = _locked(tender_id, actor)
    Decision.objects.filter(tender=tender, organisation=organisation, is_standing=True).update(is_standing=False)


def say_useful(*, tender_id: UUID, actor: User, is_useful: bool | None) -> bool:
    """Whether the organisation's assessment of the tender was right: thumbs up, down, or None to take it back.

    False: there is no assessment to speak of.
    """
    tender = visible_tender(tender_id=tender_id, user=actor)
    scores = Score.objects.filter(tender=tender, organisation=writing_organisation(actor))
    return bool(scores.update(is_useful=is_useful))


def _locked(tender_id: UUID, actor: User) -> tuple[Tender, Organisation]:
    """Held until the transaction ends, so that of two who decide the second sees the first's word."""
    tender = visible_tender(tender_id=tender_id, user=actor)
    organisation = writing_organisation(actor)
    Tender.objects.select_for_update(no_key=True).only("pk").get(pk=tender.pk)
    return tender, organisation


def _standing(tender: Tender, organisation: Organisation) -> Decision | None:
    found: Decision | None = Decision.objects.filter(tender=tender, organisation=organisation, is_standing=True).first()
    return found


def _project_of(tender: Tender, organisation: Organisation) -> Project | None:
    """What was opened for this tender before, unless it has been deleted since."""
    made = Decision.objects.filter(tender=tender, organisation=organisation, project__isnull=False)
    found: Project | None = Project.objects.filter(pk__in=made.order_by("-at").values("project_id")[:1]).first()
    return found


def _write(tender: Tender, organisation: Organisation, actor: User, **values: Any) -> Decision:
    mine = Decision.objects.filter(tender=tender, organisation=organisation)
    mine.filter(is_standing=True).update(is_standing=False)
    return Decision.objects.create(tender=tender, organisation=organisation, by=actor, **values)


def _description(tender: Tender) -> str:
    parts = [tender.buyer_name, tender.description[:1500]]
    return "\n\n".join(part for part in parts if part)


def _reference(tender: Tender) -> dict[str, Any]:
    deadline = tender.deadline_at.isoformat() if tender.deadline_at else None
    return {"id": str(tender.pk), "ocid": tender.key, "title": tender.title, "url": tender.url, "deadline_at": deadline}
