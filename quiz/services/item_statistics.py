"""What the item analysis found, as pages, API and files tell it: narrowed, sorted, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet

from accounts.models import User

from ..exceptions import StatisticsMissing
from ..models import Bank, Category, ExamStatistics, ItemStatistics, QuestionVersion
from ..practice.markup import bare_text
from ..querysets import may_see_statistics
from ..statistics import FLAGS, Flag, drawn_to, group_size

SORTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "discrimination": ("Lowest discrimination first", (F("discrimination").asc(nulls_last=True),)),
    "item_total": ("Lowest correlation first", (F("item_total").asc(nulls_last=True),)),
    "hard": ("Hardest first", (F("facility").asc(nulls_last=True),)),
    "easy": ("Easiest first", (F("facility").desc(nulls_last=True),)),
    "answers": ("Most answers first", (F("answers").desc(),)),
}
FIRST_SORT = "discrimination"
STATES = {"told": "With figures", "all": "All that were answered"}
MOST_POINTS = 5000
HEADINGS = (
    "bank", "edition", "question", "category", "wording", "stem", "first answers", "facility", "ranked people",
    "discrimination (upper less lower 27 %)", "corrected item-total r", "median seconds", "flags (heuristics)",
    "choice: takers of the lower / middle / upper group", "analysed at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What to show. Unknown values of an address mean "any"."""

    bank_id: UUID | None = None
    category_id: UUID | None = None
    flag: str = ""
    state: str = "told"
    sort: str = FIRST_SORT


@dataclass(frozen=True, slots=True)
class Summary:
    """`told` of `answered` wordings have figures; the others have fewer than 30 first answers."""

    answered: int
    told: int
    flagged: int
    analysed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """A choice of a question with its takers by group, and their shares of the group, 0 to 1."""

    text: str
    is_right: bool
    takers: list[int]
    shares: list[float]
    is_odd: bool


def check_reader(user: User) -> None:
    """StatisticsMissing: they are made of everybody's answers, and not for everybody."""
    if not may_see_statistics(user):
        raise StatisticsMissing("There is no such page, or it is not for you.")


def wish_of(query: Any) -> Wish:
    """Of an address."""
    return Wish(
        bank_id=_uuid(query.get("bank", "")),
        category_id=_uuid(query.get("category", "")),
        flag=query.get("flag", "") if query.get("flag", "") in FLAGS else "",
        state=query.get("show", "") if query.get("show", "") in STATES else "told",
        sort=query.get("sort", "") if query.get("sort", "") in SORTS else FIRST_SORT,
    )


def found(*, user: User, wish: Wish) -> QuerySet[ItemStatistics]:
    """In the wished order, each with its wording, question, bank and category. StatisticsMissing."""
    check_reader(user)
    rows = _narrowed(ItemStatistics.objects.visible_to(user), wish)
    if wish.flag:
        rows = rows.filter(flags__contains=[wish.flag])
    if wish.state == "told":
        rows = rows.filter(facility__isnull=False)
    related = rows.select_related("version__question__bank", "version__question__category")
    return related.order_by(*SORTS[wish.sort][1], "-answers", "pk")


def summary(*, user: User, wish: Wish) -> Summary:
    """Of the wished bank and category, whatever else is wished. One query."""
    rows = _narrowed(ItemStatistics.objects.visible_to(user), wish)
    told = rows.aggregate(
        answered=Count("pk"),
        told=Count("pk", filter=Q(facility__isnull=False)),
        flagged=Count("pk", filter=~Q(flags=[])),
        analysed_at=Max("analysed_at"),
    )
    return Summary(**told)


def points(*, user: User, wish: Wish) -> list[dict[str, Any]]:
    """Each question with both figures: facility, discrimination, its name, n and whether it is flagged; at most
    MOST_POINTS. StatisticsMissing."""
    rows = found(user=user, wish=wish).filter(discrimination__isnull=False)
    columns = ("pk", "facility", "discrimination", "ranked", "flags", "version__question__external_id")
    return [
        {"id": str(pk), "x": round(x, 3), "y": round(y, 3), "n": n, "flags": flags, "label": label}
        for pk, x, y, n, flags, label in rows.values_list(*columns)[:MOST_POINTS]
    ]


def exams(*, user: User, wish: Wish) -> list[ExamStatistics]:
    rows = ExamStatistics.objects.visible_to(user).select_related("category").order_by("category__name", "pk")
    return list(rows.filter(category=wish.category_id) if wish.category_id else rows)


def choices_of_filters(*, user: User) -> tuple[list[Bank], list[Category]]:
    """Banks and categories of which something was analysed."""
    seen = ItemStatistics.objects.visible_to(user)
    banks = Bank.objects.filter(pk__in=seen.values("version__question__bank"))
    return list(banks), list(Category.objects.filter(pk__in=seen.values("version__question__category")))


def one(*, user: User, version_id: UUID) -> ItemStatistics:
    """Of a wording. StatisticsMissing."""
    check_reader(user)
    rows = ItemStatistics.objects.visible_to(user).select_related(
        "version__question__bank", "version__question__category"
    )
    row = rows.filter(pk=version_id).first()
    if row is None:
        raise StatisticsMissing("Nothing has been analysed of this wording.")
    return row


def flags_told(row: ItemStatistics) -> list[Flag]:
    return [FLAGS[code] for code in row.flags if code in FLAGS]


def lines_of(row: ItemStatistics) -> list[ChoiceLine]:
    """Of each choice in the question's order; [] where there is no table."""
    size = group_size(row.ranked)
    sizes = [size, row.ranked - 2 * size, size]
    lines = []
    for choice in row.version.body.get("choices", []):
        takers = row.distractors.get(choice["id"])
        if takers is None:
            continue
        is_right = float(choice["share"]) > 0
        shares = [number / of if of else 0.0 for number, of in zip(takers, sizes, strict=True)]
        is_odd = not is_right and drawn_to(takers, row.ranked)
        lines.append(ChoiceLine(choice["text"], is_right, takers, shares, is_odd))
    return lines


def table(*, user: User, wish: Wish) -> Iterator[tuple[Any, ...]]:
    """Rows of a file, in the order of HEADINGS, read as they are written. StatisticsMissing."""
    rows = found(user=user, wish=wish)
    return (_line(row) for row in rows.iterator(chunk_size=500))


def other_wordings(row: ItemStatistics) -> list[QuestionVersion]:
    """Of the same question, that were analysed too, the newest first."""
    same = QuestionVersion.objects.filter(question=row.version.question_id, statistics__isnull=False)
    return list(same.exclude(pk=row.pk).order_by("-number"))


def _line(row: ItemStatistics) -> tuple[Any, ...]:
    version, question = row.version, row.version.question
    taken = (
        f"{bare_text(each.text, version.markup)}{' (right)' if each.is_right else ''}: "
        f"{' / '.join(map(str, each.takers))}"
        for each in lines_of(row)
    )
    return (
        question.bank.name, question.edition, question.external_id, question.category.name, version.number,
        bare_text(version.stem, version.markup), row.answers, _short(row.facility), row.ranked,
        _short(row.discrimination), _short(row.item_total), row.median_seconds,
        "; ".join(each.word for each in flags_told(row)), "; ".join(taken), row.analysed_at,
    )  # fmt: skip


def _narrowed(rows: QuerySet[ItemStatistics], wish: Wish) -> QuerySet[ItemStatistics]:
    if wish.bank_id:
        rows = rows.filter(version__question__bank=wish.bank_id)
    if wish.category_id:
        rows = rows.filter(version__question__category=wish.category_id)
    return rows


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
