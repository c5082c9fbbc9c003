"""Attempts to sign in, limited so that guessing is slow and nobody is locked out by somebody else.

Three counts, all of failures (a success takes back its own and nothing else):
- of an address, whatever e-mail it tries: many accounts can't be tried from one place;
- of an e-mail from one address: one account can't be guessed from one place;
- of an e-mail from everywhere, except from places where its owner has signed in lately: one account can't be guessed
  from thousands of places. Only this count is fed by strangers elsewhere, so it never applies where the owner is known:
  whoever fills it can't lock the owner out of their office.

Nothing here knows whether an account exists: the same attempts get the same answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from config.redis_access import RedisAway, ask, key

from .addresses import place_of
from .policy import limits_of
from .windows import Verdict, Window, count, forget, give_back

KNOWN_PLACE_S = 90 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, counted already: of many at once none can be made unseen."""

    email: str
    place: str
    windows: tuple[Window, ...]
    verdict: Verdict | None  # None: Redis is away, nothing is counted

    @property
    def is_allowed(self) -> bool:
        return self.verdict is None or self.verdict.is_allowed

    @property
    def wait_s(self) -> int:
        """Seconds until the next one is allowed; 0 if this one is."""
        return 0 if self.verdict is None else self.verdict.wait_s

    def succeeded(self) -> None:
        """It was the right password: it does not count, and the place is known from now on."""
        if self.verdict is not None and self.verdict.is_allowed:
            give_back(self.windows)
        try:
            ask(lambda client: client.set(_known_key(self.email, self.place), 1, ex=KNOWN_PLACE_S))
        except RedisAway:
            return


def begin_attempt(*, email: str, address: str) -> Attempt:
    """Count an attempt before the password is looked at. Not allowed: don't look at it."""
    email, place = email.strip().lower(), place_of(address)
    windows = _windows(email, place, is_known=_is_known(email, place))
    return Attempt(email, place, windows, count(windows))


def forget_attempts(*, email: str, address: str) -> None:
    """Whoever has proved by a link in their mail that it is them begins anew, from here; the address's count stays."""
    email, place = email.strip().lower(), place_of(address)
    forget([window for window in _windows(email, place, is_known=False) if window.limit.namespace != "sign_in_address"])


def _windows(email: str, place: str, *, is_known: bool) -> tuple[Window, ...]:
    account = _digest(email)
    of_place = [Window(limit, place) for limit in limits_of("sign_in_address")]
    of_pair = [Window(limit, f"{account}/{place}") for limit in limits_of("sign_in_pair")]
    of_account = [] if is_known else [Window(limit, account) for limit in limits_of("sign_in_email")]
    return (*of_place, *of_pair, *of_account)


def _is_known(email: str, place: str) -> bool:
    try:
        return bool(ask(lambda client: client.exists(_known_key(email, place))))
    except RedisAway:
        return False


def _known_key(email: str, place: str) -> str:
    return key("known-place", _digest(email), place)


def _digest(email: str) -> str:
    """So that Redis holds no list of addresses that somebody typed."""
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:32]
