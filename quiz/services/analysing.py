"""The item analysis: first answers read as a stream, figures written by one statement.

What is read is what a person gave when a question was new to them: later answers would tell memory, not the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import StatisticsMissing
from ..models import ExamStatistics
from ..querysets import may_see_statistics
from ..statistics import FEWEST_OTHERS, Form, ItemFigures, Taking, analyse_item, flags_of, reliability_of

ANALYSE = "quiz.analyse_items"
AT_ONCE = 2000  # rows of a stream
Report = Callable[[int, int, str], None]

# A person's first answer to a question, whatever its wording was then: who has met another wording remembers it. Exams
# that go on tell nothing yet. Within a question the order has nothing to do with the answer: it decides ties.
FIRST = f"""
WITH first AS (
    SELECT DISTINCT ON (t.user_id, v.question_id)
        t.user_id, a.version_id, q.category_id, a.share, a.seconds, a.given
    FROM quiz_answer a
    JOIN quiz_attempt t ON t.id = a.attempt_id
    JOIN quiz_questionversion v ON v.id = a.version_id
    JOIN quiz_question q ON q.id = v.question_id
    WHERE a.answered_at IS NOT NULL AND a.share IS NOT NULL AND (t.mode <> 'exam' OR t.submitted_at IS NOT NULL)
    ORDER BY t.user_id, v.question_id, a.answered_at, a.id
), summed AS (
    SELECT first.*, count(*) OVER same AS n, sum(share) OVER same AS earned
    FROM first WINDOW same AS (PARTITION BY user_id, category_id)
)
SELECT version_id, share::float8,
    CASE WHEN n > {FEWEST_OTHERS} THEN ((earned - share) / (n - 1))::float8 END,
    seconds, given ->> 'choice', given -> 'choices'
FROM summed ORDER BY version_id, md5(user_id::text || version_id::text)
"""  # noqa: S608 - a constant of ours
CHOICES = """
SELECT v.id, jsonb_path_query_array(v.body, '$.choices[*].id'), jsonb_path_query_array(v.body, '$.choices[*].share')
FROM quiz_questionversion v
WHERE EXISTS (SELECT 1 FROM quiz_answer a WHERE a.version_id = v.id AND a.answered_at IS NOT NULL)
"""
UPSERT = """
INSERT INTO quiz_itemstatistics (version_id, answers, facility, ranked, discrimination, item_total, distractors, flags,
    median_seconds, analysed_at)
SELECT s.version_id, s.answers, s.facility, s.ranked, s.discrimination, s.item_total, s.distractors::jsonb,
    s.flags::jsonb, s.median_seconds, %s
FROM unnest(%s::uuid[], %s::int[], %s::float8[], %s::int[], %s::float8[], %s::float8[], %s::text[], %s::text[],
    %s::float8[]) AS s(version_id, answers, facility, ranked, discrimination, item_total, distractors, flags,
    median_seconds)
JOIN quiz_questionversion v ON v.id = s.version_id
ON CONFLICT (version_id) DO UPDATE SET answers = EXCLUDED.answers, facility = EXCLUDED.facility,
    ranked = EXCLUDED.ranked, discrimination = EXCLUDED.discrimination, item_total = EXCLUDED.item_total,
    distractors = EXCLUDED.distractors, flags = EXCLUDED.flags, median_seconds = EXCLUDED.median_seconds,
    analysed_at = EXCLUDED.analysed_at
"""
# A form is the set of wordings that an exam asked; of somebody who took it twice, the first time counts.
TAKEN = """
WITH taken AS (
    SELECT DISTINCT ON (t.user_id, t.category_id, f.form) t.id, t.category_id, f.form
    FROM quiz_attempt t
    CROSS JOIN LATERAL (
        SELECT md5(string_agg(a.version_id::text, ',' ORDER BY a.version_id)) AS form
        FROM quiz_answer a WHERE a.attempt_id = t.id
    ) f
    WHERE t.mode = 'exam' AND t.submitted_at IS NOT NULL AND t.category_id IS NOT NULL AND f.form IS NOT NULL
    ORDER BY t.user_id, t.category_id, f.form, t.submitted_at, t.id
)
"""
FORMS = f"""{TAKEN}
SELECT DISTINCT ON (category_id) category_id, form, count(*) OVER (PARTITION BY category_id)
FROM taken GROUP BY category_id, form ORDER BY category_id, count(*) DESC, form
"""  # noqa: S608
MARKS = f"""{TAKEN}
SELECT array_agg(coalesce(a.share, 0)::float8 ORDER BY a.version_id)
FROM taken JOIN quiz_answer a ON a.attempt_id = taken.id WHERE taken.category_id = %s AND taken.form = %s
GROUP BY taken.id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Analysed:
    """`items` wordings have figures, `removed` had some of which nothing is answered any more; `exams` by category."""

    items: int
    removed: int
    exams: int


