"""The projects API: the chat."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.pacing import count_call
from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..models import ChatMessage
from ..services.access import visible_project
from ..services.chat import asking, deciding, history, wording
from .chat_serializers import (
    ApplySerializer,
    AskSerializer,
    ChatMessageDetailSerializer,
    ChatMessageSerializer,
    ExchangeSerializer,
)
from .views import PROBLEM, UUID_REGEX


class ChatViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[ChatMessage]):
    """A project's chat: newest messages first."""

    serializer_class = ChatMessageSerializer
    queryset = ChatMessage.objects.none()
    filter_backends = []
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> Any:
        project = visible_project(project_id=self.kwargs["project_id"], user=actor_of(self.request))
        return history.messages_of(project).order_by("-created_at", "-id")

    @extend_schema(request=AskSerializer, responses={202: ExchangeSerializer, 400: PROBLEM, 404: PROBLEM, 409: PROBLEM})
    def create(self, request: Request, project_id: UUID) -> Response:
        """Ask, or say what is to be changed. The answer comes by a job; a change is only proposed."""
        visible_project(project_id=project_id, user=actor_of(request))
        _count(request)
        form = AskSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        exchange = asking.ask(project_id=project_id, actor=actor_of(request), message=form.validated_data["message"])
        return _accepted(exchange)

    @extend_schema(responses={200: ChatMessageDetailSerializer, 404: PROBLEM})
    def retrieve(self, request: Request, project_id: UUID, pk: str) -> Response:
        project = visible_project(project_id=project_id, user=actor_of(request))
        return Response(ChatMessageDetailSerializer(history.message_of(project=project, message_id=UUID(pk))).data)

    @extend_schema(
        request=ApplySerializer,
        responses={200: ChatMessageDetailSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM},
    )
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def apply(self, request: Request, project_id: UUID, pk: str) -> Response:
        """Make a proposal a version of the budget. 409 "proposal_outdated" if the budget has changed meanwhile."""
        visible_project(project_id=project_id, user=actor_of(request))
        form = ApplySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        message, _ = deciding.apply_proposal(
            project_id=project_id,
            message_id=UUID(pk),
            actor=actor_of(request),
            is_confirmed=form.validated_data["confirm"],
        )
        return Response(ChatMessageDetailSerializer(message).data)

    @extend_schema(request=None, responses={200: ChatMessageDetailSerializer, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, project_id: UUID, pk: str) -> Response:
        """Turn a proposal down."""
        message = deciding.refuse_proposal(project_id=project_id, message_id=UUID(pk), actor=actor_of(request))
        return Response(ChatMessageDetailSerializer(message).data)

    @extend_schema(request=None, responses={202: ExchangeSerializer, 404: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, project_id: UUID, pk: str) -> Response:
        """Ask the question of this answer once more: of a proposal that is outdated, or an answer that failed."""
        visible_project(project_id=project_id, user=actor_of(request))
        _count(request)
        return _accepted(asking.ask_again(project_id=project_id, message_id=UUID(pk), actor=actor_of(request)))


def _count(request: Request) -> None:
    """What may cost a call of a model counts as expensive. Raises TooManyCalls."""
    if wording.is_configured():
        count_call(request._request, user_id=actor_of(request).pk, name="expensive")


def _accepted(exchange: asking.Exchange) -> Response:
    body = {"question": exchange.question, "answer": exchange.answer, "job_id": exchange.job.pk}
    return Response(ExchangeSerializer(body).data, status=202)
