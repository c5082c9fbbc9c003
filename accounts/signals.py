"""What allauth tells by signal only."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed, email_confirmed, password_changed, password_reset, password_set
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


@receiver([password_changed, password_reset, password_set])
def _signed_out_elsewhere(user: User, **kwargs: Any) -> None:
    """Other sessions and all tokens have ended with the old password; what they hold open has to hear of it."""
    services.announce_withdrawal(services.Withdrawal(user_id=user.pk, of_sign_in=True))
