"""What a firm looks for: kept by its owners and members; `revision` grows when it becomes something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ..exceptions import BadProfile
from ..models import CompanyProfile
from .access import writing_organisation

if TYPE_CHECKING:
    from accounts.models import Organisation, User

FIELDS = (
    "cpv_codes", "keywords", "negative_keywords", "regions", "countries", "value_min", "value_max", "value_currency",
    "days_to_prepare", "capabilities",
)  # fmt: skip
MOST_WORDS = 100
LONGEST_WORD = 120
LONGEST_TEXT = 10_000
MOST_DAYS = 365
_CPV = re.compile(r"[0-9]{2,8}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def profile_of(organisation: Organisation | None) -> CompanyProfile | None:
    """None: the firm has said nothing yet."""
    found: CompanyProfile | None = CompanyProfile.objects.filter(organisation=organisation).first()
    return found


@transaction.atomic
def change_profile(*, actor: User, values: Mapping[str, Any]) -> tuple[CompanyProfile, bool]:
    """Set the fields given (of FIELDS) in the actor's organisation; the profile, and whether anything changed.

    Two who save at once do so one after the other: the row is locked. Raises BadProfile, OnlyReads, NoOrganisation.
    """
    organisation = writing_organisation(actor)
    checked = _checked(values)
    CompanyProfile.objects.get_or_create(organisation=organisation, defaults={"updated_by": actor, "revision": 0})
    profile = CompanyProfile.objects.select_for_update().get(organisation=organisation)
    changed = [name for name, value in checked.items() if getattr(profile, name) != value]
    low, high = checked.get("value_min", profile.value_min), checked.get("value_max", profile.value_max)
    if low is not None and high is not None and low > high:
        raise BadProfile("The smallest contract can't be larger than the largest.")
    if not changed and profile.revision:
        return profile, False
    for name in changed:
        setattr(profile, name, checked[name])
    profile.revision += 1
    profile.updated_by = actor
    profile.save()
    return profile, True


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise BadProfile(f"A profile has no {', '.join(unknown)}.")
    return {name: _value(name, value) for name, value in values.items()}


def _value(name: str, value: Any) -> Any:
    if name == "cpv_codes":
        return _codes(value)
    if name in ("keywords", "negative_keywords", "regions"):
        return _words(value)
    if name == "countries":
        return _matching(_COUNTRY, (str(code).strip().upper() for code in value), "A country is two letters: CZ.")
    if name in ("value_min", "value_max"):
        return _amount(value)
    if name == "value_currency":
        return (_matching(_CURRENCY, [str(value).strip().upper()], "A currency is three letters: CZK.") or [""])[0]
    if name == "days_to_prepare":
        if not 0 <= int(value) <= MOST_DAYS:
            raise BadProfile(f"Days to prepare a bid: between 0 and {MOST_DAYS}.")
        return int(value)
    return str(value).replace("\x00", "").strip()[:LONGEST_TEXT]


def _codes(codes: Iterable[Any]) -> list[str]:
    """Without check digits and trailing zeros that say nothing: "45230000-8" is kept as "4523"."""
    plain = (str(code).strip().partition("-")[0] for code in codes)
    found = _matching(_CPV, plain, "A CPV code has 2 to 8 digits: 45, 45233220.")
    short = [code[:2] + code[2:].rstrip("0") for code in found]
    return list(dict.fromkeys(short))


def _matching(pattern: re.Pattern[str], texts: Iterable[str], message: str) -> list[str]:
    found = list(dict.fromkeys(text for text in texts if text))
    wrong = [text for text in found if not pattern.fullmatch(text)]
    if wrong:
        raise BadProfile(f"{message} This is none: {wrong[0][:20]}")
    return _few(found)


def _words(words: Iterable[Any]) -> list[str]:
    """Each once, whatever its case, in the order given."""
    plain = (" ".join(str(word).replace("\x00", "").split())[:LONGEST_WORD] for word in words)
    return _few(list({word.casefold(): word for word in reversed(list(plain)) if word}.values())[::-1])


def _few(found: list[str]) -> list[str]:
    if len(found) > MOST_WORDS:
        raise BadProfile(f"At most {MOST_WORDS} of a kind: the more there are, the less each says.")
    return found


def _amount(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    amount = Decimal(value)
    if not amount.is_finite() or amount < 0 or amount >= Decimal(10) ** 16:
        raise BadProfile("A contract's value is a number that is not negative.")
    return amount.quantize(Decimal("0.01"))
