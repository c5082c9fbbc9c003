"""The positions table: what is asked for, and the one page of rows that answers it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Window
from django.http import QueryDict

from ..models import BudgetVersion, Position, Project
from ..models.findings import Grade, Role
from ..querysets import SORTS, PositionQuerySet
from .rows import ShownRow, shown_rows
from .sections import SectionNode

ROWS = 100
SORT_WORDS = {
    "money": "Money at stake",
    "ordinal": "Order of the bill",
    "total": "Total",
    "confidence": "Least confidence",
}
HEAVY = ("long_text", "measure", "enrichment")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; whatever it says that makes no sense is as if it were not there."""

    grade: str = ""
    role: str = ""
    section: str = ""
    rule: str = ""
    q: str = ""
    sort: str = "money"
    page: int = 1
    version: int | None = None  # None: the current one

    @property
    def is_narrowed(self) -> bool:
        return bool(self.grade or self.role or self.section or self.rule or self.q)

    def query(self, **changes: str | int | None) -> str:
        """As a query string, without what is as by default."""
        values = asdict(replace(self, **changes))  # type: ignore[arg-type]
        return urlencode({name: value for name, value in values.items() if value != _DEFAULTS[name]})


_DEFAULTS = asdict(Filters())


def filters_of(query: QueryDict) -> Filters:
    def chosen(name: str, known: tuple[str, ...], otherwise: str = "") -> str:
        value = query.get(name, "")
        return value if value in known else otherwise

    return Filters(
        grade=chosen("grade", tuple(Grade.values)),
        role=chosen("role", tuple(Role.values)),
        section=_text(query.get("section", ""), 2000),
        rule=_text(query.get("rule", ""), 10),
        q=_text(query.get("q", ""), 200),
        sort=chosen("sort", tuple(SORTS), "money"),
        page=_number(query.get("page", "")) or 1,
        version=_number(query.get("version", "")),
    )


def _text(value: str, longest: int) -> str:
    """PostgreSQL refuses NUL in any text."""
    return value.replace("\x00", "").strip()[:longest]


def _number(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and int(value[:9]) > 0 and len(value) < 10 else None


@dataclass(frozen=True, slots=True)
class Table:
    filters: Filters
    page: Page[int]
    rows: list[ShownRow]

    @property
    def sort_words(self) -> dict[str, str]:
        return SORT_WORDS


class KnownPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Counts by what is known already, where it is: a count of 100,000 rows costs more than the page itself. Where it
    is not, the page's own query counts along."""

    def __init__(self, ids: QuerySet[Position, int], known: int | None, page: int) -> None:
        super().__init__(ids, ROWS)
        self._fetched: list[int] | None = None
        if known is None:
            known = self._fetch(ids, page)
        if known is not None:
            self.__dict__["count"] = known

    def _fetch(self, ids: QuerySet[Position, int], page: int) -> int | None:
        """The count, and the page's ids on the way; None for a page that does not exist (any more)."""
        counted = ids.annotate(found=Window(Count("*"))).values_list("pk", "found")
        rows = list(counted[(page - 1) * ROWS : page * ROWS])
        if not rows:
            return 0 if page == 1 else None
        self._fetched = [key for key, _ in rows]
        return int(rows[0][1])

    def keys(self, page: Page[int]) -> list[int]:
        return list(page.object_list) if self._fetched is None else self._fetched


def table_of(project: Project, filters: Filters, node: SectionNode | None, version: BudgetVersion | None) -> Table:
    """One page of rows. Two queries: the ids, with their count unless it is known; the rows.

    Sorting carries ids only: whole rows are fetched for the hundred that are shown.
    """
    found = _narrowed(Position.objects.filter(project=project).of_version(filters.version), filters, node)
    is_audited = filters.version is None and project.is_audited
    if is_audited:
        found = found.filter(verdict__project=project)  # the index of verdicts begins with the project
    ids = found.sorted_by(filters.sort, is_audited=is_audited).values_list("pk", flat=True)
    pages = KnownPaginator(ids, _known_count(project, filters, node, version), filters.page)
    page = pages.get_page(filters.page)
    keys = pages.keys(page)
    by_id = Position.objects.select_related("verdict").defer(*HEAVY).in_bulk(keys)
    rows = shown_rows(project, [by_id[key] for key in keys if key in by_id], filters.version)
    return Table(replace(filters, page=page.number), page, rows)


def _narrowed(positions: PositionQuerySet, filters: Filters, node: SectionNode | None) -> PositionQuerySet:
    found = positions
    if filters.grade:
        found = found.graded(filters.grade)
    if filters.role:
        found = found.flagged_by(filters.role)
    if filters.rule:
        found = found.with_findings_of(filters.rule)
    if node is not None:
        found = found.filter(object_code=node.object_code)
        found = found.in_section(node.section) if node.section else found
    if filters.q:
        found = found.matching(filters.q)
    return found


def _known_count(
    project: Project, filters: Filters, node: SectionNode | None, version: BudgetVersion | None
) -> int | None:
    if filters.role or filters.rule or filters.q:
        return None
    if node is not None:
        return None if filters.grade else node.positions
    if version is not None:
        return None if filters.grade else version.total_positions
    if not filters.grade:
        return project.total_positions
    # Between an edit and the audit that follows, new rows have no grade yet and the counts are of the old ones.
    return int(getattr(project, f"count_{filters.grade}")) if project.is_audited else None
