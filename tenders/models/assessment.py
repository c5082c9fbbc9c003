"""What a firm looks for, what an analyser said of a tender for that firm, and what the firm decided."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from ..querysets import DecisionQuerySet, EnrichmentQuerySet, ProfileQuerySet, SavedSearchQuerySet, ScoreQuerySet


class CompanyProfile(models.Model):
    """What an organisation can and wants to build; every relevance is against it.

    `revision` grows with each change, so that a score knows whether it is of the present profile.
    """

    organisation = models.OneToOneField(
        "accounts.Organisation", on_delete=models.CASCADE, primary_key=True, related_name="tender_profile"
    )
    cpv_codes = models.JSONField("CPV", default=list, blank=True, help_text="2 to 8 digits each: 45 is all works.")
    keywords = models.JSONField(default=list, blank=True)
    negative_keywords = models.JSONField(default=list, blank=True, help_text="What speaks against a tender.")
    regions = models.JSONField(default=list, blank=True, help_text="NUTS codes or names of regions.")
    countries = models.JSONField(default=list, blank=True, help_text="ISO 3166-1 alpha-2.")
    value_min = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    value_max = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    value_currency = models.CharField(max_length=3, blank=True)
    days_to_prepare = models.PositiveSmallIntegerField(default=14, help_text="Days that a bid takes at least.")
    capabilities = models.TextField(blank=True, help_text="What the firm does, in its own words.")
    revision = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = ProfileQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Profile of {self.organisation}"


class Enrichment(models.Model):
    """What one analyser made of one tender for one organisation. Never changed; the newest stands (Score)."""

    class Method(models.TextChoices):
        RULES = "rules", "Rules"
        MODEL = "model", "Model"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tender = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="enrichments", db_index=False)
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=8, choices=Method.choices)
    analyser = models.CharField(max_length=120, help_text='"rules 1", or provider, model and version of the prompt.')
    fell_back = models.CharField(max_length=300, blank=True, help_text="Why the rules stood in for the model.")
    schema_version = models.PositiveSmallIntegerField(default=1)
    content_hash = models.CharField(max_length=32, help_text="Of the tender's fields that were read.")
    profile_revision = models.PositiveIntegerField()
    result = models.JSONField(help_text="analysis.schema.Assessment")
    confidence = models.FloatField()
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    latency_ms = models.PositiveIntegerField(default=0)
    is_cached = models.BooleanField(default=False)
    job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EnrichmentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        # A tender's page: what was said of it, newest first; by method, to compare them.
        indexes = [models.Index(F("tender"), F("organisation"), F("created_at").desc(), name="enrichment_newest")]

    def __str__(self) -> str:
        return f"{self.analyser} of {self.tender_id}"


class Score(models.Model):
    """The newest assessment of a tender for an organisation, in columns: what lists sort and narrow by."""

    class Relevance(models.TextChoices):
        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"
        LOW = "low", "Low"

    tender = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="scores", db_index=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    enrichment = models.ForeignKey(Enrichment, on_delete=models.CASCADE, related_name="+")
    relevance = models.CharField(max_length=6, choices=Relevance.choices)
    relevance_score = models.FloatField(help_text="0 to 1")
    keywords = models.JSONField(default=list)
    summary = models.TextField(blank=True)
    content_hash = models.CharField(max_length=32)
    profile_revision = models.PositiveIntegerField()
    is_useful = models.BooleanField(null=True, help_text="What a person said of it: thumbs up or down.")
    ai_processed_at = models.DateTimeField(default=timezone.now)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            # The upsert of an enrichment. With the grade: facets read it from the index alone.
            models.UniqueConstraint(fields=["organisation", "tender"], include=["relevance"], name="score_once"),
            models.CheckConstraint(
                condition=models.Q(relevance_score__gte=0, relevance_score__lte=1), name="score_is_share"
            ),
        ]
        indexes = [
            # The list sorted by relevance, of all grades or of one.
            models.Index(F("organisation"), F("relevance_score").desc(), F("tender"), name="score_best"),
            models.Index(
                F("organisation"), F("relevance"), F("relevance_score").desc(), F("tender"), name="score_grade_best"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_relevance_display()} ({self.relevance_score:.2f})"


class Decision(models.Model):
    """What an organisation means to do about a tender; the newest stands, the earlier ones are its history."""

    class Choice(models.TextChoices):
        WATCH = "watch", "Watch"
        BID = "bid", "Bid"
        NO_BID = "no_bid", "No bid"

    tender = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="decisions", db_index=False)
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="+")
    choice = models.CharField(max_length=8, choices=Choice.choices)
    reason = models.TextField(blank=True, help_text="Why not, above all.")
    project = models.ForeignKey(
        "projects.Project",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Opened for the bid.",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    is_standing = models.BooleanField(default=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            # Two who decide at once: the second sees that the first has.
            models.UniqueConstraint(
                fields=["organisation", "tender"], condition=models.Q(is_standing=True), name="decision_standing"
            )
        ]
        # A tender's page: the history of decisions.
        indexes = [models.Index(F("tender"), F("organisation"), F("at").desc(), name="decision_newest")]

    def __str__(self) -> str:
        return self.get_choice_display()


class SavedSearch(models.Model):
    """A search that somebody comes back to, and may be told of when something new fits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="saved_searches")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=120)
    query = models.JSONField(default=dict, help_text="Names and values of the search's fields, as in its address.")
    is_alerting = models.BooleanField(default=True)
    by_email = models.BooleanField(default=False)
    seen_until = models.DateTimeField(default=timezone.now, help_text="Tenders that came later are news.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_search_name")]

    def __str__(self) -> str:
        return self.name
