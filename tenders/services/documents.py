"""A tender's documents: what its publisher names, what a firm has fetched of it, and starting to fetch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import DocumentMissing, NothingToFetch
from ..models import Tender, TenderDocument
from .access import visible_tender, writing_organisation

if TYPE_CHECKING:
    from accounts.models import Organisation, User
    from projects.models import Project

FETCH = "tenders.fetch_documents"
MOST = 100  # of one tender
LONGEST_ADDRESS = 2000
State = TenderDocument.State


@dataclass(frozen=True, slots=True)
class Named:
    """A document as the publisher names it. `url` "": it has no address that could be followed."""

    title: str
    url: str
    document_type: str
    format: str
    stored: TenderDocument | None = None


def named_documents(tender: Tender, organisation: Organisation | None = None) -> list[Named]:
    """In the publisher's order; with `organisation`, each with what that has fetched. One query."""
    stored: dict[str, TenderDocument] = {}
    if organisation is not None and tender.documents:
        found = TenderDocument.objects.filter(tender=tender, organisation=organisation).select_related("content")
        stored = {document.url_digest: document for document in found}
    return [
        Named(
            title=str(each.get("title") or ""),
            url=(url := _address(str(each.get("url") or ""))),
            document_type=str(each.get("document_type") or ""),
            format=str(each.get("format") or ""),
            stored=stored.get(digest_of(url)) if url else None,
        )
        for each in tender.documents
        if isinstance(each, dict)
    ]


def _address(text: str) -> str:
    text = text.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
    return text if is_web and len(text) <= LONGEST_ADDRESS else ""


def digest_of(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:32]


def active_job(tender: Tender, organisation: Organisation | None) -> Job | None:
    """The fetching that goes on for the organisation."""
    if organisation is None or not tender.documents:
        return None
    mine = Job.objects.active().filter(kind=FETCH, organisation=organisation, params__tender_id=str(tender.pk))
    found: Job | None = mine.order_by("-created_at").first()
    return found


def start_fetching(*, tender_id: UUID, actor: User) -> Job:
    """Queue the fetching of what has not been fetched yet; what is under way is returned instead of a second one.

    Raises TenderMissing, OnlyReads, NoOrganisation, NothingToFetch.
    """
    tender = visible_tender(tender_id=tender_id, user=actor)
    organisation = writing_organisation(actor)
    with transaction.atomic():
        waiting = _awaited(tender, organisation)
        if not waiting:
            raise NothingToFetch("Everything that the publisher names with an address is here already.")
        return _queue(tender, organisation, actor, None)


def start_for_project(*, tender: Tender, organisation: Organisation, actor: User, project: Project) -> Job | None:
    """Queue what brings the tender's documents into the project of its bid. None: it names none. In the caller's
    transaction."""
    if not any(named.url for named in named_documents(tender)):
        return None
    _awaited(tender, organisation)
    return _queue(tender, organisation, actor, project)


def _awaited(tender: Tender, organisation: Organisation) -> int:
    """Rows for what is to be fetched, those that failed before included; how many wait. Raises NothingToFetch: no
    document has an address."""
    named = {digest_of(each.url): each for each in named_documents(tender) if each.url}
    if not named:
        raise NothingToFetch("The publisher names no document that could be fetched.")
    rows = [
        TenderDocument(
            tender=tender, organisation=organisation, url=each.url, url_digest=digest, title=each.title[:500]
        )
        for digest, each in list(named.items())[:MOST]
    ]
    TenderDocument.objects.bulk_create(rows, ignore_conflicts=True)
    mine = TenderDocument.objects.filter(tender=tender, organisation=organisation)
    mine.filter(state=State.FAILED).update(state=State.WAITING, error="")
    return int(mine.filter(state=State.WAITING).count())


def _queue(tender: Tender, organisation: Organisation, actor: User, project: Project | None) -> Job:
    """One job at a time for a tender of an organisation; another one for each project that it is carried into."""
    target = str(project.pk) if project else None
    return enqueue(
        kind=FETCH,
        params={
            "tender_id": str(tender.pk),
            "organisation_id": str(organisation.pk),
            "actor_id": str(actor.pk),
            "project_id": target,
        },
        actor=actor,
        organisation=organisation,
        subject=("project", project.pk) if project else ("tender", tender.pk),
        about=tender.title[:200],
        dedupe_key=f"{FETCH}:{tender.pk}:{organisation.pk}:{target or ''}",
    )


def visible_document(*, document_id: UUID, user: User) -> TenderDocument:
    """One that an organisation of the user's has fetched. Raises DocumentMissing."""
    found: TenderDocument | None = (
        TenderDocument.objects.visible_to(user).select_related("content").filter(pk=document_id).first()
    )
    if found is None:
        raise DocumentMissing("There is no such document.")
    return found


def open_document(document: TenderDocument) -> IO[bytes]:
    """Raises DocumentMissing, for one that has not been fetched, too."""
    if document.content is None:
        raise DocumentMissing("This document has not been fetched.")
    try:
        opened: IO[bytes] = document.content.file.open("rb")
    except OSError as error:
        raise DocumentMissing("The file is no longer stored. Have it fetched again.") from error
    return opened
