"""Price catalogues and price indices: imported from tables; a second import of the same writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q

from ..exceptions import DocumentRefused, Refused
from ..models import CatalogueItem, PriceIndex
from ..parsers.bill import ParseError
from ..parsers.price_list import IndexMonth, PricedItem, Rejected, read_indices, read_prices

Report = Callable[[int, int, str], None]
Finish = Callable[[dict[str, Any]], None]
Finishing = Callable[[], AbstractContextManager[Finish]]
BLOCK = 5000
FOUR_PLACES = Decimal("0.0001")
MOST_TOLD = 100  # rejected rows kept with their reason; all are counted

STAGING = """
CREATE TEMP TABLE catalogue_staging (n int, place text, code varchar(60), text text, unit varchar(40),
  unit_price numeric(18, 4), currency varchar(3), priced_on date)
"""
# The first of two rows with one code counts.
REPEATED = """
WITH gone AS (DELETE FROM catalogue_staging s USING catalogue_staging first
              WHERE first.code = s.code AND first.n < s.n RETURNING s.n, s.place, s.code)
SELECT DISTINCT n, place, code FROM gone ORDER BY n
"""
KEY = """i.catalogue = %(catalogue)s AND i.edition = %(edition)s
  AND i.organisation_id IS NOT DISTINCT FROM %(organisation)s::uuid AND i.code = s.code"""
VALUES = "ROW({0}.text, {0}.unit, {0}.unit_price, {0}.currency, {0}.priced_on)"
UPDATE = f"""
UPDATE projects_catalogueitem i SET text = s.text, unit = s.unit, unit_price = s.unit_price, currency = s.currency,
  priced_on = s.priced_on
FROM catalogue_staging s WHERE {KEY} AND {VALUES.format("i")} IS DISTINCT FROM {VALUES.format("s")}
"""
INSERT = f"""
INSERT INTO projects_catalogueitem
  (catalogue, edition, organisation_id, code, text, unit, unit_price, currency, priced_on)
SELECT %(catalogue)s, %(edition)s, %(organisation)s::uuid, s.code, s.text, s.unit, s.unit_price, s.currency, s.priced_on
FROM catalogue_staging s WHERE NOT EXISTS (SELECT 1 FROM projects_catalogueitem i WHERE {KEY}) ORDER BY s.n
"""


@dataclass(slots=True)
class Counts:
    """`read` = created + updated + unchanged + rejected. `reasons`: [place, why] of the first rejected rows."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    reasons: list[list[str]] = field(default_factory=list)

    def reject(self, place: str, reason: str) -> None:
        self.rejected += 1
        if len(self.reasons) < MOST_TOLD:
            self.reasons.append([place, reason])


@dataclass(frozen=True, slots=True)
class Edition:
    """Of which catalogue, and whose: no organisation: everyone's."""

    catalogue: str
    edition: str
    organisation_id: UUID | None = None

    @property
    def label(self) -> str:
        return f"{self.catalogue} {self.edition}".strip()


def checked_edition(*, catalogue: str, edition: str, organisation_id: UUID | None) -> Edition:
    """Raises Refused("name_missing" | "name_too_long")."""
    catalogue, edition = " ".join(catalogue.split()), " ".join(edition.split())
    if not catalogue or not edition:
        raise Refused("Name the catalogue and its edition, such as ÚRS and 2025 02.", code="name_missing")
    if max(len(catalogue), len(edition)) > 30:
        raise Refused("A catalogue's name and its edition have at most 30 characters each.", code="name_too_long")
    return Edition(catalogue, edition, organisation_id)


def import_catalogue(
    *,
    path: Path,
    filename: str,
    edition: Edition,
    currency: str = "",
    priced_on: date | None = None,
    report: Report,
    finishing: Finishing,
) -> Counts:
    """Read a price list and make the edition's items what it says; items that it lacks stay. `priced_on` and
    `currency` where it names none.

    Rows are staged by COPY, block by block; the merge is one transaction, that of `finishing()`. A second import of
    the same file writes nothing. Raises DocumentRefused with the reader's code, also where not one row can be used.
    """
    counts = Counts()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.catalogue_staging")
        cursor.execute(STAGING)
    try:
        rows = read_prices(path, filename, currency=currency)
        for block in _blocks(_taken(rows, counts)):
            _stage(block, priced_on)
            report(counts.read, 0, f"Reading row {counts.read:,}")
    except ParseError as error:
        raise DocumentRefused(str(error), code=error.code) from error
    if counts.rejected == counts.read:
        why = f" First: {counts.reasons[0][0]}: {counts.reasons[0][1]}." if counts.reasons else ""
        raise DocumentRefused(f"No row of this list can be used.{why}", code="no_items")
    report(counts.read, counts.read, f"Storing {edition.label}")
    with finishing() as finish:
        _merge(edition, counts)
        finish(asdict(counts) | {"catalogue": edition.catalogue, "edition": edition.edition, "filename": filename})
    return counts


