"""What accounts does: people and their organisations, tokens, and telling others when access is withdrawn."""

from .membership import add_member, change_role, create_organisation, remove_member, rename_organisation
from .people import (
    change_email,
    confirm_email,
    create_person,
    ensure_organisation,
    is_email_taken,
    reactivate,
    record_email_change,
    sign_up,
    suspend,
)
from .tokens import TokenPair, refresh_tokens, revoke_refresh_token, sign_in, tokens_for, user_of_access_token
from .withdrawal import Withdrawal, announce_withdrawal, on_withdrawn

__all__ = [
    "TokenPair",
    "Withdrawal",
    "add_member",
    "announce_withdrawal",
    "change_email",
    "change_role",
    "confirm_email",
    "create_organisation",
    "create_person",
    "ensure_organisation",
    "is_email_taken",
    "on_withdrawn",
    "reactivate",
    "record_email_change",
    "refresh_tokens",
    "remove_member",
    "rename_organisation",
    "revoke_refresh_token",
    "sign_in",
    "sign_up",
    "suspend",
    "tokens_for",
    "user_of_access_token",
]
