"""Questions about positions, answered in bulk: the catalogue's item, and what the organisation itself asks elsewhere.

By code first, where code and unit agree; then by text (projects.matching), which is a likeness and says so. Answers are
kept (knowledge), also the one that there is nothing: the next budget with the same position asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from statistics import median
from typing import Any

from django.db import connection

from ...audit.units import normalise
from ...matching.index import TextIndex
from ...matching.words import folded
from ...models import CatalogueItem, KnowledgeEntry, Project
from ..price_indexing import Series
from .knowledge import keep, key_of, known

Report = Callable[[int, int, str], None]
Answer = dict[str, Any]

MOST_ITEMS = 300_000  # of a catalogue, looked through by text
MOST_TEXTS = 100_000  # of own history, the newest budgets first
ALIKE = 90.0  # of own texts: a price is taken over from them
OWN_PRICES = """
SELECT p.description, coalesce(p.unit, ''), p.code, p.unit_price, q.budget_on, q.id
FROM projects_position p JOIN projects_project q ON q.id = p.project_id
WHERE q.organisation_id = %(organisation)s AND q.id <> %(project)s AND q.currency = %(currency)s
  AND q.status <> 'archived' AND p.removed_in IS NULL AND p.unit_price > 0 AND p.kind <> 'note'
  AND p.billing <> 'surcharge' AND p.description <> ''
ORDER BY q.created_at DESC, q.id, p.ordinal LIMIT %(most)s
"""
STAND = """
SELECT count(*), sum(hashtextextended(
    concat_ws('|', code, text, unit, unit_price, currency, priced_on, organisation_id), 0)::numeric)
FROM projects_catalogueitem
WHERE catalogue = %s AND edition = %s AND (organisation_id IS NULL OR organisation_id = %s)
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a position; the same for all that read the same."""

    code: str
    text: str
    unit: str  # canonical, or as written where it is not known; "" none

    @classmethod
    def of(cls, code: str, text: str, unit: str | None) -> Question:
        return cls(code.strip(), folded(text), normalise(unit) or (unit or "") if unit else "")


def in_catalogue(
    project: Project, questions: Sequence[Question], series: Series, report: Report
) -> dict[Question, Answer]:
    """Items of the project's catalogue: code text unit unit_price currency how score. Those found alone."""
    edition = (project.catalogue, project.catalogue_edition)
    items = CatalogueItem.objects.of(project.organisation_id).filter(catalogue=edition[0], edition=edition[1])
    stand = _stand_of_catalogue(project) if project.catalogue else None
    if not stand:
        return {}
    # What was imported again may say something else; so may another date to which prices are moved.
    frame = (project.currency, project.budget_on, _stand_of_series(series))
    scope = ("catalogue", project.organisation_id, *edition, stand, *frame)

    def work(left: list[Question]) -> dict[Question, Answer]:
        fields = ("code", "text", "unit", "unit_price", "currency", "priced_on")
        rows = list(items.order_by("organisation_id", "code").values_list(*fields)[:MOST_ITEMS])
        # The organisation's own item of a code stands before everyone's, being sorted first: NULLs come last.
        by_code: dict[tuple[str, str], int] = {}
        for number, row in enumerate(rows):
            by_code.setdefault((row[0], _unit(row[2])), number)
        index = TextIndex([(row[1], _unit(row[2])) for row in rows])
        return _asked(
            left, index, by_code, lambda number: _item(rows[number], project, series), report, "the catalogue"
        )

    return _answered(questions, scope, work, type=KnowledgeEntry.Type.CODE, project=project, source=" ".join(edition))


def in_history(
    project: Project, questions: Sequence[Question], series: Series, report: Report
) -> dict[Question, Answer]:
    """Own prices: price n lowest highest how score text indexed. Of budgets in the same currency, each counted once."""
    if not project.currency:
        return {}
    stand = _stand_of_history(project)
    frame = (project.currency, project.budget_on, _stand_of_series(series))
    scope = ("history", project.organisation_id, *frame, stand)

    def work(left: list[Question]) -> dict[Question, Answer]:
        groups = _own_prices(project, series)
        listed = list(groups.items())
        by_code: dict[tuple[str, str], int] = {}
        for number, ((_, unit), (_, codes, _)) in enumerate(listed):
            for code in codes:
                by_code.setdefault((code, unit), number)
        index = TextIndex([(text, unit) for (text, unit), _ in listed])
        return _asked(left, index, by_code, lambda number: _own(listed[number][1]), report, "own budgets", least=ALIKE)

    return _answered(questions, scope, work, type=KnowledgeEntry.Type.PRICE, project=project, source="own budgets")


