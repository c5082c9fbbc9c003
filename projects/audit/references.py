"""What rules compare a budget with beyond its positions: catalogue prices, own history, the blank file, file facts.

Each is handed to `BudgetView` complete, as plain values: prices indexed to the budget's date and in its currency, so
that an audit can be replayed without the tables they came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Reference -> why a rule that needs it could not run, unless the view knows better
ABSENT = {
    "catalogue": "no price catalogue is loaded",
    "prices": "no price catalogue is loaded",  # a catalogue, or prices of one's own
    "blank": "the file before pricing is not loaded",
    "file_facts": "the file was not looked through when it was read; have it read again",
}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What a loaded price catalogue says of a code. `unit_price` in the budget's currency, indexed to its date.

    `unit_price` None and `why_unpriced`: the catalogue has a price that can't be compared, and why.
    """

    code: str
    text: str
    unit: str | None
    unit_price: Decimal | None = None
    edition: str = ""
    stated_price: Decimal | None = None  # as the catalogue prints it
    priced_on: date | None = None
    index: str = ""  # how the one became the other: "construction works: 118.4 / 112.1"; "" if not indexed
    why_unpriced: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What the organisation's other current budgets ask for a code in a unit: a median, indexed like a catalogue's."""

    median: Decimal
    number: int  # of budgets
    lowest: Decimal
    highest: Decimal
    is_indexed: bool = False  # False: no index was chosen, or one of the budgets has no date


def history_key(code: str, unit: str | None) -> str:
    """Of `BudgetView.history`: the code and the canonical unit."""
    return f"{code}|{unit or ''}"
