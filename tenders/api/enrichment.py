"""Runs of enrichment for programs: a clock outside, and an organisation's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.exceptions import Refused
from accounts.models import User

from ..services import runs
from ..services.access import acting_organisation


class BadLimit(Refused):
    status = 400
    code = "bad_limit"


class BadOption(Refused):
    status = 400
    code = "bad_option"


class JobInfoSerializer(serializers.Serializer[Any]):
    total_jobs = serializers.IntegerField()
    job_ids = serializers.ListField(child=serializers.UUIDField())


class RunStartedSerializer(serializers.Serializer[Any]):
    """`status`: queued; running, where a run goes on and that one is told of; idle, where nothing is unread."""

    status = serializers.ChoiceField(choices=["queued", "running", "idle"])
    total_tenders = serializers.IntegerField()
    job_info = JobInfoSerializer()
    batch_id = serializers.UUIDField(allow_null=True)
    batch_ids = serializers.ListField(child=serializers.UUIDField())
    mode = serializers.ChoiceField(choices=["queued", "inline"])


class StandingSerializer(serializers.Serializer[Any]):
    tenders = serializers.IntegerField()
    unread = serializers.IntegerField()
    high = serializers.IntegerField()
    medium = serializers.IntegerField()
    low = serializers.IntegerField()
    by_model = serializers.IntegerField()
    fell_back = serializers.IntegerField()
    cost_usd_30_days = serializers.DecimalField(max_digits=14, decimal_places=6)
    estimate_usd = serializers.DecimalField(max_digits=14, decimal_places=6, allow_null=True)
    batch_id = serializers.UUIDField(allow_null=True, help_text="Of the run that goes on.")


def cron_answer(query: Mapping[str, str]) -> dict[str, Any]:
    """Raises BadLimit, BadOption, Refused."""
    organisation = query.get("organisation")
    try:
        organisation_id = UUID(organisation) if organisation else None
    except ValueError:
        raise BadLimit("organisation is no uuid.", code="bad_organisation") from None
    started = runs.start_for_all(
        limit=_limit(query.get("limit")),
        organisation_id=organisation_id,
        fell_back=_fell_back(query.get("fell_back")),
        mode=_mode(query.get("mode")),
    )
    return _told(started)


def _limit(text: str | None) -> int:
    if text is None or text == "":
        return runs.DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= runs.MOST:
        raise BadLimit(f"limit is a number from 1 to {runs.MOST}.")
    return int(text)


def _fell_back(text: str | None) -> bool:
    if text not in (None, "", "true", "false"):
        raise BadOption("fell_back is true or false.")
    return text == "true"


def _mode(text: str | None) -> runs.Mode:
    if text not in (None, "", "single", "batch"):
        raise BadOption("mode is single or batch.")
    return cast(runs.Mode, text or "single")


def _told(started: list[runs.RunSummary]) -> dict[str, Any]:
    batches = [each for each in started if each["batch_id"]]
    job_ids = [str(job_id) for each in batches for job_id in each["job_ids"]]
    status = "idle" if not batches else "queued" if any(each["is_new"] for each in batches) else "running"
    return {
        "status": status,
        "total_tenders": sum(each["total_tenders"] for each in batches),
        "job_info": {"total_jobs": len(job_ids), "job_ids": job_ids},
        "batch_id": str(batches[0]["batch_id"]) if batches else None,
        "batch_ids": [str(each["batch_id"]) for each in batches],
        "mode": "inline" if batches and all(each["mode"] == "inline" for each in batches) else "queued",
    }


class EnrichmentView(APIView):
    """The own organisation's readings of tenders."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(summary="How far tenders have been read", responses=StandingSerializer)
    def get(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        organisation = acting_organisation(request.user)
        if organisation is None:
            raise Refused("You belong to no organisation.", code="no_organisation")
        active = runs.active_run(organisation.pk)
        standing = dict(runs.standing(organisation.pk)) | {"batch_id": active.pk if active else None}
        return Response(StandingSerializer(standing).data)

    @extend_schema(
        summary="Have unread tenders read",
        description=(
            "Those that are new, or have changed, or were read by an earlier profile; the latest deadline first. While "
            "a run goes on, that one is given: calling again is safe."
        ),
        request=None,
        parameters=[
            OpenApiParameter("limit", int, description=f"At most so many tenders; {runs.DEFAULT_LIMIT}."),
            OpenApiParameter("fell_back", bool, description="Also those that the rules read because the model failed."),
            OpenApiParameter(
                "mode",
                str,
                enum=["single", "batch"],
                description="batch: for half the price, answered within a day; 409 where the model takes no batches.",
            ),
        ],
        responses={
            202: RunStartedSerializer,
            403: OpenApiResponse(description="One may only look on."),
            409: OpenApiResponse(description="The model takes no batches."),
        },
    )
    def post(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        query = request.query_params
        started = runs.start_by(
            actor=request.user,
            limit=_limit(query.get("limit")),
            fell_back=_fell_back(query.get("fell_back")),
            mode=_mode(query.get("mode")),
        )
        return Response(_told([started]), status=202)

    @extend_schema(
        summary="Pause the run",
        description="What waits stays unread; the next run takes it.",
        request=None,
        responses={204: None, 409: OpenApiResponse(description="No run goes on.")},
    )
    def delete(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        runs.pause(actor=request.user)
        return Response(status=204)
