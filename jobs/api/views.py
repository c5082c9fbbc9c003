"""Jobs over REST: look, cancel, retry. They are made by the endpoints that need them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from config.api.throttles import throttle_scope

from .. import services
from ..exceptions import JobMissing
from ..models import BATCH_KIND, Job
from .filters import BatchFilter, JobFilter
from .serializers import (
    BatchRetrySerializer,
    BatchSerializer,
    JobAskedSerializer,
    JobDetailSerializer,
    JobSerializer,
    JobStatusSerializer,
)


@extend_schema_view(
    list=extend_schema(summary="Jobs, the latest first"),
    retrieve=extend_schema(summary="One job, with its parameters and result"),
)
class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Job]):
    """One's own jobs and those of one's organisations."""

    queryset = Job.objects.none()
    filterset_class = JobFilter
    lookup_value_regex = "[0-9a-f-]{36}"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Job]:
        jobs = Job.objects.visible_to(self.request.user)
        return jobs.without_payload() if self.action == "list" else jobs

    def get_serializer_class(self) -> type[JobSerializer]:
        return JobSerializer if self.action == "list" else JobDetailSerializer

    @extend_schema(summary="How far it is: for clients that poll", responses=JobStatusSerializer)
    @action(detail=True, url_path="status")
    def state(self, request: Request, pk: str) -> Response:
        return Response(JobStatusSerializer(self.get_object()).data)

    @extend_schema(
        summary="Cancel it: a waiting job at once, a running one at its next step, a batch with all its children",
        request=None,
        responses=JobDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return Response(JobDetailSerializer(services.cancel(pk, cast(User, request.user))).data)

    @extend_schema(
        summary="Run a failed or cancelled job again; of a batch, the children that failed or were cancelled",
        request=None,
        responses={202: JobAskedSerializer},
    )
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def retry(self, request: Request, pk: str) -> Response:
        return Response(JobAskedSerializer(services.retry(pk, cast(User, request.user))).data, status=202)


@extend_schema_view(
    list=extend_schema(summary="Batches, the latest first"),
    retrieve=extend_schema(summary="A batch: how its children stand, why some failed, how long it will take"),
)
class BatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Job]):
    """Many jobs asked for at once. Its children: `/api/jobs/?batch={id}`."""

    queryset = Job.objects.none()
    filterset_class = BatchFilter
    lookup_value_regex = "[0-9a-f-]{36}"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Job]:
        batches = Job.objects.visible_to(self.request.user).filter(kind=BATCH_KIND)
        return batches.without_payload() if self.action == "list" else batches

    def get_serializer_class(self) -> type[JobSerializer]:
        return JobSerializer if self.action == "list" else BatchSerializer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(_told(self.get_object()))

    @extend_schema(
        summary="Cancel it: children that wait at once, running ones at their next step",
        request=None,
        responses=BatchSerializer,
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        return Response(_told(services.cancel(self._changeable(pk), cast(User, request.user))))

    @extend_schema(
        summary="Run the children that failed again, while others still run too",
        request=BatchRetrySerializer,
        responses={202: BatchSerializer},
    )
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def retry(self, request: Request, pk: str) -> Response:
        asked = BatchRetrySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        only_failed = not asked.validated_data["include_cancelled"]
        batch = services.retry(self._changeable(pk), cast(User, request.user), only_failed=only_failed)
        return Response(_told(batch), status=202)

    def _changeable(self, pk: str) -> UUID:
        """The number of a batch: that of any other job is no batch's. The service says who may change it."""
        try:
            batch = Job.objects.changeable_by(self.request.user).filter(kind=BATCH_KIND, pk=pk).first()
        except ValidationError:  # of the right length, and no number all the same
            raise JobMissing("There is no such batch.") from None
        return (batch or self.get_object()).pk


def _told(batch: Job) -> Any:
    counts = services.counts_of(batch.pk)
    failures = Job.objects.filter(batch=batch).failures() if counts.get(Job.Status.FAILED) else []
    return BatchSerializer(batch, context={"counts": counts, "failures": failures}).data
