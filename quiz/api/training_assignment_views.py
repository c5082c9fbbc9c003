"""Who is to hold which call by when. Learners read their own; coaches and owners those of their organisations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.schema import problems
from accounts.pages import actor_of

from ..models import Assignment
from ..services.training import assigning
from ..services.training.access import changeable_assignment
from ..services.training.presenting import listed_assignments
from . import training_serializers as shapes
from .attempt_views import UUID_REGEX
from .filters import AssignmentFilter

WRITES = {403: "`coaches_only`.", 404: "There is none, or it is not yours to see."}
INVALID = {400: "`invalid`: see `errors`."}


class AssignmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Assignment]):
    """Calls that people are to hold; the newest first."""

    serializer_class = shapes.AssignmentSerializer
    queryset = Assignment.objects.none()
    filterset_class = AssignmentFilter
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> QuerySet[Assignment]:
        return listed_assignments(actor_of(self.request))

    @extend_schema(
        request=shapes.NewAssignmentsSerializer,
        responses={
            201: shapes.AssignedSerializer,
            **problems(INVALID | WRITES | {409: "`template_archived`, `no_rubric`."}),
        },
    )
    def create(self, request: Request) -> Response:
        """Give a call to one or many people, who are told. Who has an open one of the template keeps that."""
        form = shapes.NewAssignmentsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        done = assigning.assign(
            template_id=told["template"],
            user_ids=told["users"],
            due_at=told["due_at"],
            note=told["note"],
            actor=actor_of(request),
        )
        return Response(shapes.AssignedSerializer(done).data, status=201)

    @extend_schema(
        request=shapes.ChangedAssignmentSerializer,
        responses={
            200: shapes.AssignmentSerializer, **problems(INVALID | WRITES | {409: "`assignment_over`."})
        },
    )  # fmt: skip
    def partial_update(self, request: Request, pk: str) -> Response:
        """Another day, of which the person is told; another note."""
        form = shapes.ChangedAssignmentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told: dict[str, Any] = form.validated_data
        now = changeable_assignment(assignment_id=UUID(pk), user=actor_of(request))
        assigning.change_assignment(
            assignment_id=UUID(pk),
            actor=actor_of(request),
            due_at=told.get("due_at", now.due_at),
            note=told.get("note"),
        )
        return Response(shapes.AssignmentSerializer(self.get_object()).data)

    @extend_schema(
        request=None,
        responses={200: shapes.AssignmentSerializer, **problems(WRITES | {409: "`assignment_over`: completed."})},
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request, pk: str) -> Response:
        """It is due no more; its calls stay."""
        assigning.withdraw(assignment_id=UUID(pk), actor=actor_of(request))
        return Response(shapes.AssignmentSerializer(self.get_object()).data)
