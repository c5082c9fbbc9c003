"""Webhooks: what we tell others, and what others tell us."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from ..querysets import WebhookDeliveryQuerySet, WebhookEndpointQuerySet


class WebhookEndpoint(models.Model):
    """Where an organisation wants to be told, and of what."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    event_types = models.JSONField(default=list, help_text='Such as ["job.completed"]; ["*"]: everything.')
    secret = models.CharField(max_length=100, help_text='Signs what is sent: "whsec_" and base64 (Standard Webhooks).')
    previous_secret = models.CharField(
        max_length=100, blank=True, help_text="Signs too, until receivers have changed over to the new one."
    )
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True, blank=True)  # by us, for failing; None where a person did it
    disabled_reason = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="First failure since the last success.")
    failures_in_a_row = models.PositiveIntegerField(default=0, help_text="Deliveries given up since the last success.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        # At the end of each job that belongs to an organisation: who wants to know?
        indexes = [models.Index(fields=["organisation", "is_active"], name="webhook_endpoint_of")]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One message to one endpoint; its id is the `webhook-id` header, the same at every attempt, so that receivers can
    tell a repetition. Written in the transaction of what it tells of (an outbox)."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event_type = models.CharField(max_length=80)
    payload = models.JSONField(encoder=DjangoJSONEncoder, help_text="type, timestamp, data")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_excerpt = models.CharField(max_length=1000, blank=True)
    error = models.CharField(max_length=500, blank=True)
    job = models.ForeignKey("jobs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            # An endpoint's page and API list.
            models.Index("endpoint", models.F("created_at").desc(), name="webhook_delivery_of"),
            # The nightly trimming.
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {str(self.id)[:8]}"


class ReceivedWebhook(models.Model):
    """What somebody sent us, kept as it came before anything is made of it."""

    class Status(models.TextChoices):
        STORED = "stored", "Stored"
        PROCESSED = "processed", "Processed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40, help_text="Name of the receiver.")
    provider_id = models.CharField(max_length=200, help_text="The sender's own number of the message.")
    event_type = models.CharField(max_length=120, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.STORED)
    error = models.CharField(max_length=500, blank=True)
    job = models.ForeignKey("jobs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    times_received = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            # Senders repeat themselves; the second time changes nothing.
            models.UniqueConstraint(fields=["source", "provider_id"], name="received_once")
        ]
        # The admin's list and the nightly trimming.
        indexes = [models.Index(fields=["received_at"], name="received_age")]

    def __str__(self) -> str:
        return f"{self.source} {self.provider_id}"
