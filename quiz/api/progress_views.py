"""How far one is, what one wants, and how colleagues do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of

from ..exceptions import BadQuiz
from ..services import learners, progress
from ..services.reviewing import due_cards, next_due_at
from . import serializers
from .attempt_views import PROBLEM


class ProgressView(APIView):
    @extend_schema(responses={200: serializers.ProgressSerializer})
    def get(self, request: Request) -> Response:
        """Your progress by category, what is due, and the clauses you know least."""
        user = actor_of(request)
        out = {
            "due": due_cards(user).count(),
            "next_due_at": next_due_at(user),
            "categories": [_category(each) for each in progress.categories_of(user)],
            "weakest_clauses": [_clause(each) for each in progress.weakest_clauses(user)],
        }
        return Response(serializers.ProgressSerializer(out).data)


class LeaderboardView(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("category", UUID, description="Of this category alone.")],
        responses={200: serializers.LeaderSerializer(many=True), 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """You and your colleagues, those who have chosen to be on it."""
        told = learners.leaders(actor_of(request), category_id=_uuid(request.query_params.get("category")))
        return Response(serializers.LeaderSerializer(told, many=True).data)


class LearnerView(APIView):
    @extend_schema(responses={200: serializers.LearnerSerializer})
    def get(self, request: Request) -> Response:
        """Your settings."""
        return Response(serializers.LearnerSerializer(learners.learner_of(actor_of(request))).data)

    @extend_schema(request=serializers.LearnerSerializer, responses={200: serializers.LearnerSerializer, 400: PROBLEM})
    def put(self, request: Request) -> Response:
        """Whether you are on the leaderboard, and under which name."""
        form = serializers.LearnerSerializer(learners.learner_of(actor_of(request)), data=request.data)
        form.is_valid(raise_exception=True)
        wish = form.validated_data
        learner = learners.change_learner(
            actor=actor_of(request),
            is_on_leaderboard=wish.get("is_on_leaderboard", False),
            alias=wish.get("alias", ""),
        )
        return Response(serializers.LearnerSerializer(learner).data)


class GoalView(APIView):
    @extend_schema(
        request=serializers.GoalSerializer, responses={200: serializers.GoalSerializer, 400: PROBLEM, 404: PROBLEM}
    )
    def put(self, request: Request, category_id: str) -> Response:
        """The day on which you sit the exam of a category: readiness is told for it."""
        form = serializers.GoalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        exam_on = form.validated_data["exam_on"]
        learners.set_goal(actor=actor_of(request), category_id=UUID(category_id), exam_on=exam_on)
        return Response(serializers.GoalSerializer({"exam_on": exam_on}).data)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadQuiz("category is the id of a category.", extra={"errors": {"category": ["No id."]}}) from None


def _category(told: progress.CategoryProgress) -> dict[str, Any]:
    readiness = None
    if told.readiness is not None:
        readiness = {
            "on": told.exam_on,
            "expected": round(told.readiness.expected, 4),
            "needed": float(told.category.pass_share),
            "seen": round(told.readiness.seen, 4),
        }
    return {
        "id": told.category.pk,
        "name": told.category.name,
        "questions": told.questions,
        "seen": told.seen,
        "known": told.known,
        "due": told.due,
        "open_exam": told.open_exam_id,
        "readiness": readiness,
    }


def _clause(told: progress.WeakClause) -> dict[str, Any]:
    clause = told.clause
    return {
        "id": clause.pk,
        "number": clause.number,
        "title": clause.title,
        "edition": str(clause.edition),
        "answers": told.answers,
        "share": round(told.share, 4),
    }
