"""Exports: the hits of a search as a file, made by a job, for whoever asked for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..models import Export
from ..sending import CONTENT_TYPES, export_file
from ..services import exporting
from ..services.paging import NEWEST, ORDERS
from .serializers import SearchParametersSerializer
from .source_views import started
from .views import PROBLEM, UUID_REGEX


class ExportSerializer(serializers.ModelSerializer[Export]):
    filename = serializers.CharField(read_only=True)
    ordering = serializers.CharField(source="order", read_only=True)

    class Meta:
        model = Export
        fields = [
            "id", "status", "format", "query", "ordering", "filename", "rows", "size", "error", "job_id", "created_at",
            "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewExportSerializer(serializers.Serializer[Any]):
    format = serializers.ChoiceField(choices=Export.Format.choices, default=Export.Format.CSV)
    ordering = serializers.ChoiceField(choices=list(ORDERS), default=NEWEST)
    query = serializers.DictField(required=False, default=dict, help_text="The search's fields, as in its address.")
    organisation = serializers.UUIDField(
        required=False, help_text="Whose assessments and decisions; by default your first organisation."
    )


class NewExportDocumented(NewExportSerializer):
    query = SearchParametersSerializer(required=False)  # type: ignore[assignment]  # narrower, for the schema


class ExportStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    status = serializers.CharField()
    estimated_seconds = serializers.FloatField(allow_null=True)
    export_id = serializers.UUIDField()


class ExportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Export]):
    """Files that you have had made, newest first. They are kept for some days."""

    serializer_class = ExportSerializer
    queryset = Export.objects.none()
    lookup_value_regex = UUID_REGEX
    filter_backends = ()

    def get_queryset(self) -> Any:
        return Export.objects.visible_to(actor_of(self.request)).order_by("-created_at", "pk")

    @extend_schema(request=NewExportDocumented, responses={202: ExportStartedSerializer, 400: PROBLEM})
    @throttle_scope("expensive")
    def create(self, request: Request) -> Response:
        """Have all hits of a search written to a file. The same, still being made, is returned instead of a second."""
        form = NewExportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        export, job = exporting.start_export(
            actor=actor_of(request),
            query=given["query"],
            format=given["format"],
            order=given["ordering"],
            organisation_id=given.get("organisation"),
        )
        return Response(started(job) | {"export_id": str(export.pk)}, status=202)

    @extend_schema(responses={204: None, 400: PROBLEM, 404: PROBLEM})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an export and its file."""
        exporting.delete_export(export_id=UUID(pk), actor=actor_of(request))
        return Response(status=204)

    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, CONTENT_TYPES[Export.Format.XLSX]): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="Not made yet, or no longer kept."),
        }
    )
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str) -> HttpResponseBase:
        """The file itself."""
        return export_file(exporting.own_export(export_id=UUID(pk), user=actor_of(request)))
