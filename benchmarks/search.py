"""Search at 100,000 texts: rare words, a word that is in every one, questions, codes; and answers.

Texts are made of a vocabulary of 20,000 words, the n-th used 1/n as often as the first, as words of languages are.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.report import Report

DOCUMENTS = int(os.environ.get("SEARCH_DOCUMENTS", "100000"))
WORDS_OF_ONE = 60
ROUNDS = 30
EVERYWHERE = "construction"
SOURCE = "bench.note"


def measure() -> Iterator[Report]:
    report = Report(f"Search over {DOCUMENTS:,} texts")
    words = vocabulary()
    seconds = lay_down(words)
    report.figure("laid down, read as any source is", f"{DOCUMENTS / seconds:,.0f} entities/s")
    seconds = finish()
    report.figure("words counted, meanings fitted and placed, index built", f"{seconds:,.0f} s")
    member = somebody()
    for name, questions in asked(words).items():
        took = sorted(timed(lambda q: searched(member, q), questions))
        report.claim(f"search, {name}: median", statistics.median(took), "ms", 30)
        report.figure(f"search, {name}: slowest tenth", f"{took[int(len(took) * 0.9)]:.1f} ms")
    took = sorted(timed(lambda q: answered(member, q), asked(words)["a question"]))
    report.claim("answer without a model: median", statistics.median(took), "ms", 100)
    yield report


def vocabulary() -> list[str]:
    letters = random.Random(7)
    return [
        "".join(letters.choice("abcdefghiklmnoprstuvz") for _ in range(letters.randint(4, 10))) for _ in range(20000)
    ]


def texts(words: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    chance = random.Random(11)
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    for number in range(DOCUMENTS):
        body = " ".join(chance.choices(words, weights, k=WORDS_OF_ONE))
        yield number, f"{EVERYWHERE} {chance.choice(words)} {number}", body


def lay_down(words: Sequence[str]) -> float:
    """Through the same door as real sources; seconds."""
    from analytics.registry import Described, EntitySource
    from analytics.services.entities import CHUNK, refresh_chunk

    held: dict[str, Described] = {}
    source = EntitySource(
        name=SOURCE,
        entity_type="note",
        label="Note",
        read=lambda keys: [held[key] for key in keys],
        keys=lambda: iter(()),
    )
    began = time.perf_counter()
    for number, name, body in texts(words):
        held[str(number)] = Described(source_id=str(number), name=name, text=body, url=f"/{number}", code=f"B-{number}")
        if len(held) == CHUNK:
            refresh_chunk(source=source, source_ids=list(held), is_asked_for=False)
            held.clear()
    return time.perf_counter() - began


def finish() -> float:
    from django.db import connection

    from analytics.services import embeddings, vocabularies
    from analytics.services.reindexing import count_words

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE analytics_entity SET demand_score = hashtext(source_id) % 1000")
        cursor.execute("VACUUM ANALYZE analytics_entity")
    count_words()
    embeddings.fit_embedding()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE analytics_entity")
    embeddings.forget()
    vocabularies.forget()
    return time.perf_counter() - began


def asked(words: Sequence[str]) -> dict[str, list[str]]:
    chance = random.Random(13)
    rare = [chance.choice(words[2000:]) for _ in range(ROUNDS)]
    common = [chance.choice(words[:5]) for _ in range(ROUNDS)]
    return {
        "a rare word": rare,
        "a word that is in every text": [EVERYWHERE] * ROUNDS,
        "a question": [f"which {EVERYWHERE} has {a} and {b}?" for a, b in zip(common, rare, strict=True)],
        "common words alone": [f"{EVERYWHERE} {word}" for word in common],
        "a code": [f"B-{chance.randrange(DOCUMENTS)}" for _ in range(ROUNDS)],
        "a typo": [word[:2] + word[3] + word[2] + word[4:] if len(word) > 4 else word for word in rare],
    }


def timed(ask: Any, questions: Sequence[str]) -> list[float]:
    """Milliseconds of each; the first three warm it up."""
    took = []
    for place, question in enumerate([*questions[:3], *questions]):
        began = time.perf_counter()
        ask(question)
        if place >= 3:
            took.append((time.perf_counter() - began) * 1000)
    return took


def somebody() -> Any:
    from accounts.models import User

    return User.objects.create_user("search@example.com", "correct horse battery staple", email_verified=True)


def searched(member: Any, question: str) -> None:
    from analytics.services.searching import search

    search(user=member, q=question)


def answered(member: Any, question: str) -> None:
    from analytics.services.answering import answer

    answer(user=member, question=question)
