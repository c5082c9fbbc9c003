"""What the engine reads: a tender's fields, and the profile it is held against. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

LONGEST = 20_000  # characters of a description that are read


@dataclass(frozen=True, slots=True)
class Subject:
    """A tender. Texts are "" where the notice leaves them out."""

    title: str
    description: str = ""
    lots: tuple[str, ...] = ()  # titles and descriptions
    language: str = ""  # ISO 639-1
    country: str = ""  # ISO 3166-1 alpha-2
    buyer_name: str = ""
    category: str = ""
    cpv_main: str = ""
    cpv_codes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    value_amount: Decimal | None = None
    value_currency: str = ""
    published_at: datetime | None = None
    deadline_at: datetime | None = None

    @property
    def text(self) -> str:
        """Everything that may be quoted: title, description and lots, a blank line between."""
        return "\n\n".join(part for part in (self.title, self.description[:LONGEST], *self.lots) if part)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a firm looks for. CPV codes are 2 to 8 digits, as far as the firm cares."""

    cpv_codes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    negative_keywords: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    value_min: Decimal | None = None
    value_max: Decimal | None = None
    value_currency: str = ""
    days_to_prepare: int = 14
    capabilities: str = ""
    revision: int = field(default=0, compare=False)

    @property
    def is_empty(self) -> bool:
        """Nothing is said of what the firm builds: nothing can be called relevant, or not."""
        return not (self.cpv_codes or self.keywords or self.capabilities.strip())
