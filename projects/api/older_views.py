"""Projects that came from the older file store, in the shape of the older API: for clients that have not moved yet."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..exceptions import Refused
from ..models import FileProject
from ..services.filestore import store
from .views import PROBLEM

SEEN = OpenApiParameter("seen", OpenApiTypes.INT, description="The version the list was made from: a newer one is 409.")


class OlderProjectSerializer(serializers.ModelSerializer[FileProject]):
    project_id = serializers.CharField(source="legacy_id")
    project_name = serializers.CharField(source="project.name")
    total_positions = serializers.IntegerField(source="project.total_positions")
    version = serializers.IntegerField(source="project.version_number")

    class Meta:
        model = FileProject
        fields = ["project_id", "project_name", "project", "total_positions", "version"]


class SavedSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()


class OlderProjectsView(generics.ListAPIView[FileProject]):
    """Projects that came from folders, by their older id. `project` is the id under /api/projects/."""

    serializer_class = OlderProjectSerializer
    queryset = FileProject.objects.none()
    filter_backends = []

    def get_queryset(self) -> Any:
        return store.list_projects(user=actor_of(self.request)).defer("contents")


class OlderProjectView(APIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT, 404: PROBLEM})
    def get(self, request: Request, legacy_id: str) -> HttpResponse:
        """project.json, from the folders or the tables as MIGRATION_READ_FROM says."""
        return _json(store.read_project(legacy_id=legacy_id, user=actor_of(request)))


class OlderPositionsView(APIView):
    @extend_schema(responses={200: OpenApiTypes.ANY, 404: PROBLEM})
    @throttle_scope("expensive")
    def get(self, request: Request, legacy_id: str) -> HttpResponse:
        """positions.json: a list, or {"positions": [...]}."""
        return _json(store.read_positions(legacy_id=legacy_id, user=actor_of(request)))

    @extend_schema(
        parameters=[SEEN],
        request=OpenApiTypes.ANY,
        responses={200: SavedSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM},
    )
    @throttle_scope("expensive")
    def put(self, request: Request, legacy_id: str) -> Response:
        """Save the whole list; what it lacks is removed. It becomes the project's next version, and is audited."""
        version = store.save_positions(
            legacy_id=legacy_id, actor=actor_of(request), positions=request.data, seen=_seen(request)
        )
        return Response({"version": version})


def _seen(request: Request) -> int | None:
    said = request.query_params.get("seen", "")
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise Refused("seen is the number of a version.", code="bad_version")
    return int(said)


def _json(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="application/json; charset=utf-8")
