"""A tender's documents: having them fetched from the publisher, and what came."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Organisation
from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import DocumentMissing
from ..models import Tender, TenderDocument
from ..sending import document_file
from ..services import documents
from ..services.access import visible_tender


def shown_documents(tender: Tender, organisation: Organisation | None) -> dict[str, Any]:
    """For the tender's page: what is named, with what the organisation has fetched of it."""
    named = documents.named_documents(tender, organisation)
    left = [each for each in named if each.url and not _is_here(each.stored)]
    return {
        "named_documents": named,
        "documents_job": documents.active_job(tender, organisation),
        "documents_left": len({each.url for each in left}),
    }


def _is_here(document: TenderDocument | None) -> bool:
    return document is not None and document.state == TenderDocument.State.FETCHED


@page
@require_POST
@costly
def fetch(request: PageRequest, tender_id: UUID) -> HttpResponse:
    documents.start_fetching(tender_id=tender_id, actor=request.user)
    messages.success(request, "The documents are being fetched.")
    return redirect(f"{reverse('tenders:detail', args=[tender_id])}#documents")


@page
@require_safe
def download(request: PageRequest, tender_id: UUID, document_id: UUID) -> HttpResponseBase:
    visible_tender(tender_id=tender_id, user=request.user)
    document = documents.visible_document(document_id=document_id, user=request.user)
    if document.tender_id != tender_id:
        raise DocumentMissing("There is no such document.")
    return document_file(document)
