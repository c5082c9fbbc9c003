"""What owners do with their organisation's endpoints. Every write of an endpoint that a person asks for is here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Organisation

from ..models import WebhookDelivery, WebhookEndpoint
from ..outbound import check_url
from . import signing
from .emitting import payload_of, queue
from .event_types import EVERYTHING, TEST, event_types
from .exceptions import EndpointMissing, EndpointRefused, StillTrying

if TYPE_CHECKING:
    from accounts.models import User

MOST_PER_ORGANISATION = 20
BOTH_SECRETS_FOR = timedelta(hours=24)


def create_endpoint(
    *, actor: User, url: str, event_types: Collection[str], description: str = "", organisation_id: UUID | None = None
) -> WebhookEndpoint:
    """A new endpoint of an organisation that the actor owns; the only one, unless told. Its `secret` is to be shown
    now, and never again. Raises EndpointMissing (not an owner), EndpointRefused, AddressForbidden."""
    with transaction.atomic():
        organisation = _owned(actor, organisation_id)
        if WebhookEndpoint.objects.filter(organisation=organisation).count() >= MOST_PER_ORGANISATION:
            raise EndpointRefused(f"An organisation can have {MOST_PER_ORGANISATION} endpoints. Delete one first.")
        return WebhookEndpoint.objects.create(
            organisation=organisation,
            url=_clean_url(url),
            description=description.strip()[:200],
            event_types=_clean_types(event_types),
            secret=signing.new_secret(),
            created_by=actor,
        )


def change_endpoint(
    *,
    endpoint_id: UUID,
    actor: User,
    url: str | None = None,
    event_types: Collection[str] | None = None,
    description: str | None = None,
    is_active: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given. `is_active`: switching it on forgets earlier failures. Raises as `create_endpoint`."""
    with transaction.atomic():
        endpoint = locked_endpoint(endpoint_id=endpoint_id, actor=actor)
        if url is not None:
            endpoint.url = _clean_url(url)
        if event_types is not None:
            endpoint.event_types = _clean_types(event_types)
        if description is not None:
            endpoint.description = description.strip()[:200]
        if is_active is not None and is_active != endpoint.is_active:
            _switch(endpoint, is_active, f"Switched off by {actor}.")
        endpoint.save()
    return endpoint


def _switch(endpoint: WebhookEndpoint, is_active: bool, why_off: str) -> None:
    endpoint.is_active = is_active
    endpoint.disabled_at = None  # says when we did it: that a person did is no trouble for operators to see
    endpoint.disabled_reason = "" if is_active else why_off[:300]
    if is_active:
        endpoint.failing_since, endpoint.failures_in_a_row = None, 0


def delete_endpoint(*, endpoint_id: UUID, actor: User) -> None:
    """With its deliveries; what is still on its way is dropped. Raises EndpointMissing."""
    with transaction.atomic():
        locked_endpoint(endpoint_id=endpoint_id, actor=actor).delete()


def rotate_secret(*, endpoint_id: UUID, actor: User) -> WebhookEndpoint:
    """A new `secret`, to be shown now and never again. For 24 hours messages are signed with the former one as well.
    Raises EndpointMissing."""
    with transaction.atomic():
        endpoint = locked_endpoint(endpoint_id=endpoint_id, actor=actor)
        endpoint.previous_secret, endpoint.secret = endpoint.secret, signing.new_secret()
        endpoint.previous_secret_until = timezone.now() + BOTH_SECRETS_FOR
        endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return endpoint


def send_test(*, endpoint_id: UUID, actor: User) -> WebhookDelivery:
    """Queue a `webhook.test`, tried once, even where the endpoint is switched off. One at a time: nobody shall knock at
    somebody's server through ours as fast as they can. Raises EndpointMissing, StillTrying."""
    with transaction.atomic():
        endpoint = locked_endpoint(endpoint_id=endpoint_id, actor=actor)
        under_way = WebhookDelivery.objects.filter(endpoint=endpoint, event_type=TEST)
        if under_way.filter(status=WebhookDelivery.Status.PENDING).exists():
            raise StillTrying("The test before is still on its way.")
        data = {"message": "This is a test.", "endpoint_id": str(endpoint.pk)}
        delivery = WebhookDelivery(endpoint=endpoint, event_type=TEST, payload=payload_of(TEST, data))
        queue([delivery], max_retries=0)
    return delivery


def locked_endpoint(*, endpoint_id: UUID, actor: User) -> WebhookEndpoint:
    """For its owners, and for staff with the permission; for all others there is none."""
    endpoints = WebhookEndpoint.objects.select_for_update(of=("self",))
    visible = endpoints if actor.has_perm("jobs.change_webhookendpoint") else endpoints.visible_to(actor)
    endpoint = visible.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointMissing("There is no such endpoint.")
    return endpoint


def _owned(actor: User, organisation_id: UUID | None) -> Organisation:
    """Locked: two requests at once must not both be the twentieth."""
    owned = Membership.objects.of(actor).filter(role=Membership.Role.OWNER)
    ids = list(owned.order_by("created_at", "pk").values_list("organisation_id", flat=True)[:2])
    if organisation_id is None and len(ids) > 1:
        raise EndpointRefused("You own several organisations: say which one by organisation_id.", code="invalid")
    wanted = organisation_id or (ids[0] if ids else None)
    if wanted is None or not owned.filter(organisation_id=wanted).exists():
        raise EndpointMissing("Only the owner of an organisation can add an endpoint to it.")
    return Organisation.objects.select_for_update().get(pk=wanted)


def _clean_url(url: str) -> str:
    url = url.strip()
    if len(url) > 500 or "#" in url:
        raise EndpointRefused("The address must have no # and at most 500 characters.", code="invalid")
    check_url(url)
    return url


def _clean_types(wanted: Collection[str]) -> list[str]:
    known = {each.name for each in event_types()} - {TEST}
    chosen = sorted(set(wanted))
    unknown = [name for name in chosen if name not in known | {EVERYTHING}]
    if unknown:
        raise EndpointRefused(f"There is no event type {', '.join(unknown)[:200]}.", code="invalid")
    if not chosen:
        raise EndpointRefused("Choose at least one event type.", code="invalid")
    return [EVERYTHING] if EVERYTHING in chosen else chosen
