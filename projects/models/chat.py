"""The project's chat: questions, answers with their sources, changes proposed and applied."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..querysets import OfVisibleProjectQuerySet


class ChatMessage(models.Model):
    """One message of a project's chat. An answer that proposes changes:

    proposed ──> applied (as a version) | refused | outdated (the budget changed meanwhile)
    """

    class Role(models.TextChoices):
        USER = "user", "User"
        ASSISTANT = "assistant", "Assistant"
        SYSTEM = "system", "System"

    class Status(models.TextChoices):
        WAITING = "waiting", "Being answered"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Proposal(models.TextChoices):
        NONE = "", "No change"
        PROPOSED = "proposed", "Proposed"
        APPLIED = "applied", "Applied"
        REFUSED = "refused", "Refused"
        OUTDATED = "outdated", "Outdated"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="chat_messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices)
    message = models.TextField()
    type = models.CharField(max_length=20, default="text")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DONE)
    job_id = models.UUIDField(null=True, blank=True)
    context = models.JSONField(default=dict, blank=True)
    citations = models.JSONField(default=list, blank=True, help_text="Kind, id, place, quote, address of each source")
    positions = models.JSONField(default=list, blank=True, help_text="Lineages")
    documents = models.JSONField(default=list, blank=True)
    question = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="answers")
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    source = models.CharField(max_length=20, blank=True)
    proposal = models.CharField(max_length=10, choices=Proposal.choices, blank=True, default=Proposal.NONE)
    based_on_version = models.PositiveIntegerField(null=True, blank=True)
    applied_version = models.PositiveIntegerField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    actions = models.JSONField(default=list, blank=True, help_text="Each with before, after, result")
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfVisibleProjectQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        # The chat's history.
        indexes = [models.Index(fields=["project", "created_at"], name="chat_project_time")]

    def __str__(self) -> str:
        return self.message[:60]
