"""Sources and imports: where tenders come from, uploading files of them, and what could not be read."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.pages import actor_of
from config.api.throttles import throttle_scope
from jobs.models import Job
from jobs.services import estimate_seconds

from ..exceptions import ImportMissing, SourceRefused
from ..models import Import, Rejection, Source
from ..services import fetching, mending, removing, sources, uploads
from . import serializers
from .filters import ImportFilter
from .views import PROBLEM, UUID_REGEX


def started(job: Job) -> dict[str, Any]:
    """What a client needs to follow a job."""
    return {"job_id": str(job.pk), "status": job.status, "estimated_seconds": estimate_seconds(job.kind, None)}


class SourceViewSet(
    mixins.ListModelMixin, mixins.CreateModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Source]
):
    """Shared sources, and those of your organisations."""

    serializer_class = serializers.SourceSerializer
    queryset = Source.objects.none()
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> Any:
        return Source.objects.visible_to(actor_of(self.request)).order_by("name", "pk")

    def perform_create(self, serializer: BaseSerializer[Source]) -> None:
        values = dict(serializer.validated_data)
        serializer.instance = sources.create_source(
            actor=actor_of(self.request),
            organisation_id=values.pop("organisation_id", None),
            is_shared=values.pop("is_shared", False),
            values=values,
        )

    @extend_schema(
        request=serializers.SourceSerializer, responses={200: serializers.SourceSerializer, 403: PROBLEM, 404: PROBLEM}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, address, country, mapping or schedule."""
        source = sources.visible_source(source_id=UUID(pk), user=actor_of(request))
        form = self.get_serializer(source, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        if "organisation_id" in values or values.pop("is_shared", False):
            raise SourceRefused("A source stays with its organisation.", code="not_editable")
        source = sources.change_source(source_id=UUID(pk), actor=actor_of(request), values=values)
        return Response(self.get_serializer(source).data)

    @extend_schema(responses={202: serializers.SyncStartedSerializer, 403: PROBLEM, 404: PROBLEM})
    @throttle_scope("expensive")
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it with all its tenders, by a job. One that is under way is returned instead of a second one."""
        return Response(started(removing.start_removal(source_id=UUID(pk), actor=actor_of(request))), status=202)

    @extend_schema(request=None, responses={202: serializers.SyncStartedSerializer, 403: PROBLEM, 404: PROBLEM})
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def sync(self, request: Request, pk: str) -> Response:
        """Fetch it from its address now. A fetching that is under way is returned instead of a second one."""
        return Response(started(fetching.start_sync(source_id=UUID(pk), actor=actor_of(request))), status=202)


@extend_schema_view(
    create=extend_schema(
        request={"multipart/form-data": serializers.UploadNoticesSerializer},
        responses={202: serializers.ImportStartedSerializer, 400: PROBLEM, 403: PROBLEM, 413: PROBLEM},
    )
)
class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Import]):
    """Files that were read: how much was in them, and how good it was. Newest first."""

    serializer_class = serializers.ImportSerializer
    filterset_class = ImportFilter
    queryset = Import.objects.none()
    parser_classes = [MultiPartParser, FormParser]
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> Any:
        return Import.objects.visible_to(actor_of(self.request)).select_related("source").order_by("-started_at", "pk")

    @throttle_scope("expensive")
    def create(self, request: Request) -> Response:
        """Upload a file of notices (multipart). A job reads it; reading the same twice changes nothing."""
        form = serializers.UploadNoticesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file, named = form.validated_data["file"], form.validated_data.get("source", "")
        source_id = _uuid(named)
        record, job = uploads.upload_notices(
            actor=actor_of(request),
            file=file,
            filename=file.name,
            source_id=source_id,
            source_name="" if source_id else named,
            mapping=form.validated_data.get("mapping"),
        )
        ids = {"import_id": str(record.pk), "source_id": str(record.source_id)}
        return Response(started(job) | ids, status=202)

    @extend_schema(responses={200: serializers.RejectionSerializer(many=True), 404: PROBLEM})
    @action(detail=True, methods=["get"], filterset_class=None)
    def rejections(self, request: Request, pk: str) -> Response:
        """What of it could not be read, and why, in the order of the file."""
        if not Import.objects.visible_to(actor_of(request)).filter(pk=UUID(pk)).exists():
            raise ImportMissing("There is no such import.")
        rows = Rejection.objects.filter(imported_by_id=UUID(pk)).order_by("number", "pk")
        page = cast(Any, self.paginate_queryset(cast(Any, rows)))
        return self.get_paginated_response(serializers.RejectionSerializer(page, many=True).data)


class RejectionViewSet(viewsets.GenericViewSet[Rejection]):
    """A record that could not be read."""

    serializer_class = serializers.MendedSerializer
    queryset = Rejection.objects.none()
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        request=serializers.MendedSerializer,
        responses={200: serializers.ImportSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM},
    )
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def read(self, request: Request, pk: str) -> Response:
        """Read the record again, mended."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        record = mending.read_again(rejection_id=int(pk), actor=actor_of(request), text=form.validated_data["text"])
        return Response(serializers.ImportSerializer(record).data)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
