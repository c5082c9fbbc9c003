"""The projects API: audits that were done, and their certificates."""

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

from ..models import AuditRun
from ..services import certificates
from ..services.access import visible_project
from ..views.certificates import certificate_answer
from .serializers import JobStartedSerializer
from .views import PROBLEM, started


class AuditDetailSerializer(serializers.ModelSerializer[AuditRun]):
    version = serializers.IntegerField(source="version_number", read_only=True)
    certificate_sha256 = serializers.CharField(
        source="record.certificate_sha256", read_only=True, default="", help_text="Empty until it has been made."
    )

    class Meta:
        model = AuditRun
        fields = [
            "id", "version", "started_at", "finished_at", "positions", "is_incremental", "audited_positions", "counts",
            "money_at_stake", "rule_hits", "not_checked_rules", "inputs_sha256", "certificate_sha256",
        ]  # fmt: skip
        read_only_fields = fields


class AuditRunViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[AuditRun]):
    """One audit of the project. That of an edit says how many positions it asked anew."""

    serializer_class = AuditDetailSerializer
    queryset = AuditRun.objects.none()
    lookup_value_regex = "[0-9]{1,18}"
    filter_backends = ()

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        runs = AuditRun.objects.filter(project=project).select_related("record")
        return runs.defer("rules", "thresholds", "record__context", "record__decisions")

    @extend_schema(
        responses={
            (200, "application/gzip"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="Not made yet: POST here."),
        }
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def certificate(self, request: Request, project_id: UUID, pk: str) -> HttpResponseBase:
        """The certificate's file; replayed by `manage.py replay_certificate FILE`, without a database."""
        record = certificates.certificate_file(project_id=project_id, user=actor_of(request), run_id=int(pk))
        return certificate_answer(record)

    @extend_schema(request=None, responses={202: JobStartedSerializer, 400: PROBLEM, 404: PROBLEM})
    @certificate.mapping.post
    @throttle_scope("expensive")
    def make_certificate(self, request: Request, project_id: UUID, pk: str) -> Response:
        """Have the certificate made: a job does the audit again, and vouches only for what comes out the same."""
        job = certificates.request_certificate(project_id=project_id, actor=actor_of(request), run_id=int(pk))
        return Response(started(job), status=202)
