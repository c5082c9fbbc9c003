"""200,000 tenders: import, import again, search with facets."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.ground import step
from benchmarks.many_notices import write_notices
from benchmarks.report import Report

TENDERS = int(os.environ.get("BENCH_TENDERS") or 200_000)  # fewer only for trying the benchmark itself
IMPORT_SHARE = 0.5  # of the rate of orjson and a bare COPY
AGAIN_TIMES = 3.0  # as fast as the first time
MEMORY_MB = 200.0
P95_MS = 150.0
EMAIL = "bench-tenders@plumbline.example"
MODULE = "benchmarks.tender_steps"


def measure(folder: Path) -> Iterator[Report]:
    path = folder / "notices.jsonl"
    write_notices(path, TENDERS)
    print(f"{TENDERS:,} releases, {path.stat().st_size / 1e6:.0f} MB")
    yield _import(path)
    path.unlink()
    _assess()
    yield _search()


def _import(path: Path) -> Report:
    bare = step("bare", str(path), module=MODULE)
    first = step("import", str(path), module=MODULE)
    again = step("import", str(path), module=MODULE)
    ready = step("ready", str(path.parent), module=MODULE)
    assert first["created"] == again["unchanged"] == bare["rows"] == ready["rows"] == TENDERS
    report = Report(f"Import of {TENDERS:,} releases (JSON lines)")
    storing = first["seconds"] - first["words_s"]
    report.claim(
        "reading and storing: share of the rate of orjson and a bare COPY", bare["seconds"] / storing, "×",
        IMPORT_SHARE, at_least=True,
        reference=f"{TENDERS / storing:,.0f} releases/s; {TENDERS / bare['seconds']:,.0f}",
    )  # fmt: skip
    report.claim("the same file again: times as fast", first["seconds"] / again["seconds"], "×", AGAIN_TIMES,
                 at_least=True, reference=f"{again['seconds']:.1f} s")  # fmt: skip
    report.claim("peak memory of the importing process", first["peak_mb"], "MB", MEMORY_MB,
                 reference=f"{first['before_mb']:.0f} MB before it reads")  # fmt: skip
    report.figure(
        "the whole, with the words for search",
        f"{first['seconds']:.1f} s, words {first['words_s']:.1f} s of it: {bare['seconds'] / first['seconds']:.2f} ×",
    )
    report.figure(
        "share of the rate of COPY alone: the same rows, ready, with their indexes",
        f"{ready['seconds'] / storing:.2f} × ({TENDERS / ready['seconds']:,.0f} rows/s)",
    )
    report.figure(
        "CPU, the server's not counted",
        f"{first['cpu_s']:.1f} s importing, words included; {first['reader_cpu_s']:.1f} s the process that reads",
    )
    return report


def _assess() -> None:
    """Every fifth tender assessed, every thousandth watched, by a firm; every tenth says what the one before said; the
    tables analysed, as they are in time."""
    from django.db import connection

    from accounts.models import Membership, Organisation, User

    organisation = Organisation.objects.create(name="Bench")
    user = User.objects.create_user(EMAIL, "a long password", email_verified=True)
    Membership.objects.create(organisation=organisation, user=user, role=Membership.Role.OWNER)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenders_enrichment (id, tender_id, organisation_id, method, analyser, fell_back,"
            " schema_version, content_hash, profile_revision, result, confidence, tokens_in, tokens_out, cost_usd,"
            " latency_ms, is_cached, created_at) SELECT gen_random_uuid(), id, %s, 'rules', 'rules 1', '', 1,"
            " content_hash, 1, '{}', 1, 0, 0, 0, 0, false, now() FROM tenders_tender WHERE key LIKE '%%0'"
            " OR key LIKE '%%5'",
            [organisation.pk],
        )
        cursor.execute(
            "INSERT INTO tenders_score (tender_id, organisation_id, enrichment_id, relevance, relevance_score,"
            " keywords, summary, content_hash, profile_revision, ai_processed_at) SELECT tender_id, organisation_id,"
            " id, CASE WHEN s > 0.9 THEN 'high' WHEN s > 0.6 THEN 'medium' ELSE 'low' END, s, '[]', 'A summary.',"
            " content_hash, 1, now() FROM (SELECT *, random() AS s FROM tenders_enrichment) AS e"
        )
        cursor.execute(
            "INSERT INTO tenders_decision (tender_id, organisation_id, choice, reason, at, is_standing)"
            " SELECT id, %s, 'watch', '', now(), true FROM tenders_tender WHERE key LIKE '%%000'",
            [organisation.pk],
        )
        cursor.execute(
            "INSERT INTO tenders_duplicate (later_id, earlier_id, source_id) SELECT later.id, earlier.id,"
            " earlier.source_id FROM tenders_tender AS later JOIN tenders_tender AS earlier ON earlier.key ="
            " 'ocds-bench-' || lpad((substr(later.key, 12)::int - 1)::text, 7, '0') WHERE later.key LIKE '%0'"
        )
        for table in ("tender", "tenderindex", "score", "decision", "enrichment", "source", "duplicate"):
            cursor.execute(f"VACUUM ANALYZE tenders_{table}")


def _search() -> Report:
    found: dict[str, Any] = step("search", EMAIL, module=MODULE)
    report = Report(f"Search of {TENDERS:,} tenders, a page with its facets, nothing cached")
    everything = sorted(ms for each in found.values() for ms in each["times"])
    report.claim("p95 of all searches", everything[int(0.95 * len(everything))], "ms", P95_MS,
                 reference=f"median {statistics.median(everything):.0f} ms")  # fmt: skip
    for name, each in found.items():
        times = each["times"]
        hits = f"{each['count']:,}" if each["is_exact"] else f"about {each['count']:,}"
        report.figure(
            name, f"p95 {times[int(0.95 * len(times))]:.0f} ms, page alone {each['page_ms']:.0f} ms, {hits} hits"
        )
    return report
