"""What allauth tells by signal only."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed, email_confirmed
from django.dispatch import receiver

from . import services
from .models import User


@receiver(email_confirmed)
def _confirmed(email_address: EmailAddress, **kwargs: Any) -> None:
    """Only the address a person signs in with makes them confirmed; a second one does not."""
    user = User.objects.get(pk=email_address.user_id)
    if email_address.email.lower() == user.email.lower():
        services.confirm_email(user=user, email=email_address.email)


@receiver(email_changed)
def _changed(user: User, to_email_address: EmailAddress, **kwargs: Any) -> None:
    services.record_email_change(user=user, is_verified=bool(to_email_address.verified))
