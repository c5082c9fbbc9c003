"""`{% load webhooks %}`: who is led to the webhooks pages."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.querysets import organisation_ids_owned_by

register = template.Library()


@register.filter
def owns_an_organisation(user: User | AnonymousUser) -> bool:
    """Only owners have webhooks pages: nobody else is shown the way."""
    return organisation_ids_owned_by(user).exists()
