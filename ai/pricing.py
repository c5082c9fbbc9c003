"""What a call costs, by the price list of the settings. Money is Decimal, in US dollars."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.000001")  # what ModelCall.cost_usd holds
BYTES_PER_TOKEN = 3  # a cautious estimate before the call: English has about 4, Arabic and Cyrillic about 3
_DATED = re.compile(r"[-@](?:\d{8}|\d{4}-\d\d-\d\d|latest)$")  # claude-haiku-4-5-20251001, gpt-4o-2024-08-06


@dataclass(frozen=True)
class Price:
    """Per million tokens. `is_known`: False where the list does not have the model, and it is counted as dear."""

    tokens_in: Decimal
    tokens_out: Decimal
    is_known: bool = True

    @property
    def in_batches(self) -> Price:
        """Half of it, as Anthropic has it for Message Batches."""
        return Price(self.tokens_in / 2, self.tokens_out / 2, self.is_known)

    def of(self, tokens_in: int, tokens_out: int) -> Decimal:
        """Rounded up: many small calls must not vanish."""
        cost = (self.tokens_in * tokens_in + self.tokens_out * tokens_out) / MILLION
        return Decimal(math.ceil(cost / SMALLEST)) * SMALLEST


def price_of(model: str) -> Price:
    """By the model's name, also without its date. Models that are not listed cost AI_UNKNOWN_PRICE."""
    prices = settings.AI_PRICES
    listed = prices.get(model) or prices.get(_DATED.sub("", model))
    tokens_in, tokens_out = listed or settings.AI_UNKNOWN_PRICE
    return Price(Decimal(str(tokens_in)), Decimal(str(tokens_out)), is_known=listed is not None)


def estimate_tokens(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + 1