def start_analysis(*, actor: User | None) -> Job:
    """Queue the analysis; the one under way already, if there is one. StatisticsMissing: not for this person."""
    if actor is not None and not may_see_statistics(actor):
        raise StatisticsMissing("There is no such page, or it is not for you.")
    return enqueue(kind=ANALYSE, params={}, actor=actor, dedupe_key=ANALYSE)


def under_way() -> Job | None:
    """The analysis that waits or runs now, whoever asked for it."""
    return Job.objects.filter(kind=ANALYSE, status__in=Job.ACTIVE).order_by("-created_at").first()


def analyse(*, report: Report | None = None) -> Analysed:
    """Analyse all first answers and keep the figures; what has none any more goes. A second time writes the same.

    Memory: the answers to one question, and a row of figures for each.
    """
    now = timezone.now()
    items = _items(report)
    exams = _exams(now)
    with transaction.atomic(), connection.cursor() as cursor:
        if items:
            cursor.execute(UPSERT, [now, *map(list, zip(*items, strict=True))])
        cursor.execute("DELETE FROM quiz_itemstatistics WHERE analysed_at < %s", [now])
        removed = int(cursor.rowcount)
        ExamStatistics.objects.bulk_create(
            exams,
            update_conflicts=True,
            unique_fields=["category"],
            update_fields=[each.name for each in ExamStatistics._meta.concrete_fields if each.name != "category"],
        )
        ExamStatistics.objects.filter(analysed_at__lt=now).delete()
    return Analysed(items=len(items), removed=removed, exams=len(exams))


def _items(report: Report | None) -> list[tuple[Any, ...]]:
    """A row for each wording, in the order of UPSERT's columns."""
    with connection.cursor() as cursor:
        cursor.execute(CHOICES)
        choices: dict[UUID, dict[str, bool]] = {
            row[0]: {one: float(share) > 0 for one, share in zip(_list(row[1]), _list(row[2]), strict=True)}
            for row in cursor.fetchall()
        }
    rows = []
    for version_id, answers in groupby(_streamed(FIRST), key=itemgetter(0)):
        known = choices.get(version_id, {})
        figures = analyse_item(map(_taking, answers), choices=list(known))
        flags = flags_of(figures, right=[one for one, is_right in known.items() if is_right])
        rows.append(_row(version_id, figures, flags))
        if report is not None:
            report(len(rows), max(len(rows), len(choices)), "Analysing questions")
    return rows


def _exams(now: datetime) -> list[ExamStatistics]:
    with connection.cursor() as cursor:
        cursor.execute(FORMS)
        largest = cursor.fetchall()
    found = []
    for category_id, form, forms in largest:
        told = reliability_of(Form(marks for (marks,) in _streamed(MARKS, [category_id, form])))
        found.append(
            ExamStatistics(
                category_id=category_id,
                forms=forms,
                questions=told.questions,
                people=told.people,
                mean=told.mean,
                deviation=told.deviation,
                kr20=told.kr20,
                why_none=told.why_none,
                analysed_at=now,
            )
        )
    return found


def _streamed(sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Through a cursor of the server, which holds what is not read yet. Outside a transaction it outlives its
    statement, so that progress can be written in between."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, list(parameters))
        while rows := cursor.fetchmany(AT_ONCE):
            yield from rows


def _taking(row: tuple[Any, ...]) -> Taking:
    _, share, rest, seconds, choice, several = row
    return Taking(share, rest, (choice,) if choice else tuple(_list(several)), seconds)


def _list(value: Any) -> list[Any]:
    """JSON comes as text from a cursor that is not the ORM's."""
    return list(orjson.loads(value) if isinstance(value, str) else value or [])


def _row(version_id: UUID, figures: ItemFigures, flags: list[str]) -> tuple[Any, ...]:
    return (
        version_id,
        figures.answers,
        figures.facility,
        figures.ranked,
        figures.discrimination,
        figures.item_total,
        orjson.dumps(figures.distractors).decode(),
        orjson.dumps(flags).decode(),
        figures.median_seconds,
    )
