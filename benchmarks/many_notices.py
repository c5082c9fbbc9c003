"""A file of releases as a publisher of several countries would write it: always the same one, never two alike."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

COUNTRIES = ("CZ", "DE", "GB", "PL", "PT", "ES", "FR", "SA", "AT", "SK", "IT", "NL")
CODES = ("45233220", "45233140", "45221100", "45214210", "45262300", "71322000", "71521000", "33600000", "30200000",
         "90911000", "44113000", "45111000", "50700000", "79710000", "09310000")  # fmt: skip
NOUNS = (
    "road", "bridge", "school", "hospital", "roof", "sewer", "station", "laptop", "medicine", "fence", "tunnel",
    "library", "boiler", "window", "crossing", "pavement", "stadium", "reservoir", "kitchen", "playground",
)  # fmt: skip
VERBS = ("Resurfacing", "Construction", "Repair", "Supply", "Extension", "Design", "Maintenance", "Inspection")
PLACES = 4000
BUYERS = 3000
VOCABULARY = 5000
START = datetime(2024, 1, 1, tzinfo=UTC)
CURRENCIES = {"CZ": "CZK", "GB": "GBP", "PL": "PLN", "SA": "SAR"}


def write_notices(path: Path, count: int, *, seed: int = 1) -> None:
    """`count` releases of as many tenders, a line each, some 1.6 kB long."""
    rng = random.Random(seed)
    words = [f"term{number}" for number in range(VOCABULARY)]
    weights = [1 / (number + 3) for number in range(VOCABULARY)]  # as words are met
    common = rng.choices(words, weights, k=100_000)
    with path.open("wb") as file:
        for number in range(count):
            file.write(orjson.dumps(_release(number, count, rng, common)) + b"\n")


def _release(number: int, count: int, rng: random.Random, words: list[str]) -> dict[str, Any]:
    at = START + timedelta(minutes=number * 1_500_000 // count)
    country, code = rng.choice(COUNTRIES), rng.choice(CODES)
    place, buyer = rng.randrange(PLACES), int(rng.random() ** 3 * BUYERS)
    noun = rng.choice(NOUNS)
    title = f"{rng.choice(VERBS)} of the {noun} in place{place}, stage {number % 7 + 1}"
    return {
        "ocid": f"ocds-bench-{number:07}",
        "id": f"ocds-bench-{number:07}-1",
        "date": at.isoformat(),
        "tag": ["tender"],
        "language": "en",
        "parties": [
            {"id": f"B{buyer}", "name": f"Council of place{buyer}", "roles": ["buyer"],
             "address": {"countryName": country, "region": f"Region {buyer % 90}"}}
        ],
        "buyer": {"id": f"B{buyer}", "name": f"Council of place{buyer}"},
        "tender": {
            "id": f"T{number}",
            "title": title,
            "description": f"{title}. {' '.join(rng.choices(words, k=70))}.",
            "status": rng.choice(("active", "active", "complete", "planned")),
            "classification": {"scheme": "CPV", "id": code},
            "value": {"amount": round(10 ** (3 + 5 * rng.random()), 2), "currency": CURRENCIES.get(country, "EUR")},
            "procurementMethod": "open",
            "mainProcurementCategory": "works" if code.startswith("45") else "goods",
            "tenderPeriod": {"endDate": (at + timedelta(days=rng.randrange(10, 60))).isoformat()},
            "documents": [{"id": "1", "title": "Notice", "url": f"https://tenders.example/{number}.pdf"}],
        },
    }  # fmt: skip
