"""How people told us to read tables."""

from __future__ import annotations

from django.conf import settings
from django.db import models


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
