"""For staff: how the streams are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.exceptions import Temporary
from jobs.connections import RedisError

from ..models import DeadSignal, DemandProof
from ..services import signals
from ..services.backlog import latest_entries, signals_state
from ..services.counting import clock

LATEST_DEAD = 20


class MayLook(permissions.BasePermission):
    """Staff who may see dead signals: what others asked can be read here."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user.is_authenticated and user.is_staff and user.has_perm("analytics.view_deadsignal"))


class StreamsView(APIView):
    permission_classes = (MayLook,)

    @extend_schema(responses={status: OpenApiResponse(OpenApiTypes.OBJECT) for status in (200, 403, 503)})
    def get(self, request: Request) -> Response:
        """Lengths, groups, consumers, lag, pending, the latest entries, dead signals, losses, the last proof."""
        try:
            state = signals_state()
            latest = {name: latest_entries(name) for name in signals.streams()}
        except (RedisError, OSError) as error:
            raise Temporary(
                "Redis can't be reached: the streams can't be looked at. Nothing counted is lost."
            ) from error
        told = asdict(state)
        for stream in told["streams"]:
            stream["latest"] = [{"id": number, **fields} for number, fields in latest[stream["name"]]]
        dead = DeadSignal.objects.unsettled().values("id", "stream", "entry_id", "reason", "detail", "created_at")
        proof = DemandProof.objects.first()
        return Response(
            {
                **told,
                "lag_s": state.lag_s,
                "alive": state.alive,
                "lost_by_this_process": signals.losses(),
                "windows_at": clock().windows_at,
                "dead_signals": list(dead[:LATEST_DEAD]),
                "proof": proof and {"checked_at": proof.checked_at, "holds": proof.holds, "queries": proof.queries},
            }
        )
