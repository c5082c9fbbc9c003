"""Catalogues, cached knowledge, the project's chat."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class CatalogueItem(models.Model):
    """One item of a price catalogue that staff imported: what rules on texts and prices compare with."""

    catalogue = models.CharField(max_length=30)
    edition = models.CharField(max_length=30)
    code = models.CharField(max_length=60)
    text = models.TextField()
    unit = models.CharField(max_length=40, blank=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        ordering = ["catalogue", "edition", "code"]
        constraints = [
            # The audit looks items up by it; a second import of an edition updates.
            models.UniqueConstraint(fields=["catalogue", "edition", "code"], name="catalogue_item_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.catalogue} {self.edition} {self.code}"


class TableMapping(models.Model):
    """Which column holds what in a plain table, as a person confirmed it; used again where the titles are the same."""

    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="table_mappings")
    titles = models.TextField(help_text="The header row's titles, lower case, tab separated")
    mapping = models.JSONField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        constraints = [
            # The reading job looks mappings up by it.
            models.UniqueConstraint(fields=["organisation", "titles"], name="table_mapping_unique"),
        ]

    def __str__(self) -> str:
        return self.titles.replace("\t", ", ")[:80]


class KnowledgeEntry(models.Model):
    """An answer looked up once, with its sources, kept until it expires."""

    class Type(models.TextChoices):
        CODE = "code", "Code"
        PRICE = "price", "Price"
        STANDARD = "standard", "Standard"
        WEB = "web", "Web"

    query_hash = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=10, choices=Type.choices)
    result = models.JSONField()
    sources = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    # Trimming deletes by it.
    expires_at = models.DateTimeField(db_index=True)
    access_count = models.PositiveIntegerField(default=0)
    last_accessed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "knowledge entries"

    def __str__(self) -> str:
        return f"{self.type} {self.query_hash[:12]}"


class ChatMessage(models.Model):
    """One message of a project's chat."""

    class Role(models.TextChoices):
        USER = "user", "User"
        ASSISTANT = "assistant", "Assistant"
        SYSTEM = "system", "System"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="chat_messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices)
    message = models.TextField()
    type = models.CharField(max_length=20, default="text")
    context = models.JSONField(default=dict, blank=True)
    positions = models.JSONField(default=list, blank=True, help_text="Lineages")
    documents = models.JSONField(default=list, blank=True)
    question = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="answers")
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    source = models.CharField(max_length=20, blank=True)
    actions = models.JSONField(default=list, blank=True, help_text="Each with before, after, result")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at"]
        # The chat's history.
        indexes = [models.Index(fields=["project", "created_at"], name="chat_project_time")]

    def __str__(self) -> str:
        return self.message[:60]
