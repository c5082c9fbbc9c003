"""`POST /api/cron/{task}`: a clock outside starts a task of the schedule."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.exceptions import Missing, NotSignedIn

from ..models import Job
from ..registry import cron_answer
from ..services import scheduling


class StartedSerializer(serializers.Serializer[Any]):
    """The job that was started, or that a call shortly before has started."""

    job_id = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(choices=Job.Status.choices)


class CronView(APIView):
    """No user signs in here: whoever has the secret may start any task that is listed, and nothing else."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        summary="Start a task of the schedule, from a clock outside",
        description=(
            "For services that call an address by the clock, where no scheduler of ours runs or beside one. Send "
            "CRON_SECRET as `Authorization: Bearer …`. While a run of the task is active, and for a minute after one "
            "was started, its job is given instead of a second one: calling again is safe. What is due at the moment "
            "counts as the clock's own run. Some tasks answer with more than their job; their own chapter says what. "
            "404: there is no such task, or the server has no CRON_SECRET."
        ),
        request=None,
        parameters=[
            OpenApiParameter(
                "secret", str, description="Where no header can be sent. It stays in the logs of proxies in between."
            )
        ],
        responses={
            202: StartedSerializer,
            401: OpenApiResponse(description="The secret is missing or wrong."),
            404: OpenApiResponse(description="No such task, or no such endpoint."),
            409: OpenApiResponse(description="Staff have paused the task."),
        },
    )
    def post(self, request: Request, task: str) -> Response:
        _check_secret(request)
        if answer := cron_answer(task):
            return Response(answer(request.query_params.dict()), status=202)
        return Response(StartedSerializer(scheduling.trigger(name=task)).data, status=202)


def _check_secret(request: Request) -> None:
    """Missing (404) on a server without a secret, whatever is sent; NotSignedIn (401) for any but the right one."""
    if not settings.CRON_SECRET:
        raise Missing("There is no such address.")
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(sent.strip(), settings.CRON_SECRET):
        raise NotSignedIn("The secret is missing or wrong.", code="wrong_secret")
