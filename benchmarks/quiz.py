"""Banks of questions: 100,000 into the tables, and 500 from Airtable's stand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.ground import step
from benchmarks.report import Report

QUESTIONS = int(os.environ.get("BENCH_QUESTIONS") or 100_000)  # fewer only for trying the benchmark itself
RECORDS = 500
COPY_SHARE = 0.4  # of the rate of a bare COPY of the same rows
FLOOR_TIMES = 1.2  # the time that Airtable's limit leaves no way around
MODULE = "benchmarks.quiz_steps"


def measure() -> Iterator[Report]:
    yield _store()
    yield _sync()


def _store() -> Report:
    bare = step("copy", str(QUESTIONS), module=MODULE)
    first = step("store", str(QUESTIONS), module=MODULE)
    again = step("store", str(QUESTIONS), module=MODULE)
    changed = step("store", str(QUESTIONS), "20", module=MODULE)
    assert first["created"] == again["unchanged"] == bare["rows"] == QUESTIONS
    report = Report(f"{QUESTIONS:,} questions into the tables")
    report.claim(
        "share of the rate of COPY into the same tables", bare["seconds"] / first["seconds"], "×", COPY_SHARE,
        at_least=True,
        reference=f"{QUESTIONS / first['seconds']:,.0f} questions/s; {QUESTIONS / bare['seconds']:,.0f}",
    )  # fmt: skip
    report.figure("share of COPY into tables without keys and indexes", f"{bare['bare_s'] / first['seconds']:.2f} ×")
    report.figure("a second time, nothing changed", f"{again['seconds']:.2f} s")
    report.figure("with every twentieth reworded", f"{changed['seconds']:.2f} s, {changed['updated']:,} reworded")
    report.figure("peak memory, the items included", f"{first['peak_mb']:.0f} MB")
    return report


def _sync() -> Report:
    from tests.standins.airtable import serving
    from tests.standins.airtable_questions import welding_base

    with serving(welding_base(RECORDS)) as airtable:
        os.environ["BENCH_BASE"] = airtable.base_id
        first = step("sync", airtable.url, airtable.token, module=MODULE)
        again = step("sync", airtable.url, airtable.token, module=MODULE)
        refused = airtable.bucket.refused
    assert first["created"] == again["unchanged"] == RECORDS
    assert refused == 0
    floor = (first["requests"] - 1) / 4.5
    report = Report(f"A full sync of {RECORDS} records")
    report.claim(
        "times the floor of 4.5 requests a second", first["seconds"] / floor, "×", FLOOR_TIMES,
        reference=f"{first['seconds']:.2f} s for {first['requests']} requests; floor {floor:.2f} s",
    )  # fmt: skip
    report.figure("a second time, nothing changed", f"{again['seconds']:.2f} s for {again['requests']} requests")
    report.figure("processor time of it", f"{first['cpu_s']:.2f} s; the second time {again['cpu_s']:.2f} s")
    return report
