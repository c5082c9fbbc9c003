"""Documents of tenders: what a publisher names, what your organisation has fetched of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..models import TenderDocument
from ..sending import ANY_TYPE, document_file
from ..services import documents
from ..services.access import acting_organisation, visible_tender
from .serializers import SyncStartedSerializer
from .source_views import started
from .views import PROBLEM


class NamedDocumentSerializer(serializers.Serializer[Any]):
    """`id`, and all below it, null: nobody of your organisation has had it fetched."""

    title = serializers.CharField()
    url = serializers.CharField(help_text="Empty: it has no address that could be followed.")
    document_type = serializers.CharField()
    format = serializers.CharField()
    id = serializers.UUIDField(source="stored.id", allow_null=True, default=None)
    state = serializers.ChoiceField(
        source="stored.state", choices=TenderDocument.State.choices, allow_null=True, default=None
    )
    error = serializers.CharField(source="stored.error", allow_null=True, default=None)
    filename = serializers.CharField(source="stored.filename", allow_null=True, default=None)
    content_type = serializers.CharField(source="stored.content_type", allow_null=True, default=None)
    size = serializers.IntegerField(source="stored.content.size", allow_null=True, default=None)
    sha256 = serializers.CharField(source="stored.content.sha256", allow_null=True, default=None)
    fetched_at = serializers.DateTimeField(source="stored.fetched_at", allow_null=True, default=None)


class TenderDocumentsView(APIView):
    """The documents of one tender."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses={200: NamedDocumentSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, tender_id: UUID) -> Response:
        """In the publisher's order, each with what your first organisation has fetched."""
        tender = visible_tender(tender_id=tender_id, user=actor_of(request))
        named = documents.named_documents(tender, acting_organisation(actor_of(request)))
        return Response(NamedDocumentSerializer(named, many=True).data)

    @extend_schema(request=None, responses={202: SyncStartedSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM})
    @throttle_scope("expensive")
    def post(self, request: Request, tender_id: UUID) -> Response:
        """Have those fetched that are not here yet. A fetching that is under way is returned instead of a second."""
        return Response(started(documents.start_fetching(tender_id=tender_id, actor=actor_of(request))), status=202)


class DocumentFileView(APIView):
    """A document that your organisation has fetched."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        responses={
            (200, ANY_TYPE): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="Not fetched, or not by your organisation."),
        }
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponseBase:
        """The file, with the type that its publisher's server stated."""
        return document_file(documents.visible_document(document_id=document_id, user=actor_of(request)))
