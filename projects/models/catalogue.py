"""What positions are compared with: price catalogues, how prices moved, a firm's own thresholds, answers looked up."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..querysets import OrganisationsOwnQuerySet


class CatalogueItem(models.Model):
    """One item of a price catalogue: staff import for everyone, owners for their organisation.

    What rules on texts and prices compare with, and what enrichment matches positions to.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False,
        help_text="Whose own it is; empty: everyone's",
    )  # fmt: skip
    catalogue = models.CharField(max_length=30)
    edition = models.CharField(max_length=30)
    code = models.CharField(max_length=60)
    text = models.TextField()
    unit = models.CharField(max_length=40, blank=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    priced_on = models.DateField(null=True, blank=True, help_text="Of what date the price is: indexed from there")

    objects = OrganisationsOwnQuerySet.as_manager()

    class Meta:
        ordering = ["catalogue", "edition", "code"]
        constraints = [
            # The audit looks items up by it; a second import of an edition updates.
            models.UniqueConstraint(
                fields=["catalogue", "edition", "code", "organisation"],
                name="catalogue_item_unique",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.catalogue} {self.edition} {self.code}"


class PriceIndex(models.Model):
    """One month of a series that says how construction prices moved (2015 = 100, as statistical offices publish it)."""

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    series = models.CharField(max_length=60)
    on = models.DateField(help_text="First day of the month or quarter")
    value = models.DecimalField(max_digits=10, decimal_places=4)

    objects = OrganisationsOwnQuerySet.as_manager()

    class Meta:
        ordering = ["series", "on"]
        verbose_name_plural = "price indices"
        constraints = [
            # Looked up along it; a second import of a month corrects it.
            models.UniqueConstraint(
                fields=["series", "on", "organisation"], name="price_index_unique", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.on:%Y-%m}"


class ThresholdSetting(models.Model):
    """An organisation's own value of one threshold of the audit ("C02.spread"). Withdrawn by deleting it."""

    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="thresholds")
    name = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=18, decimal_places=6)
    reason = models.TextField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    objects = OrganisationsOwnQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            # One value a threshold; the audit reads an organisation's along it.
            models.UniqueConstraint(fields=["organisation", "name"], name="threshold_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.name} = {self.value.normalize():f}"


class KnowledgeEntry(models.Model):
    """An answer looked up once, with its sources, kept until it expires. `query_hash` includes whose it is."""

    class Type(models.TextChoices):
        CODE = "code", "Code"
        PRICE = "price", "Price"
        STANDARD = "standard", "Standard"
        WEB = "web", "Web"

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        help_text="Whose history the answer is from; empty: everyone's",
    )  # fmt: skip
    query_hash = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=10, choices=Type.choices)
    result = models.JSONField()
    sources = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    # Trimming deletes by it.
    expires_at = models.DateTimeField(db_index=True)
    access_count = models.PositiveIntegerField(default=0)
    last_accessed_at = models.DateTimeField(null=True)

    objects = OrganisationsOwnQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "knowledge entries"

    def __str__(self) -> str:
        return f"{self.type} {self.query_hash[:12]}"
