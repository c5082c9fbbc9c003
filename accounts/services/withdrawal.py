"""Access that ends: accounts knows first, others (sockets, caches) must hear of it. They register; accounts calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who lost what. Without an organisation: everything, the person is suspended. `of_sign_in`: earlier sessions and
    tokens have ended, and the person may sign in anew."""

    user_id: UUID
    organisation_id: UUID | None = None
    of_sign_in: bool = False


_callbacks: list[Callable[[Withdrawal], None]] = []


def on_withdrawn(callback: Callable[[Withdrawal], None]) -> Callable[[Withdrawal], None]:
    """Register `callback`, once, to run after the withdrawal is committed. For `AppConfig.ready()`; also a decorator.

    A callback that raises is logged and keeps neither the others nor the withdrawal from happening.
    """
    if callback not in _callbacks:
        _callbacks.append(callback)
    return callback


def announce_withdrawal(withdrawal: Withdrawal) -> None:
    """Tell the registered, once the running transaction is committed (at once when there is none)."""
    transaction.on_commit(lambda: _tell(withdrawal))


def _tell(withdrawal: Withdrawal) -> None:
    for callback in _callbacks:
        try:
            callback(withdrawal)
        except Exception:
            log.exception("accounts.withdrawal_callback_failed", callback=callback.__qualname__)
