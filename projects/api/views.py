"""The projects API: projects, and what starts from one. Every queryset begins with `visible_to`; strangers get 404."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
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

from ..exceptions import Refused
from ..models import AuditRun, Document, Project
from ..services import auditing, documents, opening, taking_out
from ..services.access import visible_document, visible_project
from ..services.enriching.enriching import start_enriching
from ..services.mappings import checked_mapping
from ..services.previewing import checked_dialect
from . import serializers
from .filters import DocumentFilter, ProjectFilter

UUID_REGEX = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PROBLEM = OpenApiResponse(description="Problem details (RFC 9457) with a stable `code`.")


def started(job: Job, *, size: int | None = None) -> dict[str, Any]:
    """What a client needs to follow a job."""
    return {"job_id": str(job.pk), "status": job.status, "estimated_seconds": estimate_seconds(job.kind, size)}


def uploaded(upload: documents.Upload) -> Response:
    """202 while a job reads the file; 201 for a file that is only kept; 200 for one that was there already."""
    body = {
        "document": serializers.DocumentSerializer(upload.document).data,
        "is_new": upload.is_new,
        "job": started(upload.job) if upload.job else None,
    }
    return Response(body, status=202 if upload.job else 201 if upload.is_new else 200)


class ProjectViewSet(
    mixins.ListModelMixin, mixins.CreateModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Project]
):
    """Projects of yours and of your organisations."""

    serializer_class = serializers.ProjectSerializer
    filterset_class = ProjectFilter
    queryset = Project.objects.none()
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> Any:
        return Project.objects.visible_to(actor_of(self.request))

    def perform_create(self, serializer: BaseSerializer[Project]) -> None:
        fields = serializer.validated_data
        project = opening.open_project(
            actor=actor_of(self.request),
            name=fields["name"],
            description=fields.get("description", ""),
            organisation_id=fields.get("organisation_id"),
            currency=fields.get("currency", ""),
        )
        rest = {name: fields[name] for name in ("budget_on", "workflow") if name in fields}
        if rest:
            project = opening.change_project(project_id=project.pk, actor=actor_of(self.request), changes=rest)
        serializer.instance = project

    @extend_schema(request=serializers.ProjectSerializer, responses=serializers.ProjectSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, description, workflow, currency or budget date."""
        project = visible_project(project_id=UUID(pk), user=actor_of(request))
        serializer = self.get_serializer(project, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changes = dict(serializer.validated_data)
        if changes.pop("organisation_id", None):
            raise Refused("A project stays with its organisation.", code="not_editable")
        project = opening.change_project(project_id=UUID(pk), actor=actor_of(request), changes=changes)
        return Response(self.get_serializer(project).data)

    @extend_schema(request=None, responses={202: serializers.JobStartedSerializer, 404: PROBLEM, 403: PROBLEM})
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def audit(self, request: Request, pk: str) -> Response:
        """Audit the current version. An audit that is already under way is returned instead of a second one."""
        project = visible_project(project_id=UUID(pk), user=actor_of(request))
        job = auditing.start_audit(project_id=UUID(pk), actor=actor_of(request))
        return Response(started(job, size=project.total_positions), status=202)

    @extend_schema(request=None, responses={202: serializers.JobStartedSerializer, 404: PROBLEM, 403: PROBLEM})
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def enrich(self, request: Request, pk: str) -> Response:
        """Look up what the positions cost in the catalogue and in own budgets; nothing of them is changed."""
        project = visible_project(project_id=UUID(pk), user=actor_of(request))
        job = start_enriching(project_id=UUID(pk), actor=actor_of(request))
        return Response(started(job, size=project.total_positions), status=202)

    @extend_schema(responses=serializers.AuditRunSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def audits(self, request: Request, pk: str) -> Response:
        """Audits of this project, newest first: rules with versions, thresholds, counts, what was not checked."""
        visible_project(project_id=UUID(pk), user=actor_of(request))
        page = cast(Any, self.paginate_queryset(cast(Any, AuditRun.objects.filter(project_id=UUID(pk)))))
        return self.get_paginated_response(serializers.AuditRunSerializer(page, many=True).data)

    @extend_schema(request=None, responses=serializers.ProjectSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Put the project away: it reads as before, and takes no changes."""
        project = opening.archive_project(project_id=UUID(pk), actor=actor_of(request))
        return Response(self.get_serializer(project).data)

    @extend_schema(request=None, responses=serializers.ProjectSerializer)
    @action(detail=True, methods=["post"])
    def unarchive(self, request: Request, pk: str) -> Response:
        """Take the project out of the archive."""
        visible_project(project_id=UUID(pk), user=actor_of(request))
        project = opening.unarchive_project(project_id=UUID(pk), actor=actor_of(request))
        return Response(self.get_serializer(project).data)


@extend_schema_view(
    create=extend_schema(
        request={"multipart/form-data": serializers.UploadSerializer},
        responses={
            200: serializers.UploadedSerializer,
            201: serializers.UploadedSerializer,
            202: serializers.UploadedSerializer,
            400: PROBLEM,
            413: PROBLEM,
        },
    )
)
class DocumentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Document]):
    """Documents of a project. Uploading a bill starts a job that reads it; 202 names the job."""

    serializer_class = serializers.DocumentSerializer
    filterset_class = DocumentFilter
    queryset = Document.objects.none()
    parser_classes = [MultiPartParser, FormParser]
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        return Document.objects.filter(project=project)

    @throttle_scope("expensive")
    def create(self, request: Request, project_id: UUID) -> Response:
        """Upload a file (multipart). The same content twice in a project is one document."""
        visible_project(project_id=project_id, user=actor_of(request))
        form = serializers.UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        upload = documents.upload_document(
            project_id=project_id,
            actor=actor_of(request),
            file=file,
            filename=file.name,
            kind=form.validated_data["kind"],
            options=reading_options(form.validated_data),
        )
        return uploaded(upload)


class DocumentReadingViewSet(viewsets.GenericViewSet[Document]):
    """A stored document, read once more."""

    serializer_class = serializers.ReadingOptionsSerializer
    queryset = Document.objects.none()
    lookup_value_regex = UUID_REGEX

    @extend_schema(
        request=serializers.ReadingOptionsSerializer, responses={202: serializers.UploadedSerializer, 409: PROBLEM}
    )
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def read(self, request: Request, pk: str) -> Response:
        """Read the document again: with a mapping, as another dialect, accepting a difference, or to look only."""
        visible_document(document_id=UUID(pk), user=actor_of(request))
        form = serializers.ReadingOptionsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = documents.read_again(
            document_id=UUID(pk), actor=actor_of(request), options=reading_options(form.validated_data)
        )
        return uploaded(upload)

    @extend_schema(request=None, responses={200: serializers.VersionSerializer, 400: PROBLEM})
    @action(detail=True, methods=["post"], url_path="take-out")
    @throttle_scope("expensive")
    def take_out(self, request: Request, pk: str) -> Response:
        """Everything that came with the document leaves the budget, as a new version; an audit follows."""
        version = taking_out.take_out(document_id=UUID(pk), actor=actor_of(request))
        return Response(serializers.VersionSerializer(version).data)


def reading_options(values: dict[str, Any]) -> dict[str, Any]:
    """The options of the reading job that were given, as JSON."""
    options: dict[str, Any] = {}
    if values.get("mapping"):
        options["mapping"] = checked_mapping(values["mapping"])
    if values.get("accept_difference"):
        options["accept_difference"] = True
    if values.get("replaces"):
        options["replaces"] = str(values["replaces"])
    if values.get("dialect"):
        options["dialect"] = checked_dialect(values["dialect"])
    if values.get("preview_only"):
        options["preview_only"] = True
    return options
