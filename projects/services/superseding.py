"""Which documents stand for one and the same bill: each newer one supersedes the one before in the budget.

A document remembers whom it superseded (`extracted_data["replaces"]`). Documents so connected are a family: at most one
of them should be in the budget, so the next one takes the place of whatever is there of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from ..models import Document, Position

TENDERS = ("X81", "X83")


def family_of(*, project_id: UUID, documents: set[UUID]) -> set[UUID]:
    """These documents and all that are connected with them by superseding, in either direction."""
    rows = Document.objects.filter(project_id=project_id, extracted_data__has_key="replaces")
    links = [{pk, UUID(other)} for pk, other in rows.values_list("pk", "extracted_data__replaces")]
    family, size = set(documents), 0
    while len(family) > size:
        size = len(family)
        family.update(*(link for link in links if link & family))
    return family


def is_in_budget(document: Document) -> bool:
    """Whether positions of the current version come from it."""
    return Position.objects.filter(
        project_id=document.project_id, document_id=document.pk, removed_in__isnull=True
    ).exists()


def twins_of(documents: Iterable[Document]) -> dict[UUID, Document]:
    """Of documents that are in the budget, each that has as many positions and the same total as an older one of them,
    with that one: they may be one bill in two formats, and the budget would count it twice. A heuristic: whether they
    are the same, `comparing` proves."""
    seen: dict[tuple[int, Decimal], Document] = {}
    found = {}
    for document in sorted(documents, key=lambda document: document.created_at):
        sums = (document.extracted_data or {}).get("reconciliation") or {}
        total = Decimal(sums.get("computed_total") or 0)  # 4800.00 here is 4800 there
        if not sums.get("positions") or total == 0:
            continue
        older = seen.setdefault((sums["positions"], total), document)
        if older is not document:
            found[document.pk] = older
    return found


def superseded_by(documents: Iterable[Document], inside: set[UUID]) -> dict[UUID, Document]:
    """Documents whose place another has taken that is in the budget (`inside`), with that one."""
    links = ((document, (document.extracted_data or {}).get("replaces")) for document in documents)
    next_of = {UUID(older): document for document, older in links if older}
    found = {}
    for first in next_of:
        newer, seen = next_of.get(first), {first}
        while newer is not None and newer.pk not in seen | inside:
            seen.add(newer.pk)
            newer = next_of.get(newer.pk)
        if newer is not None and newer.pk in inside:
            found[first] = newer
    return found


def counted_documents(*, project_id: UUID) -> QuerySet[Document]:
    """Those that positions of the current version come from."""
    current = Position.objects.filter(document=OuterRef("pk"), removed_in__isnull=True)
    return Document.objects.filter(Exists(current), project_id=project_id)


def tender_for(*, document: Document, named: UUID | None) -> Document | None:
    """The tender (GAEB X83) that a bid (X84) answers: the one that was named, else the project's newest."""
    tenders = _read_bills(document.project_id).filter(extracted_data__header__phase__in=TENDERS).exclude(pk=document.pk)
    chosen = tenders.filter(pk=named).first() if named else None
    return chosen or tenders.order_by("-created_at").first()


def lone_bids(*, project_id: UUID) -> list[Document]:
    """Bids in the budget that were read before their tender came, so without quantities; oldest first."""
    bids = _read_bills(project_id).filter(extracted_data__header__phase="X84", extracted_data__tender__isnull=True)
    return [bid for bid in bids.order_by("created_at") if is_in_budget(bid)]


def _read_bills(project_id: UUID) -> QuerySet[Document]:
    return Document.objects.filter(project_id=project_id, parse_status=Document.ParseStatus.COMPLETED)
