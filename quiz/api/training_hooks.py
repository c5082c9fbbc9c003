"""Where voice services report calls, and the connections by which they are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.schema import problems
from accounts.exceptions import PlumblineError, Refused
from accounts.pages import actor_of
from config.api.throttles import begin_proved, begin_unproved, throttle_scope
from config.throttling.windows import give_back
from jobs.api.webhooks import body_of, headers_of, refused
from jobs.models import ReceivedWebhook
from jobs.webhooks import receiving

from ..models import VoiceConnection
from ..services.training import connecting, connecting_proof, reconciling
from .attempt_views import UUID_REGEX
from .training_files import TrainingJobSerializer, started

log = structlog.get_logger(__name__)
ADDRESS = "/api/hooks/voice?connection={}"
GONE = {404: "There is none, or it is not yours: connections are for owners."}
INVALID = {400: "`invalid`: see `errors`."}


@csrf_exempt
@require_POST
def voice(request: HttpRequest) -> JsonResponse:
    """A report of a voice service: no session, no token, the connection's proof is what counts. 200 stored or known.

    Not a view of the REST framework: nothing may parse the body before it has been proved. What is refused counts
    against its address, what is proved against its connection.
    """
    connection_id = request.GET.get("connection", "")[:80]
    try:
        received, is_new = _received(request, connection_id)
    except PlumblineError as error:
        log.info("voice_report_refused", connection=_shown(connection_id), code=error.code)
        return refused(error)
    log.info("voice_report", connection=_shown(connection_id), type=received.event_type, is_new=is_new)
    return JsonResponse({"id": str(received.pk), "is_new": is_new})


def _received(request: HttpRequest, connection_id: str) -> tuple[ReceivedWebhook, bool]:
    counted = begin_unproved(request, "voice_address")
    receiver = connecting_proof.receiver_of(connection_id)

    def verify(headers: Any, body: bytes) -> None:
        receiver.verify(headers, body)
        give_back(counted)
        begin_proved(request, "voice", str(UUID(connection_id)))

    if "CONTENT_LENGTH" not in request.META and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthNeeded("This server reads no body in pieces. State its length.")
    body = body_of(request, settings.TRANSCRIPT_LIMIT_BYTES)
    return receiving.receive_by(receiver=replace(receiver, verify=verify), headers=headers_of(request), body=body)


class LengthNeeded(Refused):
    status = 411
    code = "length_required"


def _shown(connection_id: str) -> str:
    """For the log: an id, or nothing. Anything may be sent as one, a secret in the wrong place too."""
    try:
        return str(UUID(connection_id))
    except ValueError:
        return ""


class ConnectionFieldsSerializer(serializers.Serializer[Any]):
    """What an owner says of a connection."""

    name = serializers.CharField(max_length=80)
    method = serializers.ChoiceField(
        choices=VoiceConnection.Method.choices, required=False, help_text="How its reports prove where they come from."
    )
    header = serializers.CharField(
        max_length=80, required=False, allow_blank=True,
        help_text="Of the secret or signature; empty: Authorization, X-Vapi-Secret, X-Vapi-Signature.",
    )  # fmt: skip
    timestamp_header = serializers.CharField(
        max_length=80, required=False, allow_blank=True,
        help_text='Of an HMAC of "{timestamp}.{body}", X-Vapi-Timestamp unless told; empty: the body alone is signed.',
    )  # fmt: skip
    api_url = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Asked for calls whose report never came."
    )
    api_key = serializers.CharField(max_length=200, required=False, allow_blank=True, write_only=True)
    template = serializers.UUIDField(
        source="template_id", required=False, allow_null=True, help_text="Of calls that name none."
    )
    is_active = serializers.BooleanField(required=False)


class NewConnectionSerializer(ConnectionFieldsSerializer):
    organisation = serializers.UUIDField(required=False, help_text="Only needed by owners of several.")
    secret = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Made here unless given; 24 characters at least."
    )


class NewSecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Made here unless given; 24 characters at least."
    )


class ConnectionSerializer(ConnectionFieldsSerializer):
    """A connection, without its secret and its key: they are never told again."""

    id = serializers.UUIDField()
    organisation = serializers.UUIDField(source="organisation_id")
    address = serializers.SerializerMethodField(help_text="Where the service posts its reports.")
    has_api_key = serializers.SerializerMethodField()
    reconciled_until = serializers.DateTimeField(allow_null=True)
    trouble = serializers.SerializerMethodField(
        help_text="Why its calls could not be listed the last time, or nothing."
    )
    created_at = serializers.DateTimeField()

    def get_address(self, row: VoiceConnection) -> str:
        return str(settings.SITE_URL).rstrip("/") + ADDRESS.format(row.pk)

    def get_trouble(self, row: VoiceConnection) -> str:
        return str(getattr(row, "trouble", ""))

    def get_has_api_key(self, row: VoiceConnection) -> bool:
        return bool(row.api_key)


class ConnectionWithSecretSerializer(ConnectionSerializer):
    """With the secret, which is shown this once."""

    secret = serializers.CharField()


@extend_schema_view(
    list=extend_schema(summary="Connections to voice services, of the organisations you own"),
    retrieve=extend_schema(summary="One connection, without its secret", responses={200: ConnectionSerializer}),
)
class ConnectionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[VoiceConnection]):
    """Only an organisation's owners see and change its connections; for all others there are none."""

    serializer_class = ConnectionSerializer
    queryset = VoiceConnection.objects.none()
    filterset_class = None
    lookup_value_regex = UUID_REGEX

    def get_queryset(self) -> QuerySet[VoiceConnection]:
        rows = VoiceConnection.objects.visible_to(actor_of(self.request)).order_by("name", "pk")
        return reconciling.with_trouble(rows)

    @extend_schema(
        summary="Connect a voice service: the answer holds the secret, this once",
        request=NewConnectionSerializer,
        responses={201: ConnectionWithSecretSerializer, **problems(INVALID | GONE)},
    )
    def create(self, request: Request) -> Response:
        form = NewConnectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        connection = connecting.create_connection(
            actor=actor_of(request),
            organisation_id=values.pop("organisation", None),
            secret=values.pop("secret", ""),
            values=values,
        )
        return Response(ConnectionWithSecretSerializer(connection).data, status=201)

    @extend_schema(
        summary="Change a connection, or switch it on or off",
        request=ConnectionFieldsSerializer(partial=True),
        responses={200: ConnectionSerializer, **problems(INVALID | GONE)},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        form = ConnectionFieldsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        changed = connecting.change_connection(
            connection_id=UUID(pk), actor=actor_of(request), values=form.validated_data
        )
        return Response(ConnectionSerializer(changed).data)

    @extend_schema(summary="Remove a connection: its calls stay", responses={204: None, **problems(GONE)})
    def destroy(self, request: Request, pk: str) -> Response:
        connecting.remove_connection(connection_id=UUID(pk), actor=actor_of(request))
        return Response(status=204)

    @extend_schema(
        summary="A new secret, shown this once; the former one counts no more",
        request=NewSecretSerializer,
        responses={200: ConnectionWithSecretSerializer, **problems(INVALID | GONE)},
    )
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        form = NewSecretSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        connection = connecting.rotate_secret(
            connection_id=UUID(pk), actor=actor_of(request), secret=form.validated_data.get("secret", "")
        )
        return Response(ConnectionWithSecretSerializer(connection).data)

    @extend_schema(
        summary="Look now for calls whose report never came",
        request=None,
        responses={202: TrainingJobSerializer, **problems({400: "`calls_not_listed`: no address or key."} | GONE)},
    )
    @action(detail=True, methods=["post"])
    @throttle_scope("expensive")
    def reconcile(self, request: Request, pk: str) -> Response:
        job = reconciling.start_reconciling(connection_id=UUID(pk), actor=actor_of(request))
        return Response(started(job), status=202)