def _taken(rows: Iterator[PricedItem | Rejected], counts: Counts) -> Iterator[PricedItem]:
    for row in rows:
        counts.read += 1
        if isinstance(row, Rejected):
            counts.reject(row.place, row.reason)
        else:
            yield row


def _blocks(rows: Iterator[PricedItem]) -> Iterator[list[PricedItem]]:
    while block := list(islice(rows, BLOCK)):
        yield block


def _stage(block: list[PricedItem], priced_on: date | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalogue_staging")
        first = cursor.fetchone()[0]
        columns = "n, place, code, text, unit, unit_price, currency, priced_on"
        with connection.wrap_database_errors, cursor.copy(f"COPY catalogue_staging ({columns}) FROM STDIN") as copy:
            for n, row in enumerate(block, start=first):
                copy.write_row(
                    (
                        n,
                        row.place,
                        row.code,
                        row.text,
                        row.unit,
                        row.unit_price,
                        row.currency,
                        row.priced_on or priced_on,
                    )
                )


def _merge(edition: Edition, counts: Counts) -> None:
    """In the caller's transaction; one import of an edition at a time (advisory lock)."""
    values = {
        "catalogue": edition.catalogue, "edition": edition.edition, "organisation": edition.organisation_id,
        "lock": f"catalogue {edition.catalogue}|{edition.edition}|{edition.organisation_id}",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))", values)
        cursor.execute("CREATE INDEX ON catalogue_staging (code, n)")
        cursor.execute("ANALYZE catalogue_staging")
        cursor.execute(REPEATED)
        for _, place, code in cursor.fetchall():
            counts.reject(place, f"code {code} stands in the list before: the first counts")
        cursor.execute(UPDATE, values)
        counts.updated = cursor.rowcount
        cursor.execute(INSERT, values)
        counts.created = cursor.rowcount
        cursor.execute("DROP TABLE pg_temp.catalogue_staging")
    counts.unchanged = counts.read - counts.rejected - counts.created - counts.updated


def import_price_index(
    *,
    path: Path,
    filename: str,
    series: str = "",
    organisation_id: UUID | None = None,
    report: Report,
    finishing: Finishing,
) -> Counts:
    """Read months of price indices and make the series what the table says; months it lacks stay. As above."""
    counts, months = Counts(), {}
    try:
        for row in read_indices(path, filename, series=" ".join(series.split())):
            counts.read += 1
            if isinstance(row, Rejected):
                counts.reject(row.place, row.reason)
            elif (row.series, row.on) in months:
                counts.reject(row.place, f"{row.series} {row.on:%Y-%m} stands in the table before: the first counts")
            else:
                months[row.series, row.on] = row
    except ParseError as error:
        raise DocumentRefused(str(error), code=error.code) from error
    if not months:
        why = f" First: {counts.reasons[0][0]}: {counts.reasons[0][1]}." if counts.reasons else ""
        raise DocumentRefused(f"No row of this table can be used.{why}", code="no_items")
    report(counts.read, counts.read, f"Storing {len(months):,} months")
    with finishing() as finish:
        _merge_months(months, organisation_id, counts)
        finish(asdict(counts) | {"series": sorted({name for name, _ in months}), "filename": filename})
    return counts


def _merge_months(months: dict[tuple[str, date], IndexMonth], organisation_id: UUID | None, counts: Counts) -> None:
    names = {name for name, _ in months}
    rows = PriceIndex.objects.select_for_update().filter(organisation_id=organisation_id, series__in=names)
    known = {(row.series, row.on): row for row in rows}
    new, changed = [], []
    for key, month in months.items():
        value = month.value.quantize(FOUR_PLACES)
        row = known.get(key)
        if row is None:
            new.append(PriceIndex(organisation_id=organisation_id, series=key[0], on=key[1], value=value))
        elif row.value != value:
            row.value = value
            changed.append(row)
    PriceIndex.objects.bulk_create(new, batch_size=1000)
    PriceIndex.objects.bulk_update(changed, ["value"], batch_size=1000)
    counts.created, counts.updated = len(new), len(changed)
    counts.unchanged = len(months) - len(new) - len(changed)


def editions_of(*, organisation_id: UUID | None) -> list[dict[str, Any]]:
    """What an organisation can choose: catalogue, edition, items, priced, own (how many are its own), newest date."""
    rows: Any = (
        CatalogueItem.objects.of(organisation_id)
        .order_by("catalogue", "-edition")
        .values("catalogue", "edition")
        .annotate(
            items=Count("pk"),
            priced=Count("unit_price"),
            own=Count("pk", filter=Q(organisation_id=organisation_id)),
            priced_on=Max("priced_on"),
        )
    )
    return list(rows)


def series_known(*, organisation_id: UUID | None) -> list[dict[str, Any]]:
    """Series of price indices: series, months, newest month."""
    rows: Any = PriceIndex.objects.of(organisation_id).order_by("series").values("series")
    return list(rows.annotate(months=Count("on", distinct=True), newest=Max("on")))