def _answered(
    questions: Sequence[Question],
    scope: tuple[object, ...],
    work: Callable[[list[Question]], dict[Question, Answer]],
    *,
    type: str,
    project: Project,
    source: str,
) -> dict[Question, Answer]:
    keys = {question: key_of(*scope, question.code, question.text, question.unit) for question in questions}
    found = known(keys.values())
    left = [question for question, key in keys.items() if key not in found]
    if left:
        new = work(left)
        answers = {keys[question]: new.get(question, {}) for question in left}
        keep(answers, type=type, organisation_id=project.organisation_id, sources=[{"source": source}])
        found |= answers
    return {question: found[key] for question, key in keys.items() if found.get(key)}


def _asked(
    questions: list[Question],
    index: TextIndex,
    by_code: dict[tuple[str, str], int],
    told: Callable[[int], Answer],
    report: Report,
    where: str,
    *,
    least: float | None = None,
) -> dict[Question, Answer]:
    found: dict[Question, Answer] = {}
    for done, question in enumerate(questions):
        if done % 500 == 0:
            report(done, len(questions), f"Looking up in {where}")
        number = by_code.get((question.code, question.unit)) if question.code else None
        if number is not None:
            found[question] = told(number) | {"how": "code", "score": 100.0}
            continue
        match = index.nearest(question.text, question.unit, **({} if least is None else {"least": least}))
        if match is not None:
            found[question] = told(match.number) | {"how": "text", "score": match.score}
    return found


def _item(row: tuple[Any, ...], project: Project, series: Series) -> Answer:
    code, text, unit, price, currency, priced_on = row
    comparable = price is not None and (not currency or currency == project.currency)
    moved, how = series.moved(price, priced_on, project.budget_on) if comparable else (None, "")
    why = how or ("in another currency" if price is not None else "no price")
    return {
        "code": code,
        "text": text,
        "unit": unit,
        "currency": currency or project.currency,
        "unit_price": _figure(moved),
        "stated_price": _figure(price),
        "index": how if moved is not None else "",
        "why_unpriced": "" if moved is not None else why,
    }


def _stand_of_catalogue(project: Project) -> str:
    """Changes whenever an item does; "": there is none."""
    with connection.cursor() as cursor:
        cursor.execute(STAND, [project.catalogue, project.catalogue_edition, project.organisation_id])
        count, digest = cursor.fetchone()
    return f"{count}:{digest}" if count else ""


def _stand_of_history(project: Project) -> tuple[Any, ...]:
    """Changes whenever another budget of the organisation does, or the date its prices are of; of two budgets each is
    the other's history."""
    rows = Project.objects.filter(organisation_id=project.organisation_id, currency=project.currency)
    rows = rows.exclude(status=Project.Status.ARCHIVED).exclude(pk=project.pk).filter(version_number__gt=0)
    told = rows.order_by("pk").values_list("pk", "version_number", "budget_on")
    return tuple(f"{pk}:{number}:{on}" for pk, number, on in told)


def _stand_of_series(series: Series) -> str:
    """Changes whenever one of its values does: months are imported again under the same name. "": none is chosen."""
    return sha256(repr(series).encode()).hexdigest() if series.name else ""


def _own_prices(
    project: Project, series: Series
) -> dict[tuple[str, str], tuple[str, set[str], dict[Any, list[Decimal]]]]:
    """(folded text, unit) -> (text, codes, prices by budget)."""
    asked: dict[str, Any] = {
        "organisation": project.organisation_id,
        "project": project.pk,
        "currency": project.currency,
    }
    groups: dict[tuple[str, str], tuple[str, set[str], dict[Any, list[Decimal]]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(OWN_PRICES, asked | {"most": 5 * MOST_TEXTS})
        for text, unit, code, price, budget_on, budget in cursor.fetchall():
            moved, _ = series.moved(price, budget_on, project.budget_on)
            key = (folded(text), _unit(unit))
            if moved is None or (key not in groups and len(groups) >= MOST_TEXTS):
                continue
            _, codes, prices = groups.setdefault(key, (text, set(), {}))
            if code:
                codes.add(code)
            prices.setdefault(budget, []).append(moved)
    return groups


def _own(group: tuple[str, set[str], dict[Any, list[Decimal]]]) -> Answer:
    text, _, prices = group
    each = [median(told) for told in prices.values()]
    return {
        "text": text,
        "price": _figure(median(each)),
        "n": len(each),
        "lowest": _figure(min(each)),
        "highest": _figure(max(each)),
    }


def _unit(unit: str) -> str:
    return normalise(unit) or unit


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.quantize(Decimal('0.0001')).normalize():f}"
