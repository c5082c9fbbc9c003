"""The projects API: what has happened, and who is here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of

from ..exceptions import Refused
from ..services.access import visible_project
from ..services.timeline import KINDS, PAGE, timeline
from .views import PROBLEM


class HappeningSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=sorted(KINDS))
    at = serializers.DateTimeField()
    actor = serializers.CharField(help_text="A name; empty where the program did it by itself.")
    what = serializers.CharField()
    why = serializers.CharField(help_text="As the person gave it.")
    url = serializers.CharField()
    figures = serializers.DictField(help_text="Money as text; what they are depends on the kind.")


class ActivitySerializer(serializers.Serializer[Any]):
    happenings = HappeningSerializer(many=True)
    before = serializers.CharField(help_text="For the next page; empty: that was all.")


class ActivityView(APIView):
    @extend_schema(
        operation_id="projects_activity",
        parameters=[
            OpenApiParameter("kind", enum=sorted(KINDS), description="By default everything."),
            OpenApiParameter("actor", OpenApiTypes.UUID),
            OpenApiParameter("before", description="The cursor of the page before."),
            OpenApiParameter("limit", OpenApiTypes.INT, description=f"1 to 200; {PAGE} by default."),
        ],
        responses={200: ActivitySerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Who changed what in the project, and why; newest first."""
        project = visible_project(project_id=project_id, user=actor_of(request))
        asked = request.query_params
        listed, before = timeline(
            project=project,
            kind=asked.get("kind", ""),
            actor_id=_actor(asked.get("actor", "")),
            before=asked.get("before", ""),
            limit=_limit(asked.get("limit", "")),
        )
        return Response(ActivitySerializer({"happenings": [asdict(each) for each in listed], "before": before}).data)


def _actor(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Refused("`actor` is the id of a person.", code="bad_actor") from None


def _limit(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 200):
        raise Refused("`limit` is a number from 1 to 200.", code="bad_limit")
    return int(text) if text else PAGE
