"""Search over everything, and answers with their sources."""

from __future__ import annotations

import time
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.pages import actor_of

from ..exceptions import BadQuestion
from ..services import answering, searching
from .search_serializers import AnswerSerializer, FoundSerializer, QuestionSerializer, told_answer, told_found

REFUSALS = problems({400: "`invalid_question`: empty, too long, or with characters that no text has."})


class SearchView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="search",
        parameters=[
            OpenApiParameter("q", str, required=True, description=f"1 to {searching.LONGEST} characters."),
            OpenApiParameter("type", str, description="Of this type of entity alone: clause, tender, project, …"),
            OpenApiParameter("limit", int, description=f"1 to {searching.MOST}, 20 unless told."),
            OpenApiParameter("typing", bool, description="1: the last word may go on."),
        ],
        responses={200: FoundSerializer, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Entities by code, words and meaning, best first: what the caller may see. Without signing in: clauses that
        belong to nobody."""
        began = time.perf_counter()
        found = searching.search(
            user=request.user,
            q=request.query_params.get("q", ""),
            entity_type=_type(request),
            limit=_limit(request),
            is_half_typed=request.query_params.get("typing", "") in ("1", "true"),
        )
        return Response(told_found(found, round((time.perf_counter() - began) * 1000, 1)))


class AnswerView(APIView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Counted as expensive where a model is asked, by the throttle that `initial` looks at."""
        if answering.is_model_asked():
            self.throttle_scope = "expensive"
        super().initial(request, *args, **kwargs)

    @extend_schema(operation_id="answer", request=QuestionSerializer, responses={200: AnswerSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """An answer from what the caller may see, with its sources; or that nothing answers it. Counts as demand for
        what is shown."""
        given = request.data if isinstance(request.data, dict) else {}
        question = given.get("question", "")
        if not isinstance(question, str):
            raise BadQuestion("`question` is to be a text.")
        return Response(told_answer(answering.answer(user=actor_of(request), question=question)))


def _type(request: Request) -> str:
    wanted = request.query_params.get("type", "").strip()
    if "\x00" in wanted or len(wanted) > 20:
        raise BadQuestion("There is no such type of entity.", extra={"errors": {"type": ["Up to 20 characters."]}})
    return wanted


def _limit(request: Request) -> int:
    wanted = request.query_params.get("limit", "20")
    if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted[:9]) <= searching.MOST:
        raise BadQuestion(
            f"`limit` is a number from 1 to {searching.MOST}.",
            extra={"errors": {"limit": [f"1 to {searching.MOST}."]}},
        )
    return int(wanted)
