"""Webhooks over REST: endpoints, deliveries and event types for owners; and the address that others send to."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.exceptions import PlumblineError, Refused
from accounts.pages import actor_of
from config.api.throttles import begin_unproved
from config.throttling.windows import give_back

from ..models import WebhookDelivery, WebhookEndpoint
from ..webhooks import delivering, endpoints, event_types, receivers, receiving
from .filters import DeliveryFilter

UUID_REGEX = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
REFUSED = problems({400: "`invalid`, `address_forbidden`, `webhook_endpoint_refused`."})


class EndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """An endpoint, without its secret."""

    organisation_id = serializers.UUIDField(required=False, help_text="Only needed by owners of several.")
    url = serializers.CharField(max_length=500)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=50, help_text='`["*"]`: everything.'
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "organisation_id",
            "url",
            "description",
            "event_types",
            "is_active",
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "failures_in_a_row",
            "previous_secret_until",
            "created_at",
        ]
        read_only_fields = [
            "is_active",
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "failures_in_a_row",
            "previous_secret_until",
            "created_at",
        ]


class EndpointChangeSerializer(serializers.Serializer[Any]):
    """What can be changed. Switching an endpoint on forgets its earlier failures."""

    url = serializers.CharField(max_length=500, required=False)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=50, required=False, help_text='`["*"]`: everything.'
    )
    is_active = serializers.BooleanField(required=False)


class EndpointWithSecretSerializer(EndpointSerializer):
    """With the secret, which is shown this once."""

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]
        read_only_fields = [*EndpointSerializer.Meta.read_only_fields, "secret"]


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """One message to one endpoint; `id` is its `webhook-id`."""

    endpoint_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "endpoint_id",
            "event_type",
            "payload",
            "status",
            "attempts",
            "response_status",
            "response_excerpt",
            "error",
            "created_at",
            "last_attempt_at",
            "delivered_at",
        ]
        read_only_fields = fields


class EventTypeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField()
    example = serializers.JSONField(help_text="The `data` of such a message.")


@extend_schema_view(
    list=extend_schema(summary="Webhook endpoints of the organisations you own"),
    retrieve=extend_schema(summary="One webhook endpoint"),
)
class EndpointViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[WebhookEndpoint]
):
    """Only an organisation's owners see and change its endpoints; for all others there are none."""

    queryset = WebhookEndpoint.objects.none()
    serializer_class = EndpointSerializer
    filterset_class = None
    lookup_value_regex = UUID_REGEX
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.visible_to(self.request.user)

    @extend_schema(
        summary="Add an endpoint: the answer holds its secret, this once",
        request=EndpointSerializer,
        responses={201: EndpointWithSecretSerializer, **REFUSED},
    )
    def create(self, request: Request) -> Response:
        given = EndpointSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        endpoint = endpoints.create_endpoint(
            actor=actor_of(request),
            url=fields["url"],
            event_types=fields["event_types"],
            description=fields.get("description", ""),
            organisation_id=fields.get("organisation_id"),
        )
        return Response(EndpointWithSecretSerializer(endpoint).data, status=HTTPStatus.CREATED)

    @extend_schema(
        summary="Change an endpoint, or switch it on or off",
        request=EndpointChangeSerializer,
        responses={200: EndpointSerializer, **REFUSED},
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        given = EndpointChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changed = endpoints.change_endpoint(endpoint_id=pk, actor=actor_of(request), **given.validated_data)
        return Response(EndpointSerializer(changed).data)

    @extend_schema(summary="Delete an endpoint with its deliveries")
    def destroy(self, request: Request, pk: UUID) -> Response:
        endpoints.delete_endpoint(endpoint_id=pk, actor=actor_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)

    @extend_schema(
        summary="A new secret, shown this once; messages are signed with both for 24 hours",
        request=None,
        responses=EndpointWithSecretSerializer,
    )
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: UUID) -> Response:
        endpoint = endpoints.rotate_secret(endpoint_id=pk, actor=actor_of(request))
        return Response(EndpointWithSecretSerializer(endpoint).data)

    @extend_schema(
        summary="Send a `webhook.test`: tried once; follow the delivery",
        request=None,
        responses={202: DeliverySerializer, **problems({409: "`webhook_still_trying`: the test before it."})},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        delivery = endpoints.send_test(endpoint_id=pk, actor=actor_of(request))
        return Response(DeliverySerializer(delivery).data, status=HTTPStatus.ACCEPTED)


@extend_schema_view(
    list=extend_schema(summary="Deliveries to your endpoints, the latest first"),
    retrieve=extend_schema(summary="One delivery, with what the receiver answered"),
)
class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[WebhookDelivery]):
    """Messages to the endpoints of the organisations you own."""

    queryset = WebhookDelivery.objects.none()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    lookup_value_regex = UUID_REGEX
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.visible_to(self.request.user)

    @extend_schema(
        summary="Send it once more, under the same `webhook-id`",
        request=None,
        responses={
            202: DeliverySerializer,
            **problems({409: "`webhook_still_trying`, `webhook_endpoint_off`."}),
        },
    )
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, pk: UUID) -> Response:
        delivery = delivering.redeliver(delivery_id=pk, actor=actor_of(request))
        return Response(DeliverySerializer(delivery).data, status=HTTPStatus.ACCEPTED)


class EventTypesView(APIView):
    """What an endpoint can ask to be told of."""

    @extend_schema(summary="Event types, with an example of each", responses=EventTypeSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(EventTypeSerializer(event_types(), many=True).data)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, name: str) -> JsonResponse:
    """What others send: no session, no token, the signature is what counts. 202 new, 200 known already.

    Not a view of the REST framework: nothing may parse the body before its signature has been checked. What is refused
    counts against its address like any call without sign-in; what a sender signs is never too much.
    """
    try:
        counted = begin_unproved(request)
        receivers.receiver_named(name)  # a body for nobody is not even read
        received, is_new = receiving.receive(
            name=name, headers=headers_of(request), body=body_of(request, settings.INCOMING_WEBHOOK_LIMIT_BYTES)
        )
        give_back(counted)
    except PlumblineError as error:
        return refused(error)
    answer = {"id": str(received.pk), "status": received.status, "is_new": is_new}
    return JsonResponse(answer, status=HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK)


class BodyTooLarge(Refused):
    status = 413
    code = "request_too_large"


def refused(error: PlumblineError) -> JsonResponse:
    """The problem details of an error, from a view that is none of the REST framework."""
    headers = {"Retry-After": str(error.extra["retry_after_s"])} if "retry_after_s" in error.extra else {}
    problem = {"title": HTTPStatus(error.status).phrase, "status": error.status, "detail": str(error)}
    return JsonResponse(
        {"type": "about:blank", **problem, "code": error.code},
        status=error.status,
        headers=headers,
        content_type="application/problem+json",
    )


def headers_of(request: HttpRequest) -> dict[str, str]:
    return {key.lower(): value for key, value in request.headers.items()}


def body_of(request: HttpRequest, limit: int) -> bytes:
    """Looks at the stated length first, so that what is too large is refused unread."""
    stated = request.META.get("CONTENT_LENGTH") or "0"
    if stated.isdecimal() and int(stated) > limit:
        raise BodyTooLarge(f"A message may have up to {filesizeformat(limit)}.")
    return request.body
