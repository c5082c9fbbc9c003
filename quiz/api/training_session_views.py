"""Training calls: lists, one with all there is of it, and its review. Learners see their own; coaches and owners those
of their organisations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..models import TrainingSession
from ..services.training import reviewing
from ..services.training.presenting import listed_sessions, note_out, session_row, session_view, whole_session
from . import training_session_shapes as shapes
from .attempt_views import UUID_REGEX
from .filters import SessionFilter

GONE = {404: "There is none, or it is not yours to see."}
READ_ONLY = {403: "`read_only`: those who only look on change nothing."}
COACHES = {403: "`coaches_only`."}
INVALID = {400: "`invalid`: see `errors`."}
CLOSED = {409: "`session_closed`: a coach can open it again. `not_processed`: it is being worked on."}
DETAIL = shapes.SessionDetailSerializer


class NewestFirst(CursorPagination):
    """By time, so that the hundredth page costs what the first does; what waits for a coach, longest waiting first."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = ("-created_at", "-id")

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        is_queue = request.query_params.get("to_review", "").lower() == "true"
        return ("submitted_at", "id") if is_queue else self.ordering


class RowsSerializer(shapes.SessionSerializer):
    def to_representation(self, instance: Any) -> Any:
        return super().to_representation(session_row(instance))


class SessionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[TrainingSession]):
    """Training calls."""

    serializer_class = RowsSerializer
    queryset = TrainingSession.objects.none()
    filterset_class = SessionFilter
    pagination_class = NewestFirst
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> QuerySet[TrainingSession]:
        return listed_sessions(actor_of(self.request))

    @extend_schema(responses={200: DETAIL, **problems(GONE)})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One call: transcript, measures, grades side by side, notes, files, and what you may do with it."""
        return self._told(request, pk)

    @extend_schema(request=None, responses={200: DETAIL, **problems(READ_ONLY | GONE | CLOSED)})
    @action(detail=True, methods=["post"], filterset_class=None)
    def submit(self, request: Request, pk: str) -> Response:
        """Ask for a coach's review. A second time changes nothing."""
        reviewing.submit_for_review(session_id=UUID(pk), actor=actor_of(request))
        return self._told(request, pk)

    @extend_schema(
        request=shapes.NewNoteSerializer,
        responses={201: shapes.NoteSerializer, **problems(INVALID | READ_ONLY | GONE | CLOSED)},
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def notes(self, request: Request, pk: str) -> Response:
        """Write a note about one turn, or about the whole call."""
        form = shapes.NewNoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told, user = form.validated_data, actor_of(request)
        note = reviewing.add_note(session_id=UUID(pk), text=told["text"], turn=told["turn"], actor=user)
        return Response(shapes.NoteSerializer(note_out(note, user)).data, status=201)

    @extend_schema(
        request=shapes.OverrideSerializer,
        responses={
            200: DETAIL,
            **problems(
                INVALID
                | COACHES
                | GONE
                | {409: f"{CLOSED[409]} `edited_meanwhile`: another coach was faster. `no_rubric`."}
            ),
        },
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def override(self, request: Request, pk: str) -> Response:
        """A coach's own scores, each with its reason. They count from now on; those of rules and model stay beside
        them."""
        form = shapes.OverrideSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        reviewing.override(
            session_id=UUID(pk),
            scores={key: (each["score"], each["reason"]) for key, each in told["scores"].items()},
            feedback=told["feedback"],
            seen=told["seen"],
            actor=actor_of(request),
        )
        return self._told(request, pk)

    @extend_schema(request=None, responses={200: DETAIL, **problems(COACHES | GONE | CLOSED)})
    @action(detail=True, methods=["post"], filterset_class=None)
    def close(self, request: Request, pk: str) -> Response:
        """The review is finished; the call's assignment is completed. A second time changes nothing."""
        reviewing.close_session(session_id=UUID(pk), actor=actor_of(request))
        return self._told(request, pk)

    @extend_schema(request=None, responses={200: DETAIL, **problems(COACHES | GONE)})
    @action(detail=True, methods=["post"], filterset_class=None)
    def reopen(self, request: Request, pk: str) -> Response:
        """Take notes and scores again."""
        reviewing.reopen(session_id=UUID(pk), actor=actor_of(request))
        return self._told(request, pk)

    @extend_schema(request=shapes.WhoSerializer, responses={200: DETAIL, **problems(INVALID | COACHES | GONE | CLOSED)})
    @action(detail=True, methods=["post"], filterset_class=None)
    @throttle_scope("expensive")
    def who(self, request: Request, pk: str) -> Response:
        """Say who the learner was, and which speaker. Another speaker is measured and graded anew."""
        form = shapes.WhoSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        reviewing.say_who_it_was(
            session_id=UUID(pk),
            user_id=told["user"],
            learner_speaker=told["learner_speaker"],
            actor=actor_of(request),
        )
        return self._told(request, pk)

    @extend_schema(
        request=shapes.OtherTemplateSerializer,
        responses={200: DETAIL, **problems(COACHES | GONE | {409: f"{CLOSED[409]} `template_archived`."})},
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    @throttle_scope("expensive")
    def template(self, request: Request, pk: str) -> Response:
        """Say of which template it is: it is graded anew."""
        form = shapes.OtherTemplateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        reviewing.change_template(
            session_id=UUID(pk), template_id=form.validated_data["template"], actor=actor_of(request)
        )
        return self._told(request, pk)

    @extend_schema(request=None, responses={202: DETAIL, **problems(COACHES | GONE | CLOSED)})
    @action(detail=True, methods=["post"], filterset_class=None)
    @throttle_scope("expensive")
    def process(self, request: Request, pk: str) -> Response:
        """All steps once more: of a call that could not be worked on, or by the newest rubric."""
        reviewing.process_again(session_id=UUID(pk), actor=actor_of(request))
        return self._told(request, pk, status=202)

    def _told(self, request: Request, pk: str, status: int = 200) -> Response:
        user = actor_of(request)
        told = session_view(whole_session(session_id=UUID(pk), user=user), user)
        return Response(DETAIL(told).data, status=status)


@extend_schema(parameters=[OpenApiParameter("note_id", UUID, OpenApiParameter.PATH)])
class NoteView(APIView):
    """One's own note."""

    @extend_schema(
        request=shapes.ChangedNoteSerializer,
        responses={
            200: shapes.NoteSerializer,
            **problems(INVALID | {403: "`not_your_note`, `read_only`."} | GONE | {409: "`session_closed`."}),
        },
    )
    def patch(self, request: Request, note_id: str) -> Response:
        """Write it differently."""
        form = shapes.ChangedNoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = actor_of(request)
        note = reviewing.edit_note(note_id=UUID(note_id), text=form.validated_data["text"], actor=user)
        return Response(shapes.NoteSerializer(note_out(note, user)).data)

    @extend_schema(
        responses={204: None, **problems({403: "`not_your_note`, `read_only`."} | GONE | {409: "`session_closed`."})}
    )
    def delete(self, request: Request, note_id: str) -> Response:
        """Take it back."""
        reviewing.delete_note(note_id=UUID(note_id), actor=actor_of(request))
        return Response(status=204)
