"""Exports of a project: files made by jobs from a version of the budget."""

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

from ..models import ProjectExport
from ..services import exporting
from ..services.access import visible_project
from ..views.exports import export_file
from .views import PROBLEM, UUID_REGEX, started


class ProjectExportSerializer(serializers.ModelSerializer[ProjectExport]):
    version = serializers.IntegerField(source="version_number", read_only=True)
    document = serializers.UUIDField(source="document_id", read_only=True, allow_null=True)

    class Meta:
        model = ProjectExport
        fields = [
            "id", "kind", "version", "document", "options", "status", "job_id", "filename", "size", "sha256", "report",
            "error", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewProjectExportSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ProjectExport.Kind.choices)
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2_000_000_000, help_text="By default the current one."
    )
    document = serializers.UUIDField(
        required=False, help_text="Of kind priced: the client's file; needed where there are several."
    )
    delimiter = serializers.ChoiceField(choices=exporting.DELIMITERS, required=False, help_text="Of kind csv.")
    bom = serializers.BooleanField(required=False, default=True, help_text="Of kind csv: begin with a byte order mark.")
    into_locked = serializers.BooleanField(
        required=False, default=False, help_text="Of kind priced: write into cells that the client has locked, too."
    )


class ProjectExportStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    status = serializers.CharField()
    estimated_seconds = serializers.FloatField(allow_null=True)
    export_id = serializers.UUIDField()


class ProjectExportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ProjectExport]):
    """Files made of the budget, newest first. They are kept for some days."""

    serializer_class = ProjectExportSerializer
    queryset = ProjectExport.objects.none()
    lookup_value_regex = UUID_REGEX
    filter_backends = ()

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        return ProjectExport.objects.filter(project=project).order_by("-created_at", "pk")

    @extend_schema(
        request=NewProjectExportSerializer,
        responses={202: ProjectExportStartedSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM},
    )
    @throttle_scope("expensive")
    def create(self, request: Request, project_id: UUID) -> Response:
        """Have a file made. The same, still being made, is returned instead of a second one. Prices into the client's
        file (kind priced) are written by those who may change the project; all else by whoever sees it."""
        form = NewProjectExportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        export, job = exporting.start_export(
            project_id=project_id,
            actor=actor_of(request),
            kind=given.pop("kind"),
            version=given.pop("version", None),
            document_id=given.pop("document", None),
            options=given,
        )
        return Response(started(job) | {"export_id": str(export.pk)}, status=202)

    @extend_schema(responses={204: None, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM})
    def destroy(self, request: Request, project_id: UUID, pk: str) -> Response:
        """Delete an export and its file."""
        exporting.delete_export(project_id=project_id, export_id=UUID(pk), actor=actor_of(request))
        return Response(status=204)

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="Not made yet, or no longer kept."),
        }
    )
    @action(detail=True, methods=["get"])
    def file(self, request: Request, project_id: UUID, pk: str) -> HttpResponseBase:
        """The file itself."""
        return export_file(exporting.visible_export(project_id=project_id, export_id=UUID(pk), user=actor_of(request)))
