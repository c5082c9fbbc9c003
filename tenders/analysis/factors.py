"""What speaks for a tender and against it, factor by factor, each with a sentence that says why.

Topic (CPV, terms) weighs 0.70, circumstances (region, value, time) 0.30. A topic factor that can't be told leaves its
weight to the other; a circumstance that can't be told counts half. What speaks against has a negative weight.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal

from ..services.wording import folded
from .schema import Factor
from .subject import Profile, Subject

TOPIC, CPV, TERMS = 0.70, 0.40, 0.30
REGION, VALUE, DEADLINE = 0.12, 0.10, 0.08
NEGATIVE, COUNTRY = -0.30, -0.35
_UNKNOWN = 0.5
NOMINAL = Decimal(1)  # what publishers write who have to write something
_SHARED = {7: 0.6, 6: 0.6, 5: 0.6, 4: 0.5, 3: 0.35, 2: 0.15}  # digits that two codes begin with alike


def cpv(subject: Subject, profile: Profile) -> Factor | None:
    """None: the profile names no codes, or the notice none."""
    wanted = [code for code in (stripped(each) for each in profile.cpv_codes) if code]
    published = list(dict.fromkeys(code for code in (subject.cpv_main, *subject.cpv_codes) if code))
    if not wanted or not published:
        return None
    best = max(
        ((_overlap(code, want) * (1.0 if code == subject.cpv_main else 0.85), code, want)
         for code in published for want in wanted),
        key=lambda found: found[0],
    )  # fmt: skip
    value, code, want = best
    if value >= 0.8:
        why = f"CPV {code} is within {want}, which the profile names."
    elif value:
        why = f"CPV {code} is near {want} of the profile, not within it."
    else:
        why = f"CPV {published[0]} has nothing in common with the profile's codes."
    return _factor("cpv", CPV, value, why)


def stripped(code: str) -> str:
    """Digits of a CPV without the zeros that mean "all of it": at least two."""
    digits = "".join(sign for sign in code.partition("-")[0] if sign.isdigit())[:8]
    return digits[:2] + digits[2:].rstrip("0") if len(digits) >= 2 else ""


def _overlap(code: str, want: str) -> float:
    if code.startswith(want):
        return 1.0
    own = stripped(code)
    if want.startswith(own):
        return 0.6 if len(own) > 2 else 0.35  # the notice says less than the profile wants
    shared = 0
    while shared < min(len(own), len(want)) and own[shared] == want[shared]:
        shared += 1
    return _SHARED.get(shared, 0.0)


def region(subject: Subject, profile: Profile) -> Factor | None:
    """None: the profile does not care."""
    if not profile.regions and not profile.countries:
        return None
    if not profile.regions:
        if not subject.country:
            return _factor("region", REGION, _UNKNOWN, "The notice does not state its country.")
        inside = subject.country.upper() in _upper(profile.countries)
        return _factor("region", REGION, float(inside), f"It is in {subject.country}.")
    stated = [*subject.regions, subject.buyer_name]
    for want in profile.regions:
        for place in stated:
            if place and _is_in(place, want):
                return _factor("region", REGION, 1.0, f"{place} is in {want}.")
    if not subject.regions:
        return _factor("region", REGION, _UNKNOWN, "The notice does not state a region.")
    return _factor("region", REGION, 0.0, f"{subject.regions[0]} is none of the profile's regions.")


def _is_in(place: str, want: str) -> bool:
    """A NUTS code within another, or a name within a name."""
    plain, wanted = folded(place), folded(want)
    return plain.startswith(wanted) if wanted.isalnum() and len(wanted) <= 5 else wanted in plain


def foreign(subject: Subject, profile: Profile) -> Factor | None:
    """Against: another country than those where the firm builds."""
    if not profile.countries or not subject.country or subject.country.upper() in _upper(profile.countries):
        return None
    names = ", ".join(sorted(_upper(profile.countries)))
    return _factor("country", COUNTRY, 1.0, f"It is in {subject.country}; the firm builds in {names}.")


def _upper(codes: Sequence[str]) -> set[str]:
    return {code.upper() for code in codes}


def value(subject: Subject, profile: Profile) -> Factor | None:
    """None: the profile has no band."""
    low, high = profile.value_min, profile.value_max
    if low is None and high is None:
        return None
    amount = subject.value_amount
    if amount is None or amount <= NOMINAL:
        return _factor("value", VALUE, _UNKNOWN, "The notice states no value.")
    said = f"{amount:,.0f} {subject.value_currency}".strip()
    if profile.value_currency and subject.value_currency and profile.value_currency != subject.value_currency:
        return _factor("value", VALUE, _UNKNOWN, f"{said} is not compared with a band in {profile.value_currency}.")
    if low is not None and amount < low:
        return _factor("value", VALUE, _nearness(amount / low), f"{said} is below the band from {low:,.0f}.")
    if high is not None and amount > high:
        return _factor("value", VALUE, _nearness(high / amount) if high else 0.0, f"{said} is above {high:,.0f}.")
    return _factor("value", VALUE, 1.0, f"{said} is within the profile's band.")


def _nearness(share: Decimal) -> float:
    """1 at the band's edge, 0 at a fifth of it or five times as much."""
    return max(0.0, 1 + math.log(float(share)) / math.log(5)) if share > 0 else 0.0


def deadline(subject: Subject, profile: Profile, now: dt.datetime) -> Factor:
    if subject.deadline_at is None:
        return _factor("deadline", DEADLINE, _UNKNOWN, "The notice states no deadline.")
    days = (subject.deadline_at - now).total_seconds() / 86_400
    if days <= 0:
        return _factor("deadline", DEADLINE, 0.0, f"The deadline of {subject.deadline_at:%d %B %Y} has passed.")
    needed = max(1, profile.days_to_prepare)
    why = f"{int(days)} days are left; a bid takes {needed}."
    return _factor("deadline", DEADLINE, min(1.0, days / needed), why)


def _factor(name: str, weight: float, held: float, why: str, quote: str = "") -> Factor:
    held = round(min(1.0, max(0.0, held)), 4)
    return Factor(name=name, weight=weight, value=held, contribution=round(weight * held, 4), why=why, quote=quote)
