"""How numbers and positions are written in reasons and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from projects.audit.view import AuditPosition

_CENT = Decimal("0.01")
_TENTH = Decimal("0.1")


def plain(value: Decimal | None) -> str:
    """Without an exponent and without trailing zeros: "12.5". For evidence."""
    if value is None:
        return ""
    return format(value.normalize(), "f") if value else "0"


def money(value: Decimal) -> str:
    """ "164,088.00": two digits, thousands grouped. For people."""
    return f"{value.quantize(_CENT, ROUND_HALF_UP):,}"


def percent(share: Decimal) -> str:
    """ "7.9 %" of a share of 0.0795."""
    return f"{plain((share * 100).quantize(_TENTH, ROUND_HALF_UP))} %"


def place(position: AuditPosition) -> str:
    """ "SO 1 / 12", for naming one position in another's reason."""
    return f"{position.object_code} / {position.number}" if position.object_code else position.number


def places(positions: Sequence[AuditPosition], limit: int = 5) -> str:
    """The first few places, and how many more."""
    named = ", ".join(place(position) for position in positions[:limit])
    rest = len(positions) - limit
    return f"{named} and {rest} more" if rest > 0 else named
