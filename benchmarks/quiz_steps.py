"""The measured steps of banks: `python -m benchmarks.quiz_steps NAME …` prints one JSON object."""

from __future__ import annotations

import json
import os
import sys
import time
from decimal import Decimal
from typing import Any

from benchmarks.steps import peak_mb

BATCH = 1000


def items(count: int, *, changed_every: int = 0) -> list[Any]:
    from quiz.exchange.item import Choice, Item, Kind

    explanation = "The table of the clause gives the least preheat of the thicker part, by its steel and process."
    return [
        Item(
            Kind.SINGLE,
            f"At what preheat and interpass temperature is plate {number} of A572 steel welded by this process?"
            + (" Now?" if changed_every and number % changed_every == 0 else ""),
            choices=tuple(Choice(f"{number + 10 * place} °C", Decimal(int(place == number % 4))) for place in range(4)),
            explanation=explanation,
            tags=("preheat",),
        )
        for number in range(count)
    ]


def store(count: str, changed_every: str = "0") -> dict[str, Any]:
    """All of them as an import does it, one transaction; the items are there already."""
    from django.db import transaction

    from quiz.services import banks, storing
    from quiz.services.storing import Counts, Incoming

    bank = banks.bank_named(name="Bench")
    category = storing.categories_named(names=["Bench"], organisation_id=None)["Bench"]
    made = items(int(count), changed_every=int(changed_every))
    incoming = [Incoming(f"Q{number:07}", item, category) for number, item in enumerate(made)]
    counts = Counts()
    began = time.perf_counter()
    with transaction.atomic():
        for at in range(0, len(incoming), BATCH):
            counts += storing.store(bank=bank, incoming=incoming[at : at + BATCH])
    seconds = time.perf_counter() - began
    told = {"created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged}
    return {"seconds": seconds, "peak_mb": peak_mb(), **told}


def copy(count: str) -> dict[str, Any]:
    """The reference: the same rows, written beforehand, by one COPY into each of our tables, with keys, indexes and
    constraints, while they are empty; and into temporary tables without any."""
    from django.db import connection

    from quiz.services import banks, rows, storing

    bank = banks.bank_named(name="Reference")
    category = storing.categories_named(names=["Reference"], organisation_id=None)["Reference"]
    questions, versions = [], []
    for number, item in enumerate(items(int(count))):
        question, version = rows.new_id(), rows.new_id()
        content, now = rows.content_of(item), "2026-01-01T00:00:00Z"
        digest = rows.digest_of(content)
        questions.append(
            f"{question}\t{bank.pk}\t\tQ{number:07}\t{category}\t{version}\t{digest}\t\\N\t\t\t{now}\t{now}\t\t\n"
        )
        versions.append(f"{version}\t{question}\t1\t{content}\t{digest}\t{now}\t\\N\n")
    tables = (
        ("quiz_question", rows.QUESTION_COLUMNS, questions),
        ("quiz_questionversion", rows.VERSION_COLUMNS, versions),
    )
    seconds = _copied(tables)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE quiz_question, quiz_questionversion CASCADE")
        for table, _, _ in tables:
            cursor.execute(f"CREATE TEMP TABLE bare_{table} (LIKE {table})")
    bare_s = _copied(tuple((f"bare_{table}", columns, lines) for table, columns, lines in tables))
    return {"seconds": seconds, "bare_s": bare_s, "rows": len(questions)}


def _copied(tables: Any) -> float:
    from django.db import connection, transaction

    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, lines in tables:
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as target:
                for at in range(0, len(lines), 200):
                    target.write("".join(lines[at : at + 200]))
    return time.perf_counter() - began


def sync(url: str, token: str) -> dict[str, Any]:
    """A full sync from the stand-in; how many requests it took, and how long each part."""
    from django.test.utils import override_settings

    from quiz.airtable import client
    from quiz.services import banks, syncing
    from tests.standins.airtable_questions import TABLE

    counted = [0]
    exchange = client.Client._exchange

    def counting(self: client.Client, *arguments: Any) -> Any:
        counted[0] += 1
        return exchange(self, *arguments)

    client.Client._exchange = counting  # type: ignore[method-assign]
    bank = banks.bank_at(base_id=os.environ["BENCH_BASE"], table_id=TABLE)
    with override_settings(AIRTABLE_URL=url, AIRTABLE_TOKEN=token):
        began, cpu_began = time.perf_counter(), time.process_time()
        run = syncing.sync_bank(bank_id=bank.pk)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    return {
        "seconds": seconds,
        "cpu_s": cpu_s,
        "requests": counted[0],
        "created": run.created,
        "unchanged": run.unchanged,
    }


STEPS = {"store": store, "copy": copy, "sync": sync}

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
