"""The measured steps of tenders: `python -m benchmarks.tender_steps NAME …` prints one JSON object."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.steps import peak_mb

ROUNDS = 20


def bare(path: str) -> dict[str, Any]:
    """The reference: each line through orjson, and a COPY of the same text into a table without any index."""
    import orjson
    from django.db import connection, transaction

    began = time.perf_counter()
    count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (ocid text, raw jsonb) ON COMMIT DROP")
        with Path(path).open("rb") as file, cursor.copy("COPY bare (ocid, raw) FROM STDIN") as copy:
            for line in file:
                ocid = orjson.loads(line)["ocid"]
                copy.write(ocid.encode() + b"\t" + line.replace(b"\\", b"\\\\"))
                count += 1
    return {"seconds": time.perf_counter() - began, "rows": count}


def bring_in(path: str) -> dict[str, Any]:
    """The import as a job or the command runs it; of that, how long the words took."""
    from tenders.services import indexing, sources

    spent, index_words = [0.0], indexing.index_words

    def timed(**options: Any) -> int:
        began = time.perf_counter()
        try:
            return index_words(**options)
        finally:
            spent[0] += time.perf_counter() - began

    indexing.index_words = timed  # type: ignore[assignment]
    source = sources.source_named(name="Bench")
    before = peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    with Path(path).open("rb") as stream:
        record = sources.import_file(source=source, stream=stream, filename=Path(path).name)
    return {
        "seconds": time.perf_counter() - began, "words_s": spent[0], "peak_mb": peak_mb(), "before_mb": before,
        "cpu_s": time.process_time() - cpu, "reader_cpu_s": sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
        **{name: getattr(record, name) for name in ("fetched", "created", "unchanged", "rejected")},
    }  # fmt: skip


def ready(folder: str) -> dict[str, Any]:
    """The reference of storing: the same rows, as lines that are ready, into tables with the same columns and indexes,
    in one transaction each: nothing read, mapped, looked up, or checked."""
    from django.db import connection, transaction

    seconds, rows = 0.0, 0
    for table in ("tenders_tender", "tenders_tenderrelease"):
        path = Path(folder) / table
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE bench_ready (LIKE {table} INCLUDING ALL)")
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = %s::regclass"
                " AND attnum > 0 AND NOT attisdropped",
                [table],
            )
            columns = cursor.fetchone()[0]
            with path.open("wb") as file, cursor.copy(f"COPY {table} ({columns}) TO STDOUT") as stored:
                for line in stored:
                    file.write(line)
            copy = f"COPY bench_ready ({columns}) FROM STDIN"
            began = time.perf_counter()
            with transaction.atomic(), path.open("rb") as file, cursor.copy(copy) as stream:
                while block := file.read(1 << 18):
                    stream.write(block)
            seconds += time.perf_counter() - began
            cursor.execute("SELECT count(*) FROM bench_ready")
            rows = cursor.fetchone()[0]
            cursor.execute("DROP TABLE bench_ready")
        path.unlink()
    return {"seconds": seconds, "rows": rows}


# What people ask for: from everything to almost nothing, by word, by figure, and both.
SEARCHES: tuple[tuple[str, dict[str, str], str], ...] = (
    ("everything, newest first", {}, "published"),
    ("everything, by deadline", {}, "deadline"),
    ("most relevant first", {}, "relevance"),
    ("a word of half the tenders", {"q": "term3"}, "published"),
    ("a word of one in twenty", {"q": "bridge"}, "published"),
    ("a word of one in twenty, by deadline", {"q": "bridge"}, "deadline"),
    ("two words", {"q": "bridge repair"}, "published"),
    ("a rare word", {"q": "place77"}, "published"),
    ("a word that none has", {"q": "xylophone"}, "published"),
    ("a country", {"country": "SA"}, "published"),
    ("construction in two countries", {"cpv": "45", "country": "CZ,SK"}, "published"),
    ("a word, a country, a code", {"q": "school", "country": "DE", "cpv": "45"}, "published"),
    ("a buyer's words", {"buyer": "council place12"}, "published"),
    ("very large values", {"value_min": "99000000"}, "published"),
    ("values in between", {"value_min": "100000", "value_max": "900000"}, "published"),
    ("deadline still to come", {"deadline_after": "2026-11-22"}, "deadline"),
    ("published in one week", {"published_after": "2026-03-02", "published_before": "2026-03-08"}, "published"),
    ("highly relevant", {"relevance": "high"}, "relevance"),
    ("a word among the highly relevant", {"q": "road", "relevance": "high"}, "relevance"),
    ("watched", {"decision": "watch"}, "published"),
    ("planned, by deadline", {"status": "planned"}, "deadline"),
    ("everything, each once", {"duplicates": "hide"}, "published"),
    ("two words, each once", {"q": "bridge repair", "duplicates": "hide"}, "published"),
)


def search(email: str) -> dict[str, Any]:
    """A page of each search with its facets, nothing kept from before: milliseconds, by name, sorted."""
    from accounts.models import User
    from tenders.services.facets import facets_of
    from tenders.services.paging import page_of
    from tenders.services.searchfields import filters_from
    from tenders.services.searching import search_for

    user = User.objects.get(email=email)
    taken: dict[str, Any] = {}
    for name, fields, order in SEARCHES:
        times, pages = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = search_for(user=user, filters=filters_from(fields))
            page = page_of(found, order=order)
            paged = time.perf_counter()
            told = facets_of(found)
            times.append(1000 * (time.perf_counter() - began))
            pages.append(1000 * (paged - began))
        taken[name] = {
            "times": sorted(times), "page_ms": statistics.median(pages), "count": told.count,
            "is_exact": told.is_exact, "rows": len(page.rows),
        }  # fmt: skip
    return taken


STEPS = {"bare": bare, "ready": ready, "import": bring_in, "search": search}

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
