"""Who may ask how often: the one place that knows. Figures come from `settings.THROTTLES`, words from here.

| name | counts | applies to |
|---|---|---|
| anonymous | an address | calls without sign-in, calls whose sign-in was refused, refused webhooks coming in |
| user | a person, whatever token they use | every call of the API |
| organisation | the sum of its people's calls | every call of the API |
| expensive | a person | views marked `throttle_scope("expensive")`, besides the above |
| by_hand | a person | pages that do the same as those views, a click each |
| quiz | an address, which may be a classroom's | quizzes, categories, clauses without sign-in, in place of anonymous |
| voice_address | an address | reports of voice services that are refused |
| voice | a voice connection | reports that it has proved to be its own |
| tokens | an address | sign-in, refresh and sign-out of clients, in place of anonymous |
| sign_in_address | an address | attempts to sign in that fail, pages and API together |
| sign_in_pair | an e-mail from one address | the same |
| sign_in_email | an e-mail from all addresses it has not signed in from lately | the same |
"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse_many

NAMES = (
    "anonymous",
    "user",
    "organisation",
    "expensive",
    "by_hand",
    "quiz",
    "voice_address",
    "voice",
    "tokens",
    "sign_in_address",
    "sign_in_pair",
    "sign_in_email",
)


def is_enabled() -> bool:
    """Whether calls of the API are counted. Attempts to sign in always are."""
    return bool(settings.THROTTLES_ENABLED)


def limits_of(name: str) -> tuple[RateLimitItem, ...]:
    """The windows of a name, the shortest first; none for an empty setting. ValueError: it can't be read."""
    if name not in NAMES:
        raise KeyError(f"No throttle is called {name}: there are {', '.join(NAMES)}.")
    return _parsed(str(settings.THROTTLES.get(name, "")), name)


@lru_cache(maxsize=64)
def _parsed(text: str, name: str) -> tuple[RateLimitItem, ...]:
    found = parse_many(text) if text.strip() else []
    for item in found:
        if item.amount < 1:
            raise ValueError(f"{text!r}: a limit is at least 1; leave it empty for none")
        item.namespace = name
    return tuple(sorted(found, key=lambda item: item.get_expiry()))


def misconfigured() -> list[str]:
    """What is wrong with the settings, in words; nothing if all can be read."""
    found = [f"there is no throttle {name!r}" for name in settings.THROTTLES if name not in NAMES]
    for name in NAMES:
        try:
            limits_of(name)
        except ValueError as error:
            found.append(f"{name}: {error}")
    return found
