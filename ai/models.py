"""What was asked of models, what it cost, and whether anybody may ask at present."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .querysets import CallQuerySet, PauseQuerySet


class ModelBatch(models.Model):
    """Many questions handed to the provider together, to be answered within a day at half the price.

    submitting → under way → collected;  submitting → (gone: it never arrived);  any → given up. `key` is its owner's,
    made before anything is sent, so that whoever comes after a death finds it.
    """

    class Status(models.TextChoices):
        SUBMITTING = "submitting", "Being handed over"
        UNDER_WAY = "under_way", "Under way"
        COLLECTED = "collected", "Collected"
        GIVEN_UP = "given_up", "Given up"

    key = models.UUIDField(primary_key=True, editable=False)
    purpose = models.CharField(max_length=80)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SUBMITTING)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=120)
    provider_id = models.CharField(max_length=120, blank=True, help_text="As the provider calls it.")
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    size = models.PositiveIntegerField(help_text="Questions.")
    counts = models.JSONField(default=dict, blank=True, help_text="The provider's own: processing, succeeded, …")
    context = models.JSONField(default=dict, blank=True, help_text="What its owner needs to know when it is answered.")
    reserved_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    error = models.CharField(max_length=500, blank=True)
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-submitted_at"]
        verbose_name = "batch of calls"
        verbose_name_plural = "batches of calls"

    def __str__(self) -> str:
        return f"{self.purpose} ({self.get_status_display()})"


class ModelCall(models.Model):
    """One question, with all its attempts.

    running → answered | failed;  running → lost (its process ended without a word). From the cache: answered at once.

    `cost_usd` is an estimate while it runs, and stays one for a lost call: the provider may have billed it.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        ANSWERED = "answered", "Answered"
        FAILED = "failed", "Failed"
        LOST = "lost", "Lost"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=80)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=120)
    prompt_name = models.CharField(max_length=80, blank=True)
    prompt_version = models.PositiveSmallIntegerField(default=0)
    prompt_hash = models.CharField(max_length=16)
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    batch = models.ForeignKey(ModelBatch, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls")
    reference = models.CharField(max_length=100, blank=True, help_text="Of a batch: what its owner knows it by.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Requests sent.")
    in_flight_until = models.DateTimeField(
        null=True, blank=True, help_text="While it runs: its request ends by then, whatever becomes of who sent it."
    )
    faults = models.JSONField(default=list, help_text="Attempts that gave nothing: [{code, status, latency_ms}].")
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    is_price_known = models.BooleanField(default=True, help_text="No: counted at the price of unknown models.")
    latency_ms = models.PositiveIntegerField(default=0, help_text="Of the whole, waiting included.")
    redacted = models.PositiveSmallIntegerField(default=0, help_text="Contact persons' details taken out.")
    is_cached = models.BooleanField(default=False)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    cache_key = models.CharField(max_length=64, blank=True)
    cached_until = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True, help_text="Kept until then, for the same question.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "call of a model"
        verbose_name_plural = "calls of models"
        indexes = [
            # The admin's list and its sums by day; trimming.
            models.Index(F("created_at").desc(), name="model_call_newest"),
            # The admin's list of one purpose; what a run has cost so far.
            models.Index(F("purpose"), F("created_at").desc(), name="model_call_purpose"),
            # The cache.
            models.Index(
                F("cache_key"),
                F("created_at").desc(),
                condition=Q(cached_until__isnull=False),
                name="model_call_cached",
            ),
            # The nightly look for lost calls; how many are in flight, before each request.
            models.Index(fields=["created_at"], condition=Q(status="running"), name="model_call_running"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.get_status_display()})"


class SpendingDay(models.Model):
    """Money of one day (UTC), the estimates of calls under way included: what the budget is checked against, in one
    conditional UPDATE."""

    day = models.DateField(primary_key=True)
    spent_usd = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0))

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}: {self.spent_usd} USD"


class ProviderPause(models.Model):
    """The provider did not accept our key, account or model; nobody asks until somebody ends the pause.

    `fingerprint`: of provider, model, address and key together, so that a new key begins without a pause.
    """

    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=32)
    status_code = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=500)
    since = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = PauseQuerySet.as_manager()

    class Meta:
        ordering = ["-since"]
        verbose_name = "pause of a provider"
        verbose_name_plural = "pauses of providers"
        constraints = [
            # Twenty calls refused together make one pause; every call looks here.
            models.UniqueConstraint(fields=["fingerprint"], condition=Q(ended_at=None), name="provider_pause_standing")
        ]

    def __str__(self) -> str:
        return f"{self.provider} since {self.since:%Y-%m-%d %H:%M}"
