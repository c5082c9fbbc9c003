"""Attempts: started, answered, handed in. Everybody sees their own, nobody another's."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.pages import actor_of

from ..models import Attempt
from ..services import attempts
from ..services.presenting import attempt_out, clauses_of, is_told, questions_out, result_out
from . import serializers

UUID_REGEX = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PROBLEM = OpenApiResponse(description="Problem details (RFC 9457) with a stable `code`.")


def detailed(attempt: Attempt, user: User) -> dict[str, Any]:
    out = attempt_out(attempt) | {"questions": questions_out(attempt, user=user)}
    return dict(serializers.AttemptDetailSerializer(out).data)


class AttemptViewSet(viewsets.GenericViewSet[Attempt]):
    """Your own attempts."""

    serializer_class = serializers.AttemptSerializer
    queryset = Attempt.objects.none()
    lookup_value_regex = UUID_REGEX
    filter_backends = ()

    @extend_schema(responses={200: serializers.AttemptSerializer(many=True)})
    def list(self, request: Request) -> Response:
        """The newest first, without their questions."""
        rows = Attempt.objects.visible_to(actor_of(request)).select_related("category", "clause")
        rows = rows.defer("clause__text", "clause__search").order_by("-started_at", "pk")
        page = cast(Any, self.paginate_queryset(cast(Any, rows)))
        told = serializers.AttemptSerializer([attempt_out(each) for each in page], many=True)
        return self.get_paginated_response(told.data)

    @extend_schema(
        request=serializers.NewAttemptSerializer,
        responses={
            200: serializers.AttemptDetailSerializer,
            201: serializers.AttemptDetailSerializer,
            400: PROBLEM,
            404: PROBLEM,
            409: PROBLEM,
        },
    )
    def create(self, request: Request) -> Response:
        """Start one, with all its questions. 200: the exam of this category that goes on already."""
        form = serializers.NewAttemptSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wish = form.validated_data
        user = actor_of(request)
        attempt, is_new = attempts.start(
            actor=user,
            mode=wish["mode"],
            category_id=wish.get("category"),
            clause_id=wish.get("clause"),
            count=wish["count"],
            level=wish["difficulty"],
        )
        return Response(detailed(attempt, user), status=201 if is_new else 200)

    @extend_schema(responses={200: serializers.AttemptDetailSerializer, 404: PROBLEM})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One with its questions, to go on with it or to look at its results."""
        user = actor_of(request)
        return Response(detailed(attempts.look(actor=user, attempt_id=UUID(pk)), user))

    @extend_schema(
        request=serializers.NewAnswerSerializer,
        responses={200: serializers.AnsweredSerializer, 400: PROBLEM, 404: PROBLEM, 409: PROBLEM},
    )
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str) -> Response:
        """Answer one question. The same answer may be sent again; another one is refused: the first counts.

        409 `time_is_over`: an exam's answer came too late. 409 `already_answered`, `attempt_over`.
        """
        form = serializers.NewAnswerSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        user = actor_of(request)
        answered = attempts.answer(
            actor=user,
            attempt_id=UUID(pk),
            position=given["position"],
            given=given["answer"],
            is_unsure=given["is_unsure"],
            seconds=given["seconds"],
        )
        row, result = answered.answer, None
        if is_told(answered.attempt, row):
            question_id = row.version.question_id
            result = result_out(row, clauses_of([question_id], user=user)[question_id])
        out = {"position": row.position, "is_over": answered.attempt.submitted_at is not None, "result": result}
        return Response(serializers.AnsweredSerializer(out).data)

    @extend_schema(request=None, responses={200: serializers.AttemptDetailSerializer, 404: PROBLEM})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str) -> Response:
        """Hand it in: what is open earns nothing. A second time changes nothing."""
        user = actor_of(request)
        return Response(detailed(attempts.submit(actor=user, attempt_id=UUID(pk)), user))
