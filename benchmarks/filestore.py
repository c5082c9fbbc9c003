"""Bringing in a folder of the older store with 100,000 positions, against a bare COPY of the same ready rows."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.ground import step
from benchmarks.report import Report

POSITIONS = int(os.environ.get("BENCH_POSITIONS") or 100_000)  # fewer only for trying the benchmark itself
SMALL_PROJECTS, SMALL_POSITIONS = 20, 1_000
SHARE = 0.4  # of the rate of a bare COPY
ROUNDS = 3
WORK = ("Odkopávky a prokopávky", "Zásyp rýh", "Lože pod potrubí", "Bednění základů", "Výztuž základů", "Beton C25/30")


def measure(folder: Path) -> Iterator[Report]:
    """Of each the best of three rounds counts, a migration and its reference one right after the other."""
    from accounts.services import create_person

    owner = create_person(email="folders@plumbline.example", password=None, full_name="Folders")
    rounds = []
    for turn in range(ROUNDS):
        store = folder / f"store-{turn}"
        write_store(store, f"big_{turn}", POSITIONS)
        moved = step("migrate", str(store), owner.email, module="benchmarks.filestore")
        rounds.append((moved, step("copy", moved["project"])))
    moved, copied = (min(each, key=lambda found: found["seconds"]) for each in zip(*rounds, strict=True))
    assert copied["rows"] == moved["positions"] == POSITIONS
    report = Report(f"Migration of a folder with {POSITIONS:,} positions (positions.json, {moved['mb']:.0f} MB)")
    report.claim(
        "migration: share of the rate of a bare COPY, same indexes", copied["indexed_s"] / moved["seconds"], "×", SHARE,
        at_least=True,
        reference=f"{POSITIONS / moved['seconds']:,.0f} rows/s; COPY {POSITIONS / copied['indexed_s']:,.0f} rows/s",
    )  # fmt: skip
    took = f"{moved['seconds']:.2f} s, {moved['cpu_s']:.2f} s of it CPU, {moved['storing_s']:.2f} s reading and COPY"
    report.figure("migration, hashing to commit", took)
    report.figure("COPY into a table without any index", f"{POSITIONS / copied['bare_s']:,.0f} rows/s")
    peak = f"{moved['peak_mb']:.0f} MB, {moved['before_mb']:.0f} MB of it before the first folder"
    report.figure("peak memory", peak)
    small = _small(folder, owner.email)
    rate = SMALL_PROJECTS * SMALL_POSITIONS / small["seconds"]
    report.figure(f"{SMALL_PROJECTS} folders of {SMALL_POSITIONS:,} positions", f"{rate:,.0f} rows/s")
    report.figure("load of the machine (1 minute)", f"{os.getloadavg()[0]:.1f}")
    yield report


def _small(folder: Path, email: str) -> dict[str, Any]:
    for number in range(SMALL_PROJECTS):
        write_store(folder / "small", f"small_{number}", SMALL_POSITIONS)
    return step("migrate", str(folder / "small"), email, module="benchmarks.filestore")


def write_store(store: Path, legacy_id: str, positions: int) -> None:
    """A project as the older system left it, with a field or two that no column has."""
    folder = store / legacy_id
    folder.mkdir(parents=True)
    described = {"project_id": legacy_id, "project_name": f"Obytný soubor {legacy_id}", "workflow": "A"}
    (folder / "project.json").write_text(json.dumps(described), encoding="utf-8")
    with (folder / "positions.json").open("w", encoding="utf-8") as file:
        file.write('{"positions": [')
        for n in range(1, positions + 1):
            file.write((",\n" if n > 1 else "\n") + json.dumps(_entry(n), ensure_ascii=False))
        file.write(f'\n], "total_positions": {positions}}}')


def _entry(n: int) -> dict[str, Any]:
    quantity, price = n % 900 + 0.25, n % 700 + 9.5
    total = float((Decimal(str(quantity)) * Decimal(str(price))).quantize(Decimal("0.01"), "ROUND_HALF_UP"))
    return {
        "position_number": str(n), "code": str(121_150_000 + n), "description": f"{WORK[n % 6]} v úseku {n}",
        "unit": "m3", "quantity": quantity, "unit_price": price, "total_price": total, "section": f"{n % 9} Oddíl",
        "confidence": 0.9, "normalized": True,
    }  # fmt: skip


def migrate(store: str, email: str) -> dict[str, Any]:
    """As the command does it: hash, read, store the files, one transaction. Its checks have loaded every page's
    address before it begins."""
    from django.core.checks.urls import check_url_config

    from accounts.models import User
    from benchmarks.steps import adding_up, peak_mb
    from projects.services.filestore.migrating import MigrationOptions, migrate_store, owner_in
    from projects.services.filestore.reading import Streamed

    options = MigrationOptions(owner=owner_in(user=User.objects.get(email=email)))
    assert not check_url_config(None)
    storing, before_mb = adding_up(Streamed, "copy"), peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    outcomes = list(migrate_store(root=Path(store), options=options, report=lambda *_: None))
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    assert {row.state for row in outcomes} == {"migrated"}, [row.error for row in outcomes]
    from projects.services.filestore.reading import project_id_of

    return {
        "seconds": seconds,
        "cpu_s": cpu_s,
        "storing_s": storing[0],
        "positions": sum(row.counts["positions"] for row in outcomes),
        "mb": sum(row.counts["bytes"] for row in outcomes) / 1e6,
        "project": str(project_id_of(outcomes[0].legacy_id)),
        "peak_mb": peak_mb(),
        "before_mb": before_mb,
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(migrate(*sys.argv[2:])))
